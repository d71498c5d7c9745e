"""Configurations that are evaluated on several seeds, as a table: a row each, a column per seed."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, TypeVar, final

import numpy as np

from tunesmith.numerics import additive
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.records.problem import Problem
from tunesmith.records.record import Record

T = TypeVar("T")

KNOWN = 3  # degrees of freedom from which on the noise is taken for known
CAUTION = 2.0  # standard errors
_FIRST = 16  # rows
_NOT_ITS_FAULT = ("error", "lost")


@final
class Replicates:
    """The evaluations of each configuration, by the seeds that all configurations share.

    Args:
        problem: What is tuned.

    Attributes:
        firsts: The first trial of each configuration, by row: what its others are grouped under.
    """

    def __init__(self, problem: Problem[Any]) -> None:
        self.firsts: list[str] = []
        self._problem = problem
        self._rows: dict[str, int] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._losses = np.full((_FIRST, 1, len(problem.objectives)), np.nan)
        self._started = np.zeros(_FIRST, dtype=np.int64)
        self._failed = np.zeros(_FIRST, dtype=np.bool_)
        self._keeps = np.ones(_FIRST, dtype=np.bool_)
        self._values: dict[
            int, dict[int, dict[str, float]]
        ] = {}  # by row and seed, if there are limits

    def __len__(self) -> int:
        return len(self.firsts)

    def copy(self) -> "Replicates":
        """Return the table as it is now: what comes later does not change it."""
        return detached(self)

    def put(self, record: Record[Any]) -> None:
        """Take an evaluation in, as new or in place of what was known of it."""
        if record.replicate is None:
            return
        group, index = record.replicate
        row = self._rows.get(group)
        if row is None:
            row = self._rows[group] = len(self.firsts)
            self.firsts.append(group)
        self._numbers[row, index] = record.number
        self._grow(row, index)
        self._started[row] = max(self._started[row], index + 1)
        if record.state == "complete":
            self._losses[row, index] = self._problem.losses(record.values)
            if self._problem.limits:
                values = self._values[row] = {**self._values.get(row, {}), index: record.values}
                self._keeps[row] = self._problem.meets_limits(means(list(values.values())))
        elif record.state == "failed":
            unlucky = record.failure is None or record.failure.kind in _NOT_ITS_FAULT
            self._failed[row] |= not unlucky

    def _grow(self, row: int, index: int) -> None:
        rows, width, m = self._losses.shape
        if row < rows and index < width:
            return
        taller, wider = 2 * rows if row >= rows else rows, max(width, index + 1)
        losses = np.full((taller, wider, m), np.nan)
        losses[:rows, :width] = self._losses
        self._losses = losses
        self._started = np.resize(self._started, taller)
        self._failed = np.resize(self._failed, taller)
        self._keeps = np.resize(self._keeps, taller)
        self._started[rows:], self._failed[rows:], self._keeps[rows:] = 0, False, True

    @property
    def losses(self) -> Floats:
        """Losses (rows, seeds, m), NaN where there are none."""
        return self._losses[: len(self)]

    @property
    def started(self) -> Ints:
        """How many evaluations of each configuration have begun (rows,)."""
        return self._started[: len(self)]

    @property
    def done(self) -> Ints:
        """How many of them are complete (rows,); 0 for a configuration of which one has failed."""
        counts: Ints = (~np.isnan(self.losses).any(axis=2)).sum(axis=1)
        counts[self._failed[: len(self)]] = 0
        return counts

    @property
    def keeps(self) -> Bools:
        """Whether the means of each configuration keep the limits (rows,); true before any is known."""
        return self._keeps[: len(self)]

    def of(self, record: Record[Any]) -> list[int]:
        """Return the numbers of the trials of a trial's configuration, by seed."""
        if record.replicate is None:
            return [record.number]
        row = self._rows[record.replicate[0]]
        begun = range(int(self._started[row]))
        return [self._numbers[row, i] for i in begun if (row, i) in self._numbers]

    def leaders(self) -> Ints:
        """Return the rows of those that may lead, the best first.

        That is by the mean loss and two standard errors, so that neither what was lucky once leads nor what
        had its seeds early leads for ever; until the noise is known, among those that were evaluated most
        often by the mean alone. Of several objectives the first one orders them; a configuration of which an
        evaluation has failed is none of them, nor is one that breaks a limit, if any other keeps them.
        """
        done = self.done
        kept = np.where(self.keeps, done, 0)
        done = kept if kept.any() else done
        model = additive.fit(np.where(done[:, None] > 0, self.losses[:, :, 0], np.nan))
        if model.freedom < KNOWN:
            rows = np.flatnonzero((done == done.max(initial=0)) & (done > 0))
            return rows[np.argsort(model.rows[rows], kind="stable")]
        rows = np.flatnonzero(done)
        bound = model.rows[rows] + CAUTION * np.sqrt(model.variance / done[rows])
        return rows[np.argsort(bound, kind="stable")]


def detached(thing: T) -> T:
    """Return a copy of an object with lists, dicts and arrays of its own."""
    other = copy(thing)
    for name, value in vars(thing).items():
        if isinstance(value, list | dict | np.ndarray):
            setattr(other, name, value.copy())
    return other


def means(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric of the first over those that measured it."""
    known = {name: [values[name] for values in several if name in values] for name in several[0]}
    return {name: float(np.mean(of_it)) for name, of_it in known.items()}
