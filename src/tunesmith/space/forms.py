"""The forms in which an objective gets a group of parameters: keyword arguments, an instance.

A group without a form is spread into the mapping around it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from tunesmith._core.errors import SpaceError

FormName = Literal["mapping", "call", "object", "none"]


class Form(ABC):
    """How to make one object of a group's values, and how to take it apart."""

    name: FormName

    @property
    @abstractmethod
    def label(self) -> str:
        """What messages and the log call it."""

    @abstractmethod
    def make(self, values: dict[str, Any]) -> Any:
        """Return the object that has these values."""

    @abstractmethod
    def owns(self, value: Any) -> bool:
        """Return whether `value` is such an object."""

    @abstractmethod
    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        """Return what an object holds under `names`."""


@final
class Call(Form):
    """Keyword arguments of a function."""

    name = "call"

    @property
    def label(self) -> str:
        return "call"

    def make(self, values: dict[str, Any]) -> Any:
        return values

    def owns(self, value: Any) -> bool:
        del value  # a dict is read as any mapping
        return False

    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        return {name: value[name] for name in names}


@final
@dataclass(frozen=True)
class Instance(Form):
    """An instance of a dataclass."""

    kind: type
    name = "object"

    @property
    def label(self) -> str:
        return self.kind.__name__

    def make(self, values: dict[str, Any]) -> Any:
        return self.kind(**values)

    def owns(self, value: Any) -> bool:
        return isinstance(value, self.kind)

    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names}


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
class Blank(Form):
    """A `Namespace` in place of an object of the class that was called `title`."""

    title: str
    name = "object"

    @property
    def label(self) -> str:
        return self.title

    def make(self, values: dict[str, Any]) -> Any:
        return Namespace(self.title, values)

    def owns(self, value: Any) -> bool:
        return isinstance(value, Namespace) and repr(value).startswith(f"{self.title}(")

    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names if hasattr(value, name)}


@final
class Nothing(Form):
    """None, in a union of dataclasses and None."""

    name = "none"

    @property
    def label(self) -> str:
        return "None"

    def make(self, values: dict[str, Any]) -> Any:
        del values
        return None

    def owns(self, value: Any) -> bool:
        return value is None

    def take(self, value: Any, names: list[str]) -> dict[str, Any]:
        del value, names
        return {}


def form_of(name: str, label: str) -> Form | None:
    """Return the form that a log calls `name`.

    Raises:
        SpaceError: There is none.
    """
    match name:
        case "mapping":
            return None
        case "call":
            return Call()
        case "object":
            return Blank(label)
        case "none":
            return Nothing()
    raise SpaceError(f"a space has the form mapping, call or object, got {name!r}")
