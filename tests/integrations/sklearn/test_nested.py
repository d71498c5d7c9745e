from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.svm import SVC

import tunesmith as ts
from tunesmith.samplers import Grid, Random
from tunesmith.sklearn import SearchCV, nested_score

X, Y = make_classification(n_samples=60, n_features=5, flip_y=0.3, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 10, 60)
GROUPS = np.arange(60) // 6
GRID = {"C": [0.01, 1.0]}


def grid_search(**options: Any) -> SearchCV:
    return SearchCV(LogisticRegression(), GRID, sampler=Grid(), cv=3, **options)


class Sees(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Scores by a hash of its parameter and the samples: by chance alone."""

    def __init__(self, at: float = 0.5) -> None:
        self.at = at

    def fit(self, X: Any, y: Any) -> "Sees":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return self.classes_[(X[:, 0] * self.at * 1e4).astype(int) % 2]


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(LogisticRegression(), GRID, cv=3),
        grid_search(),
        grid_search(scoring=["f1", "roc_auc"], refit="roc_auc"),
    ],
)
def test_it_is_the_cross_validation_of_a_search(search: Any) -> None:
    """The scores are those that scikit-learn's own nesting gives; the searches' words stand beside."""
    outer = KFold(4, shuffle=True, random_state=1)
    nested = nested_score(search, X, Y, cv=outer)
    theirs = cross_validate(search, X, Y, cv=outer, return_estimator=True)

    assert nested.scores.tolist() == theirs["test_score"].tolist()
    assert nested.inner_scores.tolist() == [one.best_score_ for one in theirs["estimator"]]
    assert nested.params == tuple(one.best_params_ for one in theirs["estimator"])
    assert nested.mean == theirs["test_score"].mean()
    assert nested.standard_error == pytest.approx(theirs["test_score"].std(ddof=1) / 2)
    assert nested.optimism == pytest.approx(nested.inner_scores.mean() - nested.mean)
    assert not hasattr(search, "best_params_")


def test_luck_is_optimism() -> None:
    """Where all candidates guess, the best of many looks good in its search and not outside of it."""
    space = {"at": ts.Float(0, 1)}
    search = SearchCV(Sees(), space, n_iter=30, cv=2, sampler=Random(), random_state=0)
    nested = nested_score(search, X, Y, cv=4)

    assert nested.optimism > 0.05
    assert nested.mean < nested.inner_scores.mean()


def test_it_can_be_read() -> None:
    """The text has the mean, the optimism, and a line for each outer fold."""
    nested = nested_score(grid_search(), X, Y, cv=3)
    first, second, *rest = str(nested).splitlines()

    assert first.startswith(f"{nested.mean:.4g} ± ")
    assert f"optimism of {nested.optimism:+.2g}" in second
    assert len(rest) == 4
    assert "{'C': " in rest[-1]


def test_each_outer_fold_is_kept_and_goes_on(tmp_path: Path) -> None:
    """A search with a name is kept as one study for each outer fold; again, nothing is fitted anew."""
    search = grid_search(storage=tmp_path / "kept.db", name="search")
    first = nested_score(search, X, Y, cv=3)
    names = ["search-outer1", "search-outer2", "search-outer3"]
    counts = {name: len(ts.load(search.storage, name).history) for name in names}
    again = nested_score(search, X, Y, cv=3)

    assert counts == dict.fromkeys(names, 2)
    assert sorted(ts.studies(search.storage)) == names
    assert {name: len(ts.load(search.storage, name).history) for name in names} == counts
    assert again.scores.tolist() == first.scores.tolist()


def test_an_open_storage_is_shared() -> None:
    """A storage in memory has the studies afterwards."""
    storage = ts.storage.Memory()
    nested_score(grid_search(storage=storage, name="a"), X, Y, cv=2)

    assert sorted(storage.names()) == ["a-outer1", "a-outer2"]


def test_groups_reach_both_splitters() -> None:
    """Neither the outer nor the inner folds break a group up."""
    search = SearchCV(LogisticRegression(), GRID, sampler=Grid(), cv=GroupKFold(3))
    nested = nested_score(search, X, Y, cv=GroupKFold(2), groups=GROUPS)
    by_hand = []
    for train, test in GroupKFold(2).split(X, Y, GROUPS):
        search.fit(X[train], Y[train], groups=GROUPS[train])
        by_hand.append(search.score(X[test], Y[test]))

    assert nested.scores.tolist() == by_hand


def test_weights_count_in_all_scores() -> None:
    """Sample weights reach the inner fits, the inner scores and the outer scores."""
    nested = nested_score(grid_search(), X, Y, cv=KFold(2), sample_weight=WEIGHTS)
    train, test = np.arange(30, 60), np.arange(30)
    search = grid_search().fit(X[train], Y[train], sample_weight=WEIGHTS[train])

    assert nested.inner_scores[0] == search.best_score_
    weighted = accuracy_score(Y[test], search.predict(X[test]), sample_weight=WEIGHTS[test])
    assert nested.scores[0] == pytest.approx(weighted)
    assert nested.scores[0] != search.score(X[test], Y[test])


@pytest.fixture
def routing() -> Iterator[None]:
    """Metadata routing is on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("kind", [SearchCV, GridSearchCV])
def test_metadata_is_routed(kind: Any) -> None:
    """With routing, the result is what scikit-learn's own nesting gives for who asks for what."""
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    options = {"sampler": Grid()} if kind is SearchCV else {}
    estimator = LogisticRegression().set_fit_request(sample_weight=True)
    search = kind(estimator, GRID, cv=GroupKFold(3), scoring=scorer, **options)
    nested = nested_score(search, X, Y, cv=GroupKFold(2), groups=GROUPS, sample_weight=WEIGHTS)
    theirs = cross_val_score(
        search, X, Y, cv=GroupKFold(2), params={"groups": GROUPS, "sample_weight": WEIGHTS}
    )

    assert nested.scores.tolist() == theirs.tolist()


def test_kernel_matrices_and_samples_without_targets() -> None:
    """Of a kernel matrix each fold has its part; where there are no targets, none are asked for."""
    kernel = nested_score(SearchCV(SVC(kernel="precomputed"), GRID, cv=2), X @ X.T, Y, cv=3)
    linear = nested_score(SearchCV(SVC(kernel="linear"), GRID, cv=2), X, Y, cv=3)
    clusters = nested_score(SearchCV(KMeans(n_init=1), {"n_clusters": [1, 2]}, cv=2), X, cv=2)

    assert kernel.scores.tolist() == linear.scores.tolist()
    assert clusters.params == ({"n_clusters": 2}, {"n_clusters": 2})


@pytest.mark.parametrize(
    "search, sentence",
    [
        (RandomForestClassifier(), "takes a search, such as SearchCV"),
        (grid_search(refit=False), "got refit=False"),
        (grid_search(refit=len), "got refit=<built-in function len>"),
        (
            SearchCV(LogisticRegression(), GRID, cv=[(np.arange(9), np.arange(9, 20))]),
            "a list of places",
        ),
    ],
)
def test_what_has_no_nested_score(search: Any, sentence: str) -> None:
    """What is no search, or has no best model with a score in every outer fold, is refused."""
    with pytest.raises(ts.SettingError, match=sentence):
        nested_score(search, X, Y)
