"""One candidate: an estimator fitted and scored on fold after fold, each a step of its trial."""

import math
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import get_tags

from tunesmith.integrations.sklearn import boosting
from tunesmith.integrations.sklearn.places import (
    Splits,
    inputs,
    length,
    samples,
    share,
    splits_of,
)
from tunesmith.integrations.sklearn.spaces import Searched
from tunesmith.study.folds import seeded
from tunesmith.study.trial import Trial

SCORE = "score"  # the objective, and the name of the only metric
FAILED = "fit_failed"  # reported as 1 for a fold whose fit raised
UNSCORED = "scoring_failed"  # reported as 1 for a fold whose only scorer raised
FIT_FAILED = "fit failed"  # the tag of a note that says what it raised


@final
@dataclass(frozen=True, eq=False, repr=False)
class Candidate:
    """The objective: the mean test score of an estimator over the folds, its error as a metric.

    Attributes:
        estimator: What is cloned, set and fitted for each fold.
        X: The samples.
        y: What belongs to them, or None.
        splits: The folds.
        holdout: What makes a split of its own for each candidate; None: `splits` are those of all.
        split_params: Arguments for it.
        scorer: A function of (estimator, X, y) that returns one score or a dict of them.
        names: Of the scores, if they are known before the first is taken.
        guide: The score that is maximised, if there are several.
        searched: How params become settings.
        fit_params: Arguments for `fit`; of those of one entry a sample, each fold takes its own.
        score_params: Likewise for the scorer.
        error_score: The score where a fit or a scorer raises; "raise": the exception goes on.
        return_train_score: Whether the training samples are scored too.
        early_stopping: Whether boosting ends where the test samples gain no more.
        config: scikit-learn's configuration, which a worker process does not share.
        raised: What was raised in spite of `error_score`, in this process.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Splits
    holdout: Any
    split_params: Mapping[str, Any]
    scorer: Any
    names: tuple[str, ...]
    guide: str
    searched: Searched
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    error_score: float | str
    return_train_score: bool
    early_stopping: bool
    config: Mapping[str, Any]
    raised: list[Exception] = field(default_factory=list)

    def __call__(self, trial: Trial[Any]) -> dict[str, float] | None:
        trial.resumable()
        settings = self.searched.settings(trial.params)
        done = trial.ticket.step  # folds of an earlier attempt
        scores: list[float] = []
        noted = False
        for step, (train, test) in enumerate(self.splits_of(trial.seed)[done:], done + 1):
            metrics, error = self.fold(settings, train, test)
            if error and not noted:
                trial.note(error, tags=(FIT_FAILED,))
                noted = True
            scores.append(self.guiding(metrics))
            if math.isfinite(scores[-1]):  # one that is not would end the trial at once
                metrics[SCORE] = scores[-1]
            trial.report(step, metrics)
        if done and np.isfinite(scores).all():
            return None  # the reports of all attempts are the result
        with np.errstate(invalid="ignore"):
            error_of_mean = np.std(scores, ddof=1) / math.sqrt(len(scores)) if scores[1:] else 0.0
        return {SCORE: float(np.mean(scores)), f"{SCORE}_se": float(error_of_mean)}

    def splits_of(self, seed: int) -> Splits:
        """Return the folds of the candidate that has this seed."""
        if self.holdout is None:
            return self.splits
        return splits_of(seeded(self.holdout, seed), self.X, self.y, dict(self.split_params))

    def guiding(self, metrics: Mapping[str, float]) -> float:
        """Return the score that counts, of the metrics of a fold."""
        if FAILED in metrics or UNSCORED in metrics:
            return float(self.error_score)
        found = {name: value for name, value in metrics.items() if name.startswith("test_")}
        return found.get(f"test_{self.guide}", next(iter(found.values())))

    def fold(
        self, settings: Mapping[str, Any], train: Any, test: Any
    ) -> tuple[dict[str, float], str]:
        """Return times and scores of one fold, and the traceback if the fit raised.

        Args:
            settings: Of the estimator.
            train: Places of the training samples.
            test: Places of the test samples.
        """
        try:
            with config_context(**self.config):
                return self._measured(settings, train, test)
        except Exception as raised:
            self.raised.append(raised)
            raise

    def _measured(
        self, settings: Mapping[str, Any], train: Any, test: Any
    ) -> tuple[dict[str, float], str]:
        estimator = clone(self.estimator).set_params(**clone(dict(settings), safe=False))
        pairwise = get_tags(estimator).input_tags.pairwise
        begun = time.perf_counter()
        X = inputs(self.X, train, train, pairwise=pairwise)
        held_out = inputs(self.X, test, train, pairwise=pairwise)
        try:
            found = self._fit(estimator, X, train, held_out, test)
        except Exception:
            if self.error_score == "raise":
                raise
            metrics = {"fit_time": time.perf_counter() - begun, "score_time": 0.0, FAILED: 1.0}
            return metrics, traceback.format_exc()
        fitted = time.perf_counter()
        tested = self._scores(estimator, held_out, test)
        metrics = {"fit_time": fitted - begun, "score_time": time.perf_counter() - fitted, **found}
        metrics |= {f"test_{name}": value for name, value in tested.items()} or {UNSCORED: 1.0}
        if self.return_train_score:
            trained = self._scores(estimator, X, train)
            metrics |= {f"train_{name}": value for name, value in trained.items()}
        return metrics, ""

    def _fit(
        self, estimator: Any, X: Any, train: Any, held_out: Any, test: Any
    ) -> dict[str, float]:
        """Fit; return what early stopping found."""
        y, params = samples(self.y, train), self._share(self.fit_params, train)
        if not self.early_stopping:
            estimator.fit(*((X,) if y is None else (X, y)), **params)
            return {}
        others = self._share(self.fit_params, test)
        held = boosting.Held(held_out, samples(self.y, test), others)
        return boosting.fit(estimator, X, y, params, held)

    def _share(self, params: Mapping[str, Any], places: Any) -> dict[str, Any]:
        """Arguments for some of the samples."""
        return share(params, places, length(self.X))

    def _scores(self, estimator: Any, X: Any, places: Any) -> dict[str, float]:
        """The scores by name, those that raise as `error_score`; none if the only scorer raises."""
        given = (X,) if self.y is None else (X, samples(self.y, places))
        try:
            scored = self.scorer(estimator, *given, **self._share(self.score_params, places))
        except Exception:
            if self.error_score == "raise" or self.names:
                raise  # several scorers hand back what they raise as text
            self._warn(traceback.format_exc())
            return {}
        named = dict(scored) if isinstance(scored, Mapping) else {SCORE: scored}
        for name, value in named.items():
            if isinstance(value, str) and self.names:
                self._warn(value)
                named[name] = self.error_score
        return {name: _number(name, value) for name, value in named.items()}

    def _warn(self, text: str) -> None:
        warnings.warn(
            f"Scoring failed, the score of this fold is {self.error_score}:\n{text}",
            UserWarning,
            stacklevel=2,
        )


def _number(name: str, value: Any) -> float:
    """Return a score as float.

    Raises:
        ValueError: It is no number.
    """
    if np.ndim(value) or isinstance(value, str | bytes | None):
        raise ValueError(f"scoring returns numbers, got {value!r} ({type(value)}) for {name!r}")
    return float(value)
