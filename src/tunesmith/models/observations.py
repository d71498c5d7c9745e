"""What is known of each trial, as arrays that grow by a row per trial."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from tunesmith.models.fidelity import equivalents
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.records import Curve, Limit, Problem, Record

PENDING, COMPLETE, STOPPED, FAILED, UNKNOWN = range(5)
"""Running; measured; known in part: ended early, paused, or running and compared at a rung; failed by
its params; says nothing (a bug, a lost machine)."""

TOUCHED = 1e-300
"""By how much a strict limit is broken where it is met exactly."""

_STATES = {"running": PENDING, "complete": COMPLETE, "stopped": STOPPED, "paused": STOPPED}
_NOT_ITS_FAULT = ("error", "lost")
_FIRST = 64  # rows


@final
class Observations:
    """The trials of a study, by number.

    Args:
        problem: What is tuned.
        view: What a model needs beside units, from these: (n, d) to (n, p), row by row.

    Attributes:
        n: How many trials there are.
        rows: The units of each, as bytes: what a candidate is compared with before it is decoded.

    Where a configuration is evaluated repeatedly, its first trial has the mean of what is known, and the
    others say nothing; `counts` says of how many.
    """

    def __init__(self, problem: Problem[Any], view: Callable[[Floats], Floats]) -> None:
        self.n = 0
        self.rows: set[bytes] = set()
        self._problem = problem
        self._view = view
        self._curves: list[tuple[Curve | None, int]] = []  # and how many of its reports are known
        self._finals: Floats | None = None
        self._firsts: dict[str, int] = {}  # the first trial of a configuration that is repeated
        self._evaluations: dict[int, dict[int, Floats]] = {}  # and what it came to, by trial
        d = len(problem.space)
        self._arrays: dict[str, np.ndarray[Any, Any]] = {
            "units": np.empty((_FIRST, d)),
            "columns": np.empty((_FIRST, view(np.empty((0, d))).shape[1])),
            "losses": np.empty((_FIRST, len(problem.objectives))),
            "excess": np.empty((_FIRST, len(problem.limits))),
            "steps": np.empty(_FIRST),
            "state": np.empty(_FIRST, dtype=np.int64),
            "counts": np.empty(_FIRST, dtype=np.int64),
        }

    def note(self, records: Sequence[Record[Any]]) -> None:
        """Take in what happened to trials, in log order."""
        started = [record for record in records if record.event == "started"]
        if started:
            self._start(started)
        self._finals = None
        arrays, problem = self._arrays, self._problem
        for record in records:
            row = record.number
            if record.event == "resumed" and record.reports:
                continue  # what was known of it still is
            if record.replicate is not None:
                self._repeat(record)
                if record.source == "replicate":
                    arrays["state"][row] = UNKNOWN
                    continue
            arrays["state"][row] = _state_of(record)
            self._curves[row] = record.curve, record.reports
            if record.replicate is None or record.state != "complete":
                arrays["losses"][row] = problem.losses(record.values)
            arrays["steps"][row] = record.step
            for i, limit in enumerate(problem.limits):
                arrays["excess"][row, i] = _excess(limit, record.values)

    def _repeat(self, record: Record[Any]) -> None:
        """Take in one of several evaluations of a configuration."""
        arrays, group = self._arrays, (record.replicate or ("", 0))[0]
        row = self._firsts.setdefault(group, record.number)
        if record.state == "complete":
            known = self._evaluations.setdefault(row, {})
            known[record.number] = self._problem.losses(record.values)
            arrays["losses"][row] = np.mean(list(known.values()), axis=0)
            arrays["counts"][row] = len(known)
        elif record.state == "failed" and _state_of(record) == FAILED:
            arrays["state"][row] = FAILED

    def _start(self, records: Sequence[Record[Any]]) -> None:
        """Make rows for trials, of which the log starts each once, by number."""
        begin, self.n = self.n, self.n + len(records)
        self._curves += [(None, 0)] * len(records)
        while self.n > len(self._arrays["state"]):
            for name, array in self._arrays.items():
                self._arrays[name] = np.concatenate([array, np.empty_like(array)])
        units = self._problem.space.encode([record.logged for record in records])
        self.rows.update(row.tobytes() for row in units)
        self._arrays["counts"][begin : self.n] = 1
        self._arrays["units"][begin : self.n] = units
        self._arrays["columns"][begin : self.n] = self._view(units)

    def count(self, *states: int) -> int:
        """Return how many trials stand in one of these states."""
        return int(np.isin(self.state, states).sum())

    @property
    def units(self) -> Floats:
        """Units (n, d), NaN where a parameter is not active."""
        return self._arrays["units"][: self.n]

    @property
    def columns(self) -> Floats:
        """What `view` makes of the units (n, p)."""
        return self._arrays["columns"][: self.n]

    @property
    def losses(self) -> Floats:
        """Losses (n, m), NaN where there are none."""
        return self._arrays["losses"][: self.n]

    @property
    def finals(self) -> Floats:
        """The only objective's losses (n,), of what is known in part as they would be at the end.

        NaN where that cannot be told: see `tunesmith.models.fidelity`. With several objectives it never is.
        """
        if self._finals is None:
            complete, partial = self.state == COMPLETE, self.state == STOPPED
            losses = self.losses[:, 0]
            if self.losses.shape[1] > 1 or not partial.any():
                self._finals = np.where(complete, losses, np.nan)
            else:
                self._finals = equivalents(losses, self.steps, complete, partial, self._at)
        return self._finals

    def _at(self, step: int) -> Floats:
        """What counted of each trial's objective at a step (n,); NaN where it had not come so far."""
        objective = self._problem.objectives[0]
        found = np.full(self.n, np.nan)
        for row, (curve, reports) in enumerate(self._curves):
            if curve is not None and reports and curve.steps[reports - 1] >= step:
                value = curve.counted(objective.name, step, self._problem.value, objective.sign)
                found[row] = objective.sign * value
        return found

    @property
    def counts(self) -> Ints:
        """How many evaluations the losses of each trial are the mean of (n,)."""
        return self._arrays["counts"][: self.n]

    @property
    def excess(self) -> Floats:
        """By how much limits are broken (n, l): above 0 if they are; NaN: not measured."""
        return self._arrays["excess"][: self.n]

    @property
    def steps(self) -> Floats:
        """The last step of each trial (n,)."""
        return self._arrays["steps"][: self.n]

    @property
    def state(self) -> Ints:
        """Where each trial stands (n,): PENDING, COMPLETE, STOPPED, FAILED or UNKNOWN."""
        return self._arrays["state"][: self.n]


def _state_of(record: Record[Any]) -> int:
    if record.state == "failed":
        unlucky = record.failure is None or record.failure.kind in _NOT_ITS_FAULT
        return UNKNOWN if unlucky else FAILED
    return STOPPED if record.event == "reported" else _STATES[record.state]


def _excess(limit: Limit, values: Mapping[str, float]) -> float:
    value = values.get(limit.name, np.nan)
    over = value - limit.bound if limit.sign in ("<", "<=") else limit.bound - value
    return TOUCHED if over == 0 and not limit.holds(values) else over
