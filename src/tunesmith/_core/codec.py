"""The border between Python's numbers and JSON's: NumPy scalars, and numbers that are not finite.

JSON has no nan and no infinities; in a log they are the strings "nan", "inf" and "-inf".
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from tunesmith._core.errors import ResultError

Number: TypeAlias = float | str  # as logged

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_logged(values: Mapping[str, float]) -> dict[str, Number]:
    """Return `values` as a log keeps them."""
    return {name: v if math.isfinite(v) else str(v) for name, v in values.items()}


def from_logged(values: Mapping[str, Number]) -> dict[str, float]:
    """Return logged `values` as floats.

    Raises:
        KeyError: A string is none of "nan", "inf" and "-inf".
    """
    return {name: _NOT_FINITE[v] if isinstance(v, str) else v for name, v in values.items()}


def clean(text: str) -> str:
    """Return a text that UTF-8 can hold: lone surrogates, as in names of files, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def to_float(value: Any, what: str) -> float:
    """Return anything with `__float__` as a float: Python's, NumPy's, tensors of one element.

    Args:
        value: The number.
        what: How a message calls it, such as "the objective's result".

    Raises:
        ResultError: It is no number.
    """
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str | bytes) or not hasattr(type(value), "__float__"):
        raise ResultError(f"{what} must be a number, got {value!r} ({type(value).__name__})")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ResultError(f"{what} must be one number, got {value!r}: {error}") from None
