"""The median rule: what has never been as good as others are on average ends."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported
from tunesmith.records import Problem, Record
from tunesmith.schedulers.reports import Reports, objective_of
from tunesmith.schedulers.rungs import resource_of
from tunesmith.schedulers.scheduler import Decision, StoppingScheduler


@dataclass
class _State:
    """What it knows.

    Attributes:
        reports: How the reports of a trial are read.
        grace: The step from which on trials are judged.
        averages: By step, what trials had on average up to there, in rising order.
        seen: The last step at which each trial is in them.
    """

    reports: Reports
    grace: int
    averages: dict[int, list[float]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Median(StoppingScheduler[_State]):
    """Stops a trial whose best result so far is worse than what half of the others had on average up to its step.

    It knows no rungs, compares at every report, and is as slow to judge as curves are noisy.

    Args:
        grace: Steps that every trial may do, two less than the resource has or fewer; by default a tenth of it.
        first: How many others must have come to a step before anybody is stopped there.

    References:
        D. Golovin et al. Google Vizier: a service for black-box optimization. KDD 2017. Section 3.2.2.
        Deviation: others count as soon as they have come to the step, whether they have completed or not.
    """

    grace: int | None = None
    first: int = 5

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        resource = resource_of(problem, "Median")
        checks.whole("Median(first=...)", self.first, 1)
        grace = resource.max // 10 if self.grace is None else self.grace
        grace = checks.whole("Median(grace=...)", grace)
        reports = Reports(objective_of(problem, "Median"), problem.value)
        first = max(grace + 1, resource.min)
        if first >= resource.max:
            raise NotSupported(
                f"Median(grace={grace}) judges from step {first} on and before step {resource.max}, where "
                "there is none; give a smaller grace=, or scheduler=None"
            )
        return _State(reports, first)

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            if record.event == "reported" and record.step > state.seen.get(record.uid, 0):
                _, losses = state.reports.of(record)
                if len(losses):
                    insort(state.averages.setdefault(record.step, []), float(losses.mean()))
                    state.seen[record.uid] = record.step
            elif record.finished:
                state.seen.pop(record.uid, None)
        return state

    def due(self, state: _State, record: Record[Any]) -> int:
        return max(record.step + 1, state.grace)

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        _, losses = state.reports.of(record)
        if not len(losses):
            return "continue"
        averages = state.averages.get(record.step, [])
        # its own average is among them, and lies between its best and its worst result
        others = len(averages) - 1
        if others < self.first:
            return "continue"
        better = bisect_left(averages, float(losses.min()))
        return "stop" if better > others / 2 else "continue"
