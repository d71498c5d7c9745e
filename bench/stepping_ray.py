"""The trainings of `stepping.py` under Ray Tune's schedulers, each in the way that costs Ray least.

Ray runs before the clock starts, its processes go on from trial to trial, and only PBT saves, ten times a trial.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, PopulationBasedTraining

from slowly import STEP_S, Model

SPACE = {"lr": tune.loguniform(1e-4, 1), "momentum": tune.uniform(0, 0.99)}


def train(config: dict[str, Any]) -> None:
    """Train, report at each step, and save every `config["every"]` steps; each step leaves a byte in a file."""
    model, begin = Model(config["lr"]), 1
    if kept := tune.get_checkpoint():
        with kept.as_directory() as folder:
            model.load(Path(folder))
            begin += int((Path(folder) / "step").read_text())
    with Path(config["done"]).open("ab", buffering=0) as done:
        for step in range(begin, config["steps"] + 1):
            report = {"step": step, "loss": model.step()}
            done.write(b".")
            if step % config["every"]:
                tune.report(report)
                continue
            with tempfile.TemporaryDirectory() as folder:
                model.save(Path(folder))
                (Path(folder) / "step").write_text(str(step))
                tune.report(report, checkpoint=tune.Checkpoint.from_directory(folder))


def ratio(name: str, trials: int, steps: int, workers: int) -> tuple[float, int]:
    """Wall time over ideal, and the steps that were done."""
    scheduler, every = {
        "none": (FIFOScheduler(), steps + 1),
        "ASHA": (ASHAScheduler("step", max_t=steps, reduction_factor=3), steps + 1),
        "PBT": (
            PopulationBasedTraining(
                "step",
                perturbation_interval=steps // 10,
                hyperparam_mutations=dict(SPACE),
            ),
            steps // 10,
        ),
    }[name]
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="error")
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder) / "done"
        done.touch()
        tuner = tune.Tuner(
            train,
            param_space={**SPACE, "steps": steps, "every": every, "done": str(done)},
            tune_config=tune.TuneConfig(
                metric="loss",
                mode="min",
                num_samples=trials,
                scheduler=scheduler,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        begun = time.perf_counter()
        tuner.fit()
        wall = time.perf_counter() - begun
        spent = done.stat().st_size
    ray.shutdown()
    return wall / (spent * STEP_S / workers), spent
