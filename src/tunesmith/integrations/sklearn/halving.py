"""`HalvingSearchCV`: many candidates on little of a resource, the best of them on more and more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
from sklearn.base import is_classifier

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith._core.hints import hint_keywords
from tunesmith._core.words import plural
from tunesmith.integrations.sklearn.arguments import WORDS
from tunesmith.integrations.sklearn.folds import FIT_FAILED, SCORE, Candidate
from tunesmith.integrations.sklearn.places import length
from tunesmith.integrations.sklearn.results import Row
from tunesmith.integrations.sklearn.searching import CANDIDATES, Plan, Search
from tunesmith.integrations.sklearn.spaces import Searched
from tunesmith.numerics.arrays import Ints
from tunesmith.records import Resource
from tunesmith.samplers import Sampler
from tunesmith.schedulers import SuccessiveHalving
from tunesmith.schedulers.rungs import check_factor, levels
from tunesmith.storage import Storage
from tunesmith.study.trial import Trial

SAMPLES = "n_samples"


@final
class HalvingSearchCV(Search):
    """Searches as `SearchCV` does, but begins with little of a resource, such as few samples.

    All candidates are compared there; the best 1/`factor` of them get `factor` times as much, and so on, until the
    last ones get all of it. A candidate is a trial, and the amounts are its steps.

    Args:
        estimator: What is tuned.
        space: As for `SearchCV`.
        n_iter: How many candidates there shall be.
        factor: How many candidates share a place in the next round.
        resource: "n_samples": each fold is fitted on so many of its training samples, stratified by
            class, and tested on all of its test samples; or the name of a parameter of the estimator
            that is a whole number, such as "n_estimators".
        max_resources: How much the last ones get; "auto": all samples. Of a parameter it must be given.
        min_resources: How much the first ones get at least; "auto": of samples twice the number of folds
            and of classes, of a parameter 1. They get more where fewer rounds do.
        cv: As for `SearchCV`, as is what follows.
        scoring: Name, function, collection of names, or dict of either.
        refit: Whether to fit the best on all data.
        n_jobs: How many worker processes.
        random_state: Seed of the sampler, and of which samples come first.
        time_budget: Seconds.
        storage: Where the study is kept.
        name: Its name there.
        sampler: Who proposes the candidates.
        error_score: Score of a fold whose fit or scoring raises.
        verbose: How much is said.
        return_train_score: Whether training samples are scored, too.

    Attributes:
        cv_results_: As of `SearchCV`, with a row for each candidate and amount; "iter" is the round, from 0,
            "n_resources" the amount. Who had more ranks before whoever had less.
        n_resources_: The amount in each round.
        n_candidates_: How many candidates each round had.
        n_iterations_: How many rounds there were.
        min_resources_: The first amount.
        max_resources_: The last amount.

    Raises:
        SettingError: In `fit`: an argument is not valid.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> space = {"max_depth": [1, 2, 3, 4, 5, 6], "min_samples_leaf": [1, 2, 5, 10, 20]}
        >>> search = HalvingSearchCV(
        ...     DecisionTreeClassifier(random_state=0), space, n_iter=9, random_state=0
        ... )
        >>> search.fit(*load_iris(return_X_y=True)).n_candidates_
        [9, 3]

    References:
        K. Jamieson, A. Talwalkar. Non-stochastic Best Arm Identification and Hyperparameter
        Optimization. AISTATS 2016.
    """

    @hint_keywords(own=WORDS)
    def __init__(
        self,
        estimator: Any,
        space: Any = "auto",
        *,
        n_iter: int = CANDIDATES,
        factor: float = 3,
        resource: str = SAMPLES,
        max_resources: Any = "auto",
        min_resources: Any = "auto",
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
        self.factor = factor
        self.resource = resource
        self.max_resources = max_resources
        self.min_resources = min_resources
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

    def _check(self) -> None:
        own = self.estimator.get_params()
        if self.resource != SAMPLES and self.resource not in own:
            raise SettingError(
                f'resource= is "n_samples" or a parameter of the estimator, got {self.resource!r}'
            )
        if self.resource != SAMPLES and self.max_resources == "auto":
            raise SettingError(
                f"max_resources= says how much {self.resource} the last candidates get, such as "
                "max_resources=500"
            )
        for name in ("max_resources", "min_resources"):
            value = getattr(self, name)
            if value != "auto":
                checks.whole(f"{name}=", value, 1)
        check_factor("HalvingSearchCV", self.factor)

    def _plan(self, X: Any, y: Any) -> Plan:
        most, least = self.max_resources, self.min_resources
        if most == "auto":
            most = length(X)
        if least == "auto":
            least = 1
            if self.resource == SAMPLES:
                classes = len(np.unique(np.asarray(y))) if is_classifier(self.estimator) else 1
                least = min(most, 2 * self.n_splits_ * classes)
        if not 1 <= least <= most or (self.resource == SAMPLES and most > length(X)):
            raise SettingError(
                f"the resource {self.resource} goes from min_resources={least} to max_resources={most}; "
                f"there are {length(X)} samples"
            )
        rounds = int(math.log(self.n_iter, self.factor) + 1e-9)
        least = max(least, math.floor(most / self.factor**rounds))
        resource = Resource(self.resource, max=int(most), min=int(least))
        rungs = levels(resource, self.factor)
        self.min_resources_, self.max_resources_ = rungs[0], rungs[-1]
        seed = self.random_state if checks.is_whole(self.random_state) else 0
        return Plan(
            partial(Rounds, rungs=rungs, resource=self.resource, samples=length(X), seed=int(seed)),
            partial(_announced, rungs=rungs, factor=self.factor, resource=self.resource),
            value="last",
            resource=resource,
            scheduler=SuccessiveHalving(self.factor, candidates=self.n_iter),
            rungs=True,
            identity={"resource": [self.resource, rungs]},
        )

    def _rows(self, space: Searched) -> list[Row]:
        steps = sorted({step for record in self.study_.history for step in record.steps})
        rows = []
        for step in steps:
            for record in self.study_.history:
                if step in record.steps:
                    settings = space.settings(record.params)
                    if self.resource != SAMPLES:
                        settings[self.resource] = step
                    rows.append(Row.at(record, settings, step, self.n_splits_))
        return rows

    def _judge(self, space: Searched, earlier: frozenset[str], *, several: bool) -> None:
        super()._judge(space, earlier, several=several)
        amounts = [row.resource for row in self._rows(space)]
        self.n_resources_ = sorted(set(amounts))
        self.n_candidates_ = [amounts.count(amount) for amount in self.n_resources_]
        self.n_iterations_ = len(self.n_resources_)
        self.cv_results_["iter"] = np.array([self.n_resources_.index(one) for one in amounts])
        self.cv_results_["n_resources"] = np.array(amounts)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Rounds:
    """The objective: the mean test score over all folds, on more and more of a resource.

    Attributes:
        candidate: What is fitted and scored in a fold.
        rungs: The amounts.
        resource: "n_samples", or a parameter of the estimator.
        samples: How many samples there are.
        seed: Of the order in which they come.
    """

    candidate: Candidate
    rungs: Sequence[int]
    resource: str
    samples: int
    seed: int

    def __call__(self, trial: Trial[Any]) -> None:
        trial.resumable()
        settings = self.candidate.searched.settings(trial.params)
        splits = self.candidate.splits_of(trial.seed)
        noted = False
        for amount in self.rungs:
            if amount <= trial.ticket.step:  # of an earlier attempt
                continue
            metrics: dict[str, float] = {}
            scores = []
            for place, (train, test) in enumerate(splits):
                given, some = settings, train
                if self.resource == SAMPLES:
                    some = self._first(train, amount, place)
                else:
                    given = {**settings, self.resource: amount}
                found, error = self.candidate.fold(given, some, test)
                if error and not noted:
                    trial.note(error, tags=(FIT_FAILED,))
                    noted = True
                scores.append(self.candidate.guiding(found))
                metrics |= {f"split{place}_{name}": value for name, value in found.items()}
            trial.report(amount, {**metrics, SCORE: float(np.mean(scores))})

    def _first(self, train: Ints, amount: int, fold: int) -> Ints:
        """The first of a fold's training samples, in an order by chance; of each class its share."""
        n = max(1, round(len(train) * amount / self.samples))
        if n >= len(train):
            return train
        rng = np.random.default_rng([self.seed, fold])
        order = rng.permutation(len(train))
        if is_classifier(self.candidate.estimator) and np.ndim(self.candidate.y) == 1:
            _, labels, counts = np.unique(
                np.asarray(self.candidate.y)[train], return_inverse=True, return_counts=True
            )
            rank = np.empty(len(train))  # of each sample within its class, in the order by chance
            for label in range(len(counts)):
                rank[order[labels[order] == label]] = np.arange(counts[label])
            order = np.argsort((rank + 0.5) / counts[labels], kind="stable")
        return np.asarray(train[np.sort(order[:n])])


def _announced(
    candidates: int, n_splits: int, *, rungs: Sequence[int], factor: float, resource: str
) -> str:
    """Say how many candidates get how much."""
    counts = [candidates]
    for _ in rungs[1:]:
        counts.append(max(1, int(counts[-1] / factor)))
    rounds = ", ".join(
        f"{count} with {resource}={amount:,}" for count, amount in zip(counts, rungs, strict=True)
    )
    return f"{rounds}; {plural(n_splits, 'fold')}: {plural(sum(counts) * n_splits, 'fit')}"
