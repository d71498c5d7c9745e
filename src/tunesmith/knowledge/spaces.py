"""`space_for`: the space of an estimator, a pipeline or whatever holds estimators."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import msgspec
import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.amounts import Size, holds
from tunesmith.knowledge.library import library
from tunesmith.knowledge.ranges import missing, parameter, thing
from tunesmith.knowledge.schema import Entry, Estimator
from tunesmith.space import Parameter, Space
from tunesmith.space.labels import hint

_PARTS = ("steps", "transformers", "transformer_list", "estimators")
"""Parameters of scikit-learn that are lists of (name, estimator, ...)."""

_SHARING = ("auto", "full", "covariance_eigh")
"""Solvers of PCA that take a share of the variance."""


def space_for(estimator: Any, X: Any = None, y: Any = None) -> Space[dict[str, Any]]:
    """Return the space in which an estimator is usually tuned.

    Its first trial is the estimator as it is: the defaults are what `get_params` says, in a fresh
    estimator those of the installed version. What it cannot place (a callable, a choice that is not
    among the known ones) stays as it is. Of pipelines, column transformers and whatever else holds
    estimators, it is the union over the parts that are known, with names as scikit-learn has them
    (`step__param`).

    Args:
        estimator: An estimator with scikit-learn's `get_params`, or a class of such.
        X: The data, to fit ranges that depend on rows and columns; None: not known.
        y: The targets, likewise for the number of classes, how even they are, and the scale of numbers.

    Raises:
        SettingError: It is no estimator, nothing is known of it, or X is no data.

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
    unknown: list[Any] = []
    made = dict(_parameters(estimator, _size(X, y), "", {}, unknown))
    if unknown and not made:
        raise SettingError(_unknown(unknown[-1]))
    return Space(made)


def known(estimator: Any) -> Estimator | None:
    """Return what is known of an estimator's class, or of the nearest of its bases."""
    for base in type(estimator).__mro__:
        found = library().get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if found is not None:
            return found
    return None


def _parameters(
    estimator: Any, size: Size, prefix: str, seen: Mapping[int, Any], unknown: list[Any]
) -> Iterator[tuple[str, Parameter]]:
    """Yield the parameters of an estimator and of what it holds, by full name.

    What holds nothing and is not known is added to `unknown`.
    """
    if id(estimator) in seen:
        return
    seen = {**seen, id(estimator): estimator}
    values = estimator.get_params(deep=False)
    entry = known(estimator)
    parts = list(_parts(values))
    if entry is not None:
        yield from _own(entry, values, size, prefix)
    elif not parts:
        unknown.append(estimator)
    in_turn = "steps" in values  # each step gets what the one before hands on
    if values.get("transformer") is not None or values.get("func") is not None:
        size = replace(size, spread=1.0)  # of targets that are transformed nobody knows
    for name, part, columns in parts:
        inside = size if columns is ... else replace(size, p=_selected(columns, size.p))
        yield from _parameters(part, inside, f"{prefix}{name}__", seen, unknown)
        if in_turn:
            size = _handed_on(part, size)


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
        solver = values.get("svd_solver")  # of PCA
        counts = solver is not None and (size.sparse or solver not in _SHARING)
        fitting = _counted(one) if one.share and counts else one
        found = parameter(fitting, values.get(name, missing()), size, when)
        if found is not None:
            made[name] = found
            yield prefix + name, found


def _counted(entry: Entry) -> Entry:
    """Shares of the variance as numbers of components, of fewer rows than the smallest training part."""
    return msgspec.structs.replace(
        entry, type="Int", share=False, low=1, high="max(1, min(100, n / 3, p - 1))", log=True
    )


def _handed_on(step: Any, size: Size) -> Size:
    """The size of what a step makes of data."""
    entry = known(step)
    keeps = entry is not None and entry.keeps_columns
    text = entry is not None and entry.family == "text"
    sparse = size.sparse or text or bool(getattr(step, "sparse_output", False))
    return replace(size, p=size.p if keeps else inf, sparse=sparse)


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the estimators that an estimator holds: name, estimator, selected columns (...: all)."""
    for name, value in values.items():
        if name in _PARTS and isinstance(value, list | tuple):
            for part in value:
                if isinstance(part, list | tuple) and _holds(part[1]):
                    yield part[0], part[1], part[2] if name == "transformers" else ...
        elif _holds(value) and hasattr(
            value, "fit"
        ):  # a kernel has parameters, and is no estimator
            yield name, value, ...


def _selected(columns: Any, p: float) -> float:
    """How many of `p` columns a selection has; infinite if only the data tell."""
    if isinstance(columns, slice):
        whole = all(end is None or isinstance(end, int) for end in (columns.start, columns.stop))
        return float(len(range(*columns.indices(int(p))))) if whole and isfinite(p) else inf
    if callable(columns):
        return inf
    chosen = np.asarray(columns)
    return float(chosen.sum() if chosen.dtype == bool else chosen.size)


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
    """Return what ranges may depend on, as far as the data tell.

    Raises:
        SettingError: X is no data.
    """
    shape: tuple[float, ...] = tuple(getattr(X, "shape", ()))
    if not shape and X is not None:
        if not isinstance(X, Sequence):
            raise SettingError(
                f"X is the data, an array, data frame or list of rows, got {type(X).__name__}"
            )
        shape = (len(X), len(X[0])) if X and isinstance(X[0], list | tuple) else (len(X),)
    n, p, *_ = (*(shape if all(shape) else ()), inf, inf)
    size = Size(float(n), float(p), sparse=hasattr(X, "tocsr"))
    try:
        targets = np.asarray(y)
    except ValueError:  # lists of several lengths
        return size
    if targets.ndim != 1 or not targets.size:
        return size
    counts = Counter(targets.tolist())
    with np.errstate(invalid="ignore", over="ignore"):
        spread = float(targets.std()) if targets.dtype.kind in "iuf" else 1.0
    return replace(
        size,
        classes=float(len(counts)),
        balance=min(counts.values()) * len(counts) / len(targets),
        spread=spread if isfinite(spread) and spread > 0 else 1.0,
    )
