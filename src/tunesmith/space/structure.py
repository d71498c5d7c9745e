"""The tree of a space, grown from what the user declared.

Options and elements require values of the leaf above them; conditions look up names in the
innermost group first, so that a group may stand anywhere, any number of times.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Categorical
from tunesmith.space.expressions import Expression
from tunesmith.space.labels import check_name, hint
from tunesmith.space.nests import Choice, Declared, Fields, List
from tunesmith.space.nodes import Branch, Group, Leaf, Listed, Node, Reading, Requires
from tunesmith.space.parameters import Int, Parameter
from tunesmith.space.typed import fields_of, is_dataclass_type


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
        constraints: Of the space and of spaces inside it, over whole paths.
    """

    def __init__(self, fields: Fields) -> None:
        self._pending: list[tuple[Node, Any]] = []
        self._rules: list[tuple[str, str]] = []
        self._classes: list[type] = []
        self.root = self._group(fields, "", ())
        self._nodes: dict[str, Node] = {}
        for node in self.root.walk():
            self._nodes.setdefault(node.path, node)
        self.leaves = {n.path: n for n in self.root.walk() if isinstance(n, Leaf)}
        self.constraints = tuple(self._whole(text, where) for where, text in self._rules)
        defaults = Reading(self.node)
        for node, value in self._pending:  # inner ones first, so that outer ones win
            if isinstance(node, Group):  # by path, so not as one object of the group's form
                for name, part in value.items():
                    self.node(f"{node.path}.{name}" if node.path else name).read(part, defaults)
            else:
                node.read(value, defaults)
        for path, value in defaults.values.items():
            leaf = self.leaves[path]
            leaf.parameter = _with_default(leaf.parameter, path, value)

    def _whole(self, text: str, where: str) -> str:
        """Return a constraint that stands at `where`, over whole paths."""
        try:
            return Expression(text).renamed(lambda name: self.resolve(name, where))
        except SpaceError as error:
            raise SpaceError(f"constraint {text!r}: {error}") from None

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

    def resolve(self, name: str, where: str) -> str:
        """Return the whole path of a leaf that a condition at `where` calls `name`.

        Like a variable it is looked up in the innermost group first.

        Raises:
            SpaceError: There is none.
        """
        scope = where
        while True:
            path = f"{scope}.{name}" if scope else name
            if path in self.leaves:
                return path
            if not scope:
                raise SpaceError(f"there is no parameter {name!r}; {hint(name, self.leaves)}")
            scope = scope.rpartition(".")[0]

    def _grow(self, spec: Any, path: str, requires: Requires) -> Node:
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
            children[name] = self._grow(spec, f"{path}.{name}" if path else name, requires)
        self._rules += [(path, text) for text in fields.constraints]
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
        length = Leaf(path, Int(low, high, role=spec.role, when=spec.when), requires)
        elements = tuple(
            self._grow(spec.of, f"{path}.{i}", ((path, tuple(range(max(low, i + 1), high + 1))),))
            for i in range(high)
        )
        node = Listed(path, length, elements)
        if spec.default is not None:
            self._pending.append((node, list(spec.default)))
        return node


def _with_default(parameter: Parameter, path: str, value: Any) -> Parameter:
    try:
        changed: Parameter = replace(parameter, default=value)  # type: ignore[type-var] # all parameters are dataclasses
    except SpaceError as error:
        raise SpaceError(f"{path}: {error}") from None
    return changed
