"""What is searched: scikit-learn's grids and scipy's distributions as our spaces, or ours as they are."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias, final

import numpy as np

import tunesmith
from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Space
from tunesmith.space.parameters import Parameter

ONE_OF = "one_of"  # which dict of a list of dicts
TAIL = 1e-9  # what is cut off at both ends of a distribution, which may be infinite there
DRAWING = ("rvs", "icdf", "pdf")  # what distributions have, and settings have not


@final
@dataclass(frozen=True)
class Quantile:
    """Reads a probability as the quantile of a distribution.

    Attributes:
        quantile: The function from probabilities to values.
        whole: Whether the values are whole numbers.
    """

    quantile: Callable[[float], Any]
    whole: bool

    def __call__(self, probability: float) -> Any:
        value = self.quantile(probability)
        return int(value) if self.whole else float(value)

    @property
    def told(self) -> Any:
        """What tells it from others: nine quantiles."""
        return [f"{self(k / 10):.9g}" for k in range(1, 10)]


@final
@dataclass(frozen=True)
class Labelled:
    """Reads a label as the value that has it.

    Attributes:
        values: By label.
    """

    values: Mapping[str, Any]

    def __call__(self, label: str) -> Any:
        return self.values[label]

    @property
    def told(self) -> Any:
        """What tells it from others: the values."""
        return dict(self.values)


Reading: TypeAlias = Quantile | Labelled
Readings: TypeAlias = Mapping[str, Reading]
Member: TypeAlias = tuple[Any, Reading | None]  # a parameter, Choice or List


@final
@dataclass(frozen=True)
class Searched:
    """A space, and how its params become settings of an estimator.

    Attributes:
        space: The space.
        readings: Functions by path that turn a param into a setting: a probability into a quantile, or a
            label into one of several objects that the space would hold for equal.
    """

    space: Space[Any]
    readings: Readings

    def settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return params as `set_params` takes them: the last part of each path is the name."""
        return {
            path.rpartition(".")[2]: self.readings[path](value) if path in self.readings else value
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
    readings: dict[str, Reading] = {}
    if isinstance(space, Mapping):
        return Searched(Space(_members(space, own, "", readings)), readings)
    if isinstance(space, Sequence) and space and all(isinstance(one, Mapping) for one in space):
        if len(space) == 1:
            return searched(space[0], estimator)
        options = {
            f"space{i}": _members(one, own, f"{ONE_OF}.space{i}.", readings)
            for i, one in enumerate(space)
        }
        return Searched(
            Space({ONE_OF: Choice(options, default=_first(options, own, readings))}), readings
        )
    raise SpaceError(
        'a space is "auto", a dict from parameter names to lists, scipy distributions or ts.Float '
        f"and its like, a list of such dicts, or a ts.Space; got {space!r}"
    )


def is_set_to(own: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Return whether an estimator of these parameters is known to have these settings already."""
    return all(name in own and _same(own[name], value) for name, value in settings.items())


def _same(own: Any, value: Any) -> bool:
    """Whether they mean the same beyond doubt; 1 and 1.0 do not: one feature, and all of them."""
    if own is value or type(own) is not type(value):
        numbers = {type(own), type(value)} == {int, float}
        return own is value or (numbers and bool(own == value != 1))
    return isinstance(own, str | int | float) and bool(own == value)


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
    given: Mapping[str, Any], own: Mapping[str, Any], prefix: str, readings: dict[str, Reading]
) -> dict[str, Any]:
    """The parameters of a dict, by name in alphabetical order, in which scikit-learn takes a grid."""
    members = {}
    for name in sorted(given):
        member, reading = _member(name, given[name])
        if reading is not None:
            readings[prefix + name] = reading
        elif isinstance(member, Parameter):
            member = _with_default(member, own.get(name))
        members[name] = member
    return members


def _first(
    options: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any], readings: Readings
) -> str:
    """The first dict that holds the estimator's own settings, else the first of all."""
    for label, members in options.items():
        if all(
            isinstance(member, Parameter)
            and f"{ONE_OF}.{label}.{name}" not in readings
            and name in own
            and member.contains(own[name])
            for name, member in members.items()
        ):
            return label
    return next(iter(options))


def _member(name: str, values: Any) -> Member:
    """The parameter that a value of a dict means, and how its values are read, if not as they are."""
    if isinstance(values, Parameter | Choice | List):
        return values, None
    try:
        if any(callable(getattr(values, way, None)) for way in DRAWING):
            return _distribution(name, values)
        return _listed(_values(name, values))
    except SpaceError as error:
        if repr(name) in str(error):
            raise
        raise SpaceError(f"the values of {name!r}: {error}") from None


def _values(name: str, values: Any) -> list[Any]:
    """The values of a list.

    Raises:
        SpaceError: It is none.
    """
    what = f"{name!r} is searched over a list, a scipy distribution or a parameter such as ts.Float(0, 1)"
    text = isinstance(values, str | bytes | bytearray)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise SpaceError(f"the values of {name!r} are a list, got an array of {values.ndim} axes")
    if isinstance(values, Iterable) and not text and not isinstance(values, Mapping):
        if not isinstance(values, Sequence | np.ndarray):
            raise SpaceError(f"{what}, got {type(values).__name__}; write list(...) around it")
        if not len(values):
            raise SpaceError(f"{name!r} has no values to try: its list is empty")
        return list(values)
    raise SpaceError(f"{what}, got {values!r}; write [{values!r}] for a single value")


def _listed(values: list[Any]) -> Member:
    """A list as a parameter: numbers in order are an axis, anything else is a set."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain)
    if numbers and all(map(math.isfinite, plain)):
        steps = [b - a for a, b in pairwise(plain)]
        if all(step > 0 for step in steps) or all(step < 0 for step in steps):
            return Ordinal(plain), None
    try:
        return Categorical(plain), None
    except SpaceError:
        pass
    # equal labels, such as 1 and 1.0, or a repr with an address: the place in the list tells them apart
    named = {f"{type(value).__name__} {i}": value for i, value in enumerate(plain)}
    return Categorical(list(named)), Labelled(named)


def _distribution(name: str, values: Any) -> Member:
    """The parameter of a frozen scipy distribution; a probability if it is none of those that have one."""
    quantile = getattr(values, "ppf", None) or getattr(values, "icdf", None)
    if not callable(quantile):
        raise SpaceError(
            f"the distribution of {name!r} can only be drawn from, not read at a probability (ppf), "
            "as sampling that learns needs it; give a scipy.stats distribution, a list or ts.Float"
        )
    try:
        middle = float(values.median())
    except (TypeError, AttributeError):
        raise SpaceError(
            f"the distribution of {name!r} lacks its arguments; write them, such as "
            "scipy.stats.randint(1, 10)"
        ) from None
    if math.isnan(middle):
        raise SpaceError(f"the distribution of {name!r} is none: its arguments are not valid")
    kind = getattr(getattr(values, "dist", values), "name", type(values).__name__.lower())
    if kind in ("uniform", "loguniform", "reciprocal", "randint"):
        low, high = values.support()
        if kind == "randint":
            return Int(int(low), int(high)), None
        if kind == "uniform":
            return Float(float(low), float(high)), None
        if math.isclose(middle, math.sqrt(low * high)):  # it was not shifted
            return Float(float(low), float(high), log=True), None
    mass = getattr(values, "pmf", None)
    discrete = callable(mass) and bool(mass(middle) > 0)  # continuous ones may say that it is 0
    whole = discrete and all(float(quantile(k / 10)).is_integer() for k in range(1, 10))
    return Float(TAIL, 1 - TAIL), Quantile(quantile, whole)


def _with_default(parameter: Parameter, value: Any) -> Parameter:
    """The parameter with the estimator's own setting as default, if it has none and that is in it."""
    settings: Any = parameter  # a dataclass, as every concrete parameter is
    if parameter.initial is not None or not isinstance(value, str | int | float | None):
        return parameter
    if not parameter.contains(value) or (isinstance(parameter, Int) and type(value) is not int):
        return parameter
    defaulted: Parameter = replace(settings, default=value)
    return defaulted
