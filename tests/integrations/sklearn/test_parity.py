import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning, UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from tunesmith.samplers import Grid
from tunesmith.sklearn import SearchCV

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
GRID = {"C": [0.01, 1.0, 10.0], "fit_intercept": [True, False]}


def both(
    estimator: Any, grid: Any, *fit: Any, weights: Any = None, groups: Any = None, **options: Any
) -> tuple[Any, Any]:
    """The same search by GridSearchCV and by us."""
    given = {"sample_weight": weights, "groups": groups}
    given = {name: value for name, value in given.items() if value is not None}
    theirs = GridSearchCV(estimator, grid, **options).fit(*fit, **given)
    return theirs, SearchCV(estimator, grid, sampler=Grid(), **options).fit(*fit, **given)


def assert_same(theirs: Any, ours: Any) -> None:
    """Columns in order, values, types and masks of cv_results_ are equal, times apart."""
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, column in theirs.cv_results_.items():
        mine = ours.cv_results_[name]
        assert type(mine) is type(column)
        if name == "params":
            assert mine == column
        elif "_time" in name:
            assert (mine.shape, mine.dtype) == (column.shape, column.dtype)
        else:
            assert mine.dtype == column.dtype
            np.testing.assert_array_equal(mine, column)
            np.testing.assert_array_equal(np.ma.getmaskarray(mine), np.ma.getmaskarray(column))
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None)
    assert hasattr(ours, "refit_time_") == hasattr(theirs, "refit_time_")


@pytest.mark.parametrize(
    "estimator, grid, options",
    [
        (LogisticRegression(), GRID, {"return_train_score": True}),
        (LogisticRegression(), GRID, {"scoring": "roc_auc", "cv": 3, "refit": False}),
        (SVC(), [{"kernel": ["linear"]}, {"C": [1, 2], "gamma": [0.1, 1.0]}], {"cv": 3}),
        (
            Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
            {"scale": [StandardScaler(), "passthrough"], "model__C": [0.1, 1]},
            {"cv": KFold(3, shuffle=True, random_state=1)},
        ),
        (
            LogisticRegression(),
            GRID,
            {
                "scoring": ["accuracy", "neg_log_loss"],
                "refit": "neg_log_loss",
                "return_train_score": True,
            },
        ),
        (
            LogisticRegression(),
            GRID,
            {"scoring": {"a": "accuracy", "f": "f1"}, "refit": lambda results: 2},
        ),
        (LogisticRegression(), GRID, {"scoring": ("accuracy", "f1"), "refit": False}),
        (
            LogisticRegression(),
            GRID,
            {
                "scoring": lambda model, X, y: {"s": model.score(X, y), "t": 1.0},
                "refit": "s",
            },
        ),
        (LogisticRegression(), GRID, {"scoring": lambda model, X, y: 0.5, "refit": lambda _: 1}),
        (LogisticRegression(), {"C": [1.0], "class_weight": [None, {0: 1, 1: 2}]}, {}),
    ],
)
def test_a_grid_gives_what_grid_search_gives(estimator: Any, grid: Any, options: Any) -> None:
    """On a grid every column, every value and the best are those of GridSearchCV."""
    theirs, ours = both(estimator, grid, X, Y, **options)

    assert_same(theirs, ours)
    if options.get("refit", True):
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        assert getattr(ours, "n_features_in_", None) == getattr(theirs, "n_features_in_", None)
        if not callable(options.get("refit")):
            assert ours.score(X, Y) == theirs.score(X, Y)


def test_without_targets() -> None:
    """Estimators without targets are searched, and transform."""
    theirs, ours = both(PCA(), {"n_components": [1, 2]}, X)

    assert_same(theirs, ours)
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))
    projected = ours.transform(X)
    np.testing.assert_array_equal(
        ours.inverse_transform(projected), theirs.inverse_transform(projected)
    )
    assert not hasattr(ours, "predict")
    assert_same(*both(KMeans(random_state=0, n_init=2), {"n_clusters": [2, 3]}, X))


@pytest.mark.parametrize(
    "inputs", [sparse.coo_matrix(X), pd.DataFrame(X, columns=[*"abcde"]), X.tolist()]
)
def test_any_form_of_samples(inputs: Any) -> None:
    """Sparse matrices, data frames and lists are split as they are."""
    theirs, ours = both(LogisticRegression(), GRID, inputs, pd.Series(Y), cv=2)

    assert_same(theirs, ours)
    assert hasattr(ours, "feature_names_in_") == hasattr(theirs, "feature_names_in_")


def test_kernel_matrices() -> None:
    """Of a kernel matrix a fold has its rows and the columns of its training samples."""
    assert_same(*both(SVC(kernel="precomputed"), {"C": [0.1, 1.0]}, X @ X.T, Y))


def test_groups() -> None:
    """Groups go to the splitter."""
    groups = np.arange(60) % 7
    assert_same(*both(LogisticRegression(), GRID, X, Y, groups=groups, cv=GroupKFold(3)))


def test_weights() -> None:
    """Sample weights are split with the samples, for the fit and the score."""
    weights = np.random.default_rng(0).uniform(0.1, 10, 60)
    theirs, ours = both(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, X, Y,
                        weights=weights)  # fmt: skip

    assert_same(theirs, ours)
    plain = SearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, sampler=Grid())
    assert plain.fit(X, Y).best_score_ != ours.best_score_


@pytest.fixture
def routing() -> Iterator[None]:
    """Metadata routing is on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_metadata_is_routed() -> None:
    """With routing, weights and groups reach those who ask for them, also in score."""
    weights = np.random.default_rng(0).uniform(0.1, 10, 80)
    inputs, targets = make_regression(80, 4, noise=50, random_state=0)
    estimator = Ridge().set_fit_request(sample_weight=True)
    asks, refuses = (
        make_scorer(mean_squared_error, greater_is_better=False).set_score_request(
            sample_weight=asked
        )
        for asked in (True, False)
    )
    for scoring in (asks, refuses):
        theirs, ours = both(
            estimator, {"alpha": [0.1, 10.0]}, inputs, targets, scoring=scoring,
            cv=GroupKFold(3), weights=weights, groups=np.arange(80) % 5,
        )  # fmt: skip
        assert_same(theirs, ours)
    ours = SearchCV(estimator, {"alpha": [0.1]}, scoring=asks).fit(
        inputs, targets, sample_weight=weights
    )

    assert ours.score(inputs, targets, sample_weight=weights) != ours.score(inputs, targets)


class Fails(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fails where it is told to."""

    def __init__(self, when: str = "never") -> None:
        self.when = when

    def fit(self, X: Any, y: Any) -> "Fails":
        if self.when == "always" or (self.when == "at times" and X[0, 0] != 0):
            raise RuntimeError("it fails")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[-1])


def test_unset_requests_are_errors() -> None:
    """Weights that nobody has asked for are an error, not a score, also with several scores."""
    weights = np.ones(60)

    with sklearn.config_context(enable_metadata_routing=True):
        asks = LogisticRegression().set_fit_request(sample_weight=True)
        for search in (GridSearchCV, SearchCV):
            with pytest.raises(UnsetMetadataPassedError):
                search(asks, {"C": [1, 2]}, scoring=["accuracy", "f1"], refit="f1").fit(
                    X, Y, sample_weight=weights
                )


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
@pytest.mark.parametrize("scoring", [None, ["accuracy", "f1"]])
def test_fits_that_fail(error_score: float, scoring: Any) -> None:
    """A fit that raises has the error score, the other folds their own, and a warning says so."""
    inputs = X.copy()
    inputs[0, 0] = 0.0
    options = {"cv": KFold(3), "error_score": error_score, "scoring": scoring, "refit": False}
    grid = {"when": ["always", "at times", "never"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = GridSearchCV(Fails(), grid, **options).fit(inputs, Y)
    with pytest.warns(FitFailedWarning, match="it fails"):
        ours = SearchCV(Fails(), grid, sampler=Grid(), **options).fit(inputs, Y)

    assert_same(theirs, ours)


def test_all_fits_fail() -> None:
    """If every fit raises, the search does, and says with what."""
    with pytest.raises(ValueError, match=r"(?s)all 5 fits failed.*it fails"):
        SearchCV(Fails(), {"when": ["always"]}).fit(X, Y)


@pytest.mark.parametrize("order", [["always", "never"], ["never", "always"]])
def test_errors_are_raised(order: list[str]) -> None:
    """With error_score="raise" the first exception is the search's own."""
    search = SearchCV(Fails(), {"when": order}, sampler=Grid(), error_score="raise")

    with pytest.raises(RuntimeError, match="it fails"):
        search.fit(X, Y)


@pytest.mark.parametrize("scoring", [None, ["accuracy", "f1"]])
def test_scorers_that_fail(scoring: Any) -> None:
    """A scorer that raises gives the error score, and a warning."""

    def bad(model: Any, X: Any, y: Any) -> float:
        raise RuntimeError("no score")

    scoring = {"good": "accuracy", "bad": bad} if scoring else bad
    options = {"cv": 2, "scoring": scoring, "refit": False, "error_score": 0.0}
    with pytest.warns(UserWarning, match="Scoring failed"):
        theirs, ours = both(LogisticRegression(), {"C": [1.0]}, X, Y, **options)

    assert_same(theirs, ours)


@pytest.mark.parametrize("refit", [True, "f1", None])
def test_several_scores_need_one_that_decides(refit: Any) -> None:
    """With several scores, refit has to say which counts."""
    with pytest.raises(ValueError, match="refit names the score that decides"):
        SearchCV(LogisticRegression(), GRID, scoring=["accuracy", "recall"], refit=refit).fit(X, Y)


def test_without_refit_there_is_no_model() -> None:
    """Without refit the search has no methods of a model."""
    search = SearchCV(LogisticRegression(), GRID, refit=False).fit(X, Y)

    assert not hasattr(search, "predict")
    with pytest.raises(AttributeError, match="refit=False"):
        search.score(X, Y)


def test_the_sampler_ranges_over_a_random_splitter_once() -> None:
    """All candidates are scored on the same folds, also if the splitter draws them."""
    search = SearchCV(LogisticRegression(), {"C": [1.0], "verbose": [0, 0]}, cv=ShuffleSplit(3))
    results = search.fit(X, Y).cv_results_

    assert results["split0_test_score"][0] == results["split0_test_score"][1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_is_an_estimator() -> None:
    """scikit-learn's own checks of an estimator pass."""
    check_estimator(SearchCV(LogisticRegression(), {"C": [0.1, 1]}), on_skip=None)
