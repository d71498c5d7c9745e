"""What the everyday programs of docs/design.md stand on: imports, two classes, a model, data."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from sklearn import ensemble

import tunesmith as ts

RandomForestClassifier = partial(ensemble.RandomForestClassifier, n_estimators=5)  # takes a second


@dataclass(frozen=True)
class Adam:
    lr: Annotated[float, ts.Float(1e-5, 1e-1, log=True)] = 1e-3
    beta: Annotated[float, ts.Float(0.5, 0.999)] = 0.9


@dataclass(frozen=True)
class SGD:
    lr: Annotated[float, ts.Float(1e-4, 1.0, log=True)] = 1e-2
    momentum: Annotated[float, ts.Float(0.0, 0.99)] = 0.0


X = np.random.default_rng(0).normal(size=(150, 4))
y = (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)


def score(lr: float, depth: int, act: str) -> float:
    """A loss that is least at lr=0.01, depth=6."""
    return (math.log10(lr) + 2) ** 2 + 0.1 * (depth - 6) ** 2 + (act == "gelu")


class Model:
    """A perceptron that can be saved to a folder."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.w = np.zeros(X.shape[1])

    def epoch(self) -> None:
        for x, label in zip(X, y, strict=True):
            self.w += self.rate * (label - float(x @ self.w > 0)) * x

    def validate(self) -> float:
        return float(np.mean((X @ self.w > 0) == y))

    def save(self, folder: Path) -> None:
        np.save(folder / "w.npy", self.w)

    def load(self, folder: Path) -> None:
        self.w = np.load(folder / "w.npy")


def build(params: object) -> Model:
    """Return a model whose learning rate the params name."""
    optimizer = getattr(params, "optimizer", None)
    return Model(getattr(optimizer, "lr", 0.01))
