"""What it costs to decide at every step: trainings of 10 ms steps under schedulers, wall time over ideal.

    python bench/stepping.py [--workers 2] [--trials 40] [--steps 81]

Ideal is the steps that were done times 10 ms, divided by the workers; the imports of the workers, about a second,
are in the wall time, as are checkpoints, pauses and forks. With PBT the members are 8, and each training has ten times the steps.
Where Ray Tune is installed (`pip install "ray[tune]"`), it does the same beside it, as `stepping_ray.py` says.
"""

import argparse
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tunesmith as ts
from measure import header, table
from slowly import STEP_S, Model

SPACE = {"lr": ts.Float(1e-4, 1, log=True), "momentum": ts.Float(0, 0.99)}


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    """Train, report at each step, and be ready to be saved."""
    model = Model(trial["lr"])
    trial.resumable(save=model.save, load=model.load)
    for step in trial.steps():
        trial.report(step, loss=model.step())


def ratio(scheduler: Any, trials: int, steps: int, workers: int) -> tuple[float, int]:
    """Wall time over ideal, and the steps that were done."""
    with tempfile.TemporaryDirectory() as folder:
        study = ts.Study(
            SPACE, minimize="loss", resource=ts.Resource("step", max=steps), seed=0,
            scheduler=scheduler, sampler=ts.samplers.Random(), name="s",
            storage=Path(folder) / "s.db",
        )  # fmt: skip
        begun = time.perf_counter()
        study.run(train, trials=trials, workers=workers, progress=False)
        wall = time.perf_counter() - begun
        spent = study.history.spent
    return wall / (spent * STEP_S / workers), spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--steps", type=int, default=81)
    options = parser.parse_args()
    peers = ("ray",) if find_spec("ray") else ()
    header(*peers)
    rows = []
    for name, bar, scheduler, trials, steps in (
        ("none", "1.2", None, options.trials, options.steps),
        ("ASHA", "1.3", ts.schedulers.ASHA(), 16 * options.trials, options.steps),
        ("PBT", "1.5", ts.schedulers.PBT(population=8), 8, 10 * options.steps),
    ):
        over, spent = ratio(scheduler, trials, steps, options.workers)
        rows.append((f"{name}, {spent:,} steps", bar, f"{over:.2f}"))
        if peers:
            import stepping_ray

            over, spent = stepping_ray.ratio(name, trials, steps, options.workers)
            rows.append((f"{name}, Ray Tune, {spent:,} steps", "", f"{over:.2f}"))
    table(f"wall over ideal, {options.workers} workers, steps of 10 ms", rows)


if __name__ == "__main__":
    main()
