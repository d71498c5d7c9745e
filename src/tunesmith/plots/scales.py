"""Parameters as axes: their range, on a logarithm where they have one, and labels by their place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.words import number
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.frame import axis
from tunesmith.plots.theme import Spec
from tunesmith.plots.words import label, short, text
from tunesmith.records import Problem, Record
from tunesmith.space import Categorical, Float, Int, Ordinal, Parameter

PANELS = 12  # parameters that are shown where none are named
MARKS = 4  # numbers that a small axis has room for
_LABEL = 7  # characters of a label, where there is no room for all


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of a parameter.

    Attributes:
        name: Of the parameter.
        log: Whether the axis is logarithmic.
        labels: Of a parameter that has labels: all of them, in order; else empty.
        low: The least number; of labels their place counts.
        high: The largest.
    """

    name: str
    log: bool
    labels: tuple[Any, ...]
    low: float
    high: float
    parameter: Parameter = field(repr=False)

    @classmethod
    def of(cls, problem: Problem[Any], name: str) -> Self:
        """Return the axis of a parameter.

        Raises:
            SettingError: There is none of this name.
        """
        parameters = problem.space.parameters
        if name not in parameters:
            raise SettingError(
                f"the space has no parameter {name!r}; it has {', '.join(parameters) or 'none'}"
            )
        parameter = parameters[name]
        if isinstance(parameter, Float | Int):
            return cls(
                name, parameter.log, (), float(parameter.low), float(parameter.high), parameter
            )
        labels = (
            tuple(parameter.labels or ()) if isinstance(parameter, Categorical | Ordinal) else ()
        )
        return cls(name, False, labels, 0.0, len(labels) - 1.0, parameter)

    def numbers(self, records: Sequence[Record[Any]]) -> Floats:
        """Return where records lie (n,); NaN where the parameter is not active."""
        return self.places([record.logged.get(self.name) for record in records])

    def places(self, values: Sequence[Any]) -> Floats:
        """Return where values lie (n,), as the log keeps them; None is nowhere, if it is no label."""
        if self.labels:
            known = {(type(v), v): self.parameter.number(v) for v in self.labels}
            values = [known.get((type(v), v)) for v in values]
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

    def shares(self, numbers: Floats) -> Floats:
        """Return how far numbers (n,) are on the way from the lower to the upper end (n,), from 0 to 1."""
        low, high = self.low, self.high
        if self.log:
            low, high, numbers = np.log(low), np.log(high), np.log(numbers)
        if high <= low:
            return np.where(np.isnan(numbers), np.nan, 0.5)
        return np.asarray((numbers - low) / (high - low), dtype=np.float64)

    def said(self, at: float) -> str:
        """Return a value in words."""
        return label(self.labels[int(at)]) if self.labels else number(at)

    def axis(self, room: int = 26) -> Spec:
        """Return the axis as Plotly's JSON.

        Args:
            room: Characters that its labels may have together.
        """
        title = short(self.name, 40)
        if self.labels:
            told = apart([label(one) for one in self.labels])
            n = len(told)
            ticks, width = list(range(n)), max(map(len, told))
            if n * (width + 2) > room:
                most = max(2, room // (min(width, _LABEL) + 2))
                ticks, width = list(range(0, n, -(-n // most))), min(width, _LABEL)
            texts = [
                text(told[i] if len(told[i]) <= width else f"{told[i][: width - 1]}…")
                for i in ticks
            ]
            ends = [-0.5, self.high + 0.5]
            return axis(title, tickvals=ticks, ticktext=texts, range=ends, tickangle=0)
        if self.low == self.high:
            return axis(title, nticks=3)
        low, high = np.log10([self.low, self.high]) if self.log else (self.low, self.high)
        pad = 0.03 * (high - low)
        ends = [low - pad, high + pad]
        if isinstance(self.parameter, Int) and high - low <= MARKS and not self.log:
            return axis(title, range=ends, dtick=1)
        if not self.log:
            return axis(title, range=ends, nticks=5)
        round_ = decades(self.low, self.high)
        texts = [number(tick) for tick in round_]
        return axis(title, range=ends, type="log", tickvals=round_, ticktext=texts)


def decades(low: float, high: float) -> list[float]:
    """Return at most four round numbers in a logarithmic range."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for per in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**k for k in range(first, last + 1) for m in per]
        ticks = [t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(ticks) <= MARKS:
            return ticks
    return ticks[:: -(-len(ticks) // MARKS)]


def apart(labels: Sequence[str]) -> list[str]:
    """Return labels without what all of them begin with, and end with, if that is long.

    Example:
        >>> apart(["a model of size 3 for faces", "a model of size 12 for faces"])
        ['…3…', '…12…']
    """
    before, after = _shared(labels), _shared([one[::-1] for one in labels])
    if before > _LABEL:
        labels = [f"…{one[before:]}" for one in labels]
    if after > _LABEL:
        labels = [f"{one[:-after]}…" for one in labels]
    return list(labels)


def _shared(labels: Sequence[str]) -> int:
    """With how many characters all of them begin."""
    first, last = min(labels, default=""), max(labels, default="")  # what these two share, all do
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)


def scales(problem: Problem[Any], names: Sequence[str] | None) -> list[Scale]:
    """Return the axes of the parameters that are named; by default of the first ones that have several values.

    Raises:
        NotSupported: The space has none.
        SettingError: One is named that the space does not have.
    """
    if names is None:
        several = [n for n, p in problem.space.parameters.items() if p.cardinality != 1]
        names = several[:PANELS]
    elif isinstance(names, str):
        names = [names]
    if not names:
        raise NotSupported("this picture shows parameters, the space has none that may vary")
    return [Scale.of(problem, name) for name in names]
