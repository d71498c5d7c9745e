"""What members train in the tests of the recipes: each epoch is noted in a file of the folder."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tunesmith as ts


@dataclass(frozen=True)
class Params:
    """What is tuned."""

    x: Annotated[float, ts.Float(0, 1)] = 0.5


def train(trial: ts.Trial[Params]) -> None:
    """Come nearer to x, epoch by epoch."""
    done = 0

    def save(folder: Path) -> None:
        (folder / "done").write_text(str(done))

    def load(folder: Path) -> None:
        nonlocal done
        done = int((folder / "done").read_text())

    trial.resumable(save=save, load=load)
    for epoch in trial.steps():
        time.sleep(0.03)
        done += 1
        with Path("epochs").open("a") as file:
            file.write(f"{os.environ['MEMBER']} {trial.number} {epoch}\n")
        trial.report(epoch, accuracy=trial.params.x * (1 - 0.8**epoch), done=done)
