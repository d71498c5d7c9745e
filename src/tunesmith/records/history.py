"""All records of a study, by number, and what is asked of them at every turn."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, final, overload

import msgspec
import numpy as np

from tunesmith._core.errors import NoTrials, StudyError
from tunesmith._core.types import P
from tunesmith.numerics import pareto
from tunesmith.records import tables
from tunesmith.records.problem import Problem
from tunesmith.records.record import Record, State
from tunesmith.records.replicates import Replicates, detached, means

if TYPE_CHECKING:  # types of optional packages, imported only when used
    import pandas as pd
    import polars as pl


@final
class History(Sequence[Record[P]]):
    """A sequence of records: `history[7]` is trial 7.

    Args:
        problem: What is tuned.

    Attributes:
        problem: The same.
        since_best: How many configurations completed or were stopped since the best completed.
        replicates: The evaluations of each configuration, in a study that evaluates them repeatedly.
        answers: What was asked of it, by question; forgotten when a trial begins, pauses or ends.
    """

    def __init__(self, problem: Problem[P]) -> None:
        self.problem = problem
        self._records: list[Record[P]] = []
        self._places: dict[str, int] = {}
        self._counts: Counter[State] = Counter()
        self._scheduled = 0
        self._beside = 0
        self._unfinished: dict[int, None] = {}
        self._open: dict[int, None] = {}  # those of them that wait for no scheduler
        self._best: Record[P] | None = None
        self._leader = -1
        self._spent = 0
        self.since_best = 0
        self.replicates = Replicates(problem)
        self.answers: dict[str, Any] = {}

    def copy(self) -> "History[P]":
        """Return the history as it is now: what comes later does not change it."""
        other = detached(self)
        other.replicates = self.replicates.copy()
        for record in self.open:
            if record.curve is not None:  # which the next report would make longer
                own = record.curve.until(record.step)
                other.put(msgspec.structs.replace(record, curve=own))
        return other

    def put(self, record: Record[P]) -> None:
        """Take a record in, as new or in place of an earlier one of the same trial."""
        self.answers.clear()
        if record.number == len(self._records):
            self._records.append(record)
            self._places[record.uid] = record.number
        else:
            before = self._records[record.number]
            self._counts[before.state] -= 1
            self._scheduled -= before.scheduled
            self._beside -= _is_beside(before)
            self._records[record.number] = record
        if record.finished:
            self._spent += record.step - record.fork_step
            self.since_best += record.state != "failed" and record.source != "replicate"
            self._unfinished.pop(record.number, None)
        else:
            self._unfinished[record.number] = None
        if record.finished or record.scheduled:
            self._open.pop(record.number, None)
        else:
            self._open[record.number] = None
        self._counts[record.state] += 1
        self._scheduled += record.scheduled
        self._beside += _is_beside(record)
        if record.replicate is not None:
            self._compare(record)
        elif record.state == "complete" and self._better(record):
            self._best = record
            self.since_best = 0

    def _compare(self, record: Record[P]) -> None:
        """Take one of several evaluations in; another configuration may lead then."""
        self.replicates.put(record)
        if record.finished:
            leader = next(iter(self.replicates.leaders().tolist()), -1)
            self.since_best = 0 if leader != self._leader else self.since_best
            self._leader = leader

    def _better(self, record: Record[P]) -> bool:
        problem = self.problem
        if len(problem.objectives) > 1 or not problem.meets_limits(record.values):
            return False
        if self._best is None:
            return True
        sign = problem.objectives[0].sign
        mine, known = (
            (sign * record.value, record.number),
            (sign * self._best.value, self._best.number),
        )
        return mine < known

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, number: int) -> Record[P]: ...
    @overload
    def __getitem__(self, number: slice) -> list[Record[P]]: ...
    def __getitem__(self, number: int | slice) -> Record[P] | list[Record[P]]:
        if isinstance(number, slice):
            return [self[i] for i in range(len(self))[number]]
        record = self._records[number]
        curve = record.curve
        if curve is not None and record.state == "running" and record.reports < len(curve):
            # reports only grow the shared curve: the record takes notice when it is looked at
            record = self._records[number] = msgspec.structs.replace(record, reports=len(curve))
        return record

    def __iter__(self) -> Iterator[Record[P]]:
        return (self[number] for number in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return self.problem == other.problem and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {state}" for state, n in self._counts.items() if n)
        return f"<History of {len(self)} trials{': ' if counts else ''}{counts}>"

    def find(self, uid: str) -> Record[P] | None:
        """Return the record of the trial `uid`, or None."""
        number = self._places.get(uid)
        return None if number is None else self[number]

    def count(self, *states: State) -> int:
        """Return how many trials are in one of `states`."""
        return sum(self._counts[state] for state in states)

    def peek(self, uid: str) -> Record[P] | None:
        """Return the record as it was put: the cheap `find`, whose count of reports may lag."""
        number = self._places.get(uid)
        return None if number is None else self._records[number]

    @property
    def unfinished(self) -> list[Record[P]]:
        """The trials that are running or paused, by number."""
        return [self[number] for number in sorted(self._unfinished)]

    @property
    def open(self) -> list[Record[P]]:
        """The trials that are running or were handed back, by number; few where thousands are paused."""
        return [self[number] for number in sorted(self._open)]

    @property
    def taken(self) -> int:
        """Trials that count against a budget.

        They are completed, stopped, running, or paused by a scheduler; forks go on with another one's budget,
        further evaluations of a configuration have their own.
        """
        return self.count("complete", "stopped", "running") + self._scheduled - self._beside

    def evaluations(self, record: Record[P]) -> list[Record[P]]:
        """Return the trials of a trial's configuration, by seed: itself alone, unless it is repeated."""
        return [self[number] for number in self.replicates.of(record)]

    def lineage(self, record: Record[P]) -> list[Record[P]]:
        """Return what a trial goes back to: the trial that began anew, fork by fork, and itself last."""
        line = [record]
        while line[0].source == "fork":
            parent = self.find(line[0].parent)
            if parent is None:
                break
            line.insert(0, parent)
        return line

    @property
    def spent(self) -> int:
        """Steps that all trials together have done; those that a lost attempt did are left out."""
        return self._spent + sum(r.step - r.fork_step for r in self.unfinished)

    def contenders(self) -> list[Record[P]]:
        """Return the trials at the highest resource that any completed, if they keep the limits, by number.

        A trial that returned is at the full resource; others are where they reported last.

        Raises:
            NoTrials: None has completed, or none keeps the limits.
        """
        if len(self.replicates):
            complete = list(self._averaged())
        else:
            complete = [r for r in self if r.state == "complete" and r.values]
        if not complete:
            names = {objective.name for objective in self.problem.objectives}
            partial = [
                r for r in self if r.state in ("stopped", "paused") and names <= r.values.keys()
            ]
            top = max((r.step for r in partial), default=0)
            complete = [r for r in partial if r.step == top]
        if not complete:
            raise NoTrials(
                f"no trial has completed yet ({self.count('running')} running, "
                f"{self.count('failed')} failed); run some first"
            )
        feasible = [r for r in complete if self.problem.meets_limits(r.values)]
        if not feasible:
            raise self._none_keeps_limits()
        return feasible

    def _averaged(self) -> Iterator[Record[P]]:
        """The configurations that may lead, with their mean values, the best first."""
        for row in self.replicates.leaders().tolist():
            first = self.find(self.replicates.firsts[row])
            if first is not None:
                yield self.averaged(first)

    def averaged(self, record: Record[P]) -> Record[P]:
        """Return a record with the means over its configuration's evaluations in `values`.

        Of an objective that was evaluated repeatedly they have the standard error, too, as
        `<objective>_se`; a configuration that was evaluated once is returned as it is.
        """
        several = [r for r in self.evaluations(record) if r.state == "complete"]
        if len(several) < 2:
            return record
        values = means([r.values for r in several])
        for name in (objective.name for objective in self.problem.objectives):
            sd = float(np.std([r.values[name] for r in several], ddof=1))
            values[f"{name}_se"] = sd / math.sqrt(len(several))
        return msgspec.structs.replace(record, values=values)

    def _none_keeps_limits(self) -> NoTrials:
        limits = " and ".join(limit.text for limit in self.problem.limits)
        return NoTrials(f"none of {self.count('complete')} completed trials keeps {limits}")

    @property
    def best(self) -> Record[P]:
        """The best trial at the highest resource that any trial completed; the earliest of equals.

        Where configurations are evaluated repeatedly, it is the first trial of the configuration with the
        best mean less two standard errors, seeds taken off, with the means in its `values`,
        and `<objective>_se`.

        Raises:
            NoTrials: None has completed, or none keeps the limits.
            StudyError: There are several objectives; see `front`.
        """
        if len(self.problem.objectives) > 1:
            names = ", ".join(objective.name for objective in self.problem.objectives)
            raise StudyError(
                f"a study of several objectives ({names}) has no single best trial; see .front"
            )
        if self._best is not None:
            return self._best
        if len(self.replicates):
            for record in self._averaged():
                if self.problem.meets_limits(record.values):
                    return record
        elif self.count("complete"):
            raise self._none_keeps_limits()
        sign = self.problem.objectives[0].sign
        return min(self.contenders(), key=lambda r: sign * r.value)

    @property
    def front(self) -> list[Record[P]]:
        """The trials that no other beats in every objective, by number.

        Raises:
            NoTrials: None has completed, or none keeps the limits.
        """
        known = self.contenders()
        losses = np.array([self.problem.losses(record.values) for record in known])  # (n, m)
        return [r for r, keep in zip(known, pareto.front(losses), strict=True) if keep]

    def leads(self, record: Record[P]) -> bool:
        """Return whether a trial that completed as `record` says would be the best, or on the front."""
        losses = self.problem.losses(record.values)
        if not np.isfinite(losses).all() or not self.problem.meets_limits(record.values):
            return False
        if len(losses) == 1:
            return self._better(record)
        others = [self.problem.losses(r.values) for r in self if r.state == "complete"]
        return not any((o <= losses).all() and (o < losses).any() for o in others)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns by name: number, state, each parameter and metric, times, and the rest.

        A parameter that is inactive in a trial is None there.
        """
        return tables.columns(self.problem, self)

    def to_pandas(self) -> "pd.DataFrame":
        """Return `to_dict` as a pandas frame; needs the extra `pandas`."""
        return tables.to_pandas(self.to_dict())

    def to_polars(self) -> "pl.DataFrame":
        """Return `to_dict` as a polars frame; needs the extra `polars`."""
        return tables.to_polars(self.to_dict())


def _is_beside(record: Record[Any]) -> bool:
    """Whether a trial would be taken, were it no fork and no further evaluation."""
    taken = record.state in ("complete", "stopped", "running") or record.scheduled
    return taken and record.source in ("fork", "replicate")
