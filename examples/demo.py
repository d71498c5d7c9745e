"""Chooses between three classifiers and tunes the chosen one, on real data, kept in a file.

Run it twice: the second time it answers from the file. `more=30` at the end would go on.
"""

import time
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import tunesmith as ts

TRIALS = 30
PATH = "demo.db"


@dataclass(frozen=True)
class Forest:
    """A random forest, with the library's own defaults."""

    trees: Annotated[int, ts.Int(20, 300, log=True)] = 100
    max_features: Annotated[float, ts.Float(0.02, 1.0)] = 0.125
    min_leaf: Annotated[int, ts.Int(1, 20, log=True)] = 1
    criterion: Literal["gini", "entropy"] = "gini"


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting on histograms."""

    learning_rate: Annotated[float, ts.Float(0.01, 1.0, log=True)] = 0.1
    rounds: Annotated[int, ts.Int(10, 60, log=True)] = 30
    leaves: Annotated[int, ts.Int(4, 32, log=True)] = 31
    min_leaf: Annotated[int, ts.Int(2, 50, log=True)] = 20
    l2: Annotated[float, ts.Float(1e-6, 10.0, log=True)] = 1e-6


@dataclass(frozen=True)
class Svm:
    """A support vector machine."""

    C: Annotated[float, ts.Float(1e-2, 1e3, log=True)] = 1.0
    gamma: Annotated[float, ts.Float(1e-4, 1.0, log=True)] = 0.0156
    standardise: bool = False


@dataclass(frozen=True)
class Params:
    """Which of the three, and its own parameters."""

    model: Forest | Boosting | Svm = Forest()


X, y = load_digits(return_X_y=True)


def estimator(params: Params) -> object:
    """Return the classifier that the params describe."""
    match params.model:
        case Forest() as p:
            return RandomForestClassifier(
                p.trees,
                max_features=p.max_features,
                min_samples_leaf=p.min_leaf,
                criterion=p.criterion,
                random_state=0,
            )
        case Boosting() as p:
            return HistGradientBoostingClassifier(
                learning_rate=p.learning_rate,
                max_iter=p.rounds,
                max_leaf_nodes=p.leaves,
                min_samples_leaf=p.min_leaf,
                l2_regularization=p.l2,
                early_stopping=False,
                random_state=0,
            )
        case Svm() as p:
            svm = SVC(C=p.C, gamma=p.gamma)
            return make_pipeline(StandardScaler(), svm) if p.standardise else svm


def train(trial: ts.Trial[Params]) -> float:
    """Return the accuracy in 3-fold cross-validation."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return float(cross_val_score(estimator(trial.params), X, y, cv=folds).mean())


def short(model: Forest | Boosting | Svm) -> str:
    """Return the params with three significant digits."""
    values = [
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in asdict(model).items()
    ]
    return f"{type(model).__name__}({', '.join(values)})"


def main() -> None:
    """Tune, then print the five best beside the default."""
    begun = time.perf_counter()
    study = ts.Study(Params, maximize="accuracy", name="digits", storage=PATH, seed=1)
    known = len(study.history)
    study.run(train, trials=TRIALS)

    default = study.history[0]
    ranked = sorted(study.history, key=lambda record: -record.value)
    print(f"\n{'accuracy':>9}  {'trial':>5}  params")
    for record in ranked[:5]:
        print(f"{record.value:9.4f}  {record.number:5}  {short(record.params.model)}")
    print(f"{default.value:9.4f}  {default.number:5}  {short(default.params.model)}  (the default)")
    wrong, before = 1 - study.best.value, 1 - default.value
    print(
        f"\nThe best makes {100 * (1 - wrong / before):.0f} % fewer errors than the default "
        f"({len(study.history) - known} trials now, {known} from the file, "
        f"{time.perf_counter() - begun:.1f} s)."
    )
    print(f"Everything is in {PATH}. What to type next:")
    print("    make demo                 answers at once, from the file")
    print(
        f'    .venv/bin/python -c \'import tunesmith as ts; print(ts.load("{PATH}", "digits").best)\''
    )


if __name__ == "__main__":
    main()
