"""A linear classifier by stochastic gradient descent: each pass over the data is a step.

`python sgd_partial_fit.py 9 9` is a small run: 9 trials of at most 9 passes.
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import tunesmith as ts

X, y = load_digits(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(X / 16, y, test_size=0.3, random_state=0)
CLASSES = np.unique(y)


@dataclass(frozen=True)
class Params:
    """The loss, its penalty, and the size of steps."""

    loss: Literal["hinge", "log_loss", "modified_huber"] = "hinge"
    alpha: Annotated[float, ts.Float(1e-7, 1e-1, log=True)] = 1e-4
    eta0: Annotated[float, ts.Float(1e-4, 10.0, log=True)] = 0.01
    learning_rate: Literal["constant", "invscaling"] = "constant"
    average: bool = False


def train(trial: ts.Trial[Params]) -> None:
    """Pass over the data in a new order each time, and report the accuracy on what was left out."""
    model = SGDClassifier(**vars(trial.params), random_state=trial.seed)
    luck = np.random.default_rng(trial.seed)

    def save(folder: Path) -> None:
        (folder / "model.pickle").write_bytes(pickle.dumps((model, luck)))

    def load(folder: Path) -> None:
        nonlocal model, luck
        model, luck = pickle.loads((folder / "model.pickle").read_bytes())  # noqa: S301 - our own

    trial.resumable(save=save, load=load)
    for epoch in trial.steps():
        for rows in np.array_split(luck.permutation(len(X_train)), 10):
            model.partial_fit(X_train[rows], y_train[rows], classes=CLASSES)
        trial.report(epoch, accuracy=model.score(X_valid, y_valid))


def main(trials: int = 60, epochs: int = 27) -> None:
    """Tune, then print the best beside the default."""
    study = ts.Study(Params, maximize="accuracy", resource=ts.Resource("epoch", max=epochs), seed=1)
    study.run(train, trials=trials)

    default, best = study.history[0], study.best
    print(f"accuracy {best.value:.3f} after {best.step} epochs: {best.params}")
    print(f"the default had {default.value:.3f} when it was at {default.step}")
    print(f"{study.history.spent} epochs instead of {len(study.history) * epochs}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
