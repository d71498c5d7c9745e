"""How often a search ends worse on new samples than the estimator as it is, and what confirming changes.

    python bench/confirming.py --out FOLDER [--seeds 20]

Small data: at most 150 samples train, the rest tests. All searches have the fits of 50 candidates in 5 folds;
a search that confirms spends a sixth of them on other folds. `RandomizedSearchCV` and `OptunaSearchCV` (needs
optuna-integration) draw from the same distributions. Every result is a line of JSON in FOLDER, and what is
there is not run again. About an hour of one core.
"""

import argparse
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, RandomizedSearchCV, StratifiedKFold, train_test_split

from measure import columns, header, table
from problems import PAIRS, data
from searching import Row, kept, mean_and_error, tally
from tunesmith.sklearn import SearchCV

CANDIDATES = 50
SEARCHED = 41  # and a fifth of them, 8, are evaluated again
TRAIN = 150  # samples at most
METHODS = ("confirmed", "searched", "random", "optuna")


def optuna_of(space: dict[str, Any]) -> dict[str, Any]:
    """Return Optuna's distributions for those of scipy."""
    from optuna import distributions

    found: dict[str, Any] = {}
    for name, one in space.items():
        if isinstance(one, list):
            found[name] = distributions.CategoricalDistribution(one)
        elif one.dist.name == "randint":
            found[name] = distributions.IntDistribution(one.support()[0], one.support()[1])
        else:
            log = one.dist.name in ("loguniform", "reciprocal")
            found[name] = distributions.FloatDistribution(*one.support(), log=log)
    return found


def run(case: str, seed: int) -> Row:
    """Test scores of the estimator as it is, and of what each search returns."""
    estimator, name, n, space = PAIRS[case]
    X, y = data(name)
    classes = is_classifier(estimator)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=min(TRAIN, n // 2), random_state=seed, stratify=y if classes else None
    )
    cv = (StratifiedKFold if classes else KFold)(5, shuffle=True, random_state=seed)
    same: dict[str, Any] = {"cv": cv, "random_state": seed}
    searches: dict[str, Any] = {
        "searched": SearchCV(clone(estimator), space, n_iter=CANDIDATES, **same),
        "confirmed": SearchCV(clone(estimator), space, n_iter=SEARCHED, confirm=True, **same),
        "random": RandomizedSearchCV(clone(estimator), space, n_iter=CANDIDATES, **same),
    }
    with suppress(ImportError):
        import optuna
        from optuna_integration import OptunaSearchCV

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        searches["optuna"] = OptunaSearchCV(
            clone(estimator), optuna_of(space), n_trials=CANDIDATES, **same
        )
    row: Row = {"default": float(clone(estimator).fit(X, y).score(X_test, y_test))}
    for method, search in searches.items():
        row[method] = float(search.fit(X, y).score(X_test, y_test))
        row[f"{method}_says"] = float(search.best_score_)
    again = searches["confirmed"].confirmation_
    return row | {
        "confirmed_says": again.estimate, "low": again.interval[0], "high": again.interval[1],
        "kept": again.choice is again.default,
    }  # fmt: skip


def main() -> None:
    """Run what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    warnings.filterwarnings("ignore", module="optuna")
    header("scikit-learn", "optuna")
    found = kept(options.out / "confirming.jsonl", PAIRS, options.seeds, run)
    rows = []
    pooled: dict[str, list[Row]] = {method: [] for method in METHODS}
    for case, of_case in found.items():
        shown = [case]
        for method in METHODS:
            known = [row for row in of_case if method in row]
            pooled[method] += known
            gains = [row[method] - row["default"] for row in known]
            mean, error = mean_and_error(gains)
            shown.append(f"{mean:+.2f} ± {error:.2f}, {' : '.join(map(str, tally(gains)))}")
        rows.append((*shown, str(sum(row["kept"] for row in of_case))))
    columns(
        (f"test score − default's, hundredths, better : same : worse, {options.seeds} splits",
         *METHODS, "default kept"), rows,
    )  # fmt: skip
    worse = {m: tally(row[m] - row["default"] for row in rows)[2] for m, rows in pooled.items()}
    says = {m: np.mean([row[f"{m}_says"] - row[m] for row in rows]) for m, rows in pooled.items()}
    inside = np.mean([r["low"] <= r["confirmed"] <= r["high"] for r in pooled["confirmed"]])
    table(
        f"all {len(pooled['confirmed'])} searches",
        [
            ("worse on test than the default", "half as often as random and optuna",
             ", ".join(f"{m} {n} of {len(pooled[m])}" for m, n in worse.items())),
            ("what it says of its best, above the test score, hundredths", "-",
             ", ".join(f"{m} {100 * s:+.2f}" for m, s in says.items())),
            ("90 % interval of the estimate holds the test score", "-", f"{inside:.0%}"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
