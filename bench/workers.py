"""Many workers on one machine: how close to ideal they work, and that two runs can be the same.

    python bench/workers.py [--install]

`--install` also measures a new user's first minute: a new environment, an installation, and an
argparse script that nobody has touched.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import tunesmith as ts
from measure import header, table

T = ts.Trial[dict[str, Any]]
X = {"x": ts.Float(0, 1)}
WARM = 10  # trials before the measured ones, while the workers come up

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001, help="learning rate")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--nesterov", action="store_true")
args = parser.parse_args()
print(f"Test accuracy: {1 - abs(args.lr - 0.01) - (not args.nesterov) / 10:.3f}")
"""


def sleeping(path: Path | None, sampler: ts.samplers.Sampler[Any]) -> str:
    """1,000 trials of 20 ms on two workers: the share of the ideal 10 s."""
    kept: dict[str, Any] = {} if path is None else {"name": "s", "storage": path}
    study = ts.Study(X, minimize="loss", seed=0, sampler=sampler, **kept)

    def objective(trial: T) -> float:
        time.sleep(0.02)
        return float(trial["x"])

    study.run(objective, trials=1000 + WARM, workers=2, progress=False)
    records = list(study.history)[WARM:]
    took = max(r.ended or 0.0 for r in records) - min(r.started for r in records)
    return f"{10 / took:.1%}"


def waves() -> str:
    """64 coroutines of 1 s each, three waves."""
    study = ts.Study(X, minimize="loss", seed=0)

    async def objective(trial: T) -> float:
        await asyncio.sleep(1)
        return float(trial["x"])

    begun = time.monotonic()
    study.run(objective, trials=192, workers=64, progress=False)
    return f"{(time.monotonic() - begun) / 3:.2f} s"


def deterministic() -> list[Any]:
    """What a deterministic study of eight workers makes of 100 trials of random durations."""
    study = ts.Study(X, minimize="loss", seed=0, deterministic=8)

    def objective(trial: T) -> None:
        for step in (1, 2, 3):
            time.sleep(random.Random(os.urandom(8)).expovariate(100))
            trial.report(step, loss=trial["x"] * step)
            if trial.number == 50:
                trial.note("in mid-run")
        if trial.number % 9 == 4:
            raise ts.Infeasible("too large")

    study.run(objective, trials=100, workers=8, progress=False, max_failures=100)
    if not study.verify():
        raise SystemExit(str(study.verify()))
    return [
        (r.number, r.logged, r.seed, r.state, r.values, r.reports, r.failure and r.failure.kind)
        for r in study.history
    ]


def same() -> str:
    """How many trials of two deterministic runs are identical."""
    first, second = deterministic(), deterministic()
    equal = sum(a == b for a, b in zip(first, second, strict=True))
    return f"{equal} of {len(first)} identical, verified"


def first_minute() -> str:
    """From the end of `pip install` to the first trial of an untouched script."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text(SCRIPT)
        subprocess.run([sys.executable, "-m", "venv", "env"], cwd=folder, check=True)
        pip = ["env/bin/pip", "install", "-q", str(Path(__file__).parents[1])]
        subprocess.run(pip, cwd=folder, check=True)
        begun = time.monotonic()
        for line in (
            "env/bin/tunesmith init train.py",
            (
                "env/bin/tunesmith run --space space.toml --maximize accuracy --trials 1 "
                "-- env/bin/python train.py {args}"
            ),
        ):
            subprocess.run(line.split(), cwd=folder, check=True, capture_output=True)
        return f"{time.monotonic() - begun:.1f} s"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--install", action="store_true")
    chosen = arguments.parse_args()
    header()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            ("1,000 trials of 20 ms, 2 workers up, first start to last finish, in memory",
             "95 % of ideal", sleeping(None, ts.samplers.Random())),
            ("… on SQLite", "95 %", sleeping(Path(folder) / "s.db", ts.samplers.Random())),
            ("… in memory, with the default sampler", "", sleeping(None, ts.samplers.Auto())),
            ("64 async trials of 1 s each, a wave", "1.5 s", waves()),
            ("two deterministic runs, 8 workers, random durations, notes in mid-run",
             "identical trials", same()),
        ]  # fmt: skip
    if chosen.install:
        rows.append(("`init` and `run` on an untouched argparse script", "60 s", first_minute()))
    table("Workers", rows)


if __name__ == "__main__":
    main()
