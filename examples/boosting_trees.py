"""Gradient boosting where trees are the resource: a model grows only as long as it is among the best.

Stop it at any moment and type the same line again: it goes on. `python boosting_trees.py 9 90` is a small run: 9
trials of at most 90 trees.
"""

import pickle
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import tunesmith as ts

X, y = load_breast_cancer(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(
    X, y, test_size=0.4, random_state=0, stratify=y
)
AT_ONCE = 10  # trees between two reports


@dataclass(frozen=True)
class Params:
    """How each tree is grown, and how much it counts."""

    learning_rate: Annotated[float, ts.Float(0.005, 0.5, log=True)] = 0.1
    max_depth: Annotated[int, ts.Int(1, 6)] = 3
    subsample: Annotated[float, ts.Float(0.3, 1.0)] = 1.0
    max_features: Annotated[float, ts.Float(0.1, 1.0)] = 1.0


class Boosting:
    """A model that grows: with warm_start what was fitted stays, and more trees are added."""

    def __init__(self, p: Params, seed: int) -> None:
        self.model = GradientBoostingClassifier(**vars(p), random_state=seed, warm_start=True)

    def grow(self, trees: int) -> float:
        """Return the loss on what was left out, with that many trees."""
        self.model.set_params(n_estimators=trees).fit(X_train, y_train)
        return float(log_loss(y_valid, self.model.predict_proba(X_valid)))

    def save(self, folder: Path) -> None:
        """Write the trees, and the luck with which more are grown."""
        (folder / "model.pickle").write_bytes(pickle.dumps(self.model))

    def load(self, folder: Path) -> None:
        """Take them back."""
        self.model = pickle.loads((folder / "model.pickle").read_bytes())  # noqa: S301 - our own


def train(trial: ts.Trial[Params]) -> None:
    """Grow a model, and report its loss every few trees."""
    boosting = Boosting(trial.params, trial.seed)
    trial.resumable(save=boosting.save, load=boosting.load)
    for trees in trial.steps():
        if trees % AT_ONCE == 0:
            trial.report(trees, loss=boosting.grow(trees))


def main(trials: int = 40, trees: int = 270) -> None:
    """Tune, then load the best model from its checkpoint."""
    study = ts.Study(
        Params, minimize="loss", value="best",  # trees that overfit can be left off again
        resource=ts.Resource("tree", max=trees, min=3 * AT_ONCE), name=f"boosting-{trees}", seed=1,
    )  # fmt: skip
    study.run(train, trials=trials, workers=2)

    best, history = study.best, study.history
    counts, losses = best.reported("loss")
    enough = counts[losses.argmin()]
    print(f"loss {best.value:.4f} with {enough} of {best.step} trees: {best.params}")
    print(f"{history.spent} trees instead of {len(history) * trees}")
    if best.checkpoint:
        boosting = Boosting(best.params, best.seed)
        boosting.load(best.checkpoint)
        *_, answers = islice(boosting.model.staged_predict(X_valid), enough)
        print(f"accuracy of these, from the checkpoint: {accuracy_score(y_valid, answers):.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
