"""`advice`: what to change about the ranges before tuning goes on, where the trials are sure enough.

What is compared are effects (`tunesmith.analysis.effects`): what a model expects at values of one parameter, over the better half of
the trials. Something is said only where the difference between values is large enough to matter, and surely
none that chance makes: of all that is tested in a study, the probability that any is wrong is held at 5 % (Bonferroni).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from scipy.special import ndtri

from tunesmith.analysis.effects import AROUND, DRAWS, GRID, Moved, grid, shown
from tunesmith.analysis.modelling import Model, varied
from tunesmith.models.surrogate import deviation
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.records import History
from tunesmith.space import Categorical, Parameter
from tunesmith.space.parameters import Ranged

Kind = Literal["range too narrow", "no effect", "narrow it", "wrong scale"]

LEAST = 20  # configurations
LITTLE = 0.1  # of the variance: who foresees less advises nothing
ALPHA = 0.05  # probability that anything is said that is not so
TRIFLE = 0.1  # deviations of the better half's values: less does not matter
TOP = 0.1  # share of the trials that are the best
END = 0.15  # of a range, that is its end
NARROW = 0.5  # of a range: what is no more is worth being told
BEYOND = 0.25  # of a range, by which it is widened
DECADES = (
    30.0  # times its low end that a range's high end is, where a logarithmic scale would be better
)


@final
@dataclass(frozen=True, slots=True)
class Advice:
    """What to change about one parameter's range.

    Attributes:
        parameter: Its name.
        kind: What is to be said of it.
        text: Why, and what to do.
        low: Where the range should begin; None: as it does.
        high: Where it should end; None: as it does.
    """

    parameter: str
    kind: Kind
    text: str
    low: Any = None
    high: Any = None

    def __str__(self) -> str:
        return f"{self.parameter}: {self.text}"


def advice(history: History[Any], objective: str | None = None) -> tuple[Advice, ...]:
    """Say what to change about the ranges, what gains most first; empty: nothing is sure enough.

    Of studies in which nothing is to be said, something is said in at most 5 % (as measured: `bench/RESULTS.md`).

    Args:
        history: Of a study.
        objective: Its name, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives and none is named, or there is none of that name.
    """
    model = Model.of(history, objective)
    values = np.sort(model.tried.values)[len(model.tried.values) // 2 :]
    few = len(model.tried.values) < LEAST
    if few or model.surrogate.explained < LITTLE or not np.ptp(values):
        return ()
    columns = varied(model.space)
    sure = -float(ndtri(ALPHA / (GRID * len(columns))))
    found: list[tuple[float, Advice]] = []
    for column in columns:
        curve = _Curve.of(model, column, sure, TRIFLE * float(deviation(values)))
        if curve is not None:
            found += curve.advice()
    found.sort(key=lambda pair: -pair[0])
    return tuple(one for _, one in found)


@final
@dataclass(frozen=True, slots=True)
class _Curve:
    """What a model expects at values of one parameter.

    Attributes:
        model: Of the study.
        name: Of the parameter.
        units: Of the values (g,).
        drawn: Expected losses (k, g), drawn; what is worse than the median counts as the median.
        moves: By how much a configuration's loss changes with the parameter to either side, at most: drawn (k,).
        top: Units of the best tenth of the configurations in which it is active.
        sure: Deviations from which on a difference is none of chance.
        trifle: What does not matter, as a difference of losses.
    """

    model: Model[Any]
    name: str
    units: Floats
    drawn: Floats
    moves: Floats
    top: Floats
    sure: float
    trifle: float

    @classmethod
    def of(cls, model: Model[Any], column: int, sure: float, trifle: float) -> "_Curve | None":
        """Look at a parameter; None: it has fewer than two values in the configurations that count."""
        name = model.space.names[column]
        units = grid(model.space.parameters[name], GRID)
        moved = Moved.of(model, [column], units[:, None], AROUND)
        known = moved.known
        u = model.units[:, column]
        active = np.flatnonzero(~np.isnan(u))
        if known.sum() < 2 or len(active) < LEAST:
            return None
        losses = model.surrogate.draws(moved.points, DRAWS)
        # how much worse than the median is not asked, nor how far beyond the best: it may be anything
        middle, best = -np.median(model.tried.values), -model.tried.values.max()
        capped = np.clip(losses, 2 * best - middle, middle)
        order = active[np.argsort(-model.tried.values[active], kind="stable")]
        return cls(
            model, name, units[known], moved.average(capped)[:, known], moved.reach(losses),
            u[order[: max(3, round(TOP * len(order)))]], sure, trifle,
        )  # fmt: skip

    @property
    def parameter(self) -> Parameter:
        return self.model.space.parameters[self.name]

    def advice(self) -> Iterator[tuple[float, Advice]]:
        """Yield what is to be said, and how much it gains."""
        bound = float(np.quantile(self.moves, 1 - ALPHA))
        best = int(np.argmin(self.drawn.mean(axis=0)))
        if bound < self.trifle:
            yield 0.0, self._idle(best, bound)
            return
        worse = self._worse(best)
        gain = float((self.drawn.mean(axis=0) - self.drawn[:, best].mean()).max())
        if isinstance(self.parameter, Categorical):
            if worse.any():
                yield gain, self._fewer(worse)
            return
        ends = [side for side in (0, 1) if self._towards(side)]
        kept = self.units[~worse]
        step = 1 / (GRID - 1)
        low, high = max(0.0, kept.min() - step), min(1.0, kept.max() + step)
        if self._linear() and kept.max() <= END:
            yield gain, self._logarithmic(high)
        elif ends:
            side = ends[0]
            told = self._wider(side)
            if told is not None:
                yield gain, told
        elif high - low <= NARROW and worse.any():
            yield gain, self._narrower(low, high)

    def _worse(self, best: int) -> Bools:
        """Which values are surely worse than the best, and by enough (g,)."""
        behind = self.drawn - self.drawn[:, [best]]
        mean, sd = behind.mean(axis=0), deviation(behind, axis=0)
        return np.asarray((mean > self.sure * sd) & (mean > self.trifle))

    def _towards(self, side: int) -> bool:
        """Whether it surely gets better towards an end, and the best of what was tried lies there."""
        off = np.abs(self.units - side)
        end = int(np.argmin(off))
        inner = off > END
        if not inner.any() or abs(float(np.median(self.top)) - side) > NARROW / 2:
            return False
        nearest = np.flatnonzero(inner)[np.argmin(self.drawn[:, inner].mean(axis=0))]
        behind = self.drawn[:, nearest] - self.drawn[:, end]
        mean = float(behind.mean())
        return mean > self.sure * float(deviation(behind)) and mean > self.trifle

    def _said(self, unit: float) -> Any:
        return self.parameter.from_unit(unit)

    def _among(self) -> str:
        low, high = (shown(self._said(float(u))) for u in (self.top.min(), self.top.max()))
        return f"at {low}" if low == high else f"from {low} to {high}"

    def _idle(self, best: int, bound: float) -> Advice:
        p = self.parameter
        usual = np.sort(self.top)[len(self.top) // 2]  # among the best tenth
        value = self._said(float(self.units[best] if isinstance(p, Categorical) else usual))
        if p.initial is not None:
            value = p.scalars([p.initial])[0]
        return Advice(
            self.name, "no effect",
            f"no effect on {self.model.objective.name} beyond ± {bound:.2g}: fix it at {shown(value)}", value, value,
        )  # fmt: skip

    def _fewer(self, worse: Bools) -> Advice:
        out, kept = (
            ", ".join(shown(self._said(float(u))) for u in self.units[which])
            for which in (worse, ~worse)
        )
        cost = self.drawn[:, worse].mean() - self.drawn[:, ~worse].mean()
        return Advice(
            self.name, "narrow it",
            f"{out} cost{'s' * (int(worse.sum()) == 1)} {cost:.2g} of {self.model.objective.name}: keep {kept}",
        )  # fmt: skip

    def _narrower(self, low: float, high: float) -> Advice:
        a, b = self._said(low), self._said(high)
        return Advice(
            self.name, "narrow it",
            f"all outside {shown(a)} to {shown(b)} is surely worse: narrow it to that", a, b,
        )  # fmt: skip

    def _linear(self) -> bool:
        """Whether it is a number on a linear scale that would fit on a logarithmic one."""
        p = self.parameter
        return isinstance(p, Ranged) and not p.log and 0 < p.low * DECADES < p.high

    def _logarithmic(self, high: float) -> Advice:
        return Advice(
            self.name, "wrong scale",
            f"all beyond {shown(self._said(high))} is surely worse, only the lowest part of a linear scale is good: use log=True",
        )  # fmt: skip

    def _wider(self, side: int) -> Advice | None:
        """What to say of an end; None: it is a natural one, 0, or 1 of a share."""
        p = self.parameter
        end = "upper" if side else "lower"
        text = f"the best tenth lies at the {end} end ({self._among()}), and it gets better towards that"
        if not isinstance(p, Ranged):
            return Advice(self.name, "range too narrow", f"{text}: add a value beyond")
        if (side == 0 and p.low == 0) or (side == 1 and p.high == 1 and p.low >= 0):
            return None
        reach = (p.high / p.low) ** BEYOND if p.log else BEYOND * (p.high - p.low)
        to: float = (
            (p.high * reach if side else p.low / reach)
            if p.log
            else (p.high + reach if side else p.low - reach)
        )
        if p.low >= 0 and not side:
            to = max(to, 0.0)
        to = float(f"{to:.2g}")
        if isinstance(p.low, int):
            to = max(round(to), 1) if p.log else round(to)
        if to in (p.low, p.high):
            return None
        text = f"{text}: widen it to {shown(to)}"
        return Advice(self.name, "range too narrow", text, *((None, to) if side else (to, None)))
