"""`SearchCV` against scikit-learn: what it finds, what `space="auto"` gains, what it costs.

    python bench/searching.py {against,auto,race,overhead,early} --out FOLDER [--seeds 10]

Every result is a line of JSON in FOLDER, written when it comes, and what is there is not run again:
an interrupted benchmark goes on, and one that is finished prints its table. Another version of
Tunesmith needs another folder. All five take about three quarters of an hour of one core.

`against`: both searches draw from the same distributions and score on the same folds; half the fits
are the first half of a search, as samplers do not know how long it will be.
`auto`: an estimator as it is and tuned in the space that is known for it, both scored on samples
that the search has not seen.
`race`: the same search with and without ending candidates after a fold, of 5 folds and of 10.
`overhead`: a `RandomizedSearchCV` repeats the candidates of a search, and the rest is ours.
`early`: the number of boosting's rounds found by early stopping, and searched like the others.
"""

import argparse
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import (
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    train_test_split,
)

import tunesmith as ts
from measure import columns, header, table
from problems import BOOSTED, CHEAP, CLASSES, ESTIMATORS, NUMBERS, PAIRS, ROUNDS, SHAPES, data
from tunesmith.sklearn import SearchCV

Row = dict[str, Any]

N_ITER = 30
SAME = 1e-9  # scores that differ by less are the same, summed in another order


def kept(
    path: Path, cases: Iterable[str], seeds: int, measure: Callable[[str, int], Row]
) -> dict[str, list[Row]]:
    """Return by case a row for each seed: those in a file, and the others measured and added to it."""
    names = list(cases)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.exists() else []
    rows = {(row["case"], row["seed"]): row for row in map(json.loads, lines)}
    for seed in range(seeds):
        for case in names:
            if (case, seed) not in rows:
                row = {"case": case, "seed": seed} | measure(case, seed)
                with path.open("a") as file:
                    file.write(json.dumps(row, default=str) + "\n")
                rows[case, seed] = json.loads(json.dumps(row, default=str))
    return {case: [rows[case, seed] for seed in range(seeds)] for case in names}


def mean_and_error(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error, in hundredths of a score."""
    error = statistics.stdev(numbers) / math.sqrt(len(numbers)) if numbers[1:] else math.nan
    return 100 * statistics.mean(numbers), 100 * error


def tally(numbers: Iterable[float]) -> tuple[int, int, int]:
    """Return how many differences are better, the same and worse."""
    signs = [0 if abs(number) < SAME else math.copysign(1, number) for number in numbers]
    return signs.count(1), signs.count(0), signs.count(-1)


def search_both(case: str, seed: int) -> Row:
    """The scores of all candidates of a pair, by both searches on the same folds."""
    estimator, name, n, space = PAIRS[case]
    X, y = data(name)
    places = np.random.default_rng(0).permutation(len(y))[:n]
    X, y = X[places], y[places]
    folds = StratifiedKFold if is_classifier(estimator) else KFold
    same: dict[str, Any] = {"n_iter": N_ITER, "refit": False, "random_state": seed}
    same["cv"] = folds(5, shuffle=True, random_state=seed)
    theirs = RandomizedSearchCV(clone(estimator), space, **same).fit(X, y)
    ours = SearchCV(clone(estimator), space, **same).fit(X, y)
    return {
        "random": [float(score) for score in theirs.cv_results_["mean_test_score"]],
        "ours": [float(score) for score in ours.cv_results_["mean_test_score"]],
        "params": ours.cv_results_["params"],
        "models": [record.memo.get("model", "") for record in ours.study_.history],
    }


def best(scores: Sequence[float]) -> float:
    """The best score, of those that are numbers."""
    return max(score for score in scores if math.isfinite(score))


def against(out: Path, seeds: int) -> None:
    """What is found with the fits of a random search, and with half of them."""
    found = kept(out / "against.jsonl", PAIRS, seeds, search_both)
    rows, level, rarely, half_level = [], 0, 0, 0
    for case, of_case in found.items():
        random = [best(row["random"]) for row in of_case]
        whole = [best(row["ours"]) - best(row["random"]) for row in of_case]
        half = [best(row["ours"][: N_ITER // 2]) - best(row["random"]) for row in of_case]
        # the first candidate is the estimator as it is, which a random search could be given as well
        given = [best(row["ours"]) - best([row["ours"][0], *row["random"][:-1]]) for row in of_case]
        mean, error = mean_and_error(whole)
        half_mean, half_error = mean_and_error(half)
        level += mean >= -SAME
        half_level += half_mean >= -SAME
        rarely += tally(whole)[2] <= 0.3 * seeds
        rows.append(
            (
                case,
                f"{100 * statistics.mean(random):.2f}",
                f"{mean:+.2f} ± {error:.2f}",
                " : ".join(map(str, tally(whole))),
                f"{half_mean:+.2f} ± {half_error:.2f}",
                " : ".join(map(str, tally(half))),
                f"{mean_and_error(given)[0]:+.2f}, " + " : ".join(map(str, tally(given))),
            )
        )
    columns(
        (
            f"best of {N_ITER}, hundredths", "random", "ours − random", "better : same : worse",
            f"ours with {N_ITER // 2} − random", "better : same : worse",
            "ours − random that begins with the default",
        ),
        rows,
    )  # fmt: skip
    n = len(PAIRS)
    table(
        f"{seeds} seeds; ± is a standard error",
        [
            ("not worse in mean, same fits", f"{n} of {n}", f"{level} of {n}"),
            ("worse in at most 3 of 10 seeds, same fits", f"{n} of {n}", f"{rarely} of {n}"),
            ("not worse in mean, half the fits", f"6 of {n}", f"{half_level} of {n}"),
        ],
    )


def tune(case: str, seed: int) -> Row:
    """Test scores of an estimator as it is, and tuned in the space that is known for it."""
    name, _, of = case.partition(", ")
    X, y = data(of)
    estimator = clone(ESTIMATORS[name])
    classes = is_classifier(estimator)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=(CLASSES if classes else NUMBERS)[of], random_state=seed,
        stratify=y if classes else None,
    )  # fmt: skip
    for key in estimator.get_params():
        if key.rpartition("__")[2] == "random_state":
            estimator.set_params(**{key: seed})
    default = clone(estimator).fit(X, y)
    search = SearchCV(estimator, "auto", n_iter=N_ITER, random_state=seed).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    return {
        "default": float(default.score(X_test, y_test)),
        "tuned": float(search.score(X_test, y_test)),
        "default_cv": float(scores[0]),
        "tuned_cv": float(search.best_score_),
        "index": int(search.best_index_),
        "params": search.best_params_,
        "first": search.cv_results_["params"][0],
    }


def auto(out: Path, seeds: int) -> None:
    """What `space="auto"` gains on samples that the search has not seen."""
    cases = [
        f"{name}, {of}"
        for name, one in ESTIMATORS.items()
        for of in (CLASSES if is_classifier(one) else NUMBERS)
    ]
    found = kept(out / "auto.jsonl", cases, seeds, tune)
    rows, means, clearly = [], [], []
    for case, of_case in found.items():
        gains = [row["tuned"] - row["default"] for row in of_case]
        mean, error = mean_and_error(gains)
        means.append(mean / 100)
        if mean + error < -SAME:  # a single split that differs is one error, to the last bit
            clearly.append(case)
        seen, _ = mean_and_error([row["tuned_cv"] - row["default_cv"] for row in of_case])
        rows.append(
            (
                case,
                f"{100 * statistics.mean(row['default'] for row in of_case):.2f}",
                f"{mean:+.2f} ± {error:.2f}",
                " : ".join(map(str, tally(gains))),
                f"{seen:+.2f}",
                str(sum(row["index"] == 0 for row in of_case)),
            )
        )
    columns(
        (
            "test score, hundredths", "default", "tuned − default", "better : same : worse",
            "gain in cross-validation", "default kept",
        ),
        rows,
    )  # fmt: skip
    better, same, worse = tally(means)
    n = len(cases)
    table(
        f"{seeds} splits; ± is a standard error",
        [
            ("better in mean", f"18 of {n}", f"{better} of {n} ({same} the same, {worse} worse)"),
            ("worse by more than a standard error", "none", "; ".join(clearly) or "none"),
        ],
    )


def raced(case: str, seed: int) -> Row:
    """Fits and best scores of a search that runs all folds, and of one that ends candidates."""
    estimator, name, n, space = PAIRS[case]
    X, y = data(name)
    places = np.random.default_rng(0).permutation(len(y))[:n]
    X, y = X[places], y[places]
    if "early_stopping" in estimator.get_params():  # of rounds, which is another matter
        estimator = clone(estimator).set_params(early_stopping=False)
    folds = StratifiedKFold if is_classifier(estimator) else KFold
    row: Row = {}
    for k in (5, 10):
        cv = folds(k, shuffle=True, random_state=seed)
        for kind in ("whole", "raced"):
            search = SearchCV(
                clone(estimator), space, n_iter=N_ITER, cv=cv, refit=False, random_state=seed,
                early_stopping=kind == "raced",
            ).fit(X, y)  # fmt: skip
            table = [search.cv_results_[f"split{i}_test_score"] for i in range(k)]
            row[f"{kind}_fits{k}"] = int(np.isfinite(table).sum())
            row[f"{kind}_best{k}"] = best(search.cv_results_["mean_test_score"])
    return row


def race(out: Path, seeds: int) -> None:
    """How many fits ending hopeless candidates saves, and what that costs."""
    found = kept(out / "race.jsonl", PAIRS, seeds, raced)
    rows, shares = [], {5: [0.0], 10: [0.0]}
    for k, share in shares.items():
        share.clear()
        for case, of_case in found.items():
            gains = [row[f"raced_best{k}"] - row[f"whole_best{k}"] for row in of_case]
            mean, error = mean_and_error(gains)
            fewer = statistics.mean(
                row[f"whole_fits{k}"] / row[f"raced_fits{k}"] for row in of_case
            )
            share.append(fewer)
            rows.append(
                (f"{case}, {k} folds", f"{fewer:.2f}", f"{mean:+.2f} ± {error:.2f}",
                 " : ".join(map(str, tally(gains))))
            )  # fmt: skip
    columns(
        ("best score, hundredths", "times fewer fits", "raced − whole", "better : same : worse"),
        rows,
    )
    table(
        f"{N_ITER} candidates, {seeds} seeds; ± is a standard error",
        [
            (f"times fewer fits, {k} folds", "2", f"{statistics.mean(share):.2f}")
            for k, share in shares.items()
        ],
    )


def cpu_s(search: Any, X: Any, y: Any) -> float:
    """Fit a search; return CPU seconds."""
    begun = time.process_time()
    search.fit(X, y)
    return time.process_time() - begun


def cost(case: str, seed: int) -> Row:
    """Seconds of a search, and of a `RandomizedSearchCV` of the very same candidates."""
    estimator, name, folds, space = CHEAP[case]
    X, y = data(name)
    cv = folds if folds > 1 else ShuffleSplit(1, random_state=seed)
    same: dict[str, Any] = {"cv": cv, "refit": False, "random_state": seed}
    SearchCV(estimator, space, n_iter=5, **same).fit(X, y)  # warms both up
    RandomizedSearchCV(estimator, space, n_iter=5, **same).fit(X, y)
    row: Row = {"fits": folds * N_ITER}
    for kind, sampler in (("ours", None), ("unlearned", ts.samplers.Random())):
        search = SearchCV(estimator, space, n_iter=N_ITER, sampler=sampler, **same)
        row[kind] = cpu_s(search, X, y)
        each = [{k: [v] for k, v in params.items()} for params in search.cv_results_["params"]]
        theirs = RandomizedSearchCV(estimator, each, n_iter=len(each), **same)
        row[f"{kind}_theirs"] = cpu_s(theirs, X, y)
    return row


def overhead(out: Path, seeds: int) -> None:
    """What a fit costs beyond that of scikit-learn's search."""
    found = kept(out / "overhead.jsonl", CHEAP, seeds, cost)

    def per_fit(of_case: Sequence[Mapping[str, Any]], key: str) -> str:
        beyond = [(row[key] - row[f"{key}_theirs"]) / row["fits"] for row in of_case]
        return f"{1e3 * statistics.median(beyond):.2f}"

    table(
        f"CPU ms of a fit beyond RandomizedSearchCV's, {N_ITER} candidates, median of {seeds} "
        "(with the sampler Random())",
        [
            (
                case,
                "5",
                f"{per_fit(of_case, 'ours')} ({per_fit(of_case, 'unlearned')})",
            )
            for case, of_case in found.items()
        ],
    )


def stop(case: str, seed: int) -> Row:
    """Test scores and CPU seconds of searches without and with early stopping."""
    estimator, name, n = BOOSTED[case]
    X, y = data(name)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=n, random_state=seed, stratify=y if is_classifier(estimator) else None
    )
    limited = clone(estimator).set_params(max_iter=ROUNDS, random_state=seed)
    row: Row = {}
    for kind, space in (
        ("searched", SHAPES | {"max_iter": stats.randint(10, ROUNDS + 1)}),
        ("early", SHAPES),
    ):
        search = SearchCV(
            limited, space, n_iter=N_ITER, random_state=seed, early_stopping=kind == "early"
        )
        row[f"{kind}_s"] = cpu_s(search, X, y)
        row[f"{kind}_score"] = float(search.score(X_test, y_test))
    return row


def early(out: Path, seeds: int) -> None:
    """What early stopping saves, and whether the model is as good."""
    found = kept(out / "early.jsonl", BOOSTED, seeds, stop)
    rows = []
    for case, of_case in found.items():
        gains = [row["early_score"] - row["searched_score"] for row in of_case]
        mean, error = mean_and_error(gains)
        shares = [row["early_s"] / row["searched_s"] for row in of_case]
        rows.append(
            (
                case,
                f"{100 * statistics.mean(row['searched_score'] for row in of_case):.2f}",
                f"{mean:+.2f} ± {error:.2f}",
                " : ".join(map(str, tally(gains))),
                f"{statistics.mean(row['searched_s'] for row in of_case):.1f} s",
                f"{statistics.mean(shares):.0%}",
            )
        )
    columns(
        (
            "test score, hundredths", "rounds searched", "early stopping − searched",
            "better : same : worse", "CPU", "of which early stopping takes",
        ),
        rows,
    )  # fmt: skip


COMMANDS: dict[str, Callable[[Path, int], None]] = {
    "against": against,
    "auto": auto,
    "race": race,
    "overhead": overhead,
    "early": early,
}


def main() -> None:
    """Measure what is asked for, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=COMMANDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    header("scikit-learn")
    warnings.simplefilter("ignore", ConvergenceWarning)  # short fits are meant
    COMMANDS[options.what](options.out, options.seeds)


if __name__ == "__main__":
    main()
