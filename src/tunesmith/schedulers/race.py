"""Racing over folds: what falls too far behind the incumbent on the same folds is stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.stats import wilcoxon

from tunesmith._core.errors import NotSupported
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Objective, Problem, Record
from tunesmith.schedulers.rungs import resource_of
from tunesmith.schedulers.scheduler import Decision, StoppingScheduler

PAIRS = 6  # folds from which on a test of the paired differences can tell anything
LEVEL = 0.1


@dataclass
class _State:
    """What a race knows.

    Attributes:
        objective: What counts.
        losses: Those of the incumbent by step (k,), k steps in all; None: there is none yet.
    """

    objective: Objective
    steps: int
    losses: Floats | None = None


@final
@dataclass(frozen=True)
class Race(StoppingScheduler[_State]):
    """Stops a trial whose folds so far are hopelessly behind the incumbent's same folds.

    Hopeless is a mean lag above that of the incumbent's own worst fold behind its mean; with 6 folds
    or more also one that a one-sided Wilcoxon signed-rank test finds at the level of 0.1. The first is
    the forgiving rule of Bergman, Purucker and Hutter (2024, "Don't Waste Your Time", section 3), with
    losses paired by fold, so that a fold that is hard for all condemns nobody.

    The folds are the steps of a resource, and the study is made with `value="mean"`.
    """

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        resource = resource_of(problem, "Race")
        if len(problem.objectives) > 1 or problem.value != "mean":
            raise NotSupported(
                "Race compares the folds of one objective; make the study with one, and with "
                'value="mean"'
            )
        return _State(problem.objectives[0], resource.max)

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            if record.state != "complete" or not record.problem.meets_limits(record.values):
                continue
            losses = _losses(record, state)
            if np.isnan(losses).any():
                continue
            if state.losses is None or losses.mean() < state.losses.mean():
                state.losses = losses
        return state

    def due(self, state: _State, record: Record[Any]) -> int:
        return record.step + 1

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        if state.losses is None:
            return "continue"
        lags = _losses(record, state) - state.losses
        lags = lags[~np.isnan(lags)]
        if not len(lags):
            return "continue"
        hopeless = lags.mean() > state.losses.max() - state.losses.mean()
        if not hopeless and len(lags) >= PAIRS and lags.any():
            hopeless = wilcoxon(lags, alternative="greater").pvalue < LEVEL
        return "stop" if hopeless else "continue"


def _losses(record: Record[Any], state: _State) -> Floats:
    """The losses of a trial by step (k,), NaN where there is none."""
    losses = np.full(state.steps, np.nan)
    steps, values = record.reported(state.objective.name)
    known = steps <= state.steps
    losses[steps[known] - 1] = state.objective.sign * values[known]
    return losses
