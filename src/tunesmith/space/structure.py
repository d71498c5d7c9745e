"""The tree of a space, grown from what the user declared.

Options and elements require values of the leaf above them; conditions look up names in the
innermost group first, so that a group may stand anywhere, any number of times.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Categorical, Labelled
from tunesmith.space.expressions import Expression, is_plain, normal, written
from tunesmith.space.labels import Scalar, at, check_name, hint
from tunesmith.space.nests import Choice, Declared, Fields, List
from tunesmith.space.nodes import Branch, Group, Leaf, Listed, Node, Reading, Requires
from tunesmith.space.parameters import Int, Parameter
from tunesmith.space.typed import fields_of, is_dataclass_type

_DEEPEST = 50


@final
class Tree:
    """All nodes of a space by path.

    Args:
        fields: What the user declared.

    Raises:
        SpaceError: A name or a declaration is not valid.

    Attributes:
        root: The whole space.
        leaves: By path, in the order of declaration.
        rules: The constraints of the space and of spaces inside it, with the groups they stand in.
        fixed: What the log keeps of parameters that have one value only, by whole path.
        bare: Whole paths whose labels stand for objects that are not at hand.
    """

    def __init__(self, fields: Fields) -> None:
        self._pending: list[tuple[Node, Any]] = []
        self._classes: list[type] = []
        self.rules: list[tuple[Expression, str]] = []
        self.fixed: dict[str, Scalar] = {}
        bare: dict[str, None] = {}
        self.root = self._group(fields, "", ())
        self._nodes: dict[str, Node] = {}
        for node in self.root.walk():
            self._nodes.setdefault(node.path, node)
            if isinstance(node, Group):
                bare |= dict.fromkeys(join(node.path, path) for path in node.fields.bare)
        self.bare = tuple(bare)
        for path in self.bare:
            self.node(path)
        self.leaves = {n.path: n for n in self.root.walk() if isinstance(n, Leaf)}
        self._normal = {normal(path): leaf for path, leaf in self.leaves.items()}
        defaults = Reading(self.node)
        for node, value in self._pending:  # inner ones first, so that outer ones win
            if isinstance(node, Group):  # by path, so not as one object of the group's form
                for name, part in value.items():
                    self.node(join(node.path, name)).read(part, defaults)
            else:
                node.read(value, defaults)
        for path, value in defaults.values.items():
            leaf = self.leaves[path]
            with at(path):
                leaf.parameter = replace(leaf.parameter, default=value)  # type: ignore[type-var] # all parameters are dataclasses

    @property
    def defaults(self) -> dict[str, Scalar]:
        """What the log would keep of the defaults, by path."""
        return {
            path: leaf.parameter.scalars([leaf.parameter.initial])[0]
            for path, leaf in self.leaves.items()
            if leaf.parameter.initial is not None
        }

    def node(self, path: Any) -> Node:
        """Return the node at a path.

        Raises:
            SpaceError: There is none.
        """
        node = self._nodes.get(path) if isinstance(path, str) and path else None
        if node is None:
            known = hint(str(path), (name for name in self._nodes if name))
            raise SpaceError(f"there is no parameter {path!r}; {known}")
        return node

    def resolve(self, name: str, where: str) -> Leaf:
        """Return the leaf that a condition at `where` calls `name`.

        Like a variable it is looked up in the innermost group first; like a variable of Python's, in
        the normal form NFKC.

        Raises:
            SpaceError: There is none.
        """
        scope = where
        while True:
            path = join(scope, name)
            leaf = self.leaves.get(path) or self._normal.get(normal(path))
            if leaf is not None:
                return leaf
            if not scope:
                raise SpaceError(f"there is no parameter {name!r}; {self._advice(name)}")
            scope = scope.rpartition(".")[0]

    def _advice(self, name: str) -> str:
        for path, leaf in self.leaves.items():
            if isinstance(leaf.parameter, Labelled) and leaf.parameter.contains(name):
                return f"a label is quoted: {written(path)} == {name!r}"
        return hint(name, self.leaves, lambda path: repr(path) if is_plain(path) else written(path))

    def _grow(self, spec: Any, path: str, requires: Requires) -> Node:
        if path.count(".") >= _DEEPEST:
            raise SpaceError(f"{path[:40]}... is nested more than {_DEEPEST} deep; make it flatter")
        if isinstance(spec, Declared):
            spec = spec.declaration
        if isinstance(spec, Parameter):
            return Leaf(path, spec, requires)
        if isinstance(spec, Choice):
            return self._branch(spec, path, requires)
        if isinstance(spec, List):
            return self._list(spec, path, requires)
        if isinstance(spec, Fields):
            return self._group(spec, path, requires)
        if isinstance(spec, Mapping):
            return self._group(Fields(spec), path, requires)
        if isinstance(spec, type) and issubclass(spec, Parameter | Choice | List):
            raise SpaceError(f"{path} is the class {spec.__name__}; call it with its values")
        if is_dataclass_type(spec):
            if spec in self._classes:
                raise SpaceError(f"{path}: {spec.__qualname__} contains itself")
            self._classes.append(spec)
            node = self._group(fields_of(spec), path, requires)
            self._classes.pop()
            return node
        raise SpaceError(
            f"{path} is a parameter such as Float(0, 1), a dict of parameters or a dataclass, got "
            f"{spec!r}"
        )

    def _group(self, fields: Fields, path: str, requires: Requires) -> Group:
        children: dict[str, Node] = {}
        for name, spec in fields.members.items():
            check_name(name, f"a parameter of {path}" if path else "a parameter")
            children[name] = self._grow(spec, join(path, name), requires)
        for text in fields.constraints:
            with at(f"constraint {text!r}"):
                self.rules.append((Expression(text), path))
        self.fixed |= {join(path, name): value for name, value in fields.fixed.items()}
        group = Group(path, fields, children)
        self._pending.append((group, fields.defaults))
        return group

    def _branch(self, spec: Choice, path: str, requires: Requires) -> Branch:
        selector = Categorical(list(spec.options), role=spec.role, when=spec.when)
        options: dict[str, Group] = {}
        for label, inner in spec.options.items():
            below = f"{path}.{label}"
            node = self._grow({} if inner is None else inner, below, ((path, (label,)),))
            if not isinstance(node, Group):
                raise SpaceError(
                    f"{below} is an option, which is a dict of parameters, a dataclass or None; "
                    f"got {inner!r}"
                )
            options[label] = node
        forms = [o.fields.form.label for o in options.values() if o.fields.form is not None]
        if twice := next((form for form in forms if forms.count(form) > 1), None):
            raise SpaceError(
                f"two options of {path} are {twice} objects, which the objective could not tell "
                f"apart; give the options dicts, or classes of different names"
            )
        branch = Branch(path, Leaf(path, selector, requires), options)
        if spec.default is not None:
            self._pending.append((branch, spec.default))
        return branch

    def _list(self, spec: List, path: str, requires: Requires) -> Listed:
        if spec.of is ...:
            raise SpaceError(f"{path} is a List of nothing; write List(element, length=...)")
        if isinstance(spec.of, Parameter | Choice) and spec.of.when is not None:
            raise SpaceError(f"{path}: an element of a list is always there; put when= on the List")
        if isinstance(spec.of, List):
            raise SpaceError(f"{path} is a List of Lists; put the inner one into a dict")
        low, high = spec.bounds
        number = Int(low, high, role=spec.role, when=spec.when)
        length = Leaf(path, number, requires, is_length=True)
        elements = tuple(
            self._grow(spec.of, f"{path}.{i}", ((path, tuple(range(max(low, i + 1), high + 1))),))
            for i in range(high)
        )
        node = Listed(path, length, elements)
        if spec.default is not None:
            self._pending.append((node, list(spec.default)))
        return node


def join(above: str, name: Any) -> str:
    """Return the path of what is called `name` in the group at `above`."""
    return f"{above}.{name}" if above else name
