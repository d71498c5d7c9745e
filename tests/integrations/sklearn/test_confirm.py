"""The best candidates once more, on folds that the search has not used."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GroupKFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

import tunesmith as ts
from tunesmith.sklearn import SearchCV

X, y = load_wine(return_X_y=True)
SPACE = {"max_depth": ts.Int(1, 8), "min_samples_leaf": ts.Int(1, 30)}
TREE = DecisionTreeClassifier(random_state=0)


def test_the_best_is_that_of_the_confirmation() -> None:
    """Its index, params, score and estimator; `cv_results_` stays what the search measured."""
    stump = DecisionTreeClassifier(max_depth=1, random_state=0)
    plain = SearchCV(stump, SPACE, n_iter=20, random_state=0).fit(X, y)
    search = SearchCV(stump, SPACE, n_iter=20, random_state=0, confirm=True).fit(X, y)

    chosen = search.confirmation_.choice.record
    assert search.study_.history[search.best_index_].uid == chosen.uid
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.best_score_ == search.cv_results_["mean_test_score"][search.best_index_]
    assert search.best_estimator_.get_params()["max_depth"] == search.best_params_["max_depth"]
    assert search.cv_results_["params"] == plain.cv_results_["params"]
    assert (
        pickle.loads(pickle.dumps(search)).confirmation_.estimate == search.confirmation_.estimate
    )


@pytest.mark.parametrize(
    "cv", [4, ShuffleSplit(2, random_state=1), RepeatedKFold(n_splits=2, n_repeats=2)]
)
def test_folds_are_drawn_anew(cv: Any) -> None:
    """Each evaluation has other folds, of the same kind, which all finalists share."""
    seen: list[tuple[int, ...]] = []

    class Watching(KNeighborsClassifier):  # type: ignore[misc] # scikit-learn has no types
        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            seen.append(tuple(np.asarray(X)[:, 0].round(3)))
            return float(super().score(X, y, sample_weight))

    search = SearchCV(
        Watching(), {"n_neighbors": [1, 5, 20]}, n_iter=3, cv=cv, confirm=True, random_state=0
    )
    search.fit(X, y)

    folds = search.n_splits_
    of_search, fresh = set(seen[: 3 * folds]), seen[3 * folds :]
    assert not of_search & set(fresh)
    assert len(set(fresh)) < len(fresh)
    assert len(fresh) == folds * search.confirmation_.evaluations


def test_what_is_no_better_than_the_default_is_not_taken() -> None:
    """Where no candidate differs from another but by luck, the estimator stays as it is."""
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    search = SearchCV(
        TREE, {"max_depth": ts.Int(1, 9, default=3)}, n_iter=15, random_state=1, confirm=True
    )
    search.set_params(estimator=DecisionTreeClassifier(max_depth=3, random_state=0)).fit(
        noise, labels
    )

    assert search.confirmation_.chance < 0.8
    assert search.best_index_ == 0
    assert "not beaten beyond doubt" in str(search.confirmation_)


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(3),
        PredefinedSplit(np.arange(150) % 3),
        [(np.arange(0, 150, 2), np.arange(1, 150, 2))] * 2,
        GroupKFold(3),
    ],
    ids=type,
)
def test_folds_that_are_what_they_are(cv: Any) -> None:
    """They are refused before anything is fitted."""
    flowers, kinds = load_iris(return_X_y=True)
    if isinstance(cv, GroupKFold):
        SearchCV(TREE, SPACE, n_iter=6, cv=cv, confirm=True).fit(
            flowers, kinds, groups=np.arange(150) // 5
        )  # scikit-learn's shuffles the groups
        return
    search = SearchCV(TREE, SPACE, n_iter=6, cv=cv, confirm=True)
    given = "a list of folds" if isinstance(cv, list) else type(cv).__name__
    with pytest.raises(
        ts.SettingError, match=f"and {given} always gives the same; take a splitter that shuffles"
    ):
        search.fit(flowers, kinds)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize(
    "given, message",
    [
        ({"confirm": "yes"}, "confirm is True or False, got 'yes'"),
        (
            {"confirm": True, "refit": lambda results: 0},
            "confirm=True chooses the best by other folds",
        ),
    ],
)
def test_refusals(given: dict[str, Any], message: str) -> None:
    """One sentence that says what is allowed."""
    with pytest.raises(ts.SettingError, match=message):
        SearchCV(DummyClassifier(), {"strategy": ["prior"]}, **given).fit(X, y)


class Unlucky(DecisionTreeClassifier):  # type: ignore[misc] # scikit-learn has no types
    """Fails on the folds of the confirmation."""

    def fit(self, X: Any, y: Any) -> "Unlucky":
        Unlucky.fits += 1
        if Unlucky.fits > Unlucky.most:
            raise ValueError("no memory is left")
        super().fit(X, y)
        return self

    fits, most = 0, 24


def test_a_search_outlives_its_confirmation() -> None:
    """Where no finalist has a score on other folds, that is a warning, and the search keeps its best."""
    search = SearchCV(
        Unlucky(random_state=0), SPACE, n_iter=8, random_state=0, cv=3, confirm=True, refit=False
    )
    with pytest.warns(FitFailedWarning, match="the best is not confirmed: no finalist"):
        search.fit(X, y)

    assert search.best_score_ > 0.5
    assert not hasattr(search, "confirmation_")


def test_an_estimator_that_lies_outside_the_space() -> None:
    """Where all are the same it stays as it is, though it is no candidate and has no row."""
    deep = {"max_depth": ts.Int(20, 50)}  # no tree is: None is the same
    plain = SearchCV(TREE, deep, n_iter=15, random_state=0).fit(X, y)
    search = SearchCV(TREE, deep, n_iter=15, random_state=0).fit(X, y)
    search.set_params(confirm=True).fit(X, y)  # what the first fit has left is gone
    outcome = search.confirmation_

    assert outcome.choice is outcome.default
    assert outcome.evaluations == 6  # a fifth of 15 would be less than three of each
    assert search.best_params_ == {}
    assert search.best_score_ == outcome.choice.mean
    assert not hasattr(search, "best_index_")
    assert search.cv_results_["params"] == plain.cv_results_["params"]
    assert search.best_estimator_.get_params() == TREE.get_params()
    assert "best: the estimator as it is" in search.report()
    assert "its mean score in the search" not in search.report()


def test_what_stands_now_shares_the_folds() -> None:
    """The estimator as it is has the folds of the finalists, fit by fit."""
    seen: dict[bool, list[tuple[int, ...]]] = {True: [], False: []}

    class Watching(KNeighborsClassifier):  # type: ignore[misc] # scikit-learn has no types
        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            seen[self.n_neighbors == 120].append(tuple(np.asarray(X)[:, 0].round(3)))
            return float(super().score(X, y, sample_weight))

    search = SearchCV(
        Watching(n_neighbors=120), {"n_neighbors": [1, 5, 20]}, n_iter=3, cv=4, confirm=True,
        random_state=0,
    )  # fmt: skip
    search.fit(X, y)

    assert len(seen[True]) == 3 * search.n_splits_
    assert seen[True] == seen[False][-len(seen[True]) :]
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]


def test_an_estimator_that_is_one_of_a_grid() -> None:
    """It is no first candidate there; if it stays, it is the candidate that it is."""
    search = SearchCV(
        DecisionTreeClassifier(max_depth=30, random_state=0),
        {"max_depth": [40, 30, 20]},
        sampler=ts.samplers.Grid(),
        confirm=True,
    )
    search.fit(X, y)

    assert search.confirmation_.params == {}
    assert search.best_index_ == 1
    assert search.best_params_ == {"max_depth": 30}
    assert search.best_score_ == search.cv_results_["mean_test_score"][1]


@pytest.mark.parametrize(
    "estimator, space, aside",
    [
        (DecisionTreeClassifier(max_depth=3), {"max_depth": ts.Int(1, 9)}, False),
        (DecisionTreeClassifier(max_depth=3), {"max_depth": ts.Int(1, 9, default=5)}, True),
        (DecisionTreeClassifier(max_depth=30), {"max_depth": ts.Int(1, 9)}, True),
        (DecisionTreeClassifier(max_features=1), {"max_features": ts.Float(0.1, 1)}, True),
        (DecisionTreeClassifier(max_features=1.0), {"max_features": ts.Float(0.1, 1)}, False),
        (KNeighborsClassifier(p=2), {"p": ts.Float(1, 3)}, False),
        (DecisionTreeClassifier(), {"max_depth": [None, 3], "criterion": ["gini"]}, False),
        (DecisionTreeClassifier(), "auto", False),
    ],
    ids=repr,
)
def test_what_the_best_is_compared_with(
    estimator: Any, space: Any, aside: bool, tmp_path: Path
) -> None:
    """The first candidate, if that is the estimator as it is; else the estimator itself, beside the search."""
    search = SearchCV(
        estimator, space, n_iter=4, cv=3, confirm=True, storage=tmp_path / "s.db", name="s"
    )
    search.fit(X, y)

    assert search.confirmation_.default is not None
    assert search.confirmation_.default.baseline == aside
    assert ("s-confirm-baseline" in ts.studies(tmp_path / "s.db")) == aside
    assert search.confirmation_ == ts.load(tmp_path / "s.db", "s").confirmation


def test_a_copy_has_what_confirmed_it() -> None:
    """The study of a search that was pickled has its confirmation, the baseline's evaluations included."""
    search = SearchCV(TREE, SPACE, n_iter=6, cv=3, random_state=0, confirm=True).fit(X, y)
    copied = pickle.loads(pickle.dumps(search))

    assert copied.study_.confirmation == search.study_.confirmation == search.confirmation_


def test_boosting_that_stays_as_it_is() -> None:
    """The last fit takes the rounds that early stopping found on the other folds."""
    boosted = HistGradientBoostingClassifier(max_iter=40, learning_rate=0.1, random_state=0)
    search = SearchCV(
        boosted, {"learning_rate": ts.Float(1e-5, 1e-4)}, n_iter=4, cv=3, early_stopping=True,
        confirm=True, random_state=0,
    )  # fmt: skip
    search.fit(X, y)

    assert search.best_params_ == {}
    assert search.best_estimator_.n_iter_ == search.best_iteration_


def test_an_estimator_that_cannot_be_fitted_as_it_is() -> None:
    """There is nothing to stay with: the best candidate is taken, and why says so."""
    search = SearchCV(
        DecisionTreeClassifier(max_depth=-1, random_state=0), SPACE, n_iter=6, cv=3, confirm=True,
        random_state=0,
    )  # fmt: skip
    search.fit(X, y)

    assert search.confirmation_.default is None
    assert "the baseline has no value to compare with" in search.report()
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
