"""What the scores of a kept search depend on, part by part, so that no other search goes on with it."""

import json
from collections.abc import Mapping
from functools import partial
from pickle import PicklingError
from types import CodeType, FunctionType
from typing import Any

import joblib
import numpy as np

from tunesmith.integrations.sklearn.spaces import Labelled, Quantile

IDLE = ("n_jobs", "verbose")  # settings that change no score
PLAIN = str | bytes | int | float | complex | None


def identity(parts: Mapping[str, Any]) -> str:
    """Return a text that is the same, in any process, if every part is.

    Args:
        parts: By the name under which people know them.
    """
    return json.dumps({name: joblib.hash(told(part)) for name, part in parts.items()})


def different(one: str, other: str) -> list[str]:
    """Return the names of the parts that two texts of `identity` do not have in common."""
    ours, theirs = json.loads(one), json.loads(other)
    return [name for name in ours if ours[name] != theirs.get(name)]


def targets(y: Any) -> Any:
    """Return targets in one form, whether they came as an array, a list or a series."""
    try:
        array = np.asarray(y)
    except ValueError:  # lists of several lengths
        return y
    return array.tolist() if array.dtype.kind in "OUT" else array


def told(thing: Any, within: tuple[int, ...] = ()) -> Any:
    """Return what tells a thing from others, in a form that `joblib.hash` takes.

    Estimators are their class and settings, functions without a name their code, distributions their
    quantiles, and an object that cannot be pickled is what it holds.
    """
    if isinstance(thing, PLAIN):
        return thing
    if id(thing) in within:
        return "itself"
    inside = (*within, id(thing))
    match thing:
        case list() | tuple():
            return [told(one, inside) for one in thing]
        case Mapping():
            return [(told(name, inside), told(value, inside)) for name, value in thing.items()]
        case partial():
            return [told(part, inside) for part in (thing.func, thing.args, thing.keywords)]
        case Quantile():
            return [f"{thing(k / 10):.9g}" for k in range(1, 10)]
        case Labelled():
            return told(thing.values, inside)
        case type():
            return _name(thing)
        case FunctionType():
            return _name(thing) if "<" not in thing.__qualname__ else _unnamed(thing, inside)
        case CodeType():
            return [thing.co_code, thing.co_names, told(thing.co_consts, inside)]
    if callable(getattr(thing, "get_params", None)):
        settings = thing.get_params(deep=False)
        kept = {name: value for name, value in settings.items() if name not in IDLE}
        return [_name(type(thing)), told(kept, inside)]
    try:
        return joblib.hash(thing)
    except (PicklingError, AttributeError, TypeError):
        return [_name(type(thing)), told(getattr(thing, "__dict__", {}), inside)]


def _unnamed(function: FunctionType, within: tuple[int, ...]) -> Any:
    """What tells a lambda or an inner function from others: its code, and what that has at hand."""
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    return [told(part, within) for part in (function.__code__, function.__defaults__, held)]


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"
