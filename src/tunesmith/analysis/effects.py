"""`effects` and `surface`: how the expected objective goes with one parameter, or with two, all others as they were.

It is partial dependence of a model of the trials: the parameter is set to a value in each of some configurations, the others
stay, and the mean is taken of what the model expects. The configurations are the better half of those that were tried: so a curve tells what
the parameter does where one would work, and not what it does in corners that nobody would use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith.analysis.modelling import Model, varied
from tunesmith.analysis.remembering import remembered
from tunesmith.models.surrogate import deviation
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.records import History
from tunesmith.space import Categorical, Parameter

GRID, SIDE = 17, 13  # values of a parameter; of each of two
AROUND, FEWER = 24, 6  # configurations, in which it is moved; in which two are
DRAWS = 400  # from the model, of which intervals are taken


@final
@dataclass(frozen=True, slots=True)
class EffectCurve:
    """What the expected objective is at values of one parameter.

    Attributes:
        parameter: Its name.
        objective: The name of what is expected.
        values: Of the parameter, as the log keeps them, ascending; categories in their order.
        units: Where they lie in its range, from 0 to 1 (g,).
        mean: What is expected there, in the objective's sign and units (g,).
        low: Where that begins with a probability of 90 % (g,).
        high: Where it ends (g,).
        best: The value with the best mean.
        default: The parameter's default; None: it has none.
        active: The share of the trials in which it is active.
    """

    parameter: str
    objective: str
    values: tuple[Any, ...]
    units: Floats
    mean: Floats
    low: Floats
    high: Floats
    best: Any
    default: Any
    active: float

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.parameter}: {shown(self.values[0])} is its only value"
        i = self.values.index(self.best)
        if not np.ptp(self.mean):
            return f"{self.parameter}: {self.objective} is the same at all of its values, {self.mean[i]:.4g}"
        text = (
            f"{self.parameter}: {self.objective} is best at {shown(self.best)}, {self.mean[i]:.4g} "
            f"({self.low[i]:.4g} to {self.high[i]:.4g})"
        )
        others = np.delete(np.arange(len(self.values)), i)
        far = others[np.argmax(np.abs(self.mean[others] - self.mean[i]))]
        return f"{text}; at {shown(self.values[far])} it is {self.mean[far]:.4g} ({self.low[far]:.4g} to {self.high[far]:.4g})"


@final
@dataclass(frozen=True, slots=True)
class Surface:
    """What the expected objective is at values of two parameters.

    Attributes:
        parameters: Their names.
        objective: The name of what is expected.
        x: Values of the first, as the log keeps them (gx).
        y: Values of the second (gy).
        mean: What is expected (gx, gy), in the objective's sign and units; NaN where the space has no such configuration.
        sd: Its standard deviation (gx, gy), likewise.
    """

    parameters: tuple[str, str]
    objective: str
    x: tuple[Any, ...]
    y: tuple[Any, ...]
    mean: Floats
    sd: Floats


@remembered
def effects(
    history: History[Any],
    parameters: str | Sequence[str] | None = None,
    objective: str | None = None,
) -> tuple[EffectCurve, ...]:
    """Return how the expected objective goes with each parameter.

    A category has a point for each label; a number up to 17, evenly spaced in its own scale. Of a conditional parameter
    the configurations count in which it is active. Where a value would break a constraint or makes the parameter
    inactive, the configuration is left out for that value.

    Args:
        history: Of a study.
        parameters: Their names; by default all that have several values.
        objective: Its name, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        NotSupported: A parameter that was named has been active in no trial.
        SettingError: There is no such parameter or objective, or several objectives and none is named.

    References:
        J. H. Friedman. Greedy Function Approximation: A Gradient Boosting Machine. Annals of Statistics 29, 2001. Section 8.2.
        J. Moosbauer et al. Explaining Hyperparameter Optimization via Partial Dependence Plots. NeurIPS 2021: its
        uncertainty, from the model's own.
    """
    model = Model.of(history, objective)
    names = model.space.names
    if parameters is None:
        columns = varied(model.space)
    else:
        given = [parameters] if isinstance(parameters, str) else parameters
        columns = [_column(names, name) for name in given]
    curves = {column: curve(model, column) for column in columns}
    if parameters is not None and None in curves.values():
        idle = [names[column] for column, found in curves.items() if found is None]
        raise NotSupported(f"no trial tells of {', '.join(idle)}: it has been active in none")
    return tuple(found for found in curves.values() if found is not None)


def surface(
    history: History[Any], first: str, second: str, objective: str | None = None
) -> Surface:
    """Return how the expected objective goes with two parameters; see `effects`.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There is no such parameter or objective, or it is twice the same.
    """
    model = Model.of(history, objective)
    a, b = (_column(model.space.names, name) for name in (first, second))
    if a == b:
        raise SettingError(f"a surface needs two parameters, got {first!r} twice")
    parameters = list(model.space.parameters.values())
    x, y = grid(parameters[a], SIDE), grid(parameters[b], SIDE)
    pairs = np.stack([np.repeat(x, len(y)), np.tile(y, len(x))], axis=1)
    moved = Moved.of(model, [a, b], pairs, FEWER)
    sign = model.objective.sign
    mean, sd = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    if len(moved.points):
        drawn = moved.average(model.surrogate.draws(moved.points, DRAWS))
        known = moved.known
        mean[known], sd[known] = (
            sign * drawn[:, known].mean(axis=0),
            deviation(drawn[:, known], axis=0),
        )
    shape = len(x), len(y)
    xs, ys = (
        tuple(parameters[j].from_unit(float(u)) for u in units) for j, units in ((a, x), (b, y))
    )
    return Surface(
        (first, second), model.objective.name, xs, ys, mean.reshape(shape), sd.reshape(shape)
    )


def _column(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise SettingError(f"there is no parameter {name!r}; the space has {', '.join(names)}")
    return names.index(name)


def curve(model: Model[Any], column: int) -> EffectCurve | None:
    """Return how the expected objective goes with the parameter of a column; None: it has been active in no trial."""
    name = model.space.names[column]
    parameter = model.space.parameters[name]
    units = grid(parameter, GRID)
    moved = Moved.of(model, [column], units[:, None], AROUND)
    if not moved.known.any():  # constraints leave nothing between the values that were tried
        units = np.unique(_good(model, [column], AROUND)[:, column])
        moved = Moved.of(model, [column], units[:, None], AROUND)
    if not len(units):
        return None
    known = np.flatnonzero(moved.known)
    units = units[known]
    drawn = moved.average(model.surrogate.draws(moved.points, DRAWS))[:, known]
    sign = model.objective.sign
    mean = sign * drawn.mean(axis=0)
    low, high = np.sort(sign * np.quantile(drawn, (0.05, 0.95), axis=0), axis=0)
    values = tuple(parameter.from_unit(float(unit)) for unit in units)
    initial = parameter.initial
    return EffectCurve(
        name, model.objective.name, values, units, mean, low, high, values[int(np.argmin(sign * mean))],
        None if initial is None else parameter.scalars([initial])[0],
        float(np.mean(~np.isnan(model.units[:, column]))),
    )  # fmt: skip


def grid(parameter: Parameter, most: int) -> Floats:
    """Return units (g,) of values: all if there are at most so many or it has no order, else evenly spaced ones."""
    n = parameter.cardinality
    if n is not None and (n <= most or isinstance(parameter, Categorical)):
        return np.asarray(
            (np.arange(n) + 0.5) / n if not hasattr(parameter, "log") else _levels(parameter, n)
        )
    if n is None:
        return np.linspace(0.0, 1.0, most)
    return np.unique([parameter.to_unit(parameter.from_unit(u)) for u in np.linspace(0, 1, most)])


def _levels(parameter: Parameter, n: int) -> Floats:
    """The units of the values of a number with few."""
    numbers = parameter.column.numbers(0, n).tolist()
    return np.array([parameter.to_unit(value) for value in parameter.scalars(numbers)])


@final
@dataclass(frozen=True, slots=True)
class Moved:
    """Configurations in which parameters were set to each of some values.

    Attributes:
        points: Units (n, d).
        value: Which of the values each has (n,).
        base: Which configuration it was made of (n,).
        count: How many values there are.
    """

    points: Floats
    value: Ints
    base: Ints
    count: int

    @classmethod
    def of(cls, model: Model[Any], columns: list[int], values: Floats, most: int) -> "Moved":
        """Set columns to each row of `values` (g, c) in up to `most` good configurations in which they are active."""
        bases = _good(model, columns, most)
        g = len(values)
        points = np.repeat(bases, g, axis=0)
        points[:, columns] = np.tile(values, (len(bases), 1))
        value, base = np.tile(np.arange(g), len(bases)), np.repeat(np.arange(len(bases)), g)
        snapped = model.space.snap(points)
        valid = model.space.feasible(points) & ~np.isnan(snapped[:, columns]).any(axis=1)
        return cls(snapped[valid], value[valid], base[valid], g)

    @property
    def known(self) -> Bools:
        """Which of the values any configuration has (g,)."""
        return np.asarray(np.bincount(self.value, minlength=self.count) > 0)

    def average(self, drawn: Floats) -> Floats:
        """Return the mean (k, g) at each value of what is expected of the points (k, n); 0 where there are none."""
        hot = np.zeros((len(self.value), self.count))
        hot[np.arange(len(self.value)), self.value] = 1.0
        return np.asarray(drawn @ hot / np.maximum(hot.sum(axis=0), 1.0))

    def reach(self, drawn: Floats) -> Floats:
        """Return half of the range (k,) of what is expected over the values, of a configuration on average, drawn (k, n)."""
        table = np.full((len(drawn), int(self.base.max()) + 1, self.count), np.nan)
        table[:, self.base, self.value] = drawn
        table = table[:, np.bincount(self.base) > 0]
        return np.asarray((np.nanmax(table, axis=2) - np.nanmin(table, axis=2)).mean(axis=1) / 2)


def _good(model: Model[Any], columns: list[int], most: int) -> Floats:
    """Units (k, d) of configurations of the better half in which columns are active, evenly from all of it; else of any, if there are."""
    order = model.rows[np.argsort(-model.tried.values[model.rows], kind="stable")]
    active = ~np.isnan(model.units[order][:, columns]).any(axis=1)
    half = np.arange(len(order)) < (len(order) + 1) // 2
    for among in (active & half, active):
        places = order[among]
        if len(places):
            some = np.unique(np.linspace(0, len(places) - 1, most).astype(int))
            return np.asarray(model.units[places[some]])
    return np.empty((0, model.units.shape[1]))


def shown(value: Any) -> str:
    """Return a value as people read it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
