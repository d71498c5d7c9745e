"""`tunability`: what tuning gains over the default, of each parameter alone, of two together, and of all."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np

from tunesmith.analysis.landscape import Landscape, short, summed
from tunesmith.analysis.recommendation import Estimate
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History

LEVELS = 33  # values of a parameter that are looked at; all, if there are no more
COARSE = 9  # where two are moved
BRANCHES = 8  # ways in which what is not active at the default is made active
SHOWN = 3  # pairs, in words


@final
@dataclass(frozen=True, slots=True)
class Gain:
    """What it gains over the default to tune some parameters and leave all others at their defaults.

    Attributes:
        parameters: Their names.
        to: The values that are expected to be the best, as the log keeps them; of a parameter that the default does
            not have, also of those that it hangs on; empty: the default's.
        gain: By how much the expected objective gets better, in its units; never below 0.
        interval: Where that lies with a probability of 90 %.
        beyond: Of two parameters: what they gain together beyond the better of the two alone.
    """

    parameters: tuple[str, ...]
    to: dict[str, Any]
    gain: float
    interval: tuple[float, float]
    beyond: Estimate | None = None

    @property
    def sure(self) -> bool:
        """Whether it certainly is a gain, so far as the interval tells."""
        return self.interval[0] > 0

    def __str__(self) -> str:
        low, high = self.interval
        to = ", ".join(f"{name} = {short(value)}" for name, value in self.to.items())
        head = to or f"{' and '.join(self.parameters)} as by default"
        return f"{head}: {self.gain:.2g} ({low:.2g} to {high:.2g})"


@final
@dataclass(frozen=True, slots=True)
class Tunability:
    """What tuning gains over the default.

    Attributes:
        objective: Its name.
        default: What the default configuration is expected to have.
        called: What it is called: default, or centre, where a parameter has no default.
        total: The gain of tuning everything: of the best of what was tried and of what follows.
        single: Of each parameter alone, the largest first.
        pairs: Of each two that the default has, by what they gain beyond the better of the two, the largest first.
        trials: How many configurations tell it.
    """

    objective: str
    default: Estimate
    called: str
    total: Gain
    single: tuple[Gain, ...]
    pairs: tuple[Gain, ...]
    trials: int

    def __str__(self) -> str:
        low, high = self.total.interval
        head = f"{self.objective} of the {self.called} is {self.default}; tuning everything gains"
        lines = [f"{head} {self.total.gain:.2g} ({low:.2g} to {high:.2g})"]
        worth = [gain for gain in self.single if gain.sure]
        if worth:
            lines += ["one parameter alone:", *(f"  {gain}" for gain in worth)]
        idle = [gain.parameters[0] for gain in self.single if not gain.sure]
        if idle:
            lines.append(f"no certain gain alone: {', '.join(idle)}")
        together = [
            pair for pair in self.pairs if pair.beyond is not None and pair.beyond.interval[0] > 0
        ]
        if together:
            lines.append("two together, beyond the better of them:")
            lines += [f"  {' and '.join(p.parameters)}: {p.beyond}" for p in together[:SHOWN]]
        return "\n".join(lines)


def tunability(history: History[Any], objective: str | None = None) -> Tunability:
    """Say what tuning gains over the default, of each parameter, of two together, and of all.

    A model of what was measured says what the default would be worth if one parameter is moved, and all others are left
    where they are. Looked at are values between those that completed trials had. A parameter that the default does
    not have is moved together with those that it hangs on; what a move makes active is at its default.
    Values are chosen by the mean of the model; what they gain is the mean of the
    model's difference from the default, so that no luck of a draw has chosen them.

    Args:
        history: Of a study.
        objective: Which, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives, and none is named.

    References:
        P. Probst, A.-L. Boulesteix, B. Bischl. Tunability: Importance of Hyperparameters of Machine Learning
        Algorithms. JMLR 20, 2019: the tunability of an algorithm, of one hyperparameter, of two, and their joint gain.
        Deviation: of one data set, as the log has it, and not averaged over many.
    """
    land = Landscape(history, objective)
    names = list(land.space.parameters)
    alone = _alone(land)
    best = {j: _best(land, rows) for j, rows in alone.items()}
    couples = _couples(land, best)
    both = {pair: _best(land, rows) for pair, rows in couples.items()}
    tried = land.rows[land.may_lead]
    everything = np.array([land.start, *best.values(), *both.values(), *tried])
    total = _best(land, everything)
    rows = np.array([land.start, total, *best.values(), *both.values()])
    worths = land.worths(rows)
    gains = worths - worths[:, :1]
    single: dict[int, Gain] = {}
    singles = dict(zip(best, gains[:, 2:].T, strict=False))
    for j, row in best.items():
        single[j] = _gain(land, (names[j],), row, singles[j])
    pairs = []
    for (i, j), draws in zip(both, gains[:, 2 + len(best) :].T, strict=True):
        better = max((singles[i], singles[j]), key=lambda one: float(one.mean()))
        gain = _gain(land, (names[i], names[j]), both[i, j], draws)
        beyond = summed(draws - better)
        pairs.append(Gain(gain.parameters, gain.to, gain.gain, gain.interval, beyond))
    return Tunability(
        objective=land.model.objective.name,
        default=land.estimate(worths[:, 0]),
        called=land.called,
        total=_gain(land, tuple(names), total, gains[:, 1]),
        single=tuple(sorted(single.values(), key=lambda one: -one.gain)),
        pairs=tuple(sorted(pairs, key=lambda one: -(one.beyond.mean if one.beyond else 0.0))),
        trials=len(land.model.tried.values),
    )


def _gain(land: Landscape[Any], parameters: tuple[str, ...], row: Floats, draws: Floats) -> Gain:
    told = summed(draws)
    return Gain(parameters, land.moved(row), told.mean, told.interval)


def _best(land: Landscape[Any], rows: Floats) -> Floats:
    """The row (d,) that is expected to be the best of the default and rows (n, d); the first of equals."""
    rows = np.vstack([land.start[None], rows])
    return np.asarray(rows[int(np.argmax(land.expected(rows)))])


def _alone(land: Landscape[Any]) -> dict[int, Floats]:
    """Rows (n, d) in which one parameter is moved, by its column."""
    found: dict[int, Floats] = {}
    active = land.active(land.start[None])[0]
    for j in range(len(active)):
        levels = _levels(land, j)
        if len(levels) < 2:
            continue
        starts = land.start[None] if active[j] else _ways(land, j)
        rows = np.repeat(starts, len(levels), axis=0)
        rows[:, j] = np.tile(levels, len(starts))
        found[j] = rows[land.possible(rows)]
    return found


def _levels(land: Landscape[Any], column: int, most: int = LEVELS) -> Floats:
    """Units (n,) of a parameter, between those that it has in what was tried."""
    parameter = list(land.space.parameters.values())[column]
    known = land.rows[land.active(land.rows)[:, column], column]
    n = parameter.cardinality
    if not len(known):
        return np.empty(0)
    if n is None or n > most:
        return np.linspace(known.min(), known.max(), most)
    numbers = parameter.column.numbers(0, n).tolist()
    units = np.array([parameter.to_unit(value) for value in parameter.scalars(numbers)])
    tried = (units >= known.min() - 1e-9) & (units <= known.max() + 1e-9)
    return np.asarray(units[tried])


def _ways(land: Landscape[Any], column: int) -> Floats:
    """Rows (n, d) that differ from the default as little as it takes to make a parameter active.

    They come from what was tried: what others that stand above it have there goes back to the default, one by
    one, as far as it stays active.
    """
    blocks = land.space.blocks
    home = next(block for block in blocks if column in block.columns)
    above = [c for place in home.above for c in blocks[place].columns]
    tried = land.rows[land.active(land.rows)[:, column]]
    rows = np.repeat(land.start[None], len(tried), axis=0)
    rows[:, above] = tried[:, above]
    for other in above:
        back = rows.copy()
        back[:, other] = land.start[other]
        still = land.active(back)[:, column]
        rows[still] = back[still]
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)[:BRANCHES]]


def _couples(land: Landscape[Any], best: dict[int, Floats]) -> dict[tuple[int, int], Floats]:
    """Rows (n, d) in which two parameters are moved that the default has, by their columns."""
    active = land.active(land.start[None])[0]
    here = [j for j in best if active[j]]
    levels = {j: np.append(_levels(land, j, COARSE), best[j][j]) for j in here}
    found: dict[tuple[int, int], Floats] = {}
    for i, j in combinations(here, 2):
        grid = np.array(np.meshgrid(levels[i], levels[j], indexing="ij")).reshape(2, -1)
        rows = np.repeat(land.start[None], grid.shape[1], axis=0)
        rows[:, i], rows[:, j] = grid
        found[i, j] = rows[land.possible(rows)]
    return found
