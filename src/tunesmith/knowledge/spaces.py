"""`space_for`: the space of an estimator, a pipeline or whatever holds estimators."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.amounts import Size, holds
from tunesmith.knowledge.library import library
from tunesmith.knowledge.ranges import missing, parameter, thing
from tunesmith.knowledge.schema import Estimator
from tunesmith.space import Parameter, Space
from tunesmith.space.labels import hint

_PARTS = ("steps", "transformers", "transformer_list", "estimators")
"""Parameters of scikit-learn that are lists of (name, estimator, ...)."""


def space_for(estimator: Any, X: Any = None, y: Any = None) -> Space[dict[str, Any]]:
    """Return the space in which an estimator is usually tuned.

    Its first trial is the estimator as it is: the defaults are what `get_params` says, in a fresh
    estimator those of the installed version. What it cannot place (a callable, a choice that is not
    among the known ones) stays as it is. Of pipelines, column transformers and whatever else holds
    estimators, it is the union over the parts, with names as scikit-learn has them (`step__param`).

    Args:
        estimator: An estimator with scikit-learn's `get_params`, or a class of such.
        X: The data, to fit ranges that depend on rows and columns; None: not known.
        y: The targets, likewise for the number of classes, how even they are, and the scale of numbers.

    Raises:
        SettingError: It is no estimator, or nothing is known of it.

    References:
        The sources stand with each range: `tunesmith explain max_depth`.
    """
    if isinstance(estimator, type):
        try:
            estimator = estimator()
        except TypeError:
            raise SettingError(
                f"{estimator.__name__} cannot be made without arguments; give space_for an instance"
            ) from None
    if not callable(getattr(estimator, "get_params", None)):
        raise SettingError(
            f"space_for takes an estimator with get_params, such as those of scikit-learn, "
            f"got {type(estimator).__name__}; for anything else write the space as a dict"
        )
    return Space(dict(_parameters(estimator, _size(X, y), "", {})))


def known(estimator: Any) -> Estimator | None:
    """Return what is known of an estimator's class, or of the nearest of its bases."""
    for base in type(estimator).__mro__:
        found = library().get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if found is not None:
            return found
    return None


def _parameters(
    estimator: Any, size: Size, prefix: str, seen: Mapping[int, Any]
) -> Iterator[tuple[str, Parameter]]:
    """Yield the parameters of an estimator and of what it holds, by full name."""
    if id(estimator) in seen:
        return
    seen = {**seen, id(estimator): estimator}
    values = estimator.get_params(deep=False)
    entry = known(estimator)
    parts = list(_parts(values))
    if entry is None and not parts:
        raise SettingError(_unknown(estimator))
    if entry is not None:
        yield from _own(entry, values, size, prefix)
    in_turn = "steps" in values  # each step gets what the one before hands on
    if values.get("transformer") is not None or values.get("func") is not None:
        size = replace(size, spread=1.0)  # of targets that are transformed nobody knows
    for number, (name, part) in enumerate(parts):
        below = known(part)
        if below is not None or list(_parts(part.get_params(deep=False))):
            yield from _parameters(part, size, f"{prefix}{name}__", seen)
        elif entry is None and (not in_turn or number == len(parts) - 1):
            raise SettingError(_unknown(part))
        if in_turn and not (below is not None and below.keeps_columns):
            size = replace(size, p=inf)


def _own(
    entry: Estimator, values: Mapping[str, Any], size: Size, prefix: str
) -> Iterator[tuple[str, Parameter]]:
    """Yield the parameters of an estimator alone."""
    made: dict[str, Parameter] = {}
    for name, one in entry.entries.items():
        if name not in values and one.unset is None:
            continue  # this version has no such parameter
        if not holds(one.where, size):
            continue
        when = {}
        matters = True
        for parent, wanted in one.when.items():
            allowed = [thing(value) for value in wanted]
            if parent in made:
                when[prefix + parent] = [v for v in allowed if made[parent].contains(v)]
                matters = matters and bool(when[prefix + parent])
            else:
                matters = matters and values.get(parent) in allowed
        if not matters:
            continue
        found = parameter(one, values.get(name, missing()), size, when)
        if found is not None:
            made[name] = found
            yield prefix + name, found


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the estimators that an estimator holds, and their names."""
    for name, value in values.items():
        if name in _PARTS and isinstance(value, list | tuple):
            for part in value:
                if isinstance(part, list | tuple) and _holds(part[1]):
                    yield part[0], part[1]
        elif _holds(value):
            yield name, value


def _holds(thing: Any) -> bool:
    return not isinstance(thing, type) and callable(getattr(thing, "get_params", None))


def _unknown(estimator: Any) -> str:
    name = type(estimator).__name__
    names = [one.partition(".")[2] for one in library()]
    return (
        f"nothing is known of {name}; {hint(name, names, str)} "
        f"For others write the space as a dict: {{'alpha': ts.Float(1e-4, 1, log=True)}}"
    )


def _size(X: Any, y: Any) -> Size:
    """Return what ranges may depend on, as far as the data tell."""
    shape: tuple[float, ...] = tuple(getattr(X, "shape", ()))
    if not shape and X is not None and len(X):
        shape = (len(X), len(X[0])) if isinstance(X[0], list | tuple) else (len(X),)
    n, p, *_ = (*shape, inf, inf)
    if y is None or np.ndim(y) != 1 or not len(y):
        return Size(float(n), float(p))
    targets = np.asarray(y)
    counts = Counter(targets.tolist())
    with np.errstate(invalid="ignore", over="ignore"):
        spread = float(targets.std()) if targets.dtype.kind in "iuf" else 1.0
    return Size(
        float(n),
        float(p),
        float(len(counts)),
        min(counts.values()) * len(counts) / len(targets),
        spread if isfinite(spread) and spread > 0 else 1.0,
    )
