"""What is searched: scikit-learn's grids and scipy's distributions as our spaces, or ours as they are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

import numpy as np

import tunesmith
from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Space
from tunesmith.space.parameters import Parameter

ONE_OF = "one_of"  # which dict of a list of dicts
TAIL = 1e-9  # what is cut off at both ends of a distribution, which may be infinite there


@final
@dataclass(frozen=True)
class Searched:
    """A space, and how its params become settings of an estimator.

    Attributes:
        space: The space.
        quantiles: Distributions by path; their parameter is the probability at which they are read.
    """

    space: Space[Any]
    quantiles: Mapping[str, Any]

    def settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return params as `set_params` takes them: the last part of each path is the name."""
        return {
            path.rpartition(".")[2]: _quantile(self.quantiles[path], value)
            if path in self.quantiles
            else value
            for path, value in params.items()
            if path != ONE_OF
        }


def searched(space: Any, estimator: Any, X: Any = None, y: Any = None) -> Searched:
    """Return what a search's `space` means.

    Args:
        space: "auto"; a `Space`; a dict from names to our parameters, lists and scipy
            distributions, mixed at will; or a list of such dicts, one of which is drawn.
        estimator: What is tuned; its own settings are the defaults.
        X: The samples, on whose number and form the ranges of "auto" depend.
        y: What belongs to them, likewise.

    Raises:
        SpaceError: It is none of these.
    """
    if isinstance(space, str) and space == "auto":
        return Searched(_of_estimator(estimator, X, y), {})
    if isinstance(space, Space):
        if space.called or space.blank or not isinstance(space.build(space.default()[0]), Mapping):
            raise SpaceError(
                "SearchCV sets parameters by name, so its space is a dict, not that of a function or "
                'dataclass; write {"C": ts.Float(0.01, 100, log=True)}'
            )
        return Searched(space, {})
    own = estimator.get_params()
    quantiles: dict[str, Any] = {}
    if isinstance(space, Mapping):
        return Searched(Space(_members(space, own, "", quantiles)), quantiles)
    if isinstance(space, Sequence) and space and all(isinstance(one, Mapping) for one in space):
        if len(space) == 1:
            return searched(space[0], estimator)
        options = {
            f"space{i}": _members(one, own, f"{ONE_OF}.space{i}.", quantiles)
            for i, one in enumerate(space)
        }
        return Searched(Space({ONE_OF: Choice(options)}), quantiles)
    raise SpaceError(
        'a space is "auto", a dict from parameter names to lists, scipy distributions or ts.Float '
        f"and its like, a list of such dicts, or a ts.Space; got {space!r}"
    )


def _of_estimator(estimator: Any, X: Any, y: Any) -> Space[Any]:
    """The space that is known for an estimator."""
    space_for = getattr(tunesmith, "space_for", None)
    if space_for is None:
        raise SpaceError(
            'space="auto" needs the spaces of known estimators, which this version of Tunesmith does '
            'not have; give a dict such as {"C": ts.Float(0.01, 100, log=True)}'
        )
    space: Space[Any] = space_for(estimator, X, y)
    return space


def _members(
    given: Mapping[str, Any], own: Mapping[str, Any], prefix: str, quantiles: dict[str, Any]
) -> dict[str, Any]:
    """The parameters of a dict, by name in alphabetical order, in which scikit-learn takes a grid."""
    members = {}
    for name in sorted(given):
        member = _member(name, given[name])
        if member is None:
            quantiles[prefix + name] = given[name]
            member = Float(TAIL, 1 - TAIL)
        elif isinstance(member, Parameter):
            member = _with_default(member, own.get(name))
        members[name] = member
    return members


def _member(name: str, values: Any) -> Any:
    """The parameter that a value of a dict means; None: a distribution to be read at quantiles."""
    if isinstance(values, Parameter | Choice | List):
        return values
    if callable(getattr(values, "rvs", None)):
        return _distribution(name, values)
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise SpaceError(
            f"{name!r} is searched over a list, a scipy distribution or a parameter such as "
            f"ts.Float(0, 1), got {values!r}; write [{values!r}] for a single value"
        )
    if isinstance(values, np.ndarray) and values.ndim > 1:
        raise SpaceError(f"the values of {name!r} are a list, got an array of {values.ndim} axes")
    return _listed(list(values))


def _listed(values: list[Any]) -> Parameter:
    """A list as a parameter: numbers in order are an axis, anything else is a set."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain)
    if numbers and all(map(math.isfinite, plain)):
        steps = [b - a for a, b in pairwise(plain)]
        if all(step > 0 for step in steps) or all(step < 0 for step in steps):
            return Ordinal(plain)
    try:
        return Categorical(plain)
    except SpaceError:
        if not plain:
            raise
    # equal labels, such as 1 and 1.0, or a repr with an address: the place in the list tells them apart
    return Categorical(plain, labels=[f"{type(v).__name__} #{i}" for i, v in enumerate(plain)])


def _distribution(name: str, values: Any) -> Parameter | None:
    """The parameter of a frozen scipy distribution; None if it is none of those that have one."""
    if not callable(getattr(values, "ppf", None)):
        raise SpaceError(
            f"the distribution of {name!r} can only be drawn from (rvs), not read at a probability "
            "(ppf), as sampling that learns needs it; give a scipy.stats distribution, a list or ts.Float"
        )
    kind = getattr(getattr(values, "dist", None), "name", "")
    if kind in ("uniform", "loguniform", "reciprocal", "randint"):
        low, high = values.support()
        if kind == "randint":
            return Int(int(low), int(high))
        if kind == "uniform":
            return Float(float(low), float(high))
        if math.isclose(float(values.median()), math.sqrt(low * high)):  # it was not shifted
            return Float(float(low), float(high), log=True)
    return None


def _quantile(distribution: Any, probability: float) -> Any:
    value = distribution.ppf(probability)
    return int(value) if callable(getattr(distribution, "pmf", None)) else float(value)


def _with_default(parameter: Parameter, value: Any) -> Parameter:
    """The parameter with the estimator's own setting as default, if it has none and that is in it."""
    settings: Any = parameter  # a dataclass, as every concrete parameter is
    if parameter.initial is not None or not isinstance(value, str | int | float | None):
        return parameter
    if not parameter.contains(value):
        return parameter
    defaulted: Parameter = replace(settings, default=value)
    return defaulted
