"""`importance`: which parameters the objective depends on, how surely, and which only together.

By analysis of variance: over configurations drawn from the space, as a model foresees them, the share of the variance
that goes with one parameter, and what goes with two beyond that. By density: the same of whether a trial is among the best tenth.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, final

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.analysis.modelling import explored, levels, seen, varied
from tunesmith.analysis.recommendation import WIDTH, Tried
from tunesmith.analysis.remembering import remembered
from tunesmith.models.features import Features
from tunesmith.models.forest import Forest
from tunesmith.models.surrogate import Surrogate, power_of_two
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.numerics.kernels import squared_distances
from tunesmith.records import History
from tunesmith.space import Categorical, Parameter, Space

Method = Literal["anova", "density"]
Interval = tuple[float, float]

FEW = 200  # configurations that a Gaussian process is made of; where there are more, a forest of all may explain more
DRAWS = 48  # functions, from it
SAMPLE = 4096  # configurations of which variances are taken
BINS, COARSE = 32, 8  # of a parameter, and of each of two
TOP = 0.1  # share of the trials that are the best
RESAMPLED = 200  # times, for intervals of densities
PER_BIN = 20  # trials in a bin of a density
PAIRED = 8  # parameters, of which pairs are looked at
ENOUGH = 30_000  # configurations that are looked at; of more, as many evenly spaced in time
MOST = 20  # interactions
LITTLE = 0.3  # of the variance: who explains less is not to be relied on
SMALL, LARGE = 0.01, 0.05  # shares: whose is less, and surely less, is not named
SHOWN = 5  # interactions, in words


@final
@dataclass(frozen=True, slots=True)
class Effect:
    """What goes with one parameter.

    Attributes:
        parameter: Its name.
        share: Of the variance over the space, from 0 to 1: over where it is active, weighted by how often that is.
        interval: Where it lies with a probability of 90 %.
        role: What it shapes.
    """

    parameter: str
    share: float
    interval: Interval
    role: Literal["model", "algorithm"]


@final
@dataclass(frozen=True, slots=True)
class Interaction:
    """What goes with two parameters, beyond what goes with each.

    Attributes:
        parameters: Their names.
        share: Of the variance, from 0 to 1, likewise.
        interval: Where it lies with a probability of 90 %.
    """

    parameters: tuple[str, str]
    share: float
    interval: Interval


@final
@dataclass(frozen=True, slots=True)
class Importance:
    """What the objective depends on.

    Attributes:
        objective: Its name.
        method: "anova" or "density".
        trials: How many configurations tell it.
        effects: Of each parameter that has several values, the largest first.
        interactions: The largest first, at most 20; none by density.
        explained: The share of what was measured that the model foresees of trials that it has not seen, from 0 to 1; by
            density, what all parameters together explain, each by itself.
        within: The share of the trials that is looked into: 1 is all.
    """

    objective: str
    method: Method
    trials: int
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    explained: float
    within: float = 1.0

    @property
    def roles(self) -> dict[str, float]:
        """The shares of all parameters that shape the model, and of those that shape how it is trained."""
        found: dict[str, float] = {}
        for effect in self.effects:
            found[effect.role] = found.get(effect.role, 0.0) + effect.share
        return found

    def __str__(self) -> str:
        where = "over the space" if self.within == 1 else f"within the best {self.within:.0%}"
        what = (
            f"of the variance of {self.objective} {where}"
            if self.method == "anova"
            else f"of what tells the best tenth by {self.objective} from the others"
        )
        head = f"shares {what}, by {self.trials:,} configurations"
        if not self.effects:
            return f"{head}: no parameter has several values"
        named = [e for e in self.effects if e.share >= SMALL or e.interval[1] >= LARGE]
        rows = [(e.parameter, e.share, e.interval) for e in named]
        rows += [
            (" × ".join(i.parameters), i.share, i.interval)
            for i in self.interactions[:SHOWN]
            if i.share >= SMALL
        ]
        if not rows:
            return f"{head}: no parameter shows an effect"
        width = max(len(name) for name, _, _ in rows)
        lines = [f"{head}:"]
        lines += [
            f"  {name:{width}} {share:5.0%}  ({low:.0%} to {high:.0%})"
            for name, share, (low, high) in rows
        ]
        others = len(self.effects) - len(named)
        if others:
            lines.append(f"  {others} other{'s' * (others > 1)}: under {LARGE:.0%}")
        if self.method == "anova" and self.explained < LITTLE:
            told = "of the differences between trials: do not rely on this"
            lines.append(f"a model foresees only {self.explained:.0%} {told}")
        return "\n".join(lines)


@remembered
def importance(
    history: History[Any],
    objective: str | None = None,
    *,
    method: Method = "anova",
    within: float = 1.0,
) -> Importance:
    """Say which parameters the objective depends on, and which only together.

    Args:
        history: Of a study.
        objective: Its name, if there are several.
        method: "anova": the share of the variance over all of the space, as a model foresees it; "density": the share
            of the variance of whether a trial is among the best tenth, over the trials as they are.
        within: Look only into so large a share of the best configurations: what is worse counts as just as bad as the
            worst of them. Of "anova" only.

    The space's own distribution counts, uniform in units within its conditions and constraints, not where a search
    has looked: one that found a good value of a parameter early has seldom varied it since. The share of a parameter x is
    P(active) Var(E[y | x, active]) / Var(y): what whether it is active does goes with those that decide it. The share of two is what
    both explain where both are active, less what each explains there. Under constraints, parameters tell of one another, and
    shares may sum to more than 1.

    A Gaussian process of up to 200 configurations, spread over the space, foresees; of more configurations a forest of all does, if that
    foresees those 200 better, each by all others. An interval holds what 48 functions from the process, or 20 bootstrapped
    parts of the forest, say, in halves of 4,096 configurations drawn; it knows nothing of what no trial has shown.

    Raises:
        NoTrials: Fewer than 8 have completed, or ended early.
        SettingError: There are several objectives and none is named, or there is none of that name; another method.

    References:
        I. M. Sobol'. Sensitivity Estimates for Nonlinear Mathematical Models. Mathematical Modelling and Computational
        Experiments 1, 1993: the indices.
        F. Hutter, H. Hoos, K. Leyton-Brown. An Efficient Approach for Assessing Hyperparameter Importance. ICML 2014: of a
        forest; section 4.3, `within`. Deviation: by drawn configurations, so that conditions and constraints hold.
        A. Marrel et al. Calculations of Sobol Indices for the Gaussian Process Metamodel. Reliability Engineering and System
        Safety 94, 2009: intervals by functions drawn from the process.
        S. Watanabe, A. Bansal, F. Hutter. PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces.
        IJCAI 2023: "density". Deviation: by bins, and as a share of the variance.

    Example:
        >>> import tunesmith as ts
        >>> space = {"x": ts.Float(-1, 1), "y": ts.Float(-1, 1)}
        >>> study = ts.minimize(lambda t: t["x"] ** 2, space, trials=30, seed=1, progress=False)
        >>> importance(study.history).effects[0].parameter
        'x'
    """
    if method not in ("anova", "density"):
        raise SettingError(f'method is "anova" or "density", got {method!r}')
    if not 0 < within <= 1 or (method == "density" and within != 1):
        raise SettingError(
            f'within is a share above 0 and up to 1, and of method="anova" only, got {within!r}'
        )
    history = seen(history, objective)
    space, tried = history.problem.space, explored(history)
    if len(tried.first) > ENOUGH:
        tried = tried.only(np.linspace(0, len(tried.first) - 1, ENOUGH).astype(int))
    units = space.encode([record.logged for record in tried.first])
    name, losses = history.problem.objectives[0].name, -tried.values / power_of_two(tried.values)
    columns = varied(space)
    if not columns or not np.ptp(losses):
        zeros = np.zeros(len(columns))
        found = _Shares(zeros, zeros, zeros, [], 0.0)
    elif method == "density":
        found = _by_density(space, units, losses, columns)
    else:
        cap = float(np.quantile(losses, within))
        found = _by_variance(space, *_foreseen(tried, units, losses, cap), columns)
    names, parameters = space.names, list(space.parameters.values())
    effects = [
        Effect(
            names[j],
            float(found.shares[i]),
            (float(found.lows[i]), float(found.highs[i])),
            parameters[j].role,
        )
        for i, j in enumerate(columns)
    ]
    effects.sort(key=lambda effect: -effect.share)
    pairs = [
        Interaction((names[a], names[b]), share, interval) for a, b, share, interval in found.pairs
    ]
    pairs.sort(key=lambda pair: -pair.share)
    return Importance(
        name, method, len(losses), tuple(effects), tuple(pairs[:MOST]), found.explained, within
    )


@final
@dataclass(frozen=True, slots=True)
class _Shares:
    """What was found of the columns (c,), and of pairs of them."""

    shares: Floats
    lows: Floats
    highs: Floats
    pairs: list[tuple[int, int, float, Interval]]
    explained: float


def _foreseen(
    tried: Tried[Any], units: Floats, losses: Floats, cap: float
) -> tuple[Floats, Floats, Floats, float]:
    """Configurations (N, d), the losses expected of them (N,), what else these may be (K, N), how much is explained."""
    space, rng = tried.problem.space, np.random.Generator(np.random.Philox(0))
    features = Features(space)
    columns = features(units)
    rows = _everywhere(columns, features(space.draw(rng, FEW)))
    surrogate = Surrogate(tried.some(rows, columns), features)
    size = power_of_two(tried.values)
    if len(losses) > FEW:
        forest = Forest(units, levels(space), np.minimum(losses, cap), rng)
        explained = forest.explained(rows)
        if explained > surrogate.explained:
            points = space.draw(rng, SAMPLE)
            others = forest.groups(points)
            return points, others.mean(axis=0), others, explained
    points = space.draw(rng, SAMPLE)
    others = np.minimum(surrogate.draws(points, DRAWS) / size, cap)
    return points, others.mean(axis=0), others, surrogate.explained


def _everywhere(columns: Floats, wanted: Floats) -> Ints:
    """The places (k,) of what was tried (n, p) nearest to each of what is wanted (k, p), ascending; all, if it is no more."""
    n = len(columns)
    if n <= len(wanted):
        return np.arange(n)
    distances = squared_distances(wanted, columns)
    for row in distances:
        distances[:, row.argmin()] = np.inf
    return np.flatnonzero(np.isinf(distances[-1]))


def _by_variance(
    space: Space[Any],
    points: Floats,
    expected: Floats,
    others: Floats,
    explained: float,
    columns: list[int],
) -> _Shares:
    drawn = _Drawn.of(expected, others)
    parameters = list(space.parameters.values())

    def cells(j: int, most: int) -> Ints:
        return _cells(points[:, j], parameters[j], most)

    effects = np.array([drawn.between(cells(j, BINS)) for j in columns])
    largest = sorted(np.argsort(-effects[:, 0], kind="stable")[:PAIRED].tolist())
    coarse = {i: cells(columns[i], COARSE) for i in largest}
    pairs = []
    for a, b in combinations(largest, 2):
        both = (coarse[a] >= 0) & (coarse[b] >= 0)
        alone = [drawn.between(np.where(both, coarse[i], -1)) for i in (a, b)]
        pair = coarse[a] * (coarse[b].max() + 1) + coarse[b]
        together = drawn.between(np.where(both, pair, -1))
        share, low, high = _spread(together - alone[0] - alone[1])
        pairs.append((columns[a], columns[b], float(share), (float(low), float(high))))
    return _Shares(*_spread(effects), pairs, explained)


def _spread(shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Of shares (..., 1 + K), the first expected and the others what it may be: the share, and where it lies."""
    share, others = shares[..., 0], shares[..., 1:]
    half = WIDTH * others.std(axis=-1, ddof=1)
    low, high = (np.clip(share + side, 0.0, 1.0) for side in (-half, half))
    return np.clip(share, 0.0, 1.0), low, high


@final
@dataclass(frozen=True, slots=True)
class _Drawn:
    """Functions over configurations: the first is expected, the others are what it may be.

    Each of the others is looked at in a half of the configurations, each in another: so what it differs by from the first has
    in it, too, how far all of these stand for the space (the delete-half jackknife: J. Shao, C. F. J. Wu, A General
    Theory for Jackknife Variance Estimation, Annals of Statistics 17, 1989).

    Attributes:
        values: Less their mean, 0 where they are not looked at (1 + K, N).
        looked: 1 where they are looked at (1 + K, N).
        total: The sum of their squares (1 + K,).
    """

    values: Floats
    looked: Floats
    total: Floats

    @classmethod
    def of(cls, expected: Floats, others: Floats) -> "_Drawn":
        rng = np.random.Generator(np.random.Philox(1))
        looked = np.concatenate([np.ones((1, len(expected))), rng.random(others.shape) < 0.5])
        values = np.concatenate([expected[None], others])
        values = (
            values
            - (values * looked).sum(axis=1, keepdims=True) / looked.sum(axis=1, keepdims=True)
        ) * looked
        return cls(values, looked, np.maximum((values**2).sum(axis=1), 1e-300))

    def between(self, cells: Ints) -> Floats:
        """Return the share of the variance (1 + K,) that lies between cells (N,); of cells below 0 nothing is asked.

        It is of the variance over all, so that what holds for some counts by how many they are. What means of
        cells differ by because each is of few is taken off: (C - 1) within / (n - C), as in a one-way analysis of variance.
        """
        used, place = np.unique(cells, return_inverse=True)
        hot = np.zeros((len(cells), len(used)))
        hot[np.arange(len(cells)), place] = 1.0
        hot = hot[:, used >= 0]
        n, sums = self.looked @ hot, self.values @ hot
        squares = self.values**2 @ hot.sum(axis=1)
        between = (sums**2 / np.maximum(n, 1.0)).sum(axis=1)
        within = np.maximum(squares - between, 0.0)
        size, C = n.sum(axis=1), (n > 0).sum(axis=1)
        between -= sums.sum(axis=1) ** 2 / np.maximum(size, 1.0)
        between -= np.maximum(C - 1, 0) * within / np.maximum(size - C, 1.0)
        return np.asarray(between / self.total)


def _cells(u: Floats, parameter: Parameter, most: int) -> Ints:
    """The cell (N,) of each unit (N,), -1 where it is NaN: a value each, if there are few or they have no order."""
    n = parameter.cardinality
    size = most if n is None or (n > most and not isinstance(parameter, Categorical)) else n
    cells = np.minimum(np.nan_to_num(u) * size, size - 1).astype(np.int64)
    return np.where(np.isnan(u), -1, cells)


def _by_density(space: Space[Any], units: Floats, losses: Floats, columns: list[int]) -> _Shares:
    """Of whether a trial is among the best: the Pearson divergence of its parameter's density there from that of all.

    In bins b, of which a share p_b of all trials and p'_b of the best lies, it is sum_b (p'_b / p_b - 1)^2 p_b; times
    the odds of the best it is the share of the variance of being among them.
    """
    n = len(losses)
    best = max(1, round(TOP * n))
    top = np.zeros(n, dtype=bool)
    top[np.argsort(losses, kind="stable")[:best]] = True
    rng = np.random.Generator(np.random.Philox(0))
    parameters = list(space.parameters.values())
    shares = np.array([_divergence(units[:, j], parameters[j], top, rng) for j in columns])
    values, lows, highs = _spread(shares)
    return _Shares(values, lows, highs, [], float(min(1.0, values.sum())))


def _divergence(u: Floats, parameter: Parameter, top: Bools, rng: np.random.Generator) -> Floats:
    """The share (1 + RESAMPLED,) of the variance of `top` (n,) that goes with units (n,), and of resampled trials."""
    here = ~np.isnan(u)
    n, size = len(u), int(here.sum())
    if isinstance(parameter, Categorical) or not size:
        cell = _cells(u[here], parameter, BINS)
    else:  # bins that hold equally many
        parts = np.linspace(0, 1, int(np.clip(size // PER_BIN, 2, BINS)) + 1)[1:-1]
        edges = np.unique(np.quantile(u[here], parts))
        cell = np.searchsorted(edges, u[here], side="left")
    cells = int(cell.max(initial=0)) + 1
    table = np.stack([np.bincount(cell, top[here] == good, cells) for good in (False, True)])
    rest = np.array([(~top[~here]).sum(), top[~here].sum()])
    chances = np.concatenate([table.ravel(), rest]) / n
    counts = np.concatenate([[chances * n], rng.multinomial(n, chances, RESAMPLED)])
    inside = counts[:, :-2].reshape(len(counts), 2, -1)
    total, good = inside.sum(axis=1), inside[:, 1]
    all_n, all_good = total.sum(axis=1), good.sum(axis=1)
    between = (good**2 / np.maximum(total, 1)).sum(axis=1)
    within = all_good - between
    between -= all_good**2 / np.maximum(all_n, 1)
    C = (total > 0).sum(axis=1)
    rate = (all_good + counts[:, -1]) / n
    excess = between - (C - 1) * within / np.maximum(all_n - C, 1)
    return np.asarray(excess / n / np.maximum(rate * (1 - rate), 1e-12))
