"""The numeric core: units in [0, 1] to numbers and back, all parameters at once.

A column maps its unit u to t = a + u b, which is the number, or the logarithm of number / base. A
continuous column clips to its bounds. A discrete one takes the nearest of `count` evenly spaced
numbers; its edges lie half a step outside the first and last, so that each number owns its mass. Of
a parameter with labels the number is the place of the label.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np

from tunesmith.numerics.arrays import Floats

MOST = 2**40
"""Discrete numbers lie within so many steps of 0: beyond, a unit no longer tells them apart."""


@final
@dataclass(frozen=True, slots=True)
class Column:
    """The map of one parameter.

    Attributes:
        a: t at unit 0.
        b: Length of the range of t.
        base: t is log(number / base); 0: t is the number.
        low: Smallest number.
        high: Largest number.
        step: Distance of neighbouring numbers, if discrete.
        count: How many numbers there are; 0: continuous.
        exact: (first, stride, scale), so that number k is (first + k stride) / scale, rounded once.
    """

    a: float
    b: float
    base: float
    low: float
    high: float
    step: float = 1.0
    count: int = 0
    exact: tuple[float, float, float] = (0.0, 1.0, 1.0)

    def numbers(self, start: int, stop: int) -> Floats:
        """Return the numbers k = start, ..., stop - 1 (k,) of a discrete column, ascending."""
        first, stride, scale = self.exact
        k = np.arange(start, min(stop, self.count), dtype=np.float64)
        return np.asarray((first + k * stride) / scale, dtype=np.float64)


def _range(low: float, high: float, *, log: bool) -> tuple[float, float, float]:
    """Return (a, b, base) of the range from `low` to `high`."""
    if not log:
        return low, high - low, 0.0
    if math.isfinite(high / low):  # so a narrow range far from 1 keeps its digits
        return 0.0, math.log1p((high - low) / low), low
    return math.log(low), math.log(high) - math.log(low), 1.0


def continuous(low: float, high: float, *, log: bool) -> Column:
    """Return the column of all numbers in [low, high]."""
    return single(low) if low == high else Column(*_range(low, high, log=log), low, high)


def discrete(low: float, step: float, count: int, *, log: bool) -> Column:
    """Return the column of `count` numbers from `low` on, `step` apart.

    With decimals as written (0.1, 0.2, 0.3), the numbers are the floats nearest to the decimals.
    """
    high = low + (count - 1) * step
    edge = low - (min(step, low) if log else step) / 2
    first, stride = Fraction(repr(low)), Fraction(repr(step))
    scale = math.lcm(first.denominator, stride.denominator)
    exact = (low, step, 1.0)  # where products would be rounded: so be it
    if scale <= 2**53 and abs(first * scale) + stride * scale * count <= 2**53:
        exact = (float(first * scale), float(stride * scale), float(scale))
    return Column(*_range(edge, high + step / 2, log=log), low, high, step, count, exact)


def single(number: float) -> Column:
    """Return the column of one number."""
    return Column(number - 0.5, 1.0, 0.0, number, number, 1.0, 1, (number, 1.0, 1.0))


@final
class Columns:
    """The maps of all parameters, row by row the same however many rows there are."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._a = np.array([c.a for c in columns], dtype=float)
        self._b = np.array([c.b for c in columns], dtype=float)
        self._logs = np.flatnonzero([c.base for c in columns])
        self._base = np.array([c.base for c in columns if c.base])
        steps = np.flatnonzero([c.count > 0 for c in columns])
        self._discrete: Any = slice(None) if 0 < len(steps) == len(columns) else steps
        self._n_discrete = len(steps)
        # a discrete column is clipped by its index instead
        self._low = np.array([-np.inf if c.count else c.low for c in columns], dtype=float)
        self._high = np.array([np.inf if c.count else c.high for c in columns], dtype=float)
        some = [c for c in columns if c.count]
        self._start = np.array([c.low for c in some])
        self._step = np.array([c.step for c in some])
        self._last = np.array([c.count - 1 for c in some], dtype=float)
        self._first, self._stride, self._scale = (
            np.array([c.exact for c in some], dtype=float).reshape(-1, 3).T
        )

    def numbers(self, units: Floats) -> Floats:
        """Return the numbers (n, d) at `units` (n, d); a unit that is NaN counts as 0.5."""
        u = np.minimum(np.maximum(np.where(np.isnan(units), 0.5, units), 0.0), 1.0)
        t: Floats = self._a + u * self._b
        if len(self._logs):
            t[:, self._logs] = np.exp(t[:, self._logs]) * self._base
        if self._n_discrete < t.shape[1]:
            t[u == 0.0], t[u == 1.0] = -np.inf, np.inf  # ends are exact, however t was rounded
            t = np.minimum(np.maximum(t, self._low), self._high)
        if self._n_discrete:
            k = np.rint((t[:, self._discrete] - self._start) / self._step)
            k = np.minimum(np.maximum(k, 0.0), self._last)
            t[:, self._discrete] = (self._first + k * self._stride) / self._scale
        return t

    def units(self, numbers: Floats) -> Floats:
        """Return the units (n, d) of `numbers` (n, d), NaN where they are NaN."""
        t = numbers.copy()
        if len(self._logs):
            t[:, self._logs] = np.log(t[:, self._logs] / self._base)
        units: Floats = np.minimum(np.maximum((t - self._a) / self._b, 0.0), 1.0)
        return units

    def grains(self, numbers: Floats) -> Floats:
        """Return the lengths in units (n, d) of what belongs to `numbers` (n, d): 0 if continuous."""
        half = np.zeros(numbers.shape[1])
        half[self._discrete] = self._step / 2
        lowest = np.full(numbers.shape[1], -np.inf)
        lowest[self._logs] = np.finfo(float).tiny
        return self.units(numbers + half) - self.units(np.maximum(numbers - half, lowest))
