"""What a search of ours does: a study of candidates in the form of a scikit-learn search."""

import math
import os
import sys
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, final

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from tunesmith._core import checks
from tunesmith._core.errors import NoTrials, SettingError, StudyError
from tunesmith._core.words import plural
from tunesmith.integrations.sklearn import boosting
from tunesmith.integrations.sklearn.arguments import check_arguments, check_names, listed_grid
from tunesmith.integrations.sklearn.folds import FIT_FAILED, SCORE, Candidate
from tunesmith.integrations.sklearn.fresh import Fresh
from tunesmith.integrations.sklearn.identity import different, identity, targets
from tunesmith.integrations.sklearn.pace import Pace, errors
from tunesmith.integrations.sklearn.places import splits_of
from tunesmith.integrations.sklearn.refitted import Refitted, best_has
from tunesmith.integrations.sklearn.report import told
from tunesmith.integrations.sklearn.results import (
    Row,
    cv_results,
    failed_folds,
    metric_names,
    scored_whole,
    seconds,
)
from tunesmith.integrations.sklearn.scoring import (
    check_refit,
    routed,
    routing_enabled,
    score_of,
    scoring_of,
)
from tunesmith.integrations.sklearn.spaces import Searched, is_set_to, searched
from tunesmith.records import Record, Resource
from tunesmith.samplers import FiniteSampler, Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.storage import Memory, Storage
from tunesmith.study import Study, load
from tunesmith.study.beside import beside
from tunesmith.study.confirming import default_of
from tunesmith.study.folds import is_free
from tunesmith.study.opening import place
from tunesmith.study.progress import say

IDENTITY = "identity"  # the tag of the note that says what the scores of a kept search depend on
CANDIDATES = 50  # how many there are if nobody says a number


@final
@dataclass(frozen=True)
class Plan:
    """How much is run of each candidate.

    Attributes:
        objective: What a study calls, of a candidate.
        announce: What is said of so many candidates and folds, before they are run.
        value: Which report of a trial counts.
        resource: What the steps of a trial are.
        scheduler: Who ends or pauses candidates.
        rungs: Whether candidates wait at rungs for one another.
        boosting_stops: Whether boosting ends where the test samples gain no more.
        identity: What scores depend on beside data, folds and scoring.
    """

    objective: Callable[[Candidate], Callable[..., Any]]
    announce: Callable[[int, int], str]
    value: Literal["last", "mean"] = "mean"
    resource: Resource | None = None
    scheduler: Scheduler[Any] | None = None
    rungs: bool = False
    boosting_stops: bool = False
    identity: Mapping[str, Any] = field(default_factory=dict)


class Search(Refitted, ABC):
    """A search over candidates, each a trial of a study; how much is run of each is its plan's."""

    space: Any
    n_iter: int
    cv: Any
    scoring: Any
    n_jobs: int | None
    random_state: Any
    time_budget: float | None
    storage: Storage | str | Path | None
    name: str | None
    sampler: Sampler[Any] | None
    error_score: Any
    verbose: int
    return_train_score: bool

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
        self._check()
        workers = _workers(self.n_jobs)
        scoring = scoring_of(self.estimator, self.scoring, self.error_score)
        if scoring.names:
            check_refit(self.refit, scoring.names)
        X, y = indexable(X, y)
        given = routed(self, scoring.scorer, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = splits_of(cv, X, y, given.splitter.split)
        self.n_splits_ = len(splits)
        own = len(splits) == 1 and is_free(cv)  # a split for each candidate
        space = searched(self.space, self.estimator, X, y)
        check_names(self.estimator, space)
        guide = self.refit if isinstance(self.refit, str) else ""
        plan = self._plan(X, y)
        self._open(
            space,
            plan,
            {
                "X": X,
                "y": y,
                "folds": repr(cv) if own else splits,
                "fit arguments": [given.estimator.fit, given.scorer.score],
                "scoring": [self.scoring if self.scoring is None else scoring.public, guide],
                "error_score": str(self.error_score),
                "estimator": self.estimator,
                "space": space.readings,
                **plan.identity,
            },
        )
        candidate = Candidate(
            estimator=clone(self.estimator),
            X=X,
            y=y,
            splits=splits,
            holdout=cv if own else None,
            split_params=given.splitter.split,
            scorer=scoring.scorer,
            names=scoring.names,
            guide=guide,
            searched=space,
            fit_params=given.estimator.fit,
            score_params=given.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            early_stopping=plan.boosting_stops,
            config=get_config(),
        )
        earlier = frozenset(row.record.uid for row in self._rows(space))
        several = bool(scoring.names)
        again = self._fresh(candidate, cv, given.splitter.split)
        try:
            self._run(candidate, plan, workers, earlier)
        except KeyboardInterrupt:
            with suppress(ValueError):  # what is there is shown, what raised says more
                self._judge(space, earlier, several=several)
            raise
        self._judge(space, earlier, several=several)
        if again is not None and hasattr(self, "best_index_"):
            self._confirm(again, workers)
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
        return score_of(self, X, y, routes)

    def report(self) -> str:
        """Return in plain words what was tried, what is best, how sure that is, and what the default has.

        Example:
            >>> from sklearn.datasets import load_iris
            >>> from sklearn.tree import DecisionTreeClassifier
            >>> from tunesmith.sklearn import SearchCV
            >>> search = SearchCV(DecisionTreeClassifier(), n_iter=5, random_state=0)
            >>> search.fit(*load_iris(return_X_y=True)).report().splitlines()[0][:22]
            '5 candidates, 25 fits '
        """
        check_is_fitted(self, "cv_results_")
        return told(
            self.study_.history,
            getattr(self, "best_params_", None),
            getattr(self, "best_score_", None) if hasattr(self, "best_index_") else None,
            getattr(self, "confirmation_", None),
        )

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

    @abstractmethod
    def _check(self) -> None:
        """Refuse arguments of its own that are not valid."""

    @abstractmethod
    def _plan(self, X: Any, y: Any) -> Plan:
        """How much is run of each candidate, by what data and folds are."""

    def _fresh(self, candidate: Candidate, cv: Any, split_params: dict[str, Any]) -> Fresh | None:
        """What the best are evaluated by once more, if that is wanted."""
        return None

    def _confirm(self, again: Fresh, workers: int | None) -> None:
        """Evaluate the best again, on other folds, and take the one that they say."""
        if self.verbose > 0:
            say("the best are evaluated again, on other folds")
        shown = self.verbose in (True, 1)
        own = self.estimator.get_params()
        default = default_of(self.study_.history)
        settings = {} if default is None else again.candidate.searched.settings(default.params)
        as_it_is = default is not None and is_set_to(own, settings)
        try:
            self.confirmation_ = self.study_.confirm(
                again, baseline=None if as_it_is else again, workers=workers, progress=shown
            )
        except NoTrials as error:
            if not again.candidate.raised:
                warnings.warn(f"the best is not confirmed: {error}", FitFailedWarning, stacklevel=3)
                return
        if again.candidate.raised:
            raise again.candidate.raised[0]
        chosen = self.confirmation_.choice
        if not chosen.baseline:
            uid = chosen.record.uid
            self._take(next(i for i, record in enumerate(self._records) if record.uid == uid))
            return
        same = (i for i, one in enumerate(self.cv_results_["params"]) if is_set_to(own, one))
        if (index := next(same, None)) is not None:  # such as one of a grid
            self._take(index)
            return
        del self.best_index_
        self.best_score_ = chosen.mean
        self.best_params_: dict[str, Any] = {}
        self._boost(chosen.record)

    def _take(self, index: int) -> None:
        """Set which candidate is the best."""
        self.best_index_ = index
        name = self.refit if self.multimetric_ else SCORE
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{name}"][index]
        self.best_params_ = self.cv_results_["params"][index]
        self._boost(self._records[index])

    def _boost(self, record: Record[Any]) -> None:
        """Take how many rounds boosting needs from a trial."""
        self._found = boosting.pooled(record)
        if self._found:
            self.best_iteration_ = int(self._found[boosting.ROUNDS])

    @abstractmethod
    def _rows(self, space: Searched) -> list[Row]:
        """What is known of the candidates."""

    def _open(self, space: Searched, plan: Plan, parts: dict[str, Any]) -> None:
        """Make the study, or go on with one that is kept.

        Args:
            space: What is searched.
            plan: How much is run of each candidate.
            parts: What scores depend on beside it, by name.

        Raises:
            StudyError: One of them is another than there.
        """
        self._storage, name = place(self.storage, self.name)
        seed = self.random_state
        if seed is not None and not checks.is_whole(seed):
            seed = int(check_random_state(seed).randint(2**31))

        def made(data: list[Any] | None) -> Study[Any]:
            return Study(
                space.space,
                maximize=SCORE,
                value=plan.value,
                resource=plan.resource,
                sampler=self.sampler,
                scheduler=plan.scheduler,
                name=name,
                storage=self._storage,
                seed=seed,
                data=data,
            )

        kept = name in self._storage.names()  # then `identity` says what differs
        try:
            try:
                self.study_: Study[Any] = made(None if kept else [parts["X"], parts["y"]])
            except SettingError:  # nothing but addresses tells these data from others
                self.study_ = made(None)
        except StudyError as error:
            said = str(error).replace("seed:", "random_state:")
            raise StudyError(said if plan.rungs else said.replace("resource:", "folds:")) from None
        if isinstance(self._storage, Memory):
            return
        ours = identity({**parts, "y": targets(parts["y"])})
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

    def _run(
        self, candidate: Candidate, plan: Plan, workers: int | None, earlier: frozenset[str]
    ) -> None:
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
            say(plan.announce(expected, self.n_splits_))
        before = len(errors(study.history))
        pace = Pace(
            candidates=candidates,
            rungs=plan.rungs,
            expected=expected if self.verbose > 0 and not plan.rungs else None,
            workers=workers or 1,
            errors_before=before,
            earlier=earlier,
            line=partial(_line, candidate) if self.verbose > 1 else None,
        )
        study.run(
            plan.objective(candidate),
            candidates,
            workers=workers,
            timeout=self.time_budget,
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
        rows = self._rows(space)
        failed, fits = failed_folds(rows, self.n_splits_)
        if failed:
            of_earlier = [row for row in rows if row.record.uid in earlier]
            kept, _ = failed_folds(of_earlier, self.n_splits_)
            texts = [note.text for note in self.study_.notes if FIT_FAILED in note.tags]
            one = f"{self._kept(kept)}one of them with\n{''.join(texts[:1])}"
            if failed == fits:
                raise ValueError(f"all {plural(fits, 'fit')} failed, {one}")
            warnings.warn(
                f"{failed} of {plural(fits, 'fit')} failed and score {self.error_score}, {one}",
                FitFailedWarning,
                stacklevel=3,
            )
        whole = scored_whole(rows, self.n_splits_)
        if not any(whole):
            raise ValueError(
                f"no candidate was scored on all {plural(self.n_splits_, 'fold')}"
                + (
                    f" within time_budget={self.time_budget:g}; give it more time or fewer folds"
                    if self.time_budget is not None
                    else "; search.study_.history has what became of them"
                )
            )
        error_score = math.nan if self.error_score == "raise" else self.error_score
        self.cv_results_ = cv_results(rows, self.n_splits_, error_score)
        names = metric_names(rows)
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
        self._records = [row.record for row in rows]
        if callable(self.refit):
            self._take(_place(self.refit(results), len(rows)))
        else:
            self._take(int(results[f"rank_test_{name}"].argmin()))

    def _kept(self, failed: int) -> str:
        """What can be done about fits that failed in earlier runs."""
        if not failed:
            return ""
        place = f"{self._storage.url!r}, {self.study_.name!r}"
        return (
            f"{failed} of them in an earlier run (another name= begins anew, and so does this one after "
            f"ts.delete({place})), "
        )

    def _refit(self, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        """Fit the best on all data, with what early stopping found."""
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        fit_params = boosting.settle(best, self._found, fit_params)
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
            there = [study.name, *(study.name + ending for ending in beside(storage, study.name))]
            state["_logs"] = {name: storage.read(name) for name in there}, study.space
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = state.pop("_logs", None)
        super().__setstate__(state)
        if kept is not None:
            logs, space = kept
            self._storage = Memory()
            for name, lines in logs.items():
                self._storage.append(name, lines, expect=0)
            self.study_ = load(self._storage, next(iter(logs)), space)


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
