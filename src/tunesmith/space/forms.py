"""The forms in which an objective gets a group of parameters: keyword arguments, an instance.

A group without a form is spread into the mapping around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from tunesmith._core.errors import SpaceError

FormName = Literal["mapping", "call", "object", "none"]


@final
class Namespace:
    """Values by attribute, read-only: what stands for an object whose class is not at hand."""

    __slots__ = ("_label", "_values")

    def __init__(self, label: str, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_label", label)
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        values: dict[str, Any] = object.__getattribute__(self, "_values")
        try:
            return values[name]
        except KeyError:
            label = object.__getattribute__(self, "_label")
            known = ", ".join(values) or "nothing"
            raise AttributeError(f"{label} has no {name!r}; it has {known}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"params are read-only, {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"params are read-only, {name!r} cannot be removed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Namespace) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        label, values = (object.__getattribute__(self, key) for key in ("_label", "_values"))
        return f"{label}({', '.join(f'{k}={v!r}' for k, v in values.items())})"

    def __reduce__(self) -> Any:
        return Namespace, tuple(object.__getattribute__(self, k) for k in ("_label", "_values"))


@final
@dataclass(frozen=True)
class Form:
    """How to make one object of a group's values, and how to take it apart.

    Attributes:
        name: Keyword arguments of a function ("call"), an instance of a dataclass ("object"), or
            None in a union of dataclasses and None ("none").
        label: What messages and the log call it.
        kind: The dataclass; without it a `Namespace` stands for the object.
    """

    name: FormName
    label: str
    kind: type | None = None

    @classmethod
    def call(cls) -> "Form":
        """Return the form of a signature."""
        return cls("call", "call")

    @classmethod
    def instance(cls, kind: type) -> "Form":
        """Return the form of a dataclass."""
        return cls("object", kind.__name__, kind)

    @classmethod
    def nothing(cls) -> "Form":
        """Return the form of None."""
        return cls("none", "None")

    def make(self, values: dict[str, Any]) -> Any:
        """Return the object that has these values."""
        if self.name == "object":
            return Namespace(self.label, values) if self.kind is None else self.kind(**values)
        return values if self.name == "call" else None

    def distance(self, value: Any) -> int | None:
        """Return how far above an object's class this one stands; None if it is no such object."""
        if self.name == "none":
            return 0 if value is None else None
        if self.name == "call":  # a dict is read as any mapping
            return None
        if self.kind is None:
            titled = isinstance(value, Namespace) and repr(value).startswith(f"{self.label}(")
            return 0 if titled else None
        classes = type(value).__mro__
        return classes.index(self.kind) if self.kind in classes else None

    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        """Return what an object holds under `names`."""
        return {name: getattr(value, name) for name in names if hasattr(value, name)}


def form_of(name: str, label: str) -> Form | None:
    """Return the form that a log calls `name`.

    Raises:
        SpaceError: There is none.
    """
    match name:
        case "mapping":
            return None
        case "call":
            return Form.call()
        case "object":
            return Form("object", label)
        case "none":
            return Form.nothing()
    raise SpaceError(f"a space has the form mapping, call or object, got {name!r}")
