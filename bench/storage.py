"""What keeping a study costs: trials per second on SQLite, and opening long studies.

    python bench/storage.py [--optuna PYTHON]

`--optuna` names the Python of an environment that has Optuna, to be measured in the same run.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import tunesmith as ts
from measure import child, folder, header, table

WORK = """
import time
import tunesmith as ts
from measure import space
path, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
study = ts.Study(space(k), minimize="loss", name="s", storage=path, seed=0)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(n):
    study.tell(study.ask(), 0.5)
"""

OPTUNA_WORK = """
import time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
path, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
study = optuna.create_study(
    study_name="s", storage="sqlite:///" + path, load_if_exists=True,
    sampler=optuna.samplers.RandomSampler(seed=0),
)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(n):
    trial = study.ask()
    for i in range(k):
        trial.suggest_float(f"p{i}", 1e-5, 1e-1, log=bool(i % 2))
    study.tell(trial, 0.5)
"""

OPEN = """
import time
import tunesmith as ts
begun = time.perf_counter()
study = ts.load(sys.argv[1], "s")
out["s"], out["n"] = time.perf_counter() - begun, len(study.history)
"""


def rate(code: str, processes: int, n: int, k: int, python: str = sys.executable) -> float:
    """Trials per second of `processes` that ask and tell `n` trials each, from a common start."""
    bench = str(Path(__file__).parent)
    with folder() as place:
        path = f"{place}/s.db"
        workers = []
        for _ in range(processes):
            worker = subprocess.Popen(
                [python, "-c", "import sys\n" + code, path, str(n), str(k)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env={"PYTHONPATH": bench, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            if worker.stdout is None or worker.stdout.readline() != "ready\n":
                raise SystemExit("a worker did not start")
            workers.append(worker)
        begun = time.perf_counter()
        for worker in workers:
            if worker.stdin is not None:
                worker.stdin.write("go\n")
                worker.stdin.flush()
        if any(worker.wait() for worker in workers):
            raise SystemExit("a worker failed")
        seconds = time.perf_counter() - begun
        if code is WORK:
            numbers = [record.number for record in ts.load(path, "s").history]
            if numbers != list(range(processes * n)):
                raise SystemExit("numbers are not whole")
        return processes * n / seconds


def long_study(path: str, trials: int, reports: int) -> None:
    """Write a study of 10 parameters."""
    names = [f"p{i}" for i in range(10)]
    study = ts.Study(
        {name: ts.Float(0, 1) for name in names},
        minimize="loss",
        seed=0,
        name="s",
        storage="memory",
    )
    for _ in range(trials):
        trial = study.ask()
        for step in range(1, reports + 1):
            trial.report(step, loss=1 / step)
        study.tell(trial, 0.5)
    study.save(path)
    ts.storage.connect(path).keep_fold("s", 1, b"")  # the first opening shall read the whole log


def told(opened: dict[str, float]) -> str:
    """What opening took."""
    return f"{opened['s']:.2f} s, {opened['mb']:.0f} MB"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optuna", metavar="PYTHON", help="Python of an environment with Optuna")
    options = parser.parse_args()
    header()

    rows = []
    for processes, n, k, bar in (
        (1, 5000, 10, "1,500 trials/s"),
        (1, 5000, 2, "at most 1.3 × that of 10"),
        (8, 1000, 10, "1,000 trials/s"),
    ):
        line = f"{rate(WORK, processes, n, k):,.0f} trials/s"
        if options.optuna:
            theirs = rate(OPTUNA_WORK, processes, 200 // processes, k, options.optuna)
            line += f" (Optuna {theirs:.0f})"
        rows.append((f"SQLite, processes: {processes}, parameters: {k}", bar, line))
    table("Asking and telling", rows)

    rows = []
    with folder() as place:
        path = f"{place}/trials.db"
        long_study(path, 100_000, 0)
        line = told(child(OPEN, path))
        rows.append(("opening 100,000 trials, 10 parameters", "1.5 s, 200 MB", line))
        path = f"{place}/reports.db"
        long_study(path, 10_000, 100)
        rows.append(("opening 10,000 trials × 100 reports", "5 s", told(child(OPEN, path))))
        rows.append(("the same, from the fold that was kept then", "1 s", told(child(OPEN, path))))
    table("Opening", rows)


if __name__ == "__main__":
    main()
