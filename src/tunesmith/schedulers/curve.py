"""Curves drawn on: what will hardly be among the best in the end is stopped."""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.models.curves import Curves
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Problem, Record
from tunesmith.schedulers.reports import Reports, objective_of
from tunesmith.schedulers.rungs import resource_of
from tunesmith.schedulers.scheduler import Decision, StoppingScheduler

REPORTS = 3  # of a trial, before anything is said of it
PACE = 1.1  # from one look at a trial to the next
RENEWAL = 1.2  # from one fit to the next, of the number of whole curves


@dataclass
class _State:
    """What it knows.

    Attributes:
        problem: What is tuned.
        reports: How the reports of a trial are read.
        top: The resource's end.
        least: The step from which on trials are judged.
        running: Trials that run.
        ends: Of whole curves within the limits, in rising order.
        whole: Steps and losses of whole curves, in log order.
        fitted: Of how many of them the curves below were learned.
        curves: What was learned.
    """

    problem: Problem[Any]
    reports: Reports
    top: int
    least: int
    running: set[str] = field(default_factory=set)
    ends: list[float] = field(default_factory=list)
    whole: list[tuple[Floats, Floats]] = field(default_factory=list)
    fitted: int = 0
    curves: Curves | None = None


@final
@dataclass(frozen=True)
class Curve(StoppingScheduler[_State]):
    """Stops a trial whose curve, drawn on to the end, hardly comes out among the best.

    The best are as many as trials run at once. What is learned from the study's whole curves, such as
    that everything falls when the learning rate does, protects those that bloom late; the probability is
    calibrated: of trials of which it says 5 %, about so many would have made it. It is compared with
    that of a trial of which nothing is known, which falls as the best get better: so the share of
    the good ones that are lost does not grow with the study.

    Args:
        chance: A trial is stopped when its probability is below this share of any trial's; of the good ones
            at most that share is lost.
        first: How many trials are trained to the end before anybody is stopped.

    References:
        K. Swersky, J. Snoek, R. P. Adams. Freeze-thaw Bayesian optimization. 2014. For the idea; the model is
        `tunesmith.models.curves`.
    """

    chance: float = 0.2
    first: int = 5

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        resource = resource_of(problem, "Curve")
        checks.whole("Curve(first=...)", self.first, 1)
        if not 0 < checks.number("Curve(chance=...)", self.chance) < 1:
            raise SettingError(f"Curve(chance=...) lies between 0 and 1, got {self.chance!r}")
        reports = Reports(objective_of(problem, "Curve"), problem.value)
        return _State(problem, reports, resource.max, resource.min)

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            if record.state == "running":
                state.running.add(record.uid)
                continue
            state.running.discard(record.uid)
            if record.state == "complete" and record.step >= state.top:
                self._learn(state, record)
        return state

    def _learn(self, state: _State, record: Record[Any]) -> None:
        """Take in a whole curve; now and then, learn from all of them."""
        steps, losses = state.reports.of(record)
        if len(losses) < 2 or steps[-1] < state.top:
            return
        state.whole.append((steps, losses))
        if state.problem.meets_limits(record.values):
            insort(state.ends, float(losses[-1]))
        if len(state.whole) >= max(self.first, RENEWAL * state.fitted):
            state.fitted = len(state.whole)
            state.curves = Curves.of(state.top, state.whole)

    def due(self, state: _State, record: Record[Any]) -> int:
        if record.reports < REPORTS:
            return max(record.step + 1, state.least)
        return max(math.ceil(record.step * PACE), record.step + 1, state.least)

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        steps, losses = state.reports.of(record)
        if state.curves is None or not state.ends or len(losses) < REPORTS:
            return "continue"
        k = min(max(1, len(state.running)), len(state.ends))
        anybody = k / (len(state.ends) + 1)  # the chance of a trial of which nothing is known
        chance = state.curves.foresee(steps, losses).below(state.ends[k - 1])
        return "stop" if chance < self.chance * anybody else "continue"
