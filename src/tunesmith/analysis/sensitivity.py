"""`sensitivity`: how much of the spread between configurations is luck, and what moving a parameter costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import fdtri

from tunesmith._core.errors import SettingError
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.landscape import Landscape, short, summed
from tunesmith.analysis.recommendation import within
from tunesmith.models.noise import SURE, completed, groups, losses_of
from tunesmith.models.surrogate import Surrogate
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record
from tunesmith.space import Categorical, Parameter, Params

STEP = 0.1  # share of a parameter's range, in its own scale
FACTOR = math.log(3)  # on a logarithmic scale, where that is no more than
MOST = 0.25  # of the range


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
            f"{self.configurations:,} configurations with replicates"
            if self.by == "replicates"
            else f"{self.configurations:,} trials, as far as a model explains them"
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
        return f"{self.parameter} = {short(self.to)}: {within(self.change, self.interval, '+')}"


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
        if not self.steps:
            return f"{self.seeds}\nno move of one parameter around trial {self.trial} is known to change {self.objective}"
        head = f"{self.objective} around trial {self.trial}, if one parameter moves:"
        return "\n".join([str(self.seeds), head, *(f"  {step}" for step in self.steps)])


def sensitivity(history: History[Any], around: Record[Any] | None = None) -> Sensitivity:
    """Say how much of the spread between configurations is luck, and what it costs to move a parameter.

    Luck is told by replicates, trials of one group or of equal configurations, if there are enough of them, by a
    one-way analysis of variance in which each configuration counts alike, whether it was evaluated again or not;
    else by the nugget of a Gaussian process, which takes all for luck that is too rough for it. A number moves to both
    sides by a tenth of its range, or by a level if that is further; on a logarithmic scale, if it is long
    enough, to a third and to three times its value; a choice to each other one; what becomes active is at its
    default, and what breaks a constraint is left out. What that does is the difference of the process at both places.

    Args:
        history: Of a study of one objective.
        around: The trial whose parameters are moved; by default the best.

    Raises:
        NoTrials: Fewer than 8 have completed.
        NotSupported: The study has several objectives.
        SettingError: The trial has not completed.

    References:
        S. R. Searle, G. Casella, C. E. McCulloch. Variance Components. Wiley, 1992. Section 3.6: the
        interval of the intraclass correlation, exact where all groups are of one size.
        J. D. Thomas and R. A. Hultquist. Interval Estimation for the Unbalanced Case of the One-Way Random Effects
        Model. Annals of Statistics 6, 1978: with unweighted means and the harmonic mean of the sizes. Who is good is
        evaluated more often, so that means weighted by it would compare the good ones alone.
    """
    measurable(history)
    base = history.best if around is None else around
    land = Landscape(history, None, [base.logged])
    if land.space.key(base.logged) not in land.model.tried.places:
        raise SettingError(f"around= takes a trial that completed, trial {base.number} has not")
    name = land.model.objective.name
    seeds = _seeds(completed(history), land.model.surrogate)
    return Sensitivity(name, base.number, seeds, tuple(steps_around(land, base.logged)))


def _seeds(records: Sequence[Record[Any]], surrogate: Surrogate) -> Seeds:
    """What luck does, by replicates if there are enough."""
    values = [losses_of(those) for those in groups(records)]
    if len(values) > 1 and sum(len(group) - 1 for group in values) >= SURE:
        return _by_replicates(values)
    truth = surrogate.truth
    if truth is None:  # all values are equal
        return Seeds(0.0, (0.0, 0.0), 0.0, "model", len(records))
    theirs = float(np.var(truth.means) + np.mean(np.diag(truth.covariance))) * truth.scale.size**2
    sds = (truth.noise, *truth.noise_interval)
    share, low, high = (sd**2 / (sd**2 + theirs) for sd in sds)
    sd = surrogate.size * truth.noise
    return Seeds(share, (low, high), sd, "model", len(records))


def _by_replicates(values: Sequence[Floats]) -> Seeds:
    """One-way analysis of variance of groups (k_i,)."""
    sizes = np.array([len(group) for group in values], dtype=float)
    n, k = float(sizes.sum()), len(values)
    size = k / float((1 / sizes).sum())  # of a group, on average
    means = np.array([group.mean() for group in values])
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in values) / (n - k)
    between = size * float(means.var(ddof=1))
    again = int((sizes > 1).sum())
    if within == 0:
        return Seeds(0.0, (0.0, 0.0), 0.0, "replicates", again)
    F = between / within
    edges = (F * fdtri(n - k, k - 1, 0.95), F, F / fdtri(k - 1, n - k, 0.95))
    low, share, high = (float(1 - max(0.0, (f - 1) / (f + size - 1))) for f in edges)
    return Seeds(share, (low, high), math.sqrt(within), "replicates", again)


def steps_around(land: Landscape[Any], params: Params) -> list[Step]:
    """Return what each move of one parameter does, the one that changes most first; none if all values are equal."""
    if land.model.surrogate.truth is None:
        return []
    here = land.whole(params)
    active = land.active(here[None])[0]
    moved: list[Floats] = [here]
    names: list[str] = []
    for column, (name, parameter) in enumerate(land.space.parameters.items()):
        for unit in _units(parameter, float(here[column])) if active[column] else []:
            there = here.copy()
            there[column] = unit
            if land.possible(there[None])[0]:
                moved.append(there)
                names.append(name)
    worths = land.worths(np.array(moved))
    steps = []
    gains = (worths[:, 1:] - worths[:, :1]).T
    for name, to, draws in zip(names, land.params(np.array(moved[1:])), gains, strict=True):
        told = summed(land.better * draws)
        worse = summed(draws).interval[1] < 0
        steps.append(Step(name, to[name], told.mean, told.interval, worse))
    return sorted(steps, key=lambda step: -abs(step.change))


def _units(parameter: Parameter, unit: float) -> list[float]:
    """Where a parameter moves to from a unit."""
    n = parameter.cardinality
    if n == 1:
        return []
    if isinstance(parameter, Categorical):
        levels = (np.arange(n or 0) + 0.5) / (n or 1)
        return [float(level) for level in levels if abs(level - unit) > 0.25 / (n or 1)]
    step = max(STEP, 1.01 / n if n else 0.0)
    if parameter.column.base and FACTOR / parameter.column.b <= MOST:
        step = FACTOR / parameter.column.b
    return [to for to in (unit - step, unit + step) if 0 <= to <= 1]
