"""From what is known of a parameter, and the value it has, to a parameter of a space.

The first trial has to be the estimator as it is. So a number outside of the range widens it; a value
that is no number on the scale (None, "sqrt", 0 on a log scale) makes the range an ordered choice of
levels, among which it stands where it belongs; and what cannot be placed (a callable, a choice that
is not among ours, a count where shares are tuned) is left as it is: no parameter at all. A range that
the columns limit ends at the value where nobody knows how many there are.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tunesmith.knowledge.amounts import Size, amount
from tunesmith.knowledge.schema import Entry, Value
from tunesmith.space import Categorical, Float, Int, Ordinal, Parameter

_LEVELS = 16  # of a range that has to be an ordered choice; a whole one to 32 keeps each number
_MISSING = object()


def parameter(entry: Entry, value: Any, size: Size, when: Mapping[str, Any]) -> Parameter | None:
    """Return the parameter whose default is the value that the estimator has.

    Args:
        entry: What is known.
        value: The value that the estimator has; `missing` if it does not say.
        size: Of the data.
        when: When it is active; empty: always.

    Returns:
        The parameter, or None if `value` cannot be placed.
    """
    common: dict[str, Any] = {"role": entry.role, "when": dict(when) or None}
    if isinstance(value, np.generic):
        value = value.item()
    if entry.type == "Fixed":
        return None
    if entry.type == "Choice":
        choices = [thing(one) for one in entry.choices]
        if value is _MISSING:
            return Categorical(choices, **common)
        if not any(type(value) is type(one) and value == one for one in choices):
            return None
        return Categorical(choices, default=value, **common)
    if (value is None or value is _MISSING) and entry.unset is not None:
        value = amount(entry.unset, size.assumed())
        value = int(value) if entry.type == "Int" else value
    low, high = _ends(entry, size)
    if isinstance(value, bool | list | tuple) or value is _MISSING:
        return None
    capped = _columns_missing(entry, size)
    if isinstance(value, str) or value is None:
        if capped:
            return None
        place = entry.special.get(str(value))
        if place is None:
            return None
        return _levels(entry, low, high, value, amount(place, size.assumed()), common)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if entry.share and (isinstance(value, int) or not low <= value <= high):
        return None
    if entry.type == "Int" and not float(value).is_integer():
        return None
    if entry.log and value <= 0:
        return _levels(entry, low, high, value, -math.inf, common)
    if capped:
        if value <= low:
            return None
        high = value
    low, high = min(low, value), max(high, value)
    if entry.type == "Int":
        return Int(int(low), int(high), log=entry.log, default=int(value), **common)
    return Float(low, high, log=entry.log, default=float(value), **common)


def missing() -> Any:
    """Return what stands for the value that an estimator does not tell."""
    return _MISSING


def thing(value: Value) -> Any:
    """Return a value of a data file: "None" is None, a list a tuple."""
    if isinstance(value, list):
        return tuple(map(thing, value))
    return None if value == "None" else value


def _ends(entry: Entry, size: Size) -> tuple[float, float]:
    low, high = amount(entry.low or 0, size), amount(entry.high or 0, size)
    if entry.type == "Int":
        low, high = math.ceil(low), math.floor(high)
    return low, max(low, high)


def _columns_missing(entry: Entry, size: Size) -> bool:
    """Whether the range ends at a number of columns, and that is not known."""
    high = entry.high or 0
    return math.isinf(size.p) and amount(high, replace(size, p=2.0)) < amount(high, size)


def _levels(
    entry: Entry, low: float, high: float, value: Any, place: float, common: Mapping[str, Any]
) -> Ordinal:
    """Return the range as levels, with a value among them that is as good as the number `place`."""
    whole = entry.type == "Int"
    count = int(high - low) + 1 if whole and high - low < 2 * _LEVELS and not entry.log else _LEVELS
    steps = [k / max(count - 1, 1) for k in range(count)]
    if entry.log:
        numbers = [low * (high / low) ** step for step in steps]
    else:
        numbers = [low + (high - low) * step for step in steps]
    levels = dict.fromkeys(round(x) if whole else float(f"{x:.3g}") for x in numbers)
    below = [level for level in levels if level < place]
    above = [level for level in levels if level > place]
    return Ordinal([*below, value, *above], default=value, **common)
