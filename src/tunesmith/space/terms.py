"""What the parts of a condition are once compiled: numbers, labels and truths, row by row.

A truth has three values, as in Kleene's logic: what cannot be computed (1 / 0, the logarithm of a
negative number) is neither true nor false, so it holds neither as it stands nor under `not`.
Results of arithmetic that are not whole are compared up to rounding: 0.1 + 0.2 <= 0.3 holds.
"""

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.space.labels import Scalar

Of: TypeAlias = Callable[[Floats], Any]
"""From numbers (n, d) to one value for each row (n,)."""

Truths: TypeAlias = Callable[[Floats], tuple[Any, Any]]
"""From numbers (n, d) to where it is true (n,) and where it is false (n,)."""

_ROUNDING = 1e-13  # of a thousand additions, in terms of the sum of magnitudes

COMPARE: dict[type, Any] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
MIRROR: dict[type, type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


def _defined(f: Any, undefined: Callable[[Any, Any], Any]) -> Any:
    """Return the function that is NaN where it is not defined."""
    return lambda a, b: np.where(undefined(a, b), np.nan, f(a, b))


ARITHMETIC: dict[type, Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _defined(np.divide, lambda _, b: b == 0),
    ast.FloorDiv: _defined(np.floor_divide, lambda _, b: b == 0),
    ast.Mod: _defined(np.mod, lambda _, b: b == 0),
    ast.Pow: _defined(np.power, lambda a, b: (a == 0) & (b < 0)),
}
"""Functions of two numbers by operator."""


def _logarithm(f: Any) -> Any:
    return lambda x: np.where(x > 0, f(x), np.nan)


FUNCTIONS: dict[str, Any] = {
    "abs": np.abs,
    "log": _logarithm(np.log),
    "log2": _logarithm(np.log2),
    "log10": _logarithm(np.log10),
    "exp": np.exp,
    "sqrt": np.sqrt,
    "len": np.positive,  # a list's own column is its length
}
REDUCE: dict[str, Any] = {"min": np.minimum, "max": np.maximum}


@final
@dataclass(frozen=True, slots=True)
class Number:
    """A number.

    Attributes:
        of: The number in each row.
        whole: Whether it is always a whole number.
        continuous: Whether a parameter without steps enters.
        size: If it is computed: the magnitude to which its rounding error is proportional.
        constant: The number, if it is the same in all rows.
        ends: Smallest and largest number, as far as known.
        is_length: Whether it is the length of a list.
    """

    of: Of
    whole: bool
    continuous: bool = False
    size: Of | None = None
    constant: float | None = None
    ends: tuple[float, float] = (-math.inf, math.inf)
    is_length: bool = False

    def magnitude(self, x: Floats) -> Any:
        """Return what its rounding error is proportional to (n,)."""
        return np.abs(self.of(x)) if self.size is None else self.size(x)


@final
@dataclass(frozen=True, slots=True)
class Label:
    """The label that one column has."""

    column: int
    labels: tuple[Scalar, ...]
    ordered: bool


@final
@dataclass(frozen=True, slots=True)
class Truth:
    """What is true, false, or neither.

    Attributes:
        of: Where it is which.
        possible: Whether it may be true, and false, as far as the ranges tell.
    """

    of: Truths
    possible: tuple[bool, bool] = (True, True)


@final
@dataclass(frozen=True, slots=True)
class Constant:
    """A text, boolean or None as written."""

    value: Scalar


@final
@dataclass(frozen=True, slots=True)
class Items:
    """A list as written."""

    values: tuple[Scalar, ...]


Term: TypeAlias = Number | Label | Truth | Constant | Items


def negated(part: Truth) -> Truth:
    """Return what is true where `part` is false."""

    def of(x: Floats) -> tuple[Any, Any]:
        true, false = part.of(x)
        return false, true

    return Truth(of, (part.possible[1], part.possible[0]))


def together(parts: Iterable[Truth]) -> Truth:
    """Return what is true where all parts are, and false where one is."""
    listed = list(parts)

    def of(x: Floats) -> tuple[Any, Any]:
        trues, falses = zip(*(part.of(x) for part in listed), strict=True)
        return reduce(np.logical_and, trues), reduce(np.logical_or, falses)

    true, false = zip(*(part.possible for part in listed), strict=True)
    return Truth(of, (all(true), any(false)))


def compared(op: ast.cmpop, a: Number, b: Number) -> Truth:
    """Return where one number compares to another; what is near counts as equal."""
    f = COMPARE[type(op)]
    exact = (a.size is None and b.size is None) or (a.whole and b.whole)

    def of(x: Floats) -> tuple[Any, Any]:
        left, right = a.of(x), b.of(x)
        known = ~(np.isnan(left) | np.isnan(right))
        holds = f(left, right)
        if not exact:
            slack = _ROUNDING * (a.magnitude(x) + b.magnitude(x))
            near = np.isfinite(slack) & (np.abs(left - right) <= slack)
            holds = np.where(near, f(0.0, 0.0), holds)
        return holds & known, ~holds & known

    return Truth(of, _possible(op, a, b))


def _possible(op: ast.cmpop, a: Number, b: Number) -> tuple[bool, bool]:
    """Return whether a comparison may be true, and false, as far as the ends tell."""
    (a0, a1), (b0, b1) = a.ends, b.ends
    match op:
        case ast.Lt():
            return a0 < b1, a1 >= b0
        case ast.LtE():
            return a0 <= b1, a1 > b0
        case ast.Gt() | ast.GtE():
            return _possible(MIRROR[type(op)](), b, a)
        case ast.Eq():
            return a0 <= b1 and b0 <= a1, not a0 == a1 == b0 == b1
    true, false = _possible(ast.Eq(), a, b)
    return false, true


def looked_up(term: Label, values: Sequence[float | bool]) -> Of:
    """Return a function from numbers to the values at the places of one labelled column."""
    column, table = term.column, np.array(values)
    return lambda x: table[x[:, column].astype(np.intp)]
