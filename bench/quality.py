"""How few trials our samplers need, beside other optimisers, on the tasks of a benchmark folder.

    BENCH_TASKS=folder python bench/quality.py run tunesmith-gp --seeds 5 --out runs
    BENCH_TASKS=folder python bench/quality.py report --out runs

The folder holds `compare.py` and `tasks.py`; the commands are those of `compare.py`, to which this
file is a plugin (`--plugin bench/quality.py`). A sampler works in a real study in memory, asked and
told as users do, the default configuration first; `tunesmith-8` keeps 8 trials open and tells the
oldest first.
"""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import tunesmith as ts

Optimiser = Callable[[list[dict[str, Any]], int, int], Generator[dict[str, Any], float, None]]


def parameter(task: dict[str, Any], when: dict[str, Any]) -> Any:
    """Return a task's parameter as ours."""
    rest: dict[str, Any] = {"when": when} if when else {}
    if task.get("default") is not None:
        rest["default"] = task["default"]
    if task["type"] == "cat":
        return ts.Categorical(task["choices"], **rest)
    if task["type"] == "ord":
        return ts.Ordinal(task["choices"], **rest)
    kind = ts.Int if task["type"] == "int" else ts.Float
    return kind(task["low"], task["high"], log=task["log"], **rest)


def optimise(
    params: list[dict[str, Any]],
    budget: int,
    seed: int,
    sampler: ts.samplers.Sampler[Any],
    n: int = 1,
) -> Generator[dict[str, Any], float, None]:
    """Yield configurations and take their losses, `n` trials being open at a time."""
    ours = {task["name"]: task["name"].replace(".", "-") for task in params}  # a dot is a path
    space = {
        ours[task["name"]]: parameter(
            task, {ours[name]: list(values) for name, values in task.get("when", {}).items()}
        )
        for task in params
    }
    theirs = {ours[name]: name for name in ours}
    study = ts.Study(space, minimize="loss", seed=seed, sampler=sampler)
    trials: list[ts.Trial[dict[str, Any]]] = []
    for _ in range(budget):
        while len(trials) < n:
            trials.append(study.ask())
        trial = trials.pop(0)
        loss = yield {theirs[name]: value for name, value in trial.params.items()}
        study.tell(trial, loss if math.isfinite(loss) else math.nan)


OPTIMISERS: dict[str, Optimiser] = {
    "tunesmith-random": partial(optimise, sampler=ts.samplers.Random()),
    "tunesmith": partial(optimise, sampler=ts.samplers.Auto()),
    "tunesmith-8": partial(optimise, sampler=ts.samplers.Auto(), n=8),
    "tunesmith-tpe": partial(optimise, sampler=ts.samplers.TPE()),
    "tunesmith-gp": partial(optimise, sampler=ts.samplers.GP()),
}


def main() -> int:
    """Run `compare.py` with this file as a plugin."""
    folder = os.environ.get("BENCH_TASKS")
    if not folder or not (Path(folder) / "compare.py").exists():
        print(
            "BENCH_TASKS must name the folder that holds compare.py and tasks.py, "
            f"it is {folder!r}; set it, as in BENCH_TASKS=folder python bench/quality.py ..."
        )
        return 2
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:
        arguments += ["--plugin", str(Path(__file__).resolve())]
    compare = str(Path(folder).resolve() / "compare.py")
    return subprocess.run([sys.executable, compare, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
