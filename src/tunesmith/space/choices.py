"""Parameters whose values are any objects, known to the log by their labels."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Column, discrete
from tunesmith.space.labels import Scalar, is_scalar, key_of, label_of, plain
from tunesmith.space.parameters import Parameter, Role, When, common, shown, shown_role, shown_when

_CONTAINERS = (list, tuple, dict, set, np.ndarray)


def _label_or_none(thing: Any) -> tuple[bool, Scalar] | None:
    try:
        return key_of(label_of(thing))
    except SpaceError:
        return None


def _fresh(thing: Any) -> Any:
    """Return a copy of what can be changed in place; the objects that it holds stay the same."""
    if type(thing) is tuple:
        return tuple(map(_fresh, thing))
    if isinstance(thing, list | dict):
        made: Any = copy.copy(thing)
        for key in range(len(made)) if isinstance(thing, list) else list(made):
            made[key] = _fresh(made[key])
        return made
    return copy.copy(thing) if isinstance(thing, set | np.ndarray) else thing


def same(one: Any, other: Any) -> bool:
    """Return whether two choices are the same object, or containers that hold the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    try:
        return np.array_equal(one, other) if isinstance(one, np.ndarray) else bool(one == other)
    except Exception:  # noqa: BLE001 - a class of others may raise anything
        return False


@dataclass(frozen=True, repr=False, eq=False)
class Labelled(Parameter):
    """Any objects, of which the log keeps labels; what `Categorical` and `Ordinal` share."""

    choices: Sequence[Any] | Mapping[str, Any]
    _: KW_ONLY
    labels: Sequence[Scalar] | None = None
    default: Any = ...
    role: Role = "algorithm"
    when: When = None

    def __post_init__(self) -> None:
        common(self.role, self.when)
        kind = type(self).__name__
        choices, labels = self.choices, self.labels
        if isinstance(choices, Mapping):
            if labels is not None:
                raise SpaceError(f"{kind} takes labels as the dict's keys or labels=, not both")
            choices, labels = list(choices.values()), list(choices)
        if isinstance(choices, str | bytes | set | frozenset) or not isinstance(choices, Iterable):
            raise SpaceError(
                f"{kind} takes a list, or a dict from label to object, of choices, got {choices!r}"
            )
        things = tuple(map(plain, choices))
        if not things:
            raise SpaceError(f"{kind} needs at least one choice, got none")
        if labels is not None and not all(map(is_scalar, map(plain, labels))):
            raise SpaceError(f"labels are text, numbers, booleans or None, got {list(labels)!r}")
        names = tuple(map(label_of, things if labels is None else labels))
        if len(names) != len(things):
            raise SpaceError(f"{kind} has {len(things)} choices but {len(names)} labels")
        if len(set(names)) < len(names):
            one, two = next((a, b) for i, b in enumerate(names) for a in names[:i] if a == b)
            raise SpaceError(
                f"two choices of {kind} have equal labels, {one!r} and {two!r}; "
                f"give each its own by labels="
            )
        object.__setattr__(self, "choices", things)
        object.__setattr__(self, "labels", names)
        _ = self._places
        if self.default is not ...:
            self._check_default(self.default)

    @final
    def __repr__(self) -> str:
        return shown(
            type(self).__name__,
            list(self._labels),
            default=... if self.default is ... else self._labels[int(self.initial or 0)],
            role=shown_role(self.role),
            when=shown_when(self.when),
        )

    @final
    def __eq__(self, other: object) -> bool:
        """Parameters are equal if the log cannot tell them apart."""
        return type(self) is type(other) and repr(self) == repr(other)

    @final
    def __hash__(self) -> int:
        return hash(self._labels)

    @final
    @property
    def _labels(self) -> tuple[Scalar, ...]:
        return tuple(self.labels or ())

    @final
    @cached_property
    def _places(self) -> dict[tuple[bool, Scalar], int]:
        """The place of each label, and of each choice that JSON has."""
        places = {key_of(label): i for i, label in enumerate(self._labels)}
        for i, thing in enumerate(self.choices):
            if is_scalar(thing) and places.setdefault(key_of(label_of(thing)), i) != i:
                raise SpaceError(
                    f"{thing!r} is one choice and the label of another; choose other labels"
                )
        autos = [_label_or_none(thing) for thing in self.choices]
        for i, auto in enumerate(autos):
            if auto is not None and autos.count(auto) == 1:
                places.setdefault(auto, i)
        return places

    @final
    def make_column(self) -> Column:
        return discrete(0.0, 1.0, len(self._labels), log=False)

    @final
    @property
    def initial(self) -> float | None:
        return None if self.default is ... else self.number(self.default)

    @final
    def number(self, value: Any) -> float | None:
        value = plain(value)
        if not is_scalar(value):
            for i, thing in enumerate(self.choices):
                if thing is value:
                    return float(i)
        key = _label_or_none(value)
        place = None if key is None else self._places.get(key)
        if place is None and isinstance(value, _CONTAINERS):  # whose reprs may not tell them apart
            place = next((i for i, thing in enumerate(self.choices) if same(thing, value)), None)
        return None if place is None else float(place)

    @final
    @property
    def objects(self) -> bool:
        """Whether a choice is not its own label, so that the log alone could not give it back."""
        pairs = zip(self.choices, self._labels, strict=True)
        return any(not is_scalar(thing) or key_of(thing) != key_of(label) for thing, label in pairs)

    @final
    def scalars(self, numbers: Sequence[float]) -> list[Any]:
        labels = self._labels
        return [labels[int(k)] for k in numbers]

    @final
    def thing(self, scalar: Scalar) -> Any:
        return _fresh(tuple(self.choices)[self._places[key_of(scalar)]])

    @final
    def only(self, number: float) -> Self:
        k = int(number)
        thing, label = tuple(self.choices)[k], self._labels[k]
        return type(self)([thing], labels=[label], role=self.role, when=self.when)

    @final
    def settings(self) -> dict[str, Any]:
        return {"type": type(self).__name__, "choices": list(self._labels)}


@final
@dataclass(frozen=True, repr=False, eq=False)
class Categorical(Labelled):
    """One of any objects, without order.

    The log keeps of each a label: the value itself for str, bool, int, float and None, else its
    name in `labels`, its key if `choices` is a dict, the qualified name of a function or class, or
    its `repr`. Where a value is asked for, object and label will both do.

    Args:
        choices: The objects.
        labels: Their labels.
        default: Choice of the first trial.
        role: What it shapes; population-based training may not change the model.
        when: When it is active.

    Raises:
        SpaceError: Labels are equal, or a repr holds a memory address.

    Example:
        >>> Categorical([abs, max])
        Categorical(['abs', 'max'])
        >>> Categorical({"small": [64], "large": [512, 512]}, default="small")
        Categorical(['small', 'large'], default='small')
    """


@final
@dataclass(frozen=True, repr=False, eq=False)
class Ordinal(Labelled):
    """One of any objects that have an order; otherwise like `Categorical`.

    Args:
        choices: The objects, in order.
        labels: Their labels.
        default: Choice of the first trial.
        role: What it shapes; population-based training may not change the model.
        when: When it is active.

    Raises:
        SpaceError: Labels are equal, or a repr holds a memory address.

    Example:
        >>> Ordinal([16, 64, 256]).from_unit(0.5)
        64
    """
