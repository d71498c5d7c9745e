"""`why`: why this configuration: what moving each of its parameters costs, and which few changes make the gain."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from tunesmith.analysis.ablation import aimed
from tunesmith.analysis.landscape import TAILS, Landscape, short, summed
from tunesmith.analysis.recommendation import Estimate
from tunesmith.analysis.sensitivity import Step, steps_around
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record
from tunesmith.space import Params, Space

KEPT = 0.9  # of the gain over the default, at least
SHOWN = 5  # parameters, in words


@final
@dataclass(frozen=True, slots=True)
class Why:
    """Why a configuration is what it is.

    Attributes:
        objective: Its name.
        trial: The number of its first trial.
        costs: What moving each of its parameters does, the one that costs most first.
        smallest: The fewest changes from the default that were found to keep nine tenths of the gain, as the log keeps
            the values; empty where no gain is certain.
        kept: The share of the gain that they keep; NaN where no gain is certain.
        interval: Where that lies with a probability of 90 %.
        gain: Of the configuration over the default.
        gain_interval: Likewise.
        changes: How many parameters it has otherwise than the default.
        text: All of it in words.
    """

    objective: str
    trial: int
    costs: tuple[Step, ...]
    smallest: dict[str, Any]
    kept: float
    interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]
    changes: int
    text: str

    def __str__(self) -> str:
        return self.text


def why(
    history: History[Any], trial: Record[Any] | int | None = None, objective: str | None = None
) -> Why:
    """Say why a configuration is what it is.

    A model of what was measured says what it costs to move one parameter, as `sensitivity` moves it: on a logarithmic
    scale to a third and to three times its value. And it says which of the changes from the default make the gain:
    one change after the other is taken back, the one that costs least first, with what hangs on it,
    as long as nine tenths of the gain are left.

    Args:
        history: Of a study.
        trial: A trial that completed, or its number; by default the recommended one.
        objective: Which, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives, and none is named.
        SettingError: The trial has not completed.
    """
    land, target = aimed(history, trial, objective)
    end = land.whole(target.logged)
    few = _fewest(land, end)
    worths = land.worths(np.array([land.start, end, few]))
    gains = worths[:, 1:] - worths[:, :1]
    gain = summed(gains[:, 0])
    smallest: dict[str, Any] = {}
    kept, around = math.nan, (math.nan, math.nan)
    if gain.interval[0] > 0 and not land.failed:
        smallest = land.moved(few)
        kept = float(gains[:, 1].mean()) / gain.mean
        low, high = np.quantile(gains[:, 1] / np.maximum(gains[:, 0], 1e-3 * gain.mean), TAILS)
        around = float(low), float(high)
    costs = steps_around(land, target.logged)
    costs.sort(key=lambda step: land.better * step.change)
    found = Why(
        land.model.objective.name, target.number, tuple(costs), smallest, kept, around,
        gain.mean, gain.interval, len(land.moved(end)), "",
    )  # fmt: skip
    return replace(found, text="\n".join(_said(found, land, target)))


def _fewest(land: Landscape[Any], end: Floats) -> Floats:
    """The row (d,) with the fewest changes from the default that keeps the gain of the end's (d,), by the mean."""
    here = np.where(land.active(end[None])[0], end, land.start)
    start, whole = land.expected(np.array([land.start, end]))
    least = start + KEPT * (whole - start)
    while True:
        changed = np.flatnonzero(land.active(here[None])[0] & (here != land.start))
        rows = np.repeat(here[None], len(changed), axis=0)
        rows[np.arange(len(changed)), changed] = land.start[changed]
        rows = rows[land.possible(rows)]
        worth = land.expected(rows)
        if not len(rows) or worth.max() < least:
            return here
        here = rows[int(np.argmax(worth))]


def _said(found: Why, land: Landscape[Any], target: Record[Any]) -> Iterator[str]:
    """Yield it in words, line by line."""
    one = f"trial {found.trial}"
    if land.failed:
        yield f"{one} came to its end, which the {land.called} did not ({land.failed})"
    elif not found.changes:
        yield f"{one} is the {land.called}"
    elif found.gain_interval[1] < 0:
        low, high = found.gain_interval
        yield f"{one} is worse than the {land.called} by {Estimate(-found.gain, (-high, -low))}, by {_changes(found)}"
    elif not found.smallest:
        low, high = found.gain_interval
        yield f"it is not certain that {one} is better than the {land.called}: a gain of {low:z.2g} to {high:z.2g}"
    else:
        gain = Estimate(found.gain, found.gain_interval)
        few = len(found.smallest)
        yield f"{one} is better than the {land.called} by {gain}, by {_changes(found)}"
        low, high = (min(max(share, 0.0), 1.0) for share in found.interval)
        if few < found.changes:
            values = ", ".join(f"{name} = {short(value)}" for name, value in found.smallest.items())
            yield f"{values} alone keep{'s' * (few == 1)} {min(found.kept, 1):.0%} of that ({low:.0%} to {high:.0%})"
    worst: dict[str, Step] = {}
    for step in found.costs:
        worst.setdefault(step.parameter, step)
    for step in [step for step in worst.values() if step.worse][:SHOWN]:
        low, high = sorted(-land.better * end for end in step.interval)
        cost = Estimate(-land.better * step.change, (low, high))
        yield f"{_move(step, land.space, target.logged)} would cost {cost}"
    idle = [name for name, step in worst.items() if not step.worse]
    if idle:
        yield f"no certain cost: {', '.join(idle)}"


def _changes(found: Why) -> str:
    return f"{found.changes} change{'s' * (found.changes > 1)}"


def _move(step: Step, space: Space[Any], params: Params) -> str:
    """A move in words."""
    before = params[step.parameter]
    if space.parameters[step.parameter].column.base:
        times = max(step.to, before) / min(step.to, before)
        said = "three" if abs(times - 3) < 0.05 else f"{times:.2g}"
        return f"{step.parameter} {said} times {'lower' if step.to < before else 'higher'}"
    return f"{step.parameter} = {short(step.to)} instead of {short(before)}"
