"""Trials as arrays: where they were, what they gave, and which are the best of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.numerics import pareto
from tunesmith.numerics.densities import Floats, Ints
from tunesmith.records import Problem, Record

COMPLETE, STOPPED, FAILED, PENDING, IGNORED = range(5)


@final
@dataclass(slots=True)
class Trials:
    """All trials of a study by number, in arrays that grow."""

    problem: Problem[Any]
    n: int = 0
    units: Floats = field(init=False)
    grains: Floats = field(init=False)
    losses: Floats = field(init=False)
    excess: Floats = field(init=False)
    steps: Floats = field(init=False)
    fates: np.ndarray[Any, np.dtype[np.int8]] = field(init=False)

    _COLUMNS: ClassVar[tuple[str, ...]] = ("units", "grains", "losses", "excess", "steps", "fates")

    def __post_init__(self) -> None:
        d, size = len(self.problem.space), 64
        self.units = np.zeros((size, d))
        self.grains = np.zeros((size, d))
        self.losses = np.zeros((size, len(self.problem.objectives)))
        self.excess = np.zeros((size, len(self.problem.limits)))
        self.steps = np.zeros(size)
        self.fates = np.zeros(size, dtype=np.int8)

    def put(self, records: Sequence[Record[Any]]) -> None:
        """Take in trials that started or finished."""
        space = self.problem.space
        started = [record for record in records if record.event == "started"]
        if started:
            top = max(record.number for record in started) + 1
            while top > len(self.fates):
                for name in self._COLUMNS:
                    old = getattr(self, name)
                    setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
            numbers = [record.number for record in started]
            units = space.encode([record.logged for record in started])
            self.units[numbers] = units
            self.grains[numbers] = space.grains(units)
            self.fates[numbers] = PENDING
            self.n = max(self.n, top)
        for record in records:
            if record.event == "finished":
                self._finish(record)

    def _finish(self, record: Record[Any]) -> None:
        number, problem = record.number, self.problem
        if record.state == "failed":
            kind = "error" if record.failure is None else record.failure.kind
            self.fates[number] = IGNORED if kind in ("error", "lost") else FAILED
            return
        self.fates[number] = COMPLETE if record.state == "complete" else STOPPED
        self.losses[number] = np.nan_to_num(problem.losses(record.values), nan=np.inf)
        self.steps[number] = record.step
        for j, limit in enumerate(problem.limits):
            sign = 1.0 if limit.sign.startswith("<") else -1.0
            over = sign * (record.values.get(limit.name, np.inf * sign) - limit.bound)
            # a strict limit that is met exactly is broken by next to nothing
            self.excess[number, j] = 0.0 if limit.holds(record.values) else max(over, 1e-300)

    def split(self, n_best: int) -> tuple[Ints, Ints]:
        """Return the numbers of the best trials, best first, and of all others that count, ascending.

        Complete ones within the limits come first; then what was stopped, at the later step first;
        then what breaks the limits, by how much. Failed ones and those without a result are never
        among the best.
        """
        fates = self.fates[: self.n]
        known = np.flatnonzero(fates <= STOPPED)
        stopped = np.where(fates[known] == STOPPED, -self.steps[known], -np.inf)
        over = self._overs(self.excess[known])
        losses = self.losses[known]
        if losses.shape[1] == 1:
            merit = losses[:, 0]
        else:
            merit = np.argsort(losses, axis=0).argsort(axis=0).sum(axis=1) + float(len(known))
            first = np.flatnonzero((over == 0) & (stopped == -np.inf))
            best = pareto.best(losses[first], n_best)
            merit[first[best]] = np.arange(len(best))
        best = known[np.lexsort((merit, stopped, over))[:n_best]]
        rest = fates <= PENDING
        rest[best] = False
        return best, np.flatnonzero(rest)

    @staticmethod
    def _overs(excess: Floats) -> Floats:
        """How much (k,) the limits are broken by excesses (k, l); each limit in its own measure."""
        total = np.zeros(len(excess))
        for column in excess.T:
            broken = column[(column > 0) & np.isfinite(column)]
            total += column / (np.median(broken) if len(broken) else 1.0)
        return total
