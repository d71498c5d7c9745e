"""A process that runs a study on a Ray cluster: `ray_driver.py FOLDER ADDRESS OBJECTIVE`."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import tunesmith as ts

T = ts.Trial[dict[str, Any]]


def quick(trial: T) -> float:
    print(f"trial {trial.number} was here")
    return float(trial["x"])


def slow(trial: T) -> None:
    (folder / f"pid-{os.getpid()}").touch()
    for step in range(1, 10_000):
        trial.report(step, loss=1 / step)
        time.sleep(0.05)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", seed=0, name="s", storage=folder / "s.db"
    )
    study.run(globals()[sys.argv[3]], trials=3, executor=sys.argv[2], workers=2)
