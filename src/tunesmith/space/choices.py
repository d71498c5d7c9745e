"""Parameters whose values are any objects, known to the log by their labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Self, final

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Column, discrete
from tunesmith.space.labels import Scalar, is_scalar, label_of, plain
from tunesmith.space.parameters import Parameter, Role, When, common, shown


def _key(label: Scalar) -> tuple[bool, Scalar]:
    """Tell True from 1, which are equal in a dict."""
    return isinstance(label, bool), label


def _label_or_none(thing: Any) -> tuple[bool, Scalar] | None:
    try:
        return _key(label_of(thing))
    except SpaceError:
        return None


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
        names = tuple(map(label_of, things if labels is None else labels))
        if labels is not None and not all(map(is_scalar, map(plain, labels))):
            raise SpaceError(f"labels are text, numbers, booleans or None, got {list(labels)!r}")
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
            default=None if self.default is ... else self._labels[int(self.initial or 0)],
            role=self.role if self.role != "algorithm" else None,
            when=self.when,
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
        places = {_key(label): i for i, label in enumerate(self._labels)}
        for i, thing in enumerate(self.choices):
            if is_scalar(thing) and places.setdefault(_key(label_of(thing)), i) != i:
                raise SpaceError(
                    f"{thing!r} is one choice and the label of another; choose other labels"
                )
        autos = [_label_or_none(thing) for thing in self.choices]
        for i, auto in enumerate(autos):
            if auto is not None and autos.count(auto) == 1:
                places.setdefault(auto, i)
        return places

    @final
    @property
    def column(self) -> Column:
        return self._column

    @final
    @cached_property
    def _column(self) -> Column:
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
        return None if place is None else float(place)

    @final
    def scalars(self, numbers: Sequence[float]) -> list[Any]:
        labels = self._labels
        return [labels[int(k)] for k in numbers]

    @final
    def thing(self, scalar: Scalar) -> Any:
        return tuple(self.choices)[self._places[_key(scalar)]]

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
