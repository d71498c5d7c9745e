"""Racing over folds: what falls too far behind the incumbent on the same folds is stopped."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Objective, Problem, Record
from tunesmith.schedulers.rungs import resource_of
from tunesmith.schedulers.scheduler import Decision, StoppingScheduler

DEVIATIONS = 1.28  # behind the incumbent, from which on a chance of 0.1 is left to overtake it
LEAST = 3  # whole trials, from which on they tell how much differences between folds vary
BELIEF = 3.0  # folds that this is worth beside a trial's own


@dataclass
class _State:
    """What a race knows.

    Attributes:
        objective: What counts.
        folds: How many there are, k.
        whole: Losses (k,) of the trials that have all folds.
        best: Those of the incumbent (k,).
        spread: By how much the differences of a whole trial from the incumbent vary from fold to
            fold, a variance; NaN: it is not known yet.
    """

    objective: Objective
    folds: int
    whole: list[Floats] = field(default_factory=list)
    best: Floats | None = None
    spread: float = math.nan


@final
@dataclass(frozen=True)
class Race(StoppingScheduler[_State]):
    """Stops a trial whose folds so far are hopelessly behind the incumbent's same folds.

    Hopeless is a mean lag above that of the incumbent's own worst fold behind its mean: the forgiving
    rule of Bergman, Purucker and Hutter, with losses paired by fold, so that a fold that is hard for
    all condemns nobody. And hopeless is a chance below 0.1 of being better than the incumbent when all
    folds are done: with a mean lag m over j of k folds, and differences that vary by s from fold to fold,
    the lag at the end is normal about m with a deviation of s sqrt((k - j) / (k j)). s is that of the trial
    and the median one of whole trials.

    The folds are the steps of a resource, and the study is made with `value="mean"`.

    References:
        E. Bergman, L. Purucker, F. Hutter. Don't Waste Your Time: Early Stopping Cross-Validation. AutoML
        2024. Section 3.
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
            state.whole.append(losses)
            if state.best is None or losses.mean() < state.best.mean():
                state.best = losses
            if len(state.whole) >= LEAST and state.folds > 1:
                spreads = (np.array(state.whole) - state.best).var(axis=1, ddof=1)
                state.spread = float(np.median(spreads[spreads > 0])) if spreads.any() else 0.0
        return state

    def due(self, state: _State, record: Record[Any]) -> int:
        return record.step + 1

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        if state.best is None:
            return "continue"
        lags = _losses(record, state) - state.best
        lags = lags[~np.isnan(lags)]
        k, j = state.folds, len(lags)
        if not j or lags.mean() <= 0:
            return "continue"
        lag = float(lags.mean())
        if lag > state.best.max() - state.best.mean():
            return "stop"
        own = float(((lags - lag) ** 2).sum())
        spread = math.sqrt((BELIEF * state.spread + own) / (BELIEF + j - 1))
        hopeless = lag > DEVIATIONS * spread * math.sqrt((k - j) / (k * j))
        return "stop" if hopeless else "continue"


def _losses(record: Record[Any], state: _State) -> Floats:
    """The losses of a trial by fold (k,), NaN where there is none."""
    losses = np.full(state.folds, np.nan)
    steps, values = record.reported(state.objective.name)
    known = steps <= state.folds
    losses[steps[known] - 1] = state.objective.sign * values[known]
    return losses
