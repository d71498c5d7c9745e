"""The tree of a space: its nodes, and the ways from the user's form to paths and back to objects.

Four kinds of nodes: a `Leaf` is one parameter; a `Group` holds nodes by name; a `Branch` is a leaf
that says which of its groups is in force; a `Listed` is a leaf that says how many of its elements
are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.labels import Params, Scalar, plain
from tunesmith.space.nests import Fields
from tunesmith.space.parameters import Parameter

Requires: TypeAlias = tuple[tuple[str, tuple[Scalar, ...]], ...]
"""Paths above, each with the values it must have."""


@dataclass
class Reading:
    """Values found in the user's form of a configuration.

    Attributes:
        node: Finds the node of a path.
        values: By path, as given.
        soft: Paths that an instance had to fill in; they do not count where inactive.
    """

    node: Callable[[Any], "Node"]
    values: dict[str, Any] = field(default_factory=dict)
    soft: set[str] = field(default_factory=set)

    def put(self, path: str, value: Any, soft: bool) -> None:
        """Take in a value."""
        self.values[path] = value
        if soft:
            self.soft.add(path)
        else:
            self.soft.discard(path)


class Node(ABC):
    """A part of the tree."""

    path: str

    @abstractmethod
    def parts(self) -> Iterator["Node"]:
        """Yield the nodes right below."""

    @abstractmethod
    def value(self, params: Params) -> Any:
        """Return the one object that the node is in `params`."""

    @abstractmethod
    def spread(self, params: Params, into: dict[str, Any], cut: int) -> None:
        """Put the node's objects into a mapping, under their paths from character `cut` on."""

    @abstractmethod
    def read(self, value: Any, into: Reading, soft: bool = False) -> None:
        """Find values by path in the user's form of the node.

        Raises:
            SpaceError: The form is not understood.
        """

    @final
    def present(self, params: Params) -> bool:
        """Return whether the node is in force in `params`, given that the node above it is."""
        return isinstance(self, Group) or self.path in params

    @final
    def walk(self) -> Iterator["Node"]:
        """Yield the node and all below it, parents first."""
        yield self
        for part in self.parts():
            yield from part.walk()


@final
@dataclass
class Leaf(Node):
    """One parameter."""

    path: str
    parameter: Parameter
    requires: Requires = ()
    is_length: bool = False  # of a list

    def parts(self) -> Iterator[Node]:
        return iter(())

    def value(self, params: Params) -> Any:
        return self.parameter.thing(params[self.path])

    def spread(self, params: Params, into: dict[str, Any], cut: int) -> None:
        if self.path in params:
            into[self.path[cut:]] = self.parameter.thing(params[self.path])

    def read(self, value: Any, into: Reading, soft: bool = False) -> None:
        into.put(self.path, value, soft)


@final
@dataclass
class Group(Node):
    """Nodes by name."""

    path: str
    fields: Fields
    children: dict[str, Node]

    def parts(self) -> Iterator[Node]:
        return iter(self.children.values())

    def value(self, params: Params) -> Any:
        form = self.fields.form
        if form is not None:
            return form.make(
                {n: c.value(params) for n, c in self.children.items() if c.present(params)}
            )
        into: dict[str, Any] = {}
        for child in self.children.values():
            child.spread(params, into, len(self.path) + 1 if self.path else 0)
        return into

    def spread(self, params: Params, into: dict[str, Any], cut: int) -> None:
        if self.fields.form is not None:
            into[self.path[cut:]] = self.value(params)
            return
        for child in self.children.values():
            child.spread(params, into, cut)

    def read(self, value: Any, into: Reading, soft: bool = False) -> None:
        form = self.fields.form
        if form is not None and form.distance(value) is not None:
            for name, part in form.take(value, list(self.children)).items():
                child = self.children[name]
                if part is not None or _takes_none(child):
                    child.read(part, into, soft=True)
        elif isinstance(value, Mapping):
            for name, part in value.items():
                path = f"{self.path}.{name}" if self.path else name
                into.node(path).read(part, into, soft)
        else:
            what = "a dict" if form is None else f"a dict or {form.label}"
            raise SpaceError(f"{self.path or 'a configuration'} is {what}, got {value!r}")


@final
@dataclass
class Branch(Node):
    """A leaf that says which of several groups is in force."""

    path: str
    selector: Leaf
    options: dict[str, Group]

    def parts(self) -> Iterator[Node]:
        yield self.selector
        yield from self.options.values()

    def nearest(self, value: Any) -> str | None:
        """Return the option whose form a value is; of several the one nearest to its class."""
        found: dict[str, int] = {}
        for label, option in self.options.items():
            form = option.fields.form
            distance = None if form is None else form.distance(value)
            if distance is not None:
                found[label] = distance
        return min(found, key=lambda label: found[label]) if found else None

    def value(self, params: Params) -> Any:
        label = str(params[self.path])
        option = self.options[label]
        value = option.value(params)
        return value if option.fields.form is not None else (label, value)

    def spread(self, params: Params, into: dict[str, Any], cut: int) -> None:
        if self.path not in params:
            return
        option = self.options[str(params[self.path])]
        if option.fields.form is not None:
            into[self.path[cut:]] = option.value(params)
        else:
            into[self.path[cut:]] = params[self.path]
            option.spread(params, into, cut)

    def read(self, value: Any, into: Reading, soft: bool = False) -> None:
        label = self.nearest(value)
        if label is not None:
            into.put(self.path, label, soft)
            self.options[label].read(value, into, soft=soft)
            return
        if isinstance(value, tuple | list) and len(value) == 2:
            value = {value[0]: value[1]}
        if isinstance(value, Mapping):
            if len(value) == 1 and self.path not in into.values:
                into.put(self.path, next(iter(value)), soft)
            for label, part in value.items():
                node = into.node(f"{self.path}.{label}")
                node.read({} if part is None else part, into, soft)
        else:
            into.put(self.path, value, soft)


@final
@dataclass
class Listed(Node):
    """A leaf that says how many elements are in force."""

    path: str
    length: Leaf
    elements: tuple[Node, ...]

    def parts(self) -> Iterator[Node]:
        yield self.length
        yield from self.elements

    def value(self, params: Params) -> Any:
        n = params[self.path]
        return [element.value(params) for element in self.elements[: int(n or 0)]]

    def spread(self, params: Params, into: dict[str, Any], cut: int) -> None:
        if self.path in params:
            into[self.path[cut:]] = self.value(params)

    def read(self, value: Any, into: Reading, soft: bool = False) -> None:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, str) or not isinstance(value, Sequence):
            into.put(self.path, plain(value), soft)
            return
        into.put(self.path, len(value), soft)
        if not self.length.parameter.contains(len(value)):
            low, high = self.length.parameter.settings()["low"], len(self.elements)
            raise SpaceError(
                f"{self.path} has {low} to {high} elements, got {len(value)}: {value!r}"
            )
        for element, part in zip(self.elements, value, strict=False):
            element.read(part, into, soft)


def _takes_none(node: Node) -> bool:
    if isinstance(node, Branch):
        return node.nearest(None) is not None
    return isinstance(node, Leaf) and node.parameter.contains(None)
