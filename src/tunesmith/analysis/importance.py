"""`importance`: which parameters the objective depends on, how surely, and which only together.

By analysis of variance: over configurations drawn from the space, as a model foresees them, the share of the variance
that goes with one parameter, and what goes with two beyond that. By density: the same of whether a trial is among the best tenth.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, final

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.modelling import Model, levels, seen, varied
from tunesmith.analysis.recommendation import WIDTH, Tried
from tunesmith.analysis.remembering import remembered
from tunesmith.models.forest import Forest
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.records import History
from tunesmith.space import Space

Method = Literal["anova", "density"]
Interval = tuple[float, float]

FEW = 200  # trials, up to which a Gaussian process explains them
DRAWS = 100  # from it
SAMPLE, SAMPLE_GP = 8192, 600  # configurations of which variances are taken
BINS, COARSE = 32, 8  # of a parameter, and of each of two
TOP = 0.1  # share of the trials that are the best
RESAMPLED = 200  # times, for intervals of densities
PER_BIN = 20  # trials in a bin of a density
PAIRED = 8  # parameters, of which pairs are looked at
MOST = 20  # interactions
LITTLE = 0.3  # of the variance: who explains less is not to be relied on
SMALL = 0.01  # share, below which a parameter is not named


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
            f"the variance of {self.objective} {where}"
            if self.method == "anova"
            else f"what tells the best tenth by {self.objective} from the others"
        )
        head = f"{what}, by {self.trials} configurations:"
        named = [e for e in self.effects if e.interval[1] >= SMALL]
        if not self.effects:
            return f"{head} no parameter has several values"
        if not any(effect.share for effect in self.effects):
            return f"{head} no parameter shows an effect"
        names = [e.parameter for e in named]
        shown = [i for i in self.interactions if i.share >= SMALL][:5]
        names += [" × ".join(i.parameters) for i in shown]
        width = max(map(len, names), default=0)
        lines = [head]
        for name, one in zip(names, [*named, *shown], strict=True):
            low, high = one.interval
            lines.append(f"  {name:{width}}  {one.share:4.0%}  ({low:.0%} to {high:.0%})")
        others = len(self.effects) - len(named)
        if others:
            lines.append(f"  {others} other{'s' * (others > 1)}: under {SMALL:.0%} each")
        if self.method == "anova" and self.explained < LITTLE:
            lines.append(
                f"a model foresees {self.explained:.0%} of the differences between trials: do not rely on this"
            )
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

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives and none is named, or there is none of that name; another method.
    """
    if method not in ("anova", "density"):
        raise SettingError(f'method is "anova" or "density", got {method!r}')
    if not 0 < within <= 1 or (method == "density" and within != 1):
        raise SettingError(
            f'within is a share above 0 and up to 1, and of method="anova" only, got {within!r}'
        )
    history = seen(history, objective)
    measurable(history)
    space, tried = history.problem.space, Tried.of(history)
    units = space.encode([record.logged for record in tried.first])
    name, losses = history.problem.objectives[0].name, -tried.values
    columns = varied(space)
    if not columns or not np.ptp(losses):
        zeros = np.zeros(len(columns))
        found = _Shares(zeros, zeros, zeros, [], 0.0)
    elif method == "density":
        found = _by_density(units, losses, columns)
    else:
        cap = float(np.quantile(losses, within))
        found = _by_variance(space, *_foreseen(history, units, losses, cap), columns)
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
    history: History[Any], units: Floats, losses: Floats, cap: float
) -> tuple[Floats, Floats, Floats, float]:
    """Configurations (N, d), the losses expected of them (N,), what else these may be (K, N), how much is explained."""
    space, rng = history.problem.space, np.random.Generator(np.random.Philox(0))
    if len(losses) <= FEW:
        surrogate = Model.of(history).surrogate
        points = space.draw(rng, SAMPLE_GP)
        others = np.minimum(surrogate.draws(points, DRAWS), cap)
        return points, others.mean(axis=0), others, surrogate.explained
    forest = Forest(units, levels(space), np.minimum(losses, cap), rng)
    points = space.draw(rng, SAMPLE)
    others = forest.groups(points)
    return points, others.mean(axis=0), others, forest.explained


def _by_variance(
    space: Space[Any],
    points: Floats,
    expected: Floats,
    others: Floats,
    explained: float,
    columns: list[int],
) -> _Shares:
    values = np.concatenate([expected[None], others])
    values = values - values.mean(axis=1, keepdims=True)
    total = np.maximum(values.var(axis=1), 1e-300)
    counts = [p.cardinality or 0 for p in space.parameters.values()]
    effects = (
        np.array([_between(values, _cells(points[:, j], counts[j], BINS)) for j in columns]) / total
    )
    pairs = []
    largest = np.argsort(-effects[:, 0], kind="stable")[:PAIRED]
    coarse = {i: _cells(points[:, columns[i]], counts[columns[i]], COARSE) for i in largest}
    for a, b in combinations(sorted(largest.tolist()), 2):
        both = np.where((coarse[a] >= 0) & (coarse[b] >= 0), coarse[a] * BINS + coarse[b], -1)
        alone = [_between(values, np.where(both >= 0, coarse[i], -1)) for i in (a, b)]
        share, low, high = _spread((_between(values, both) - alone[0] - alone[1]) / total)
        pairs.append((columns[a], columns[b], float(share), (float(low), float(high))))
    return _Shares(*_spread(effects), pairs, explained)


def _spread(shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Of shares (..., 1 + K), the first expected and the others what it may be: the share, and where it lies."""
    share, others = shares[..., 0], shares[..., 1:]
    half = WIDTH * others.std(axis=-1, ddof=1)
    low, high = (np.clip(share + side, 0.0, 1.0) for side in (-half, half))
    return np.clip(share, 0.0, 1.0), low, high


def _cells(u: Floats, count: int, most: int) -> Ints:
    """The cell (N,) of each unit (N,), -1 where it is NaN: a value each, if there are few."""
    size = count if 0 < count <= BINS and (count <= most or most == BINS) else most
    cells = np.minimum(np.nan_to_num(u) * size, size - 1).astype(np.int64)
    return np.where(np.isnan(u), -1, cells)


def _between(values: Floats, cells: Ints) -> Floats:
    """The variance between cells (K,) of values (K, N), 0 where it is chance; of cells below 0 nothing is asked.

    It is over all N, so that what holds for some of them counts by how many they are. What the means of cells
    differ by because each is of few is taken off: (C - 1) within / (n - C), as in a one-way analysis of variance.
    """
    here = np.flatnonzero(cells >= 0)
    used, place = np.unique(cells[here], return_inverse=True)
    n, C = len(here), len(used)
    if n <= C or C < 2:
        return np.zeros(len(values))
    some = values[:, here]
    hot = np.zeros((n, C))
    hot[np.arange(n), place] = 1.0
    sums = some @ hot
    between = (sums**2 / hot.sum(axis=0)).sum(axis=1)
    within = np.maximum((some**2).sum(axis=1) - between, 0.0)
    between -= some.sum(axis=1) ** 2 / n
    return np.asarray((between - (C - 1) * within / (n - C)) / len(cells))


def _by_density(units: Floats, losses: Floats, columns: list[int]) -> _Shares:
    """Of whether a trial is among the best: the Pearson divergence of its parameter's density there from that of all.

    In bins b, of which a share p_b of all trials and p'_b of the best lies, it is sum_b (p'_b / p_b - 1)^2 p_b; times
    the odds of the best it is the share of the variance of being among them.
    """
    n = len(losses)
    best = max(1, round(TOP * n))
    top = np.zeros(n, dtype=bool)
    top[np.argsort(losses, kind="stable")[:best]] = True
    rng = np.random.Generator(np.random.Philox(0))
    shares = np.array([_divergence(units[:, j], top, rng) for j in columns])
    values, lows, highs = _spread(shares)
    return _Shares(values, lows, highs, [], float(min(1.0, values.sum())))


def _divergence(u: Floats, top: Bools, rng: np.random.Generator) -> Floats:
    """The share (1 + RESAMPLED,) of the variance of `top` (n,) that goes with units (n,), and of resampled trials."""
    here = ~np.isnan(u)
    n, size = len(u), int(here.sum())
    wanted = int(np.clip(size // PER_BIN, 2, BINS))
    edges = np.unique(np.quantile(u[here], np.linspace(0, 1, wanted + 1)[1:-1])) if size else []
    cell = np.searchsorted(edges, u[here], side="left")
    table = np.stack(
        [np.bincount(cell, top[here] == good, len(edges) + 1) for good in (False, True)]
    )
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
