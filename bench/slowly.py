"""A training of short steps, for benchmarks of what happens between them."""

import time
from pathlib import Path

STEP_S = 0.01


class Model:
    """A training whose state is a number."""

    def __init__(self, lr: float) -> None:
        self.lr = lr
        self.loss = 1.0

    def step(self) -> float:
        time.sleep(STEP_S)
        self.loss *= 1 - min(0.5, self.lr)
        return self.loss

    def save(self, folder: Path) -> None:
        (folder / "loss").write_text(repr(self.loss))

    def load(self, folder: Path) -> None:
        self.loss = float((folder / "loss").read_text())
