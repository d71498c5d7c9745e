import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import sklearn
from catboost import CatBoostClassifier, CatBoostRegressor, Pool
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier
from xgboost.callback import EarlyStopping

import tunesmith as ts
from tunesmith.samplers import Grid
from tunesmith.sklearn import SearchCV

X, Y = make_classification(n_samples=120, n_features=5, flip_y=0.3, random_state=0)
WEIGHTS = np.exp(np.random.default_rng(0).normal(0, 2.5, 120))
FOLDS = KFold(3)
TRAIN, TEST = next(iter(FOLDS.split(X)))
LIMIT = 80
QUIET_LIGHTGBM: dict[str, Any] = {"n_jobs": 1, "verbose": -1, "min_child_samples": 5}
QUIET_CATBOOST: dict[str, Any] = {
    "thread_count": 1,
    "verbose": 0,
    "allow_writing_files": False,
    "depth": 3,
}
QUICK_CATBOOST: dict[str, Any] = {**QUIET_CATBOOST, "learning_rate": 0.5}
BOOSTERS = [
    XGBClassifier(n_jobs=1, n_estimators=LIMIT),
    XGBRegressor(n_jobs=1, n_estimators=LIMIT),
    LGBMClassifier(n_estimators=LIMIT, **QUIET_LIGHTGBM),
    LGBMRegressor(num_iterations=LIMIT, **QUIET_LIGHTGBM),
    CatBoostClassifier(iterations=LIMIT, **QUIET_CATBOOST),
    CatBoostRegressor(n_estimators=LIMIT, **QUIET_CATBOOST),
    HistGradientBoostingClassifier(max_iter=LIMIT, min_samples_leaf=5),
    HistGradientBoostingRegressor(max_iter=LIMIT, min_samples_leaf=5),
]
XGB = BOOSTERS[0]


def stopping(estimator: Any, space: Any = None, **options: Any) -> SearchCV:
    """A search of one candidate, or of a grid."""
    options = {"cv": FOLDS, "sampler": Grid(), "early_stopping": True, **options}
    return SearchCV(estimator, space or {"random_state": [0]}, **options)


def found(search: SearchCV, number: int = 0) -> list[float]:
    """What the folds of a candidate report."""
    _, told = search.study_.history[number].reported("best_iteration")
    return [float(one) for one in told if math.isfinite(one)]


def mean_prediction(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    """A score that tells models apart; it takes weights, and leaves them."""
    return float(model.predict_proba(X)[:, 1].mean())


def rounds(model: Any) -> int:
    """How many rounds a fitted model has."""
    if hasattr(model, "get_booster"):
        return int(model.get_booster().num_boosted_rounds())
    if hasattr(model, "booster_"):
        return int(model.booster_.current_iteration())
    return int(model.tree_count_ if hasattr(model, "tree_count_") else model.n_iter_)


@pytest.mark.parametrize("estimator", BOOSTERS, ids=lambda e: type(e).__name__)
def test_folds_stop_and_the_last_fit_has_their_median(estimator: Any) -> None:
    """Each fold says where it was best, before the limit; the last fit takes the median on all data."""
    search = stopping(estimator).fit(X, Y)
    best = search.best_estimator_

    assert len(found(search)) == 3
    assert all(1 <= one < LIMIT for one in found(search))
    assert search.best_iteration_ == math.ceil(np.median(found(search)))
    assert rounds(best) == search.best_iteration_
    assert search.best_params_ == {"random_state": 0}
    assert sorted(search.cv_results_) == sorted(
        stopping(estimator, early_stopping=False, refit=False).fit(X, Y).cv_results_
    )


def test_a_fold_is_what_the_library_does_by_itself() -> None:
    """With a patience of a tenth of the limit XGBoost, called by hand, has the same rounds and score."""
    search = stopping(XGBClassifier(n_jobs=1, n_estimators=200)).fit(X, Y)
    by_hand = XGBClassifier(n_jobs=1, n_estimators=200, early_stopping_rounds=20, random_state=0)
    by_hand.fit(X[TRAIN], Y[TRAIN], eval_set=[(X[TEST], Y[TEST])], verbose=False)

    assert found(search)[0] == by_hand.best_iteration + 1
    assert search.cv_results_["split0_test_score"][0] == by_hand.score(X[TEST], Y[TEST])


def test_weights_count_in_where_it_stops() -> None:
    """The held samples have their weights, in each library."""
    for estimator, weighted in (
        (BOOSTERS[0], {"sample_weight_eval_set": [WEIGHTS[TEST]]}),
        (BOOSTERS[2], {"eval_sample_weight": [WEIGHTS[TEST]]}),
        (BOOSTERS[4], {"eval_set": Pool(X[TEST], Y[TEST], weight=WEIGHTS[TEST])}),
        (BOOSTERS[6], {"sample_weight_val": WEIGHTS[TEST]}),
    ):
        by_hand = clone(estimator).set_params(random_state=0)
        given: dict[str, Any] = {"eval_set": [(X[TEST], Y[TEST])]}
        if isinstance(estimator, XGBClassifier):
            by_hand.set_params(early_stopping_rounds=10)
            given["verbose"] = False
        elif isinstance(estimator, LGBMClassifier):
            given = {"eval_X": X[TEST], "eval_y": Y[TEST]}
            given["callbacks"] = [lightgbm.early_stopping(10, verbose=False)]
        elif isinstance(estimator, CatBoostClassifier):
            given["early_stopping_rounds"] = 10
        else:
            by_hand.set_params(early_stopping=True, n_iter_no_change=10)
            given = {"X_val": X[TEST], "y_val": Y[TEST]}
        by_hand.fit(X[TRAIN], Y[TRAIN], sample_weight=WEIGHTS[TRAIN], **{**given, **weighted})
        search = stopping(estimator, refit=False, scoring=mean_prediction)
        search.fit(X, Y, sample_weight=WEIGHTS)

        by_library = search.cv_results_["split0_test_score"][0]
        assert by_library == mean_prediction(by_hand, X[TEST], Y[TEST])


def test_pipelines_transform_the_held_samples() -> None:
    """The earlier steps are fitted on the training samples alone, also with a memory."""
    scale = StandardScaler().fit(X[TRAIN])
    reduce = PCA(2).fit(scale.transform(X[TRAIN]))
    train, test = (reduce.transform(scale.transform(X[places])) for places in (TRAIN, TEST))
    by_hand = XGBClassifier(n_jobs=1, n_estimators=LIMIT, early_stopping_rounds=10)
    by_hand.fit(train, Y[TRAIN], eval_set=[(test, Y[TEST])], verbose=False)
    pipe = make_pipeline(StandardScaler(), PCA(2), XGB)
    search = stopping(pipe, {"xgbclassifier__random_state": [0]}).fit(X, Y)

    assert found(search)[0] == by_hand.best_iteration + 1
    assert search.cv_results_["split0_test_score"][0] == by_hand.score(test, Y[TEST])
    assert rounds(search.best_estimator_[-1]) == search.best_iteration_
    assert search.predict(X).shape == (120,)


def test_pipelines_with_a_memory(tmp_path: Path) -> None:
    """Steps that were fitted before and kept are the pipeline's; one step alone is a pipeline, too."""
    kept = Pipeline([("scale", StandardScaler()), ("model", XGB)], memory=str(tmp_path))
    plain = Pipeline([("scale", StandardScaler()), ("model", XGB)])
    alone = Pipeline([("model", XGB)])
    searches = [stopping(pipe, {"model__random_state": [0]}) for pipe in (kept, plain, alone)]
    first, second, third = (found(search.fit(X, Y)) for search in searches)

    assert first == second
    assert third == found(stopping(XGB).fit(X, Y))
    assert (searches[0].predict(X) == searches[1].predict(X)).all()


def test_arguments_of_a_pipelines_fit_reach_its_steps() -> None:
    """What is meant for the last step, and what for an earlier one, gets there."""
    pipe = Pipeline([("scale", StandardScaler()), ("model", XGB)])
    space = {"model__random_state": [0]}
    scoring = {"mean": lambda m, X, y: m["scale"].mean_[0], "prediction": mean_prediction}
    plain, last, first = (
        stopping(pipe, space, scoring=scoring, refit="mean").fit(X, Y, **given).cv_results_
        for given in ({}, {"model__sample_weight": WEIGHTS}, {"scale__sample_weight": WEIGHTS})
    )

    assert plain["mean_test_mean"] == last["mean_test_mean"] != first["mean_test_mean"]
    assert plain["mean_test_prediction"] != last["mean_test_prediction"]


@pytest.fixture
def routing() -> Iterator[None]:
    """Metadata routing is on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("first", [True, False])
def test_metadata_is_routed(first: bool) -> None:
    """With routing, the steps of a pipeline get what they have asked for, and the held samples theirs."""
    scale = StandardScaler().set_fit_request(sample_weight=first)
    model = clone(BOOSTERS[6]).set_fit_request(sample_weight=True)
    train, test = X[TRAIN], X[TEST]
    weights = WEIGHTS[TRAIN] if first else None
    fitted = StandardScaler().fit(train, sample_weight=weights)
    by_hand = clone(BOOSTERS[6]).set_params(
        random_state=0, early_stopping=True, n_iter_no_change=10
    )
    by_hand.fit(
        fitted.transform(train), Y[TRAIN], sample_weight=WEIGHTS[TRAIN], X_val=fitted.transform(test),
        y_val=Y[TEST], sample_weight_val=WEIGHTS[TEST],
    )  # fmt: skip
    pipe = Pipeline([("scale", scale), ("model", model)])
    scoring = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    search = stopping(pipe, {"model__random_state": [0]}, scoring=scoring)
    search.fit(X, Y, sample_weight=WEIGHTS)

    assert found(search)[0] == np.argmax(by_hand.validation_score_[1:]) + 1


@pytest.mark.parametrize(
    "estimator, fit",
    [
        (XGBClassifier(n_jobs=1, early_stopping_rounds=3), {}),
        (XGBClassifier(n_jobs=1, callbacks=[EarlyStopping(rounds=3)]), {}),
        (LGBMClassifier(early_stopping_round=3, **QUIET_LIGHTGBM), {}),
        (LGBMClassifier(n_iter_no_change=3, **QUIET_LIGHTGBM), {}),
        (
            LGBMClassifier(**QUIET_LIGHTGBM),
            {"callbacks": [lightgbm.early_stopping(3, verbose=False)]},
        ),
        (CatBoostClassifier(iterations=90, early_stopping_rounds=3, **QUICK_CATBOOST), {}),
        (
            CatBoostClassifier(iterations=90, use_best_model=True, **QUICK_CATBOOST),
            {"early_stopping_rounds": 3},
        ),
        (HistGradientBoostingClassifier(early_stopping=True, n_iter_no_change=3), {}),
    ],
)
def test_the_users_patience_holds(estimator: Any, fit: dict[str, Any]) -> None:
    """Who has set when to stop gets that, and a last fit that does without."""
    lengths = []

    def score(model: Any, X: Any, y: Any) -> float:
        if isinstance(model, XGBClassifier):
            lengths.append(rounds(model) - model.best_iteration - 1)
        return 1.0

    search = stopping(estimator, scoring=score).fit(X, Y, **fit)

    assert rounds(search.best_estimator_) == search.best_iteration_ < 50
    assert set(lengths) <= {3}


def test_the_limit_may_be_searched() -> None:
    """A number of rounds in the space is the most that is tried, and stays in best_params_."""
    search = stopping(XGBClassifier(n_jobs=1), {"n_estimators": [2, 60]}).fit(X, Y)
    few, many = (found(search, number) for number in range(2))

    assert max(few) <= 2 < max(many) < 60
    assert search.best_params_["n_estimators"] in (2, 60)
    assert rounds(search.best_estimator_) == search.best_iteration_


def test_catboost_keeps_the_learning_rate_of_the_folds() -> None:
    """The rate that CatBoost derives from the limit of rounds is not derived anew from fewer rounds."""
    model = CatBoostClassifier(iterations=300, **QUIET_CATBOOST)
    search = stopping(model).fit(X, Y)
    rates = search.study_.history[0].reported("learning_rate")[1]
    anew = clone(model).set_params(iterations=search.best_iteration_).fit(X, Y)

    assert search.best_estimator_.learning_rate_ == pytest.approx(np.median(rates))
    assert anew.learning_rate_ > 1.5 * search.best_estimator_.learning_rate_


@pytest.mark.parametrize(
    "estimator, fit",
    [
        (RandomForestClassifier(5), {}),
        (GradientBoostingClassifier(n_estimators=5), {}),
        (XGBRFClassifier(n_jobs=1, n_estimators=5), {}),
        (XGBClassifier(n_jobs=1, booster="dart", n_estimators=5), {}),
        (LGBMClassifier(boosting_type="dart", n_estimators=5, **QUIET_LIGHTGBM), {}),
        (HistGradientBoostingClassifier(max_iter=5, early_stopping=False), {}),
        (XGBClassifier(n_jobs=1, n_estimators=5), {"eval_set": [(X[:9], Y[:9])], "verbose": False}),
    ],
)
def test_what_cannot_be_stopped_is_fitted_as_ever(estimator: Any, fit: dict[str, Any]) -> None:
    """Others, and who brings validation samples of his own, are left alone."""
    search, plain = (
        stopping(estimator, early_stopping=early).fit(X, Y, **fit) for early in (True, False)
    )

    assert not hasattr(search, "best_iteration_")
    assert search.best_score_ == plain.best_score_
    assert found(search) == []


def test_a_class_that_the_training_samples_lack() -> None:
    """A rare class that is only in the held samples does not end the fold."""
    targets = Y.copy()
    targets[TEST[:1]] = 2
    model = clone(BOOSTERS[6])

    assert all(found(stopping(model).fit(X, targets)))


@pytest.mark.parametrize("estimator", [BOOSTERS[2], BOOSTERS[4], BOOSTERS[6]])
@pytest.mark.parametrize("names", [np.array(["no", "yes"]), np.array([1, 2])])
def test_any_names_of_classes(estimator: Any, names: Any) -> None:
    """Where it stops does not depend on what the classes are called."""
    search = stopping(estimator).fit(X, names[Y])

    assert found(search) == found(stopping(estimator).fit(X, Y))
    assert search.classes_.tolist() == names.tolist()


def test_it_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody prints a line for each round."""
    for estimator in (BOOSTERS[0], BOOSTERS[2]):
        stopping(estimator).fit(X, Y)

    assert capfd.readouterr() == ("", "")


def test_scores_with_and_without_are_not_mixed(tmp_path: Path) -> None:
    """A kept search without early stopping is not gone on with."""
    place: dict[str, Any] = {"storage": tmp_path / "kept.db", "name": "search"}
    stopping(XGB, early_stopping=False, **place).fit(X, Y)

    with pytest.raises(ts.StudyError, match="differs from this search in early_stopping"):
        stopping(XGB, **place).fit(X, Y)


def test_it_goes_on(tmp_path: Path) -> None:
    """What the folds found is kept with the study."""
    place: dict[str, Any] = {"storage": tmp_path / "kept.db", "name": "search"}
    first, again = (stopping(XGB, **place).fit(X, Y).best_iteration_ for _ in range(2))

    assert first == again
