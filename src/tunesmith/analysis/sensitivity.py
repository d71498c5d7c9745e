"""`sensitivity`: how much of the spread between configurations is luck, and what moving a parameter costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import fdtri

from tunesmith._core.errors import SettingError
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.recommendation import Tried, modelled
from tunesmith.models.features import Features
from tunesmith.models.noise import SURE, completed, groups, losses_of
from tunesmith.models.truth import Truth
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.threads import one_thread
from tunesmith.records import History, Record
from tunesmith.space import Categorical, Parameter

DRAWS = 1000  # from the model, of which intervals are taken
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
    one-way analysis of variance in which each configuration counts alike, whether it was evaluated again or not; else by the nugget of a Gaussian process, which takes all for luck that is
    too rough for it. A number moves by a tenth of its range, in its own scale, to both sides, or by a
    level if that is further; a choice to each other one; what becomes active is in its middle, and what breaks a
    constraint is left out. What that does is the difference of the process at both places.

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
    tried = Tried.of(history)
    here = tried.places.get(history.problem.space.key(base.logged))
    if here is None:
        raise SettingError(f"around= takes a trial that completed, trial {base.number} has not")
    features = Features(history.problem.space)
    columns = features(history.problem.space.encode([record.logged for record in tried.first]))
    steps, truth = [], None
    if np.ptp(tried.values):
        with one_thread():
            rows = modelled(tried, columns, features, [here])
            truth = Truth(tried.some(rows, columns), features.layout, features.size)
            steps = _steps(base, truth, features)
    steps.sort(key=lambda step: -abs(step.change))
    name = history.problem.objectives[0].name
    return Sensitivity(name, base.number, _seeds(completed(history), truth), tuple(steps))


def _seeds(records: Sequence[Record[Any]], truth: Truth | None) -> Seeds:
    """What luck does, by replicates if there are enough."""
    values = [losses_of(those) for those in groups(records)]
    if len(values) > 1 and sum(len(group) - 1 for group in values) >= SURE:
        return _by_replicates(values)
    if truth is None:  # all values are equal
        return Seeds(0.0, (0.0, 0.0), 0.0, "model", len(records))
    theirs = float(np.var(truth.means) + np.mean(np.diag(truth.covariance))) * truth.scale.size**2
    sds = (truth.noise, *truth.noise_interval)
    share, low, high = (sd**2 / (sd**2 + theirs) for sd in sds)
    return Seeds(share, (low, high), truth.noise, "model", len(records))


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


def _steps(base: Record[Any], truth: Truth, features: Features) -> list[Step]:
    """What each move of one parameter does, by draws from the model, each as the objective's value."""
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
    means, covariance = truth.joint(features(np.concatenate([here, *moved])))
    strength, axes = np.linalg.eigh(covariance)
    luck = np.random.Generator(np.random.Philox(0)).standard_normal((DRAWS, len(means)))
    drawn = means + luck * np.sqrt(np.maximum(strength, 0.0)) @ axes.T
    values = -objective.sign * truth.scale.back(drawn)  # (DRAWS, 1 + moves)
    lows, middles, highs = np.quantile(values[:, 1:] - values[:, :1], (0.05, 0.5, 0.95), axis=0)
    steps = []
    for i, (name, there) in enumerate(zip(names, moved, strict=True)):
        low, high = float(lows[i]), float(highs[i])
        worse = low > 0 if objective.sign > 0 else high < 0
        to = space.decode(there)[0][name]
        steps.append(Step(name, to, float(middles[i]), (low, high), worse))
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
