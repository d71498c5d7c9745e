"""What is known of each trial, as arrays that grow by a row per trial."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from tunesmith.numerics.normal import Floats
from tunesmith.records import Problem, Record
from tunesmith.space import Space

PENDING, COMPLETE, CENSORED, FAILED, UNKNOWN = range(5)
"""Running; measured; stopped or paused early; failed by its params; failed by no fault of its own."""

_NOT_ITS_FAULT = ("error", "lost")
_FIRST = 64  # rows


@final
class Observations:
    """The trials of a study, by number.

    Args:
        problem: What is tuned.

    Attributes:
        n: How many trials there are.
    """

    def __init__(self, problem: Problem[Any]) -> None:
        self.space: Space[Any] = problem.space
        self.n = 0
        self._problem = problem
        self._units = np.empty((_FIRST, len(problem.space)))
        self._losses = np.full((_FIRST, len(problem.objectives)), np.nan)
        self._excess = np.full((_FIRST, len(problem.limits)), np.nan)
        self._state = np.full(_FIRST, UNKNOWN, dtype=np.int8)

    def note(self, records: Sequence[Record[Any]]) -> None:
        """Take in what happened to trials, in log order."""
        for record in records:
            row = record.number
            if row >= len(self._state):
                self._grow()
            if row >= self.n:
                self.n = row + 1
                self._units[row] = self.space.encode([record.logged])[0]
            self._state[row] = self._reads(record)
            self._losses[row] = self._problem.losses(record.values)
            for i, limit in enumerate(self._problem.limits):
                value = record.values.get(limit.name, np.nan) - limit.bound
                self._excess[row, i] = value if limit.sign in ("<", "<=") else -value

    def _grow(self) -> None:
        n = len(self._state)
        self._units = np.concatenate([self._units, np.empty_like(self._units)])
        self._losses = np.concatenate([self._losses, np.full_like(self._losses, np.nan)])
        self._excess = np.concatenate([self._excess, np.full_like(self._excess, np.nan)])
        self._state = np.concatenate([self._state, np.full(n, UNKNOWN, dtype=np.int8)])

    def _reads(self, record: Record[Any]) -> int:
        if record.state == "failed":
            kind = None if record.failure is None else record.failure.kind
            return UNKNOWN if kind in _NOT_ITS_FAULT else FAILED
        whole = bool(np.isfinite(self._problem.losses(record.values)).all())
        if record.state == "complete":
            return COMPLETE if whole else UNKNOWN
        if record.state == "running":
            return PENDING
        return CENSORED if whole else UNKNOWN

    @property
    def units(self) -> Floats:
        """Units (n, d), NaN where a parameter is not active."""
        return self._units[: self.n]

    @property
    def losses(self) -> Floats:
        """Losses (n, m), NaN where there are none."""
        return self._losses[: self.n]

    @property
    def excess(self) -> Floats:
        """By how much each limit is broken (n, l): above 0 means broken; NaN: not measured."""
        return self._excess[: self.n]

    @property
    def state(self) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Where each trial stands (n,): PENDING, COMPLETE, CENSORED, FAILED or UNKNOWN."""
        return self._state[: self.n]
