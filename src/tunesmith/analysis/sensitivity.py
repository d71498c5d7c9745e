"""`sensitivity`: how much of the spread between configurations is luck, and what moving a parameter costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import fdtri

from tunesmith.analysis.forecast import Z, measurable
from tunesmith.models.noise import SURE, groups, losses_of
from tunesmith.models.surrogate import Surrogate
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record
from tunesmith.space import Categorical, Parameter

STEP = 0.1  # share of a parameter's range, in its own scale


@final
@dataclass(frozen=True, slots=True)
class Seeds:
    """How much of the spread between single evaluations is luck: seeds, splits, order of data.

    Attributes:
        share: Of the variance, from 0 to 1.
        interval: Where it lies with a probability of 90 %.
        sd: The standard deviation of evaluations of one configuration, in the objective's units.
        by: What tells it: "replicates", or "model", for which luck is whatever it cannot explain.
        configurations: How many, of which there are replicates; by a model, of which there is a value.
    """

    share: float
    interval: tuple[float, float]
    sd: float
    by: str
    configurations: int

    def __str__(self) -> str:
        low, high = self.interval
        of = (
            f"{self.configurations} configurations with replicates"
            if self.by == "replicates"
            else f"{self.configurations} trials, as far as a model explains them"
        )
        return (
            f"{self.share:.0%} ({low:.0%} to {high:.0%}) of the spread is seeds: ± {self.sd:.2g} at the same "
            f"configuration, by {of}"
        )


@final
@dataclass(frozen=True, slots=True)
class Step:
    """What it does to the expected objective to move one parameter of a configuration.

    Attributes:
        parameter: Its name.
        to: The value that it gets, as the log keeps it.
        change: Of the expected objective, in its units.
        interval: Where that lies with a probability of 90 %.
        worse: Whether it is certainly for the worse, so far as the interval tells.
    """

    parameter: str
    to: Any
    change: float
    interval: tuple[float, float]
    worse: bool

    def __str__(self) -> str:
        to = f"{self.to:.3g}" if isinstance(self.to, float) else str(self.to)
        low, high = self.interval
        return f"{self.parameter} = {to}: {self.change:+.2g} ({low:+.2g} to {high:+.2g})"


@final
@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What the objective depends on.

    Attributes:
        objective: Its name.
        trial: The number of the trial around which parameters are moved.
        seeds: What luck does.
        steps: What each move does, the one that costs most first.
    """

    objective: str
    trial: int
    seeds: Seeds
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        head = f"{self.objective} around trial {self.trial}, if one parameter moves:"
        return "\n".join([str(self.seeds), head, *(f"  {step}" for step in self.steps)])


def sensitivity(history: History[Any], around: Record[Any] | None = None) -> Sensitivity:
    """Say how much of the spread between configurations is luck, and what it costs to move a parameter.

    Luck is told by replicates, trials of one group or of equal configurations, if there are enough of them, by a
    one-way analysis of variance; else by the nugget of a Gaussian process, which takes all for luck that is
    too rough for it. A number moves by a tenth of its range, in its own scale, to both sides, or by a
    level if that is further; a choice to each other one; what becomes active is in its middle, and what breaks a
    constraint is left out. What that does is the difference of the process at both places.

    Args:
        history: Of a study of one objective.
        around: The trial whose parameters are moved; by default the best.

    Raises:
        NoTrials: Fewer than 8 have completed.
        NotSupported: The study has several objectives.

    References:
        S. R. Searle, G. Casella, C. E. McCulloch. Variance Components. Wiley, 1992. Section 3.6: the
        interval of the intraclass correlation, exact where all groups are of one size.
    """
    records = measurable(history)
    model = Surrogate(records)
    base = history.best if around is None else around
    steps = sorted(_steps(base, model), key=lambda step: -abs(step.change))
    return Sensitivity(
        history.problem.objectives[0].name, base.number, _seeds(records, model), tuple(steps)
    )


def _seeds(records: Sequence[Record[Any]], model: Surrogate) -> Seeds:
    """What luck does, by replicates if there are enough."""
    values = [losses_of(those) for those in groups(records)]
    if len(values) > 1 and sum(len(group) - 1 for group in values) >= SURE:
        return _by_replicates(values)
    low, high = (_share(sd, model) for sd in model.noise_interval())
    return Seeds(_share(model.noise, model), (low, high), model.noise, "model", len(records))


def _share(sd: float, model: Surrogate) -> float:
    return min(1.0, (sd / model.spread) ** 2) if model.spread > 0 else 0.0


def _by_replicates(values: Sequence[Floats]) -> Seeds:
    """One-way analysis of variance of groups (k_i,)."""
    sizes = np.array([len(group) for group in values], dtype=float)
    n, k = float(sizes.sum()), len(values)
    size = (n - float(sizes @ sizes) / n) / (k - 1)  # of a group, on average
    means = np.array([group.mean() for group in values])
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in values) / (n - k)
    between = float(sizes @ (means - np.concatenate(values).mean()) ** 2) / (k - 1)
    if within == 0:
        return Seeds(0.0, (0.0, 0.0), 0.0, "replicates", k)
    F = between / within
    edges = (F * fdtri(n - k, k - 1, 0.95), F, F / fdtri(k - 1, n - k, 0.95))
    low, share, high = (1 - max(0.0, (f - 1) / (f + size - 1)) for f in edges)
    return Seeds(share, (low, high), math.sqrt(within), "replicates", k)


def _steps(base: Record[Any], model: Surrogate) -> list[Step]:
    """What each move of one parameter does."""
    space, [objective] = base.problem.space, base.problem.objectives
    here = space.encode([base.logged])
    moved: list[Floats] = []
    names: list[str] = []
    for column, (name, parameter) in enumerate(space.parameters.items()):
        for unit in _units(parameter, float(here[0, column])):
            there = here.copy()
            there[0, column] = unit
            if space.feasible(there)[0]:
                moved.append(space.snap(there))
                names.append(name)
    if not moved:
        return []
    losses, covariances = model.losses(np.concatenate([here, *moved]))
    values = [space.decode(there)[0] for there in moved]
    steps = []
    for i, (name, params) in enumerate(zip(names, values, strict=True), 1):
        change = objective.sign * float(losses[i] - losses[0])
        variance = float(covariances[i, i] + covariances[0, 0] - 2 * covariances[i, 0])
        far = Z * math.sqrt(max(0.0, variance))
        worse = objective.sign * change > far
        steps.append(Step(name, params[name], change, (change - far, change + far), worse))
    return steps


def _units(parameter: Parameter, unit: float) -> list[float]:
    """Where a parameter moves to from a unit; nowhere if it is not active."""
    n = parameter.cardinality
    if math.isnan(unit) or n == 1:
        return []
    if isinstance(parameter, Categorical):
        levels = (np.arange(n or 0) + 0.5) / (n or 1)
        return [float(level) for level in levels if abs(level - unit) > 0.25 / (n or 1)]
    step = max(STEP, 1.01 / n if n else 0.0)
    return [to for to in (unit - step, unit + step) if 0 <= to <= 1]
