"""What is known of each trial, as arrays that grow by a row per trial."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from tunesmith.models.features import Features
from tunesmith.numerics.normal import Floats
from tunesmith.records import Problem, Record

PENDING, COMPLETE, CENSORED, FAILED, UNKNOWN = range(5)
"""Running; measured; ended early; failed by its params; says nothing (a bug, a lost machine)."""

_NOT_ITS_FAULT = ("error", "lost")
_FIRST = 64  # rows


@final
class Observations:
    """The trials of a study, by number.

    Args:
        problem: What is tuned.
        features: The map from units to a model's columns.

    Attributes:
        n: How many trials there are.
        rows: The units of each, as bytes: what a candidate is compared with before it is decoded.
    """

    def __init__(self, problem: Problem[Any], features: Features) -> None:
        self.n = 0
        self.rows: set[bytes] = set()
        self._problem = problem
        self._features = features
        self._arrays: dict[str, np.ndarray[Any, Any]] = {
            "units": np.empty((_FIRST, len(problem.space))),
            "columns": np.empty((_FIRST, len(features.layout.group))),
            "losses": np.empty((_FIRST, len(problem.objectives))),
            "excess": np.empty((_FIRST, len(problem.limits))),
            "state": np.full(_FIRST, UNKNOWN, dtype=np.int8),
        }

    def note(self, records: Sequence[Record[Any]]) -> None:
        """Take in what happened to trials, in log order."""
        problem = self._problem
        for record in records:
            row = record.number
            if row == len(self._arrays["state"]):
                for name, array in self._arrays.items():
                    self._arrays[name] = np.concatenate([array, np.empty_like(array)])
            arrays = self._arrays
            if row == self.n:
                self.n += 1
                units = problem.space.encode([record.logged])
                self.rows.add(units.tobytes())
                arrays["units"][row] = units[0]
                arrays["columns"][row] = self._features(units)[0]
            arrays["state"][row] = self._state_of(record)
            arrays["losses"][row] = problem.losses(record.values)
            for i, limit in enumerate(problem.limits):
                over = record.values.get(limit.name, np.nan) - limit.bound
                arrays["excess"][row, i] = over if limit.sign in ("<", "<=") else -over

    def _state_of(self, record: Record[Any]) -> int:
        if record.state == "running":
            return PENDING
        if record.state == "failed":
            kind = None if record.failure is None else record.failure.kind
            return UNKNOWN if kind in _NOT_ITS_FAULT else FAILED
        if not np.isfinite(self._problem.losses(record.values)).all():
            return UNKNOWN
        return COMPLETE if record.state == "complete" else CENSORED

    @property
    def units(self) -> Floats:
        """Units (n, d), NaN where a parameter is not active."""
        return self._arrays["units"][: self.n]

    @property
    def columns(self) -> Floats:
        """What `features` makes of the units (n, p)."""
        return self._arrays["columns"][: self.n]

    @property
    def losses(self) -> Floats:
        """Losses (n, m), NaN where there are none."""
        return self._arrays["losses"][: self.n]

    @property
    def excess(self) -> Floats:
        """By how much limits are broken (n, l): above 0 is too much; NaN: not measured."""
        return self._arrays["excess"][: self.n]

    @property
    def state(self) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Where each trial stands (n,): PENDING, COMPLETE, CENSORED, FAILED or UNKNOWN."""
        return self._arrays["state"][: self.n]
