"""Numbers that depend on the data: "min(100, n / 4)", of rows, columns, classes and targets."""

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

from tunesmith._core.errors import SettingError

Amount: TypeAlias = float | int | str
"""A number, or an expression of n (rows), p (columns), classes, balance and spread."""

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "log2": math.log2,
}


@final
@dataclass(frozen=True, slots=True)
class Size:
    """What ranges may depend on: the size of the data, and of their targets.

    Attributes:
        n: Rows; infinite if not known, so that it limits nothing.
        p: Columns, likewise.
        classes: Classes; 2 if not known.
        balance: Rows of the rarest class, divided by those of an equal share; 1 if not known.
        spread: The standard deviation of the targets; 1, as of standardised ones, if not known.
        sparse: Whether it is mostly zeros, kept as a sparse matrix.
    """

    n: float = math.inf
    p: float = math.inf
    classes: float = 2.0
    balance: float = 1.0
    spread: float = 1.0
    sparse: bool = False

    def assumed(self) -> "Size":
        """Return the size in which what is not known is that of a small table: 1,000 by 20."""
        return replace(
            self,
            n=1000.0 if math.isinf(self.n) else self.n,
            p=20.0 if math.isinf(self.p) else self.p,
        )


def amount(text: Amount, size: Size) -> float:
    """Return the number that `text` is at this size.

    Only numbers, n, p, classes, balance, spread, + - * / **, min, max, sqrt and log2 are known;
    nothing is evaluated by Python itself.

    Raises:
        SettingError: It is no such expression.

    Example:
        >>> amount("min(100, n / 4)", Size(n=80))
        20.0
    """
    if not isinstance(text, str):
        return float(text)
    try:
        tree = ast.parse(text, mode="eval").body
        names = {name: getattr(size, name) for name in ("n", "p", "classes", "balance", "spread")}
        return float(_value(tree, {**names, "inf": math.inf}))
    except (SyntaxError, ArithmeticError, ValueError, TypeError, KeyError) as error:
        raise SettingError(
            f"{text!r} is no number of n, p, classes, balance and spread such as "
            f"'min(100, n / 4)': {error}"
        ) from None


def holds(text: str, size: Size) -> bool:
    """Return whether a comparison such as "balance < 0.5" holds; the empty one always does.

    Raises:
        SettingError: It is not one amount below another.
    """
    if not text:
        return True
    less, _, more = text.partition("<")
    return amount(less.strip(), size) < amount(more.strip(), size)


def _value(node: ast.AST, names: dict[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=inside):
            return -_value(inside, names)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _FUNCTIONS[name](*(_value(arg, names) for arg in args))
    raise ValueError(f"{ast.unparse(node)!r} is not allowed")
