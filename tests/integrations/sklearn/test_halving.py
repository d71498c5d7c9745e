"""HalvingSearchCV: rounds, resources, rows, resuming, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

import tunesmith as ts
from tunesmith.sklearn import HalvingSearchCV

X, Y = load_iris(return_X_y=True)
TREES = {"max_depth": ts.Int(1, 8), "min_samples_leaf": ts.Int(1, 30)}


class Counting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Says how it was fitted; the score is `a`."""

    def __init__(self, a: float = 0.0, size: int = 1, fails: float = 2.0) -> None:
        self.a = a
        self.size = size
        self.fails = fails

    def fit(self, X: Any, y: Any) -> "Counting":
        if self.a >= self.fails:
            raise ValueError("broken")
        self.classes_, self.counts_ = np.unique(y, return_counts=True)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))

    def score(self, X: Any, y: Any) -> float:
        return self.a + self.size / 1000


def counting(**options: Any) -> HalvingSearchCV:
    """A search over its own score."""
    known: dict[str, Any] = {
        "n_iter": 9, "cv": 3, "random_state": 0, "resource": "size", "max_resources": 90,
    }  # fmt: skip
    return HalvingSearchCV(Counting(), {"a": ts.Float(0, 1)}, **{**known, **options})


def test_of_each_round_the_best_third_goes_on() -> None:
    """9 candidates, 3, 1; who had more of the resource ranks first."""
    search = counting().fit(X, Y)
    results = search.cv_results_

    assert search.n_candidates_ == [9, 3, 1]
    assert search.n_resources_ == [10, 30, 90]
    assert results["iter"].tolist() == [0] * 9 + [1] * 3 + [2]
    first = results["mean_test_score"][:9]
    assert sorted(results["param_a"][9:12]) == sorted(
        results["param_a"][:9][np.argsort(-first)[:3]]
    )
    assert results["param_size"].tolist() == [10] * 9 + [30] * 3 + [90]
    assert search.best_index_ == 12
    assert search.best_params_["size"] == 90
    assert search.best_estimator_.size == 90
    assert sorted(results["rank_test_score"]) == list(range(1, 14))
    assert search.study_.verify()


def test_samples_are_a_resource_with_every_class_in_each_amount() -> None:
    """The first amount has as many samples of each class; the last has all; tests are whole."""
    seen = []

    class Seen(Counting):
        def fit(self, X: Any, y: Any) -> "Seen":
            super().fit(X, y)
            seen.append(self.counts_.tolist())
            return self

    search = HalvingSearchCV(
        Seen(), {"a": ts.Float(0, 1)}, n_iter=9, cv=3, min_resources=15, refit=False
    ).fit(X, Y)

    assert search.n_resources_ == [17, 50, 150]
    assert all(sorted(counts) == [3, 4, 4] for counts in seen[:27])
    assert sorted(seen[-1]) == [33, 33, 34]


def test_a_real_search_finds_a_model() -> None:
    """A tree on iris, by samples; a forest, by trees."""
    tree = HalvingSearchCV(DecisionTreeClassifier(random_state=0), TREES, n_iter=9, random_state=0)
    forest = HalvingSearchCV(
        RandomForestClassifier(random_state=0), {"max_depth": [1, 2, 3]}, n_iter=3, random_state=0,
        resource="n_estimators", max_resources=9,
    )  # fmt: skip

    assert tree.fit(X, Y).best_score_ > 0.9
    assert forest.fit(X, Y).best_estimator_.n_estimators == 9
    assert forest.predict(X).shape == Y.shape


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """A search that is kept and cut is the same as one in one go."""
    whole = counting(sampler=ts.samplers.Random()).fit(X, Y)
    options = {"storage": tmp_path / "s.db", "name": "s", "sampler": ts.samplers.Random()}
    cut = counting(time_budget=1e-9, **options)
    with pytest.raises(ValueError, match="within time_budget"):
        cut.fit(X, Y)
    later = counting(**options).fit(X, Y)

    assert (
        later.cv_results_["mean_test_score"].tolist()
        == whole.cv_results_["mean_test_score"].tolist()
    )
    with pytest.raises(ts.StudyError, match="resource"):
        counting(max_resources=270, **options).fit(X, Y)


@pytest.mark.filterwarnings("ignore:.*fits failed:Warning")
def test_failed_candidates_are_rows_and_others_take_their_place() -> None:
    """A fit that raises scores NaN and does not go on; if all do, that is said."""
    search = HalvingSearchCV(
        Counting(fails=0.5), {"a": ts.Float(0, 1)}, n_iter=9, cv=3, random_state=0, resource="size",
        max_resources=90, sampler=ts.samplers.Random(),
    ).fit(X, Y)  # fmt: skip
    failed = np.isnan(search.cv_results_["mean_test_score"])
    assert failed.any()
    assert search.best_params_["a"] < 0.5
    with pytest.raises(ValueError, match=r"all .* fits failed"):
        HalvingSearchCV(Counting(fails=-1), {"a": ts.Float(0, 1)}, n_iter=4, cv=3).fit(X, Y)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"resource": "trees"}, "a parameter of the estimator, got 'trees'"),
        ({"max_resources": "auto"}, "max_resources= says how much size"),
        ({"min_resources": 100}, "min_resources=100 to max_resources=90"),
        ({"resource": "n_samples", "max_resources": 1000}, "there are 150 samples"),
        ({"factor": 1}, "above 1"),
        ({"factor": "3"}, r"HalvingSearchCV\(factor=...\) is a number"),
        ({"min_resources": 0.5}, "min_resources= is a whole number"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], sentence: str) -> None:
    """One sentence says what came and what is allowed."""
    with pytest.raises(ts.SettingError, match=sentence):
        counting(**options).fit(X, Y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks() -> None:
    """It is an estimator in every respect that scikit-learn checks."""
    space = {"C": [0.1, 0.3, 1]}
    check_estimator(HalvingSearchCV(LogisticRegression(), space, n_iter=3), on_skip=None)
