"""Candidates on folds that no search has used: what a confirmation evaluates."""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.integrations.sklearn.folds import Candidate
from tunesmith.integrations.sklearn.places import Splits, splits_of
from tunesmith.study.trial import Trial


@final
@dataclass(frozen=True, eq=False, repr=False)
class Fresh:
    """The objective of a confirmation: a candidate on folds drawn by the trial's seed.

    Attributes:
        candidate: With the folds of the search.
        cv: The splitter of the search.
        split_params: What it takes beside the samples, such as groups.

    Raises:
        SettingError: The splitter gives the same folds whenever it is asked.
    """

    candidate: Candidate
    cv: Any
    split_params: dict[str, Any]

    def __post_init__(self) -> None:
        first, second = (self.folds(seed) for seed in (1, 2))
        if all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True)):
            given = type(self.cv).__name__
            listed = given.startswith(
                "_"
            )  # scikit-learn's own for folds that were given one by one
            raise SettingError(
                f"confirm=True evaluates the best on other folds, and {'a list of folds' if listed else given} always "
                "gives the same; take a splitter that shuffles, such as StratifiedKFold, or confirm=False"
            )

    def folds(self, seed: int) -> Splits:
        """Return folds as those of the search, drawn by a seed."""
        cv = copy(self.cv)
        cv.random_state, cv.shuffle = seed, True  # what knows neither takes no notice
        return splits_of(cv, self.candidate.X, self.candidate.y, self.split_params)

    def __call__(self, trial: Trial[Any]) -> dict[str, float] | None:
        return replace(self.candidate, splits=self.folds(trial.seed))(trial)
