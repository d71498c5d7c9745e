"""What schedulers save: simulated studies of trainings with known curves, beside those of others.

    BENCH_TASKS=folder python bench/fidelity.py run auto+none auto+asha optuna-hyperband --out runs
    BENCH_TASKS=folder python bench/fidelity.py report --out runs

The folder holds `tasks.py` and its data. `run` appends a line per (task, seed, workers) to
OUT/METHOD.jsonl and passes over those that are there, so it can be stopped and continued; `trainings.py`
says what methods there are. Each study has the steps of 50 full trainings. What looks best is the best of
those that have come farthest, and is judged by its loss after a full training, as regret between that of the
best known (0) and the median of random configurations (1). `report` ranks the methods within each
(task, seed); intervals are bootstrapped over tasks.
"""

import argparse
import json
import math
import os
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from trainings import Arena, Training, method
from tunesmith.numerics.arrays import Floats

FULL = 50  # full trainings that a study may spend
AT = (5, 10, 20, 50)
CLOSE = 0.01  # of the regret: what a wrong stop may cost and still be none
TASKS = (
    *(f"lcbench/{n}" for n in (3945, 7593, 126026, 146212, 168329, 189862)),
    "taskset/patch128_LSTM128_avg_bs64", "taskset/patch128_LSTM128_embed128_bs64",
    "taskset/patch32_GRU64_avg_bs128", "taskset/patch32_IRNN64_relu_last_bs128",
    "taskset/patch32_LSTM128_bs128", "taskset/patch32_VRNN64_relu_avg_bs128",
    *(f"rbv2_xgboost/{n}" for n in (1040, 12, 1461)), *(f"rbv2_super/{n}" for n in (12, 1461, 40981)),
)  # fmt: skip

Pair: TypeAlias = tuple[str, int]  # task and seed
Runs: TypeAlias = dict[str, dict[Pair, dict[str, Any]]]  # by method


def family(task: str) -> str:
    """Return what a task is counted to."""
    return task.partition("/")[0].partition("_")[0]


def run(folder: str, out: Path, options: argparse.Namespace) -> None:
    """Run methods on tasks, seed after seed."""
    done = {(r["method"], r["task"], r["seed"], r["workers"]) for r in lines(out)}
    for seed in range(options.first, options.first + options.seeds):
        for task in options.tasks or TASKS:
            training = None
            for workers in options.workers:
                for name in options.methods:
                    if (name, task, seed, workers) in done:
                        continue
                    training = training or Training(folder, task)
                    arena = Arena(training, seed, workers, FULL * training.top)
                    begun = time.process_time()
                    method(name)(arena)
                    line = {
                        "method": name, "task": task, "seed": seed, "workers": workers,
                        "top": training.top, "points": arena.points, "trials": len(arena.finals),
                        **best_of(arena), "cpu_s": round(time.process_time() - begun, 2),
                    }  # fmt: skip
                    with (out / f"{name.replace('/', '-')}.jsonl").open("a") as file:
                        file.write(json.dumps(line) + "\n")


def best_of(arena: Arena) -> dict[str, Any]:
    """Return the final loss of the best tried, and of the best that was trained to the end.

    What still runs when the steps are spent was not tried.
    """
    finals = np.array(arena.finals)
    full = np.array(arena.last) >= arena.training.top
    finals[~np.isfinite(finals)] = np.inf
    finals[[number for number in arena.running if not full[number]]] = np.inf
    best = float(finals[full].min()) if full.any() else None
    return {"tried": float(finals.min()), "trained": best, "full": int(full.sum())}


def lines(out: Path) -> list[dict[str, Any]]:
    """Return what was run."""
    return [json.loads(line) for file in sorted(out.glob("*.jsonl")) for line in file.open()]


class Scales:
    """Regret: 0 is the best final loss known of a task, 1 the median of random configurations."""

    def __init__(self, folder: str, out: Path, found: Sequence[dict[str, Any]]) -> None:
        kept = out / "scale.json"
        self._scale: dict[str, list[float]] = json.loads(kept.read_text()) if kept.exists() else {}
        for task in {r["task"] for r in found} - self._scale.keys():
            self._scale[task] = [*Training(folder, task).scale()]
            kept.write_text(json.dumps(self._scale))
        for r in found:
            low = min(self._scale[r["task"]][0], r["tried"])
            self._scale[r["task"]][0] = low

    def __call__(self, task: str, loss: float) -> float:
        low, middle = self._scale[task]
        return min(1.0, (loss - low) / (middle - low)) if math.isfinite(loss) else 1.0


def at(r: dict[str, Any], spent: float) -> float:
    """Return the final loss of what looked best when so many steps were spent."""
    return next((loss for n, loss in reversed(r["points"]) if n <= spent), math.inf)


def bootstrap(by_task: dict[str, list[float]], median: bool = False) -> str:
    """Return a mean (or median) over tasks with its 95 % interval over tasks."""
    groups = [np.array(values) for values in by_task.values()]
    rng = np.random.default_rng(0)
    if median:
        draws = [
            np.median(
                np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
            )
            for _ in range(1000)
        ]
        middle = np.median(np.concatenate(groups))
    else:
        means = np.array([g.mean() for g in groups])
        draws = list(means[rng.integers(len(means), size=(1000, len(means)))].mean(1))
        middle = means.mean()
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def report(folder: str, out: Path, options: argparse.Namespace) -> None:
    """Print the tables."""
    found = [r for r in lines(out) if not options.methods or r["method"] in options.methods]
    regret = Scales(folder, out, found)
    for workers in sorted({r["workers"] for r in found}):
        runs: Runs = defaultdict(dict)
        for r in found:
            if r["workers"] == workers:
                runs[r["method"]][r["task"], r["seed"]] = r
        pairs = sorted(set.intersection(*(set(known) for known in runs.values())))
        tasks = len({task for task, _ in pairs})
        print(f"\n{workers} workers: {len(pairs)} studies of {tasks} tasks by each method\n")
        if pairs:
            print_ranks(runs, pairs, regret)
            print_savings(runs, pairs, regret, options.than)


def regrets(runs: Runs, pairs: Sequence[Pair], budget: int, regret: Scales) -> Floats:
    """Return the regret of each method in each study (methods, pairs) after so many full trainings."""
    return np.array(
        [
            [regret(p[0], at(known[p], budget * known[p]["top"])) for p in pairs]
            for known in runs.values()
        ]
    )


def print_ranks(runs: Runs, pairs: Sequence[Pair], regret: Scales) -> None:
    """Print mean ranks and mean log10 regret."""
    columns: dict[str, list[str]] = {name: [] for name in runs}
    for budget in AT:
        table = regrets(runs, pairs, budget, regret)
        better = (table[None] < table[:, None] - 1e-9).sum(1)
        equal = (abs(table[None] - table[:, None]) <= 1e-9).sum(1)
        ranks = 1 + better + (equal - 1) / 2  # (methods, pairs)
        for name, row in zip(runs, ranks, strict=True):
            by_task: dict[str, list[float]] = defaultdict(list)
            for (task, _), rank in zip(pairs, row, strict=True):
                by_task[task].append(float(rank))
            columns[name].append(bootstrap(by_task))
    logs = [np.log10(regrets(runs, pairs, budget, regret) + 1e-4).mean(1) for budget in AT]
    print(
        "| mean rank (95 %), log10 regret after full trainings | " + " | ".join(map(str, AT)) + " |"
    )
    print("|---|" + "---|" * len(AT))
    order = sorted(range(len(runs)), key=lambda i: sum(log[i] for log in logs))
    for i in order:
        name = list(runs)[i]
        cells = [f"{rank}, {log[i]:.2f}" for rank, log in zip(columns[name], logs, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")


def print_savings(runs: Runs, pairs: Sequence[Pair], regret: Scales, than: str) -> None:
    """Print how many times fewer steps are needed for what `than` has at the end, and wrong stops."""
    families = sorted({family(task) for task, _ in pairs})
    print(
        f"\n| | times fewer steps than {than} (median, 95 %) | " + " | ".join(families)
        + f" | never there | best tried was stopped, costs > {CLOSE:g} | trials | to the end | CPU s |"
    )  # fmt: skip
    print("|---" * (len(families) + 7) + "|")
    for name, known in runs.items():
        factors: dict[str, list[float]] = defaultdict(list)
        for pair in pairs:
            if than not in runs:
                break
            r = known[pair]
            target = at(runs[than][pair], FULL * r["top"])
            steps = next((n for n, loss in r["points"] if loss <= target), math.inf)
            factors[pair[0]].append(FULL * r["top"] / steps)
        all_factors = np.array([f for values in factors.values() for f in values])
        medians = [
            f"{np.median([f for t, v in factors.items() if family(t) == one for f in v]):.1f}"
            if factors
            else ""
            for one in families
        ]
        rs = [known[p] for p in pairs]
        stopped = [r["trained"] is None or r["tried"] < r["trained"] for r in rs]
        costs = [
            r["trained"] is None
            or regret(r["task"], r["trained"]) > regret(r["task"], r["tried"]) + CLOSE
            for r in rs
        ]
        cells = [
            bootstrap(factors, median=True) if factors else "",
            *medians,
            f"{np.mean(all_factors == 0):.0%}" if factors else "",
            f"{np.mean(stopped):.0%}, {np.mean(costs):.0%}",
            f"{np.median([r['trials'] for r in rs]):.0f}",
            f"{np.median([r['full'] for r in rs]):.0f}",
            f"{np.median([r['cpu_s'] for r in rs]):.1f}",
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> int:
    """Run or report."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("methods", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--than", default="auto+none", help="what the others are to reach")
    options = parser.parse_args()
    folder = os.environ.get("BENCH_TASKS")
    if not folder or not (Path(folder) / "tasks.py").exists():
        print(f"BENCH_TASKS must name the folder that holds tasks.py, it is {folder!r}")
        return 2
    options.out.mkdir(exist_ok=True)
    {"run": run, "report": report}[options.what](folder, options.out, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
