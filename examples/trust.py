"""The best of sixty noisy numbers is a lucky one: what is recommended and confirmed instead, and what a test says.

    python examples/trust.py

Support vectors learn from 60 samples and are measured on 20, another split for every configuration. What they are worth
is measured on 3,920 samples that no search sees.
"""

import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import tunesmith as ts

SPACE = {
    "C": ts.Float(1e-2, 1e4, log=True, default=1.0),
    "gamma": ts.Float(1e-4, 1e4, log=True, default=0.1),
}
STUDIES = 8


def main() -> dict[str, tuple[float, float]]:
    """Run eight studies; return by way of choosing what is said of the choice and what it is worth, on average."""
    said: dict[str, list[float]] = {
        "observed": [],
        "recommended": [],
        "confirmed": [],
        "default": [],
    }
    worth: dict[str, list[float]] = {way: [] for way in said}
    for seed in range(STUDIES):
        X, y = make_moons(4000, noise=0.3, random_state=seed)
        X, X_test, y, y_test = train_test_split(X, y, train_size=80, random_state=seed, stratify=y)

        def fit(trial: ts.Trial[dict[str, float]], X: np.ndarray = X, y: np.ndarray = y) -> float:
            train, held, its, theirs = train_test_split(
                X, y, test_size=20, random_state=trial.seed, stratify=y
            )
            return float(SVC(**trial.params).fit(train, its).score(held, theirs))

        study = ts.maximize(fit, SPACE, metric="accuracy", trials=60, seed=seed, progress=False)
        recommended = study.recommend()
        confirmed = study.confirm(fit, progress=False)
        chosen = {
            "observed": (study.best.params, study.best.value),
            "recommended": (recommended.params, recommended.mean),
            "confirmed": (confirmed.params, confirmed.estimate),
            "default": (study.history[0].params, study.history[0].value),
        }
        for way, (params, accuracy) in chosen.items():
            said[way].append(accuracy)
            worth[way].append(SVC(**params).fit(X, y).score(X_test, y_test))
        print(
            f"study {seed}: trial {study.best.number} measured {study.best.value:.3g}, test {worth['observed'][-1]:.3f}"
        )
        print(
            f"  recommended: trial {recommended.record.number}, test {worth['recommended'][-1]:.3f}; {recommended}"
        )
        print(
            f"  confirmed: {confirmed}".replace("\n", "\n    ")
            + f"\n    test {worth['confirmed'][-1]:.3f}"
        )
    table = {way: (float(np.mean(said[way])), float(np.mean(worth[way]))) for way in said}
    print(f"\nmean of {STUDIES} studies   says   test")
    for way, (accuracy, test) in table.items():
        print(f"{way:20} {accuracy:.3f}  {test:.3f}")
    return table


if __name__ == "__main__":
    main()
