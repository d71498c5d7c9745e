"""`SearchCV`: a study in the form of a scikit-learn search."""

import math
import os
import sys
import time
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, cast, final

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from tunesmith._core import checks
from tunesmith._core.errors import SettingError, StudyError
from tunesmith._core.hints import hint_keywords
from tunesmith.executors import Processes, Serial
from tunesmith.integrations.sklearn.arguments import (
    WORDS,
    check_arguments,
    check_names,
    listed_grid,
)
from tunesmith.integrations.sklearn.budget import Budgeted
from tunesmith.integrations.sklearn.folds import FIT_FAILED, SCORE, Candidate, Splits
from tunesmith.integrations.sklearn.identity import different, identity, targets
from tunesmith.integrations.sklearn.pace import Pace, errors
from tunesmith.integrations.sklearn.refitted import Refitted, best_has
from tunesmith.integrations.sklearn.results import (
    cv_results,
    failed_folds,
    metric_names,
    scored_whole,
    seconds,
)
from tunesmith.integrations.sklearn.scoring import check_refit, routed, routing_enabled, scoring_of
from tunesmith.integrations.sklearn.spaces import Searched, searched
from tunesmith.records import Record
from tunesmith.samplers import FiniteSampler, Sampler
from tunesmith.storage import Memory, Storage
from tunesmith.study import Study, load
from tunesmith.study.opening import place
from tunesmith.study.progress import plural, say

IDENTITY = "identity"  # the tag of the note that says what the scores of a kept search depend on
CANDIDATES = 50  # how many there are if nobody says a number


@final
class SearchCV(Refitted):
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
        cv: Number of folds, a splitter, or an iterable of pairs (training places, test places).
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

    Attributes:
        study_: The study.
        cv_results_: Scores and times by candidate, a dict of columns.
        best_estimator_: The best, fitted on all data; only with `refit`.
        best_score_: Its mean score.
        best_params_: Its parameters.
        best_index_: Its place in `cv_results_`.
        scorer_: The scorer, or a dict of them.
        n_splits_: How many folds there are.
        refit_time_: Seconds that the last fit took.
        multimetric_: Whether there are several scores.
        feature_names_in_: As the best estimator has them.

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

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, and fit the best on all data.

        Args:
            X: Samples (n, ...), or a kernel matrix (n, n) if the estimator takes that.
            y: What belongs to them, (n,) or (n, m); None: nothing.
            params: Arguments for the estimator's `fit`, the splitter (`groups`) and the scorer; of those
                with an entry for each sample, each fold gets its own.

        Raises:
            SettingError: An argument of the search is not valid.
            SpaceError: The space is not.
            ValueError: Every fit failed, no candidate was scored on all folds, the estimator does
                not have a parameter, or `refit` does not fit the scoring.
            StudyError: A study of this name is kept, of other data or another space.
        """
        check_arguments(self)
        workers = _workers(self.n_jobs)
        scoring = scoring_of(self.estimator, self.scoring, self.error_score)
        if scoring.names:
            check_refit(self.refit, scoring.names)
        X, y = indexable(X, y)
        given = routed(self, scoring.scorer, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = _splits(cv, X, y, given.splitter.split)
        self.n_splits_ = len(splits)
        space = searched(self.space, self.estimator, X, y)
        check_names(self.estimator, space)
        guide = self.refit if isinstance(self.refit, str) else ""
        self._open(
            space,
            {
                "X": X,
                "y": targets(y),
                "folds": splits,
                "fit arguments": [given.estimator.fit, given.scorer.score],
                "scoring": [self.scoring if self.scoring is None else scoring.public, guide],
                "error_score": str(self.error_score),
                "estimator": self.estimator,
                "space": space.readings,
            },
        )
        candidate = Candidate(
            estimator=clone(self.estimator),
            X=X,
            y=y,
            splits=splits,
            scorer=scoring.scorer,
            names=scoring.names,
            guide=guide,
            searched=space,
            fit_params=given.estimator.fit,
            score_params=given.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            config=get_config(),
        )
        earlier = frozenset(record.uid for record in self._finished())
        several = bool(scoring.names)
        try:
            self._run(candidate, workers, earlier)
        except KeyboardInterrupt:
            with suppress(ValueError):  # what is there is shown, what raised says more
                self._judge(space, earlier, several=several)
            raise
        self._judge(space, earlier, several=several)
        if self.refit:
            self._refit(X, y, given.estimator.fit)
        self.scorer_ = scoring.public
        return self

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Return the best estimator's score by `scoring`; of several scores, that of `refit`."""
        best_has("score")(self)
        check_is_fitted(self)
        if params and not routing_enabled():
            raise ValueError(
                f"score takes {', '.join(params)} only with metadata routing: "
                "sklearn.set_config(enable_metadata_routing=True)"
            )
        routes = process_routing(self, "score", **params).scorer["score"] if params else {}
        scorer = self.scorer_
        if isinstance(scorer, dict):
            scorer = scorer[self.refit]
        scored: Any = scorer(self.best_estimator_, X, y, **routes)
        return cast("float", scored[self.refit] if isinstance(scored, dict) else scored)

    def get_metadata_routing(self) -> Any:
        """Return who gets which metadata, as scikit-learn's searches do."""
        to_score = MethodMapping().add(caller="score", callee="score")
        scorer = scoring_of(self.estimator, self.scoring, self.error_score).scorer
        return (
            MetadataRouter(owner=self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(scorer=scorer, method_mapping=to_score.add(caller="fit", callee="score"))
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    def _finished(self) -> list[Record[Any]]:
        """The candidates that have ended."""
        return [record for record in self.study_.history if record.finished]

    def _open(self, space: Searched, parts: dict[str, Any]) -> None:
        """Make the study, or go on with one that is kept.

        Args:
            space: What is searched.
            parts: What scores depend on beside it, by name.

        Raises:
            StudyError: One of them is another than there.
        """
        self._storage, name = place(self.storage, self.name)
        seed = self.random_state
        if seed is not None and not checks.is_whole(seed):
            seed = int(check_random_state(seed).randint(2**31))
        try:
            self.study_: Study[Any] = Study(
                space.space,
                maximize=SCORE,
                value="mean",
                sampler=self.sampler,
                name=name,
                storage=self._storage,
                seed=seed,
            )
        except StudyError as error:
            raise StudyError(str(error).replace("seed:", "random_state:")) from None
        if isinstance(self._storage, Memory):
            return
        ours = identity(parts)
        known = [note.text for note in self.study_.notes if IDENTITY in note.tags]
        if not known:
            self.study_.note(ours, tags=(IDENTITY,))
        elif ours not in known:
            others = different(ours, known[0])
            raise StudyError(
                f"the study {name!r} in {self._storage.url} differs from this search in "
                f"{' and '.join(others)}, and scores do not compare; give this search another name="
                + (", or a splitter with a fixed random_state" if "folds" in others else "")
            )

    def _run(self, candidate: Candidate, workers: int | None, earlier: frozenset[str]) -> None:
        """Run the study to its number of candidates."""
        study, n_iter = self.study_, self.n_iter
        if isinstance(study.sampler, FiniteSampler):
            candidates, expected = None, study.sampler.size(study.problem)
        else:
            size = study.space.cardinality or n_iter
            candidates, expected = n_iter, min(n_iter, size)
            if self.sampler is None and size > n_iter == CANDIDATES and listed_grid(self.space):
                warnings.warn(
                    f"of the {size:,} candidates of the grid {n_iter} are tried; sampler="
                    f"ts.samplers.Grid() tries them all, another n_iter= than {n_iter} says that fewer do",
                    UserWarning,
                    stacklevel=3,
                )
        if self.verbose > 0:
            fits = plural(expected * self.n_splits_, "fit")
            say(f"{plural(expected, 'candidate')} with {plural(self.n_splits_, 'fold')}: {fits}")
        before = len(errors(study.history))
        pace = Pace(
            candidates=candidates,
            expected=expected if self.verbose > 0 else None,
            workers=workers or 1,
            errors_before=before,
            seconds=self.time_budget,
            earlier=earlier,
            line=partial(_line, candidate) if self.verbose > 1 else None,
        )
        executor = None
        if self.time_budget is not None:
            within = Processes(workers) if workers else Serial()
            executor = Budgeted(within, self.time_budget, self.n_splits_)
        study.run(
            candidate,
            candidates,
            workers=None if executor else workers,
            executor=executor,
            until=pace,
            max_failures=sys.maxsize,  # a failed candidate is a row of cv_results_
            progress=self.verbose in (True, 1),
        )
        failed = errors(study.history)[before:]
        if candidate.raised:
            raise candidate.raised[0]
        if failed and failed[0].failure is not None:  # in a worker, which sends its text alone
            raise StudyError(f"a candidate raised\n{failed[0].failure.text}")

    def _judge(self, space: Searched, earlier: frozenset[str], *, several: bool) -> None:
        """Set what is known of the candidates, and which is the best.

        Args:
            space: How params become settings.
            earlier: Candidates of earlier runs, by uid.
            several: Whether there are several scores, as far as the scoring tells.

        Raises:
            ValueError: Every fit failed, or no candidate was scored on all folds.
        """
        records = self._finished()
        failed, fits = failed_folds(records, self.n_splits_)
        if failed:
            kept, _ = failed_folds([r for r in records if r.uid in earlier], self.n_splits_)
            texts = [note.text for note in self.study_.notes if FIT_FAILED in note.tags]
            one = f"{self._kept(kept)}one of them with\n{''.join(texts[:1])}"
            if failed == fits:
                raise ValueError(f"all {plural(fits, 'fit')} failed, {one}")
            warnings.warn(
                f"{failed} of {plural(fits, 'fit')} failed and score {self.error_score}, {one}",
                FitFailedWarning,
                stacklevel=3,
            )
        if not any(scored_whole(records, self.n_splits_)):
            raise ValueError(
                f"no candidate was scored on all {plural(self.n_splits_, 'fold')}"
                + (
                    f" within time_budget={self.time_budget:g}; give it more time or fewer folds"
                    if self.time_budget is not None
                    else "; search.study_.history has what became of them"
                )
            )
        error_score = math.nan if self.error_score == "raise" else self.error_score
        self.cv_results_ = cv_results(records, space, self.n_splits_, error_score)
        names = metric_names(records)
        whole = [i for i, record in enumerate(records) if record.state != "stopped"]
        odd = [n for n in names if not np.isfinite(self.cv_results_[f"mean_test_{n}"][whole]).all()]
        if odd and not failed:
            warnings.warn(
                f"not every mean of {', '.join(odd)} is finite; such candidates rank last",
                UserWarning,
                stacklevel=3,
            )
        self.multimetric_ = several or names != [SCORE]
        if self.multimetric_:
            check_refit(self.refit, tuple(names))
            if not self.refit:
                return
        name = self.refit if self.multimetric_ else SCORE
        results = self.cv_results_
        if callable(self.refit):
            self.best_index_ = _place(self.refit(results), len(records))
        else:
            self.best_index_ = int(results[f"rank_test_{name}"].argmin())
            self.best_score_ = results[f"mean_test_{name}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _kept(self, failed: int) -> str:
        """What can be done about fits that failed in earlier runs."""
        if not failed:
            return ""
        place = f"{self._storage.url!r}, {self.study_.name!r}"
        return (
            f"{failed} of them in an earlier run (another name= begins anew, and so does this one after "
            f"ts.delete({place})), "
        )

    def _refit(self, X: Any, y: Any, fit_params: dict[str, Any]) -> None:
        """Fit the best on all data."""
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        begun = time.perf_counter()
        best.fit(*((X,) if y is None else (X, y)), **fit_params)
        self.refit_time_ = time.perf_counter() - begun
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_

    def __getstate__(self) -> dict[str, Any]:
        """Take the log along in place of the study, which is bound to its process."""
        state: dict[str, Any] = dict(super().__getstate__())
        study: Study[Any] | None = state.pop("study_", None)
        storage: Storage | None = state.pop("_storage", None)
        if study is not None and storage is not None:
            state["_log"] = study.name, storage.read(study.name), study.space
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        log = state.pop("_log", None)
        super().__setstate__(state)
        if log is not None:
            name, lines, space = log
            self._storage = Memory()
            self._storage.append(name, lines, expect=0)
            self.study_ = load(self._storage, name, space)


def _workers(n_jobs: Any) -> int | None:
    """Return the number of worker processes; None: there are none."""
    if n_jobs is None:
        return None
    if not checks.is_whole(n_jobs) or n_jobs == 0:
        raise SettingError(
            f"n_jobs is a whole number of workers, -1 for one a core, got {n_jobs!r}"
        )
    cores = len(os.sched_getaffinity(0))
    n = int(n_jobs) if n_jobs > 0 else max(1, cores + 1 + int(n_jobs))
    return None if n == 1 else n


def _line(candidate: Candidate, record: Record[Any]) -> str:
    """Say what a candidate was, how it scored, and how long that took."""
    settings = candidate.searched.settings(record.params)
    shown = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return (
        f"candidate {record.number}: {shown} · score {record.value:.4g} · {seconds(record):.2g} s"
    )


def _splits(cv: Any, X: Any, y: Any, params: dict[str, Any]) -> Splits:
    """Return the folds as places of samples.

    Raises:
        ValueError: There are none, or not as many as announced.
    """
    splits = [
        tuple(np.flatnonzero(p) if np.asarray(p).dtype == bool else np.asarray(p) for p in split)
        for split in cv.split(X, y, **params)
    ]
    for number, split in enumerate(splits, 1):
        if not all(places.size for places in split):
            sizes = " and ".join(str(places.size) for places in split)
            raise ValueError(
                f"a fold has training and test samples, fold {number} has {sizes} of them"
            )
    announced = cv.get_n_splits(X, y, **params)
    if len(splits) != announced or not splits:
        raise ValueError(f"the splitter announced {announced} folds and gave {len(splits)}")
    return [(train, test) for train, test in splits]


def _place(index: Any, n: int) -> int:
    """Return the index that a `refit` function gave.

    Raises:
        TypeError: It is no whole number.
        IndexError: There is no such candidate.
    """
    if not checks.is_whole(index):
        raise TypeError(f"refit returns best_index_, a whole number, got {index!r}")
    if not 0 <= index < n:
        raise IndexError(f"refit returned best_index_ {index}; there are {n} candidates")
    return int(index)
