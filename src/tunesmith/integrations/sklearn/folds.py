"""One candidate: an estimator fitted and scored on fold after fold, each a step of its trial."""

import math
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import get_tags

from tunesmith.integrations.sklearn.spaces import Searched
from tunesmith.study.trial import Trial

Splits: TypeAlias = Sequence[tuple[Any, Any]]
"""Of each fold the places of the training samples, and of the test samples."""

SCORE = "score"  # the objective, and the name of the only metric
FAILED = "fit_failed"  # reported as 1 for a fold whose fit raised
UNSCORED = "scoring_failed"  # reported as 1 for a fold whose only scorer raised
FIT_FAILED = "fit failed"  # the tag of a note that says what it raised


def samples(data: Any, places: Any) -> Any:
    """Return some samples of an array, sparse matrix, data frame or list."""
    if data is None:
        return None
    if hasattr(data, "iloc"):
        return data.iloc[places]
    return data[places] if hasattr(data, "shape") else [data[i] for i in places]


def length(data: Any) -> int:
    """Return how many samples there are; 0 if it is no sequence of such."""
    if hasattr(data, "shape"):
        return int(data.shape[0]) if data.shape else 0
    return len(data) if isinstance(data, Sequence) and not isinstance(data, str) else 0


@final
@dataclass(frozen=True, eq=False, repr=False)
class Candidate:
    """The objective: the mean test score of an estimator over the folds, its error as a metric.

    Attributes:
        estimator: What is cloned, set and fitted for each fold.
        X: The samples.
        y: What belongs to them, or None.
        splits: The folds.
        scorer: A function of (estimator, X, y) that returns one score or a dict of them.
        names: Of the scores, if they are known before the first is taken.
        guide: The score that is maximised, if there are several.
        searched: How params become settings.
        fit_params: Arguments for `fit`; of those of one entry a sample, each fold takes its own.
        score_params: Likewise for the scorer.
        error_score: The score where a fit or a scorer raises; "raise": the exception goes on.
        return_train_score: Whether the training samples are scored too.
        config: scikit-learn's configuration, which a worker process does not share.
        raised: What was raised in spite of `error_score`, in this process.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Splits
    scorer: Any
    names: tuple[str, ...]
    guide: str
    searched: Searched
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    error_score: float | str
    return_train_score: bool
    config: Mapping[str, Any]
    raised: list[Exception] = field(default_factory=list)

    def __call__(self, trial: Trial[Any]) -> dict[str, float]:
        settings = self.searched.settings(trial.params)
        scores: list[float] = []
        noted = False
        for step, (train, test) in enumerate(self.splits, 1):
            try:
                with config_context(**self.config):
                    metrics, error = self._fold(settings, train, test)
            except Exception as raised:
                self.raised.append(raised)
                raise
            if error and not noted:
                trial.note(error, tags=(FIT_FAILED,))
                noted = True
            scores.append(self._guiding(metrics))
            if math.isfinite(scores[-1]):  # one that is not would end the trial at once
                metrics[SCORE] = scores[-1]
            trial.report(step, metrics)
        with np.errstate(invalid="ignore"):
            error_of_mean = np.std(scores, ddof=1) / math.sqrt(len(scores)) if scores[1:] else 0.0
        return {SCORE: float(np.mean(scores)), f"{SCORE}_se": float(error_of_mean)}

    def _guiding(self, metrics: Mapping[str, float]) -> float:
        """The score that counts."""
        if FAILED in metrics or UNSCORED in metrics:
            return float(self.error_score)
        found = {name: value for name, value in metrics.items() if name.startswith("test_")}
        return found.get(f"test_{self.guide}", next(iter(found.values())))

    def _fold(
        self, settings: Mapping[str, Any], train: Any, test: Any
    ) -> tuple[dict[str, float], str]:
        """Return times and scores of one fold, and the traceback if the fit raised."""
        estimator = clone(self.estimator).set_params(**clone(dict(settings), safe=False))
        pairwise = get_tags(estimator).input_tags.pairwise
        begun = time.perf_counter()
        X = self._inputs(train, train, pairwise=pairwise)
        y = samples(self.y, train)
        try:
            given = (X,) if y is None else (X, y)
            estimator.fit(*given, **self._share(self.fit_params, train))
        except Exception:
            if self.error_score == "raise":
                raise
            metrics = {"fit_time": time.perf_counter() - begun, "score_time": 0.0, FAILED: 1.0}
            return metrics, traceback.format_exc()
        fitted = time.perf_counter()
        tested = self._scores(estimator, self._inputs(test, train, pairwise=pairwise), test)
        metrics = {"fit_time": fitted - begun, "score_time": time.perf_counter() - fitted}
        metrics |= {f"test_{name}": value for name, value in tested.items()} or {UNSCORED: 1.0}
        if self.return_train_score:
            trained = self._scores(estimator, X, train)
            metrics |= {f"train_{name}": value for name, value in trained.items()}
        return metrics, ""

    def _inputs(self, places: Any, train: Any, *, pairwise: bool) -> Any:
        """The inputs of some samples: of a kernel matrix, their columns of the training samples."""
        return self.X[np.ix_(places, train)] if pairwise else samples(self.X, places)

    def _share(self, params: Mapping[str, Any], places: Any) -> dict[str, Any]:
        """Arguments of which each sample has one entry, for some samples."""
        n = length(self.X)
        return {
            name: samples(value, places) if length(value) == n else value
            for name, value in params.items()
        }

    def _scores(self, estimator: Any, X: Any, places: Any) -> dict[str, float]:
        """The scores by name, those that raise as `error_score`; none if the only scorer raises."""
        given = (X,) if self.y is None else (X, samples(self.y, places))
        try:
            scored = self.scorer(estimator, *given, **self._share(self.score_params, places))
        except Exception:
            if (
                self.error_score == "raise" or self.names
            ):  # several hand back what they raise as text
                raise
            self._warn(traceback.format_exc())
            return {}
        named = dict(scored) if isinstance(scored, Mapping) else {SCORE: scored}
        for name, value in named.items():
            if (
                isinstance(value, str) and self.names
            ):  # how several scorers tell that one of them raised
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
