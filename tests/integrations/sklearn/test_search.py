import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import KFold, ParameterGrid, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

import tunesmith as ts
from tunesmith.samplers import Grid, Random
from tunesmith.sklearn import SearchCV

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
SPACE = {"C": stats.loguniform(1e-3, 1e3), "l1_ratio": [0.0, 0.5]}


class Guesses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Scores best where `at` is 0.3, without any fitting."""

    def __init__(self, at: float = 0.5, until: int = 10**9) -> None:
        self.at = at
        self.until = until

    broken = False

    def fit(self, X: Any, y: Any) -> "Guesses":
        if self.broken:
            raise RuntimeError("boom")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])

    def score(self, X: Any, y: Any) -> float:
        return -abs(self.at - 0.3) - len(X) * 1e-6


class Lingering(Guesses):
    """Takes 50 ms."""

    def fit(self, X: Any, y: Any) -> "Lingering":
        end = time.perf_counter() + 0.05
        while time.perf_counter() < end:
            pass
        super().fit(X, y)
        return self


class Lingers:
    """A scorer that takes some time."""

    seconds = 0.1

    def __call__(self, model: Any, X: Any, y: Any) -> float:
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        return 1.0


class Slow(Guesses):
    """Takes its time."""

    def fit(self, X: Any, y: Any) -> "Slow":
        super().fit(X, y)
        sum(range(200_000))
        return self


def test_folds_are_the_steps_of_a_trial() -> None:
    """The study has a trial for each candidate, a report for each fold, and the error of the mean."""
    search = SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=4).fit(X, Y)
    results = search.cv_results_

    for i, record in enumerate(search.study_.history):
        steps, scores = record.reported("score")
        assert steps.tolist() == [1, 2, 3, 4]
        assert scores.tolist() == [results[f"split{k}_test_score"][i] for k in range(4)]
        assert record.value == pytest.approx(results["mean_test_score"][i])
        assert record.values["score_se"] == pytest.approx(scores.std(ddof=1) / 2)
    assert search.study_.best.params == search.best_params_


def test_the_estimators_own_settings_are_tried_first() -> None:
    """Trial 0 is the estimator as it was given, where the space holds it."""
    search = SearchCV(LogisticRegression(C=7.0, l1_ratio=0.5), SPACE, n_iter=2, random_state=0)
    search.set_params(estimator__solver="saga", estimator__tol=0.1)

    assert search.fit(X, Y).cv_results_["params"][0] == {"C": 7.0, "l1_ratio": 0.5}


def test_it_learns_from_what_it_has_tried() -> None:
    """The default sampler comes closer to the optimum than random search on average."""
    found = {
        name: [
            SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=12, cv=2, sampler=sampler,
                     random_state=seed, refit=False).fit(X, Y).best_score_
            for seed in range(3)
        ]
        for name, sampler in (("random", Random()), ("auto", None))
    }  # fmt: skip

    assert np.mean(found["auto"]) > np.mean(found["random"])


def test_random_search_keeps_its_form() -> None:
    """Random() draws n_iter candidates, the same for the same seed, others for another."""

    def values(seed: Any) -> list[Any]:
        search = SearchCV(Guesses(), {"at": stats.beta(2, 2)}, n_iter=5, cv=2, sampler=Random(),
                          random_state=seed, refit=False)  # fmt: skip
        return [params["at"] for params in search.fit(X, Y).cv_results_["params"]]

    assert len(set(values(1))) == 5
    assert values(1) == values(1) != values(2)
    state = np.random.RandomState(1)
    assert values(state) != values(state)


def test_a_grid_is_tried_whole() -> None:
    """Grid() takes all combinations in scikit-learn's order, whatever n_iter is."""
    grid = {"at": [0.2, 0.1, 0.4], "until": [1, 2]}
    search = SearchCV(Guesses(), grid, n_iter=2, cv=2, sampler=Grid()).fit(X, Y)

    assert search.cv_results_["params"] == list(ParameterGrid(grid))


def test_resume(tmp_path: Path) -> None:
    """A kept search goes on with what it has: n_iter counts all runs, and the table has them all."""
    place: dict[str, Any] = {"storage": tmp_path / "kept.db", "name": "search", "random_state": 0}
    first = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=3, cv=2, **place).fit(X, Y)
    second = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=5, cv=2, **place).fit(X, Y)
    again = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=5, cv=2, **place).fit(X, Y)

    assert second.cv_results_["params"][:3] == first.cv_results_["params"]
    assert len(second.cv_results_["params"]) == 5
    for name, column in second.cv_results_.items():
        np.testing.assert_array_equal(again.cv_results_[name], column)


class Remembers(Guesses):
    """Keeps which samples it was fitted on."""

    fitted: ClassVar[list[tuple[Any, ...]]] = []

    def fit(self, X: Any, y: Any) -> "Remembers":
        self.fitted.append(tuple(X[:, 0]))
        super().fit(X, y)
        return self


@pytest.mark.parametrize(
    "cv, splits",
    [(ShuffleSplit(1), 4), (ShuffleSplit(1, random_state=0), 1), (ShuffleSplit(2), 2), (3, 3)],
)
def test_a_holdout_is_of_each_candidates_own(cv: Any, splits: int) -> None:
    """A single split that nobody fixed is another for each candidate; folds are the same for all."""
    Remembers.fitted.clear()
    SearchCV(
        Remembers(), {"at": stats.uniform()}, n_iter=4, cv=cv, random_state=0, refit=False
    ).fit(X, Y)

    assert len(set(Remembers.fitted)) == splits


def test_a_search_with_a_holdout_goes_on(tmp_path: Path) -> None:
    """A kept search of candidates with splits of their own goes on, and workers make the same splits."""
    place: dict[str, Any] = {"storage": tmp_path / "kept.db", "name": "search", "random_state": 0}
    space = {"C": stats.loguniform(1e-3, 1e3)}
    options: dict[str, Any] = {"cv": ShuffleSplit(1), "sampler": Random()}
    SearchCV(LogisticRegression(), space, n_iter=2, **options, **place).fit(X, Y)
    kept = SearchCV(LogisticRegression(), space, n_iter=4, **options, **place).fit(X, Y)
    other = SearchCV(
        LogisticRegression(), space, n_iter=4, n_jobs=2, random_state=0, **options
    ).fit(X, Y)

    assert len(kept.cv_results_["params"]) == 4
    scores = [
        dict(zip(map(str, s.cv_results_["params"]), s.cv_results_["mean_test_score"], strict=True))
        for s in (kept, other)
    ]
    shared = scores[0].keys() & scores[1].keys()
    assert shared
    assert all(scores[0][params] == scores[1][params] for params in shared)


@pytest.mark.parametrize(
    "change, named",
    [
        ({"cv": KFold(2)}, "folds: "),
        ({"cv": ShuffleSplit(3, random_state=1)}, "in folds, .*fixed random_state"),
        ({"scoring": "f1"}, "in scoring"),
        ({"scoring": lambda model, X, y: 2.0}, "in scoring"),
        ({"scoring": make_scorer(fbeta_score, beta=0.2)}, "in scoring"),
        ({"scoring": ["f1", "accuracy"], "refit": "f1"}, "in scoring"),
        ({"scoring": ["f1", "accuracy"], "refit": "accuracy"}, "in scoring"),
        ({"scoring": {"f1": "accuracy", "accuracy": "f1"}, "refit": "f1"}, "in scoring"),
        ({"error_score": 0.0}, "in error_score"),
        ({"estimator": Guesses(until=3)}, "in estimator"),
        ({"estimator": Slow()}, "in estimator"),
        ({"space": {"at": stats.norm(50, 0.1)}}, "in space"),
    ],
)
def test_what_scores_depend_on_is_part_of_a_kept_search(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    """A kept search goes on with the same scoring, folds, estimator and distributions, and no other."""
    search = SearchCV(Guesses(), {"at": stats.norm(5, 0.1)}, n_iter=1, cv=KFold(3), name="search",
                      storage=tmp_path / "kept.db")  # fmt: skip
    variants = [search, clone(search).set_params(**change)]
    if "refit" in change:  # both ways
        other = {**change, "refit": "accuracy" if change["refit"] == "f1" else "f1"}
        variants.append(clone(search).set_params(**other))
    for number, one in enumerate(variants):
        one.set_params(name=f"search {number}").fit(X, Y)
        assert len(clone(one).fit(X, Y).study_.history) == 1
        for another in variants:
            if another is not one:
                with pytest.raises(ts.StudyError, match=named):
                    clone(another).set_params(name=f"search {number}").fit(X, Y)


@pytest.mark.parametrize(
    "X_, y, params, named",
    [
        (X + 1, Y, {}, "in X,"),
        (X, 1 - Y, {}, "in y,"),
        (X, Y, {"sample_weight": np.ones(60)}, "in fit arguments"),
    ],
)
def test_other_data_are_refused(tmp_path: Path, X_: Any, y: Any, params: Any, named: str) -> None:
    """A kept search of other data is not mixed with this one, and it says what differs."""
    search = SearchCV(LogisticRegression(), {"C": [1.0]}, name="a", storage=tmp_path / "kept.db")
    search.fit(X, Y)

    with pytest.raises(ts.StudyError, match=named):
        clone(search).fit(X_, y, **params)


def test_the_log_knows_the_data() -> None:
    """By a fingerprint, as `data=[X, y]` has it; what cannot be told apart has none."""
    search = SearchCV(Guesses(), {"at": [0.1]}).fit(X, Y)
    plain = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", data=[X, Y])
    plain.run(lambda trial: 0.0, trials=1, progress=False)
    [record], [other] = search.study_.history, plain.history

    assert record.provenance.data == other.provenance.data != ""
    texts = SearchCV(Guesses(), {"at": [0.1]}).fit([["a"]] * 60, Y)
    assert texts.study_.history[0].provenance.data == ""


@pytest.mark.parametrize("form", [list, pd.Series, np.array])
@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array(["no", "yes"])])
def test_the_form_of_the_targets_is_no_matter(tmp_path: Path, form: Any, labels: Any) -> None:
    """Targets may be an array, a list or a series."""
    search = SearchCV(Guesses(), {"at": [0.1]}, name="a", storage=tmp_path / "kept.db")
    search.fit(X, labels[Y])

    assert len(clone(search).fit(X, form(labels[Y])).cv_results_["params"]) == 1


def test_what_changes_no_score_may_change(tmp_path: Path) -> None:
    """The number of jobs of the estimator is no part of a kept search; nor is a lambda's address."""
    place: dict[str, Any] = {"name": "a", "storage": tmp_path / "kept.db"}
    for jobs in (1, 2):
        model = make_pipeline(FunctionTransformer(lambda x: x), KNeighborsClassifier(n_jobs=jobs))
        search = SearchCV(model, {"kneighborsclassifier__n_neighbors": [3]}, **place).fit(X, Y)

    assert len(search.study_.history) == 1


def test_values_that_only_their_places_tell_apart(tmp_path: Path) -> None:
    """Other values under the same labels are another search."""
    place: dict[str, Any] = {"name": "a", "storage": tmp_path / "kept.db"}
    SearchCV(Guesses(), {"at": [1, 1.0, 2]}, cv=2, **place).fit(X, Y)

    with pytest.raises(ts.StudyError, match="in space"):
        SearchCV(Guesses(), {"at": [7, 7.0, 9]}, cv=2, **place).fit(X, Y)


def test_another_random_state_is_called_so(tmp_path: Path) -> None:
    """A kept search has its random_state."""
    search = SearchCV(Guesses(), {"at": [1]}, name="a", storage=tmp_path / "a.db", random_state=1)
    search.fit(X, Y)

    with pytest.raises(ts.StudyError, match="random_state: 2 here, 1 there"):
        clone(search).set_params(random_state=2).fit(X, Y)


def test_a_mistake_keeps_nothing(tmp_path: Path) -> None:
    """A name that the estimator does not have is refused before a study is made."""
    place: dict[str, Any] = {"name": "a", "storage": tmp_path / "kept.db"}

    for space in ({"att": [1]}, {"at__deep": [1]}, [{"at": [1]}, {"att": [1]}]):
        with pytest.raises(ValueError, match=r"Invalid parameter 'att?"):
            SearchCV(Guesses(), space, **place).fit(X, Y)
    SearchCV(Guesses(), {"at": [1]}, **place).fit(X, Y)


def test_names_inside_of_what_is_searched(tmp_path: Path) -> None:
    """A step that is searched brings its own parameters."""
    pipe = Pipeline([("model", Guesses())])
    grid = {"model": [LogisticRegression(), LinearSVC()], "model__C": [0.1, 1.0]}

    assert len(SearchCV(pipe, grid, sampler=Grid()).fit(X, Y).cv_results_["params"]) == 4


def test_fits_that_failed_in_an_earlier_run(tmp_path: Path) -> None:
    """Fits that failed before stay, and the message names the ways out."""
    place: dict[str, Any] = {"name": "a", "storage": tmp_path / "kept.db", "cv": 2}
    Guesses.broken = True
    try:
        with pytest.raises(ValueError, match="all 6 fits failed, one of them"):
            SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=3, **place).fit(X, Y)
    finally:
        Guesses.broken = False
    out = r"6 of them in an earlier run \(another name= .* ts.delete\('.*kept.db', 'a'\)\)"

    with pytest.raises(ValueError, match=f"all 6 fits failed, {out}"):
        SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=3, **place).fit(X, Y)
    with pytest.warns(FitFailedWarning, match=f"6 of 10 fits failed .*{out}"):
        SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=5, **place).fit(X, Y)


@pytest.mark.parametrize("failing", [0.1, 0.2])
def test_scores_that_are_not_finite(failing: float) -> None:
    """A score that is NaN ranks last, and a warning says so."""

    def score(model: Any, X: Any, y: Any) -> float:
        return float("nan") if model.at == failing else model.at

    with pytest.warns(UserWarning, match="not every mean of score is finite"):
        search = SearchCV(Guesses(), {"at": [0.1, 0.2]}, scoring=score, sampler=Grid()).fit(X, Y)

    assert search.best_params_ == {"at": 0.1 if failing == 0.2 else 0.2}


def test_failed_candidates_count() -> None:
    """n_iter counts candidates whose fits fail, so that a search of nothing else ends."""

    def score(model: Any, X: Any, y: Any) -> float:
        return float("nan") if model.at > 0.3 else 1.0

    search = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=15, cv=2, scoring=score,
                      sampler=Random(), random_state=0)  # fmt: skip
    with pytest.warns(UserWarning, match="is finite"):
        search.fit(X, Y)

    assert len(search.cv_results_["params"]) == 15


def test_mistakes_are_no_scores() -> None:
    """A parameter that the estimator does not have is an error, also in a later candidate."""
    grids = [{"at": [0.1]}, {"att": [0.1]}]

    with pytest.raises(ValueError, match="Invalid parameter 'att'"):
        SearchCV(Guesses(), grids, sampler=Grid()).fit(X, Y)


@pytest.mark.slow
def test_workers_give_what_one_process_gives() -> None:
    """With n_jobs the candidates run in worker processes, and a grid's table is the same."""
    grid = {"C": [0.1, 1.0, 10.0]}
    one, two = (
        SearchCV(LogisticRegression(), grid, n_jobs=n_jobs, sampler=Grid()).fit(X, Y)
        for n_jobs in (None, 2)
    )

    for name in ("mean_test_score", "param_C", "rank_test_score", "split3_test_score"):
        np.testing.assert_array_equal(two.cv_results_[name], one.cv_results_[name])
    assert two.best_params_ == one.best_params_


def test_time_budget() -> None:
    """When the time is over no candidate begins, and one that is not through is no row."""
    search = SearchCV(Slow(), {"at": stats.uniform()}, n_iter=10**6, cv=2, time_budget=0.2,
                      sampler=Random(), refit=False).fit(X, Y)  # fmt: skip

    assert 0 < len(search.cv_results_["params"]) < 200
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)], ids=["one", "workers"]
)
def test_what_the_time_budget_cuts_is_handed_back(tmp_path: Path, n_jobs: int | None) -> None:
    """The next run goes on with candidates that were cut, at their next fold; nothing of a grid is lost."""
    search = SearchCV(Lingering(), {"at": [0.1, 0.3, 0.5]}, sampler=Grid(), cv=4, name="a",
                      storage=tmp_path / "kept.db", n_jobs=n_jobs)  # fmt: skip
    with pytest.raises(
        ValueError, match="no candidate was scored on all 4 folds within time_budget"
    ):
        clone(search).set_params(time_budget=0.05).fit(X, Y)
    cut = ts.load(tmp_path / "kept.db", "a").history[0].reported("fit_time")[1].tolist()
    whole = clone(search).fit(X, Y)

    assert [r.state for r in whole.study_.history] == ["complete"] * 3
    assert [whole.cv_results_["mean_test_score"][0]] == pytest.approx(
        [np.mean([whole.cv_results_[f"split{k}_test_score"][0] for k in range(4)])]
    )
    assert whole.study_.history[0].value == pytest.approx(whole.cv_results_["mean_test_score"][0])
    if n_jobs is None:  # with workers, their start has taken the time
        again = whole.study_.history[0].reported("fit_time")[1].tolist()
        assert 0 < len(cut) < 4
        assert again[: len(cut)] == cut


def test_a_candidate_that_is_through_counts(tmp_path: Path) -> None:
    """The last fold may end after the time budget is over."""
    half = np.arange(len(X)) < len(X) // 2
    once = [(np.flatnonzero(half), np.flatnonzero(~half))]
    lingers = Lingers()
    lingers.seconds = 0.5
    search = SearchCV(Guesses(), {"at": [0.1]}, cv=once, scoring=lingers, time_budget=0.4)

    assert search.fit(X, Y).study_.history[0].state == "complete"


def test_no_time_at_all() -> None:
    """A search that had no time for a fit says so."""
    with pytest.raises(
        ValueError, match="no candidate was scored on all 5 folds within time_budget"
    ):
        SearchCV(Guesses(), {"at": [1, 2]}, time_budget=1e-9).fit(X, Y)


def test_it_says_how_much_work_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """With verbose=1 it says the number of fits, and after the first candidate the time left."""
    SearchCV(Slow(), {"at": [0.1, 0.2, 0.3]}, cv=4, verbose=1).fit(X, Y)
    said = capsys.readouterr().err

    assert "3 candidates with 4 folds: 12 fits" in said
    assert "for the 2 candidates left" in said


def test_it_says_what_each_candidate_was(capsys: pytest.CaptureFixture[str]) -> None:
    """With verbose=2 there is a line for each candidate: parameters, score, time; and no other head."""
    SearchCV(Guesses(), {"at": [0.1, 0.2]}, cv=2, verbose=2, sampler=Grid()).fit(X, Y)
    said = capsys.readouterr().err.splitlines()

    assert said[0] == "2 candidates with 2 folds: 4 fits"
    lines = [line for line in said if line.startswith("candidate ")]
    assert [line.partition(" · ")[0] for line in lines] == [
        "candidate 0: at=0.1", "candidate 1: at=0.2",
    ]  # fmt: skip
    assert all(line.count("score") == 1 for line in lines)


def test_the_estimate_is_of_fits_not_of_pauses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier run took, and the time until this one, are no part of the estimate."""
    search = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=1, cv=2, name="a",
                      storage=tmp_path / "kept.db")  # fmt: skip
    slow = clone(search).set_params(scoring=Lingers())
    slow.fit(X, Y)
    Lingers.seconds = 0.0
    clone(slow).set_params(n_iter=3, verbose=1, scoring=Lingers()).fit(X, Y)
    [said] = [line for line in capsys.readouterr().err.splitlines() if "for the 1" in line]

    assert float(said.split()[1]) < 0.05


def test_ctrl_c_leaves_what_is_finished() -> None:
    """An interrupted search shows the candidates that are through."""

    def score(model: Any, X: Any, y: Any) -> float:
        if model.at == 0.4:
            raise KeyboardInterrupt
        return float(model.at)

    search = SearchCV(Guesses(), {"at": [0.1, 0.2, 0.4]}, cv=2, sampler=Grid(), scoring=score)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)

    assert search.best_params_ == {"at": 0.2}
    assert search.cv_results_["mean_test_score"].tolist() == [0.1, 0.2]


def test_a_long_grid_that_is_not_tried_whole() -> None:
    """A grid of lists larger than the usual number of candidates is told of Grid()."""
    grid = {"at": [k / 100 for k in range(59)]}

    with pytest.warns(UserWarning, match=r"of the 59 candidates of the grid 50 .*Grid\(\)"):
        SearchCV(Guesses(), grid, cv=2, refit=False).fit(X, Y)
    SearchCV(Guesses(), grid, cv=2, refit=False, n_iter=3).fit(X, Y)
    SearchCV(Guesses(), grid, cv=2, refit=False, sampler=Grid()).fit(X, Y)


def test_one_score_by_name_is_multi_metric() -> None:
    """A dict of scorings makes a dict of scorers, whatever their names."""
    search = SearchCV(Guesses(), {"at": [0.1]}, scoring={"score": "accuracy"}, refit="score")
    search.fit(X, Y)

    assert search.multimetric_
    assert search.score(X, Y) == search.scorer_["score"](search.best_estimator_, X, Y)


@pytest.mark.parametrize("score", [np.int64(-3), np.float32(-3), -3])
def test_error_scores_of_numpy(score: Any) -> None:
    """error_score may be any real number."""

    def scoring(model: Any, X: Any, y: Any) -> float:
        if model.at > 0.1:
            raise RuntimeError("boom")
        return 1.0

    search = SearchCV(Guesses(), {"at": [0.1, 0.2]}, cv=2, sampler=Grid(), scoring=scoring,
                      error_score=score)  # fmt: skip
    with pytest.warns(UserWarning, match="Scoring failed"):
        search.fit(X, Y)

    assert search.cv_results_["mean_test_score"].tolist() == [1.0, -3.0]


def test_some_scorings_of_several_fail() -> None:
    """A function that returns several scores and raises at times has error_score in each of them."""

    def scoring(model: Any, X: Any, y: Any) -> dict[str, float]:
        if model.at > 0.1:
            raise RuntimeError("boom")
        return {"a": 1.0, "b": 2.0}

    search = SearchCV(Guesses(), {"at": [0.2, 0.1]}, cv=2, sampler=Grid(), scoring=scoring,
                      error_score=0, refit="b")  # fmt: skip
    with pytest.warns(UserWarning, match="Scoring failed"):
        search.fit(X, Y)

    assert search.cv_results_["mean_test_a"].tolist() == [0.0, 1.0]
    assert search.cv_results_["mean_test_b"].tolist() == [0.0, 2.0]


def test_it_is_silent_if_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """By default nothing is printed, as in scikit-learn."""
    SearchCV(Guesses(), {"at": [0.1, 0.2]}, cv=2).fit(X, Y)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kept", [False, True])
def test_it_travels(tmp_path: Path, kept: bool) -> None:
    """A fitted search can be pickled; its study travels as a copy of the log."""
    place: dict[str, Any] = {"storage": tmp_path / "kept.db", "name": "a"} if kept else {}
    search = SearchCV(Guesses(), {"at": [0.1, 0.2]}, cv=2, **place).fit(X, Y)
    copy = pickle.loads(pickle.dumps(search))

    assert [r.params for r in copy.study_.history] == [r.params for r in search.study_.history]
    assert copy.predict(X).tolist() == search.predict(X).tolist()


def test_our_spaces() -> None:
    """A Space with constraints is searched as it is."""
    space = ts.Space({"at": ts.Float(0, 1), "until": ts.Int(0, 3)}, constraints=["until <= 3 * at"])
    search = SearchCV(Guesses(), space, n_iter=6, cv=2, random_state=0).fit(X, Y)

    assert search.study_.space is space
    assert all(p["until"] <= 3 * p["at"] for p in search.cv_results_["params"])


def test_the_known_space_of_an_estimator() -> None:
    """space="auto" is what is known of the estimator; where nothing is, a sentence says what to do."""
    search = SearchCV(LogisticRegression(), n_iter=1)
    known = getattr(ts, "space_for", None)
    if known is None:
        with pytest.raises(ts.SpaceError, match=r'give a dict such as \{"C"'):
            search.fit(X, Y)
    else:
        assert search.fit(X, Y).study_.space == known(LogisticRegression(), X, Y)


@pytest.mark.parametrize(
    "setting, sentence",
    [
        ({"n_iter": 0}, "n_iter="),
        ({"n_jobs": 0}, "n_jobs is a whole number"),
        ({"error_score": "ignore"}, "error_score is a number"),
        ({"error_score": True}, "error_score is a number"),
        ({"verbose": "yes"}, "verbose= is a whole number"),
        ({"random_state": -1}, "random_state is a whole number"),
        ({"storage": 5}, "storage= is a path"),
        ({"estimator": "lr"}, "estimator is what is tuned"),
        ({"estimator": None}, "estimator is what is tuned"),
        ({"estimator": Guesses}, "estimator is what is tuned"),
        ({"scoring": 5}, "scoring is a name"),
        ({"scoring": "acc"}, "no scoring 'acc'; names such as"),
        ({"scoring": lambda model, X, y: "good"}, "scoring returns numbers, got 'good'"),
        ({"cv": [np.arange(60)]}, "cv= is a number of folds"),
        ({"cv": [(np.arange(60), [])]}, "fold 1 has 60 and 0 of them"),
        ({"scoring": lambda model, X, y: {str(model.at): 1.0}, "refit": "0.1"}, "same names each"),
        ({"time_budget": 0}, "time_budget="),
        ({"early_stopping": 20}, "early_stopping is True or False, got 20"),
        ({"storage": "kept.db"}, 'add name="..."'),
        ({"cv": [(np.arange(3), np.arange(3))] * 0}, "folds"),
        ({"scoring": "beauty"}, "beauty"),
        ({"refit": lambda results: 2}, "best_index_ 2"),
        ({"refit": lambda results: "best"}, "a whole number"),
    ],
)
def test_settings_are_checked(setting: dict[str, Any], sentence: str) -> None:
    """What cannot be is refused in fit, as scikit-learn's estimators do, by a sentence."""
    with pytest.raises((ValueError, IndexError, TypeError), match=sentence):
        SearchCV(**{"estimator": Guesses(), "space": {"at": [0.1, 0.2]}, **setting}).fit(X, Y)


@pytest.mark.parametrize(
    "word, ours",
    [
        ("param_grid", "second argument, .*Grid"),
        ("pre_dispatch", "when it is free"),
        ("spce", "space="),
    ],
)
def test_words_of_other_searches_are_answered(word: str, ours: str) -> None:
    """Arguments of scikit-learn's searches that are not ours are answered with ours."""
    given: dict[str, Any] = {word: {"at": [1]}}
    with pytest.raises(TypeError, match=ours):
        SearchCV(Guesses(), **given)


def test_without_scikit_learn_the_error_names_the_extra() -> None:
    """Where scikit-learn is not installed, the import says how to get it."""
    code = "import sys; sys.modules['sklearn'] = None; import tunesmith.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "pip install 'tunesmith[sklearn]'" in done.stderr
