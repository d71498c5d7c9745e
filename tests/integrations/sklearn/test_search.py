import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, ParameterGrid, ShuffleSplit

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

    def fit(self, X: Any, y: Any) -> "Guesses":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])

    def score(self, X: Any, y: Any) -> float:
        return -abs(self.at - 0.3) - len(X) * 1e-6


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


@pytest.mark.parametrize(
    "targets, cv", [(1 - Y, KFold(3)), (Y, KFold(2)), (Y, ShuffleSplit(3, random_state=1))]
)
def test_other_data_are_refused(tmp_path: Path, targets: Any, cv: Any) -> None:
    """A kept search of other data or folds is not mixed with this one."""
    search = SearchCV(Guesses(), {"at": stats.uniform()}, n_iter=1, cv=KFold(3), name="search",
                      storage=tmp_path / "kept.db")  # fmt: skip
    search.fit(X, Y)

    with pytest.raises(ts.StudyError, match="other data, folds or scoring"):
        clone(search).set_params(cv=cv).fit(X, targets)


def test_other_scores_are_refused(tmp_path: Path) -> None:
    """A kept search by another score is not mixed with this one."""
    search = SearchCV(Guesses(), {"at": [0.1]}, name="search", storage=tmp_path / "kept.db")
    search.fit(X, Y)

    with pytest.raises(ts.StudyError, match="other data, folds or scoring"):
        clone(search).set_params(scoring="f1").fit(X, Y)


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


class Slow(Guesses):
    """Takes its time."""

    def fit(self, X: Any, y: Any) -> "Slow":
        super().fit(X, y)
        sum(range(200_000))
        return self


def test_time_budget() -> None:
    """When the time is over, no candidate begins; folds not run are NaN and rank last."""
    search = SearchCV(Slow(), {"at": stats.uniform()}, n_iter=10**6, cv=2, time_budget=0.2,
                      sampler=Random(), refit=False).fit(X, Y)  # fmt: skip
    means = search.cv_results_["mean_test_score"]
    cut = np.isnan(means)

    assert 0 < len(means) < 200
    assert cut.sum() <= 1
    if cut.any():
        assert search.cv_results_["rank_test_score"][cut] == len(means)
    assert search.best_score_ == np.nanmax(means)


def test_no_time_at_all() -> None:
    """A search that had no time for a fit says so."""
    with pytest.raises(ValueError, match="no fit was made"):
        SearchCV(Guesses(), {"at": [1, 2]}, time_budget=1e-9).fit(X, Y)


def test_it_says_how_much_work_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """With verbose=1 it says the number of fits, and after the first candidate the time left."""
    SearchCV(Slow(), {"at": [0.1, 0.2, 0.3]}, cv=4, verbose=1).fit(X, Y)
    said = capsys.readouterr().err

    assert "3 candidates with 4 folds: 12 fits" in said
    assert "for the 2 candidates left" in said


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
        SearchCV(Guesses(), {"at": [0.1, 0.2]}, **setting).fit(X, Y)


def test_without_scikit_learn_the_error_names_the_extra() -> None:
    """Where scikit-learn is not installed, the import says how to get it."""
    code = "import sys; sys.modules['sklearn'] = None; import tunesmith.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "pip install 'tunesmith[sklearn]'" in done.stderr
