"""A small network in NumPy that saves itself: what the members of a cluster train in the recipes beside it.

`tunesmith run train.py:train --maximize accuracy --resource epoch=30 --trials 20` is the same on one machine.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

import tunesmith as ts

luck = np.random.default_rng(0)
X = luck.normal(size=(6000, 10))
y = (np.tanh(X @ luck.normal(size=(10, 8))) @ luck.normal(size=8) > 0).astype(float)


@dataclass(frozen=True)
class Params:
    """The learning rate, its decay from epoch to epoch, and the width."""

    lr: Annotated[float, ts.Float(1e-3, 10.0, log=True)] = 0.1
    decay: Annotated[float, ts.Float(0.8, 1.0)] = 1.0
    width: Annotated[int, ts.Int(8, 128, log=True)] = 32


def train(trial: ts.Trial[Params]) -> None:
    """Go down the gradient of 5,000 rows, and report the accuracy on the others."""
    p, luck = trial.params, np.random.default_rng(trial.seed)
    W = luck.normal(size=(10, p.width)) / 10**0.5
    v = luck.normal(size=p.width) / p.width**0.5

    def save(folder: Path) -> None:
        np.savez(folder / "weights.npz", W=W, v=v)

    def load(folder: Path) -> None:
        nonlocal W, v
        with np.load(folder / "weights.npz") as kept:
            W, v = kept["W"], kept["v"]

    trial.resumable(save=save, load=load)
    for epoch in trial.steps():
        lr = p.lr * p.decay**epoch
        for rows in np.split(np.random.default_rng([trial.seed, epoch]).permutation(5000), 100):
            hidden = np.tanh(X[rows] @ W)
            error = y[rows] - 1 / (1 + np.exp(-np.clip(hidden @ v, -30, 30)))
            down = np.outer(error, v) * (1 - hidden**2)
            W = W + lr * X[rows].T @ down / len(rows)
            v = v + lr * hidden.T @ error / len(rows)
        right = (np.tanh(X[5000:] @ W) @ v > 0) == y[5000:]
        trial.report(epoch, accuracy=float(right.mean()))
