"""A process that runs a study until it is told to leave, and says when a trial has begun."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import tunesmith as ts

T = ts.Trial[dict[str, Any]]


def begun() -> None:
    os.write(1, b"begun\n")


def reporting(trial: T) -> None:
    for step in range(1, 100_000):
        trial.report(step, loss=1 / step)
        if step == 1:
            begun()
        time.sleep(0.01)


def slowly(trial: T) -> None:
    """Reports once more after it was told to leave twice."""
    trial.report(1, loss=1.0)
    begun()
    while not Path(sys.argv[1]).with_name("told again").exists():
        time.sleep(0.01)
    trial.report(2, loss=0.5)
    trial.report(3, loss=0.4)


def deciding(trial: T) -> float:
    for step in range(1, 100_000):
        if trial.decide(step, loss=1 / step):
            break
        if step == 1:
            begun()
        time.sleep(0.01)
    return 0.0


def silent(trial: T) -> None:
    begun()
    time.sleep(60)


def suspending(trial: T) -> float:
    if trial.number == 0:
        begun()
        os.kill(os.getpid(), signal.SIGSTOP)
    return 7.0


def nested(trial: T) -> float:
    inner = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=0)
    inner.run(silent, trials=30, progress=False)
    return 1.0


async def waiting(trial: T) -> None:
    begun()
    await asyncio.sleep(60)


def dying(trial: T) -> None:
    begun()
    os._exit(1)


def main() -> None:
    path, objective, workers = sys.argv[1], globals()[sys.argv[2]], int(sys.argv[3])
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", storage=path, seed=0)
    lease_s = 0.5 if objective is suspending else 5.0  # shorter, a busy machine would seem dead
    study.run(objective, trials=4, workers=workers or None, lease_s=lease_s)
    print([(r.state, r.value) for r in study.history], flush=True)


if __name__ == "__main__":
    main()
