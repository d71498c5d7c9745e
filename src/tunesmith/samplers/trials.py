"""Trials as arrays: where they were, what they gave, and which of them are the best."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith.numerics import pareto
from tunesmith.records import Problem, Record

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

COMPLETE, STOPPED, FAILED, PENDING, IGNORED = range(5)
_COLUMNS = ("fates", "units", "grains", "losses", "excess", "steps")
_TOUCHED = 1e-300  # by how much a strict limit is broken where it is met exactly


@final
@dataclass(slots=True)
class Trials:
    """All trials of a study by number, in arrays that grow.

    Attributes:
        problem: What is tuned.
        n: How many there are; rows beyond mean nothing.
        fates: (size,), COMPLETE, STOPPED, FAILED, PENDING, or IGNORED if nothing is to be learnt.
        units: (size, d), NaN where parameters are inactive.
        grains: (size, d), see `Space.grains`.
        losses: (size, m), of those with a result; infinite where missing.
        excess: (size, l), by how much each limit is broken; 0 if it is kept.
        steps: (size,), where those with a result ended.
    """

    problem: Problem[Any]
    n: int = 0
    fates: Ints = field(init=False)
    units: Floats = field(init=False)
    grains: Floats = field(init=False)
    losses: Floats = field(init=False)
    excess: Floats = field(init=False)
    steps: Floats = field(init=False)

    def __post_init__(self) -> None:
        size, d = 64, len(self.problem.space)
        self.fates = np.zeros(size, dtype=np.int64)
        self.units = np.zeros((size, d))
        self.grains = np.zeros((size, d))
        self.losses = np.zeros((size, len(self.problem.objectives)))
        self.excess = np.zeros((size, len(self.problem.limits)))
        self.steps = np.zeros(size)

    def put(self, records: Sequence[Record[Any]]) -> None:
        """Take in records of trials that started or finished, in log order; others do not matter."""
        started = [record for record in records if record.event == "started"]
        if started:
            self._start(started)
        for record in records:
            if record.event == "finished":
                self._finish(record)

    def _start(self, records: Sequence[Record[Any]]) -> None:
        numbers = [record.number for record in records]
        self.n = max(self.n, max(numbers) + 1)
        while self.n > len(self.fates):
            for name in _COLUMNS:
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        space = self.problem.space
        units = space.encode([record.logged for record in records])
        self.units[numbers] = units
        self.grains[numbers] = space.grains(units)
        self.fates[numbers] = PENDING

    def _finish(self, record: Record[Any]) -> None:
        number, problem = record.number, self.problem
        if record.state == "failed":
            bad_luck = record.failure is None or record.failure.kind in ("error", "lost")
            self.fates[number] = IGNORED if bad_luck else FAILED
            return
        self.fates[number] = COMPLETE if record.state == "complete" else STOPPED
        losses = problem.losses(record.values)
        self.losses[number] = np.where(np.isnan(losses), np.inf, losses)
        self.steps[number] = record.step
        for j, limit in enumerate(problem.limits):
            if not limit.holds(record.values):
                value = record.values.get(limit.name, np.inf)
                self.excess[number, j] = max(abs(value - limit.bound), _TOUCHED)

    def count(self, *fates: int) -> int:
        """Return how many trials have one of these fates."""
        return int(np.isin(self.fates[: self.n], fates).sum())

    def split(self, k: int) -> tuple[Ints, Ints]:
        """Return the numbers of the `k` best trials, best first, and of the others, ascending.

        Complete ones within the limits come first; then what was stopped, at the later step first;
        then what breaks the limits, less first. Failed and pending ones are never among the best;
        ignored ones are in neither part.
        """
        fates = self.fates[: self.n]
        known = np.flatnonzero(fates <= STOPPED)
        over = _overs(self.excess[known])
        behind = np.where(fates[known] == STOPPED, -self.steps[known], -np.inf)
        merit = _merit(self.losses[known], (over == 0) & (behind == -np.inf), k)
        best = known[np.lexsort((merit, behind, over))[:k]]
        others = fates <= PENDING
        others[best] = False
        return best, np.flatnonzero(others)


def _overs(excess: Floats) -> Floats:
    """By how much (n,) the limits are broken in all; each limit's own excesses (n, l) scale it."""
    total = np.zeros(len(excess))
    for column in excess.T:
        broken = column[(column > _TOUCHED) & np.isfinite(column)]
        total += column / (np.median(broken) if len(broken) else 1.0)
    return total


def _merit(losses: Floats, ahead: np.ndarray[Any, np.dtype[np.bool_]], k: int) -> Floats:
    """What (n,) tells the better of two trials, smaller is better, from losses (n, m).

    Of several objectives: the first fronts of those `ahead`, for the best `k`; for all others the
    sum of their ranks in each.
    """
    if losses.shape[1] == 1:
        return losses[:, 0]
    ranks = losses.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    merit: Floats = ranks.sum(axis=1).astype(np.float64)
    first = np.flatnonzero(ahead)
    best = first[pareto.best(losses[first], k)]
    merit[best] = np.arange(len(best)) - len(best)
    return merit
