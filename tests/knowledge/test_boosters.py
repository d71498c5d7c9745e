from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.datasets import load_iris
from xgboost import XGBClassifier, XGBRegressor

import tunesmith as ts

X, Y = load_iris(return_X_y=True)
QUIET: dict[str, Any] = {
    "iterations": 5,
    "thread_count": 1,
    "verbose": 0,
    "allow_writing_files": False,
}
BOOSTERS = [
    XGBClassifier(n_jobs=1, n_estimators=5),
    XGBRegressor(n_jobs=1, n_estimators=5),
    LGBMClassifier(n_jobs=1, n_estimators=5, verbose=-1),
    LGBMRegressor(n_jobs=1, n_estimators=5, verbose=-1),
    CatBoostClassifier(**QUIET),
    CatBoostClassifier(learning_rate=0.1, l2_leaf_reg=3, **QUIET),
    CatBoostRegressor(**QUIET),
]


@pytest.mark.parametrize("estimator", BOOSTERS, ids=lambda one: type(one).__name__)
def test_what_is_drawn_can_be_fitted(estimator: Any) -> None:
    """Configurations of every space are accepted by the installed version, whatever the rounds."""
    space = ts.space_for(estimator, X, Y)
    few = {"n_estimators": 5} if "n_estimators" in space.names else {}

    for params in space.sample(np.random.default_rng(1), 20):
        model = clone(estimator).set_params(**{**dict(space.build(params)), **few})
        assert len(model.fit(X[::3], Y[::3]).predict(X)) == len(X)


@pytest.mark.parametrize("estimator", BOOSTERS, ids=lambda one: type(one).__name__)
def test_the_first_trial_is_the_estimator_as_it_is(estimator: Any) -> None:
    """The defaults that are read from it, or documented where it does not tell them, change nothing."""
    space = ts.space_for(estimator, X, Y)
    first = clone(estimator).set_params(**dict(space.build(space.default()[0])))

    np.testing.assert_array_equal(first.fit(X, Y).predict(X), clone(estimator).fit(X, Y).predict(X))
