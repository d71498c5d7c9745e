"""`tunability`: what tuning gains over the default, of each parameter alone, of two together, and of all."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar, final

import numpy as np

from tunesmith.analysis.landscape import TAILS, Landscape, short, summed
from tunesmith.analysis.recommendation import Estimate, within
from tunesmith.analysis.remembering import remembered
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History

K = TypeVar("K")

LEVELS = 25  # values of a parameter that are looked at; all, if there are no more
COARSE = 7  # where two are moved
BRANCHES = 8  # ways in which what is not active at the default is made active
FEW = 4  # combinations of two that draws choose from
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
        to = ", ".join(f"{name} = {short(value)}" for name, value in self.to.items())
        head = to or f"{' and '.join(self.parameters)} as by default"
        return f"{head}: {within(self.gain, self.interval)}"


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
        head = f"{self.objective} of the {self.called} is {self.default}; tuning everything gains"
        lines = [f"{head} {within(self.total.gain, self.total.interval)}"]
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


@remembered
def tunability(history: History[Any], objective: str | None = None) -> Tunability:
    """Say what tuning gains over the default, of each parameter, of two together, and of all.

    A model of what was measured says what the default would be worth if one parameter is moved, and all others are left
    where they are. Looked at are values between those that completed trials had, where limits are expected to hold
    and trials not to fail. A parameter that the default does not have is moved together with those that it hangs on;
    what a move makes active is at its default.

    Told is what the value with the best mean gains on average, by draws from the model. A gain is certain if it is
    one where one half of the draws chooses the value and the other half says what it gains: the best of many uncertain
    values looks too good. (Where nothing matters at all, a third to a half of the interval's half width
    remains, as a gain that is not certain.)

    Args:
        history: Of a study.
        objective: Which, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        NotSupported: The default failed.
        SettingError: There are several objectives, and none is named.

    References:
        P. Probst, A.-L. Boulesteix, B. Bischl. Tunability: Importance of Hyperparameters of Machine Learning
        Algorithms. JMLR 20, 2019: the tunability of an algorithm, of one hyperparameter, of two, and their joint gain.
        Deviation: of one data set, as the log has it, and not averaged over many.
    """
    land = Landscape(history, objective)
    land.check_default()
    names = list(land.space.parameters)
    alone = _alone(land)
    best = {j: rows[0] for j, rows in _first(land, alone, 1).items() if len(rows)}
    couples = _first(land, _couples(land, best), FEW)
    groups = [*alone.values(), *couples.values(), land.rows[land.may_lead]]
    rows = np.vstack([land.start[None], *groups])
    worths = land.worths(rows)
    gains = np.split(worths - worths[:, :1], np.cumsum([1, *map(len, groups[:-1])]), axis=1)[1:]
    singles = {
        j: _Chosen.of(land, rows, draws)
        for (j, rows), draws in zip(alone.items(), gains, strict=False)
    }
    pairs = []
    for ((i, j), rows), draws in zip(couples.items(), gains[len(alone) :], strict=False):
        both = _Chosen.of(land, rows, draws)
        better = max((singles[i], singles[j]), key=lambda one: one.gain)
        pairs.append(both.told((names[i], names[j]), summed(both.draws - better.draws)))
    everything = _Chosen.of(land, np.vstack(groups), np.hstack(gains))
    single = [one.told((names[j],)) for j, one in singles.items()]
    return Tunability(
        objective=land.model.objective.name,
        default=land.estimate(worths[:, 0]),
        called=land.called,
        total=everything.told(tuple(names)),
        single=tuple(sorted(single, key=lambda one: -one.gain)),
        pairs=tuple(sorted(pairs, key=lambda one: -(one.beyond.mean if one.beyond else 0.0))),
        trials=len(land.model.tried.values),
    )


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """The best of some rows, the default among them, and what it gains.

    Attributes:
        to: Its values that are not the default's.
        draws: What it gains (DRAWS,).
        interval: That holds with 90 % what the truly best of the rows gains. It begins where one is certain that is
            chosen by some draws and valued by others, so that no luck that has chosen it values it, and ends where the best of each
            draw, whichever it is, is valued by the same.
    """

    to: dict[str, Any]
    draws: Floats
    interval: tuple[float, float]

    @classmethod
    def of(cls, land: Landscape[Any], rows: Floats, gains: Floats) -> "_Chosen":
        """Choose of rows (n, d) by draws of their gains (DRAWS, n)."""
        rows = np.vstack([land.start[None], rows])
        gains = np.column_stack([np.zeros(len(gains)), gains])  # the first of equals: the default
        n = len(gains)
        best = int(gains.mean(axis=0).argmax())
        others = gains[np.arange(n), np.roll(gains.argmax(axis=1), n // 2)]
        low, high = np.quantile(others, TAILS[0]), np.quantile(gains.max(axis=1), TAILS[1])
        interval = max(0.0, float(low)), float(high)
        return cls(land.moved(rows[best]), gains[:, best], interval)

    @property
    def gain(self) -> float:
        """The mean gain: 0 at least, which the default has."""
        return float(self.draws.mean())

    def told(self, parameters: tuple[str, ...], beyond: Estimate | None = None) -> Gain:
        """Return the gain of these parameters."""
        return Gain(parameters, self.to, self.gain, self.interval, beyond)


def _first(land: Landscape[Any], groups: dict[K, Floats], most: int) -> dict[K, Floats]:
    """The rows (most, d), or all, of each group (n, d) that are expected to be the best, the best first."""
    ends = np.cumsum([len(rows) for rows in groups.values()])[:-1]
    expected = np.split(land.expected(np.vstack(list(groups.values()))), ends) if groups else []
    return {
        key: rows[np.argsort(-worth, kind="stable")[:most]]
        for (key, rows), worth in zip(groups.items(), expected, strict=True)
    }


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
        found[j] = land.promising(rows)
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
    levels = {j: np.append(_levels(land, j, COARSE), [best[j][j], land.start[j]]) for j in here}
    found: dict[tuple[int, int], Floats] = {}
    for i, j in combinations(here, 2):
        grid = np.array(np.meshgrid(levels[i], levels[j], indexing="ij")).reshape(2, -1)
        rows = np.repeat(land.start[None], grid.shape[1], axis=0)
        rows[:, i], rows[:, j] = grid
        found[i, j] = land.promising(rows)
    return found
