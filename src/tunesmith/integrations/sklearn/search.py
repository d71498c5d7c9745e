"""`SearchCV`: what takes the place of `GridSearchCV` and `RandomizedSearchCV`."""

from pathlib import Path
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith._core.hints import hint_keywords
from tunesmith._core.words import plural
from tunesmith.integrations.sklearn import boosting
from tunesmith.integrations.sklearn.arguments import WORDS
from tunesmith.integrations.sklearn.folds import Candidate
from tunesmith.integrations.sklearn.fresh import Fresh
from tunesmith.integrations.sklearn.results import Row
from tunesmith.integrations.sklearn.searching import CANDIDATES, Plan, Search
from tunesmith.integrations.sklearn.spaces import Searched
from tunesmith.records import Resource
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Race
from tunesmith.storage import Storage


@final
class SearchCV(Search):
    """Searches for the parameters of an estimator that score best in cross-validation.

    It takes the place of `GridSearchCV` and `RandomizedSearchCV`: the same arguments, attributes and
    `cv_results_`, and its candidates are the trials of the study `study_`. A candidate's folds are
    the steps of its trial.

    Args:
        estimator: What is tuned.
        space: "auto"; or a dict from names to lists, scipy distributions and our parameters; a list
            of such dicts; a `Space` of a dict.
        n_iter: How many candidates there shall be, those of earlier runs included; a sampler that
            ends by itself, such as `Grid()`, takes all of its own.
        cv: Number of folds, a splitter, or an iterable of pairs (training places, test places). A single
            split without a `random_state`, such as `ShuffleSplit(1)`, is another one for each candidate, so
            that none wins by a split that suits it; folds are the same for all.
        scoring: Name, function, collection of names, or dict of either; None: the estimator's own.
        refit: Whether to fit the best once more on all data; with several scores the name of the one that
            decides; or a function from `cv_results_` to the index of the best. Without such a
            name the first score is what the sampler learns from.
        n_jobs: How many worker processes; None or 1: this process; -1: one a core.
        random_state: Seed of the sampler.
        time_budget: Seconds after which no further candidate begins; those that run are handed back
            after their fold: the next run begins with them.
        storage: Where the study is kept, a path or URL; the same search goes on with what it finds.
        name: Its name there.
        sampler: Who proposes the candidates; by default `ts.samplers.Auto()`.
        error_score: Score of a fold whose fit or scoring raises; "raise": the exception goes on.
        verbose: 1: says the number of fits and the time they take, and shows how far it is; 2: says the
            parameters and the score of each candidate instead.
        return_train_score: Whether `cv_results_` has scores of the training samples too.
        early_stopping: Whether a candidate ends after a fold when its folds so far lie hopelessly behind
            those of the best (`ts.schedulers.Race`); the folds it has not run are NaN, and it ranks behind all
            whole ones. And whether boosting (XGBoost, LightGBM, CatBoost, HistGradientBoosting; also at the
            end of a pipeline) ends in each fold when the fold's test samples have gained nothing for a
            tenth of the estimator's limit of rounds, at least 10, or for as long as the estimator says
            itself. The last fit takes the median of the rounds that were best in the folds. Since
            these looked at their test samples, `best_score_` is a little too good: `nested_score` is not.
        confirm: Whether the best candidates and the estimator as it is are evaluated again, on folds drawn anew, for
            a fifth of the search's fits; the best is then that of `confirmation_`, and the estimator as it
            is, also where that lies outside the space, unless another one is better with a chance of 80 %.

    Attributes:
        study_: The study.
        cv_results_: Scores and times by candidate, a dict of columns.
        best_estimator_: The best, fitted on all data; only with `refit`.
        best_score_: Its mean score; of an estimator that stays as it is and is no candidate, that on the other folds.
        best_params_: Its parameters; of such an estimator none: {}.
        best_index_: Its place in `cv_results_`; such an estimator has none, nor is there this attribute.
        best_iteration_: Its number of rounds, if `early_stopping` has found it.
        scorer_: The scorer, or a dict of them.
        n_splits_: How many folds there are.
        refit_time_: Seconds that the last fit took.
        multimetric_: Whether there are several scores.
        feature_names_in_: As the best estimator has them.
        confirmation_: What the evaluation on other folds says, if `confirm`; see `ts.analysis.Confirmation`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from tunesmith.samplers import Grid
        >>> search = SearchCV(LogisticRegression(max_iter=500), {"C": [0.01, 1]}, sampler=Grid())
        >>> search.fit(*load_iris(return_X_y=True)).best_params_
        {'C': 1}
    """

    @hint_keywords(own=WORDS)
    def __init__(
        self,
        estimator: Any,
        space: Any = "auto",
        *,
        n_iter: int = CANDIDATES,
        cv: Any = None,
        scoring: Any = None,
        refit: Any = True,
        n_jobs: int | None = None,
        random_state: Any = None,
        time_budget: float | None = None,
        storage: Storage | str | Path | None = None,
        name: str | None = None,
        sampler: Sampler[Any] | None = None,
        error_score: Any = np.nan,
        verbose: int = 0,
        return_train_score: bool = False,
        early_stopping: bool = False,
        confirm: bool = False,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_iter = n_iter
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.time_budget = time_budget
        self.storage = storage
        self.name = name
        self.sampler = sampler
        self.error_score = error_score
        self.verbose = verbose
        self.return_train_score = return_train_score
        self.early_stopping = early_stopping
        self.confirm = confirm

    def _check(self) -> None:
        if not isinstance(self.early_stopping, bool):
            raise SettingError(
                f"early_stopping is True or False, got {self.early_stopping!r}; how long boosting waits "
                "is set in the estimator, such as XGBClassifier(early_stopping_rounds=20)"
            )

        if not isinstance(self.confirm, bool):
            raise SettingError(f"confirm is True or False, got {self.confirm!r}")
        if self.confirm and callable(self.refit):
            raise SettingError(
                "confirm=True chooses the best by other folds, a function as refit= by cv_results_; give one"
            )

    def _fresh(self, candidate: Candidate, cv: Any, split_params: dict[str, Any]) -> Fresh | None:
        return Fresh(candidate, cv, split_params) if self.confirm else None

    def _plan(self, X: Any, y: Any) -> Plan:
        early = self.early_stopping
        stops = early and boosting.stoppable(self.estimator) is not None
        return Plan(
            _whole,
            _announced,
            resource=Resource("fold", max=self.n_splits_),
            scheduler=Race() if early else None,
            boosting_stops=early,
            identity={"early_stopping": stops},
        )

    def _rows(self, space: Searched) -> list[Row]:
        return [
            Row.of(record, space.settings(record.params), self.n_splits_)
            for record in self.study_.history
            if record.finished
        ]


def _whole(candidate: Candidate) -> Candidate:
    """A candidate is an objective by itself: its folds are its steps."""
    return candidate


def _announced(candidates: int, n_splits: int) -> str:
    fits = plural(candidates * n_splits, "fit")
    return f"{plural(candidates, 'candidate')} with {plural(n_splits, 'fold')}: {fits}"
