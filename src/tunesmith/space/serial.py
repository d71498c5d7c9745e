"""Spaces as JSON and TOML: labels in place of objects, and the form that the objective gets.

    form = "mapping"                        # or "call", "object"
    constraints = ["width2 <= width1"]
    [parameters]
    lr = {type = "Float", low = 1e-5, high = 0.1, log = true}
    [parameters.optimizer]                  # names are those of the classes, settings their arguments
    type = "Choice"
    options = {adam = {beta = {type = "Float", low = 0.8, high = 1.0}}, sgd = {}}

A table without a text `type` is a group. `defaults` and `fixed` hold values by path; `objects` lists
the paths whose labels stand for objects.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Categorical, Labelled, Ordinal
from tunesmith.space.encoding import Encoding
from tunesmith.space.forms import form_of
from tunesmith.space.labels import Scalar, at, hint
from tunesmith.space.nests import Choice, Fields, List
from tunesmith.space.nodes import Branch, Group, Leaf, Listed, Node
from tunesmith.space.parameters import Float, Int
from tunesmith.space.structure import Tree

_COMMON = ("default", "role", "when")
_KINDS: dict[str, tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = {
    "Float": (Float, ("low", "high"), ("log", "step")),
    "Int": (Int, ("low", "high"), ("log", "step")),
    "Categorical": (Categorical, ("choices",), ()),
    "Ordinal": (Ordinal, ("choices",), ()),
    "Choice": (Choice, ("options",), ()),
    "List": (List, ("of", "length"), ()),
    "Group": (Fields, ("form", "name", "parameters"), ()),
}
_ROOT = ("form", "name", "parameters", "constraints", "defaults", "fixed", "objects")


def to_data(tree: Tree, encoding: Encoding, fixed: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return a space as JSON values; what is empty is left out."""
    root = tree.root
    form = root.fields.form
    data: dict[str, Any] = {"form": "mapping" if form is None else form.name}
    if form is not None and form.name == "object":
        data["name"] = form.label
    data["parameters"] = {n: _node(child, encoding) for n, child in root.children.items()}
    rest = {
        "constraints": [rule.text for rule in encoding.rules],
        "defaults": tree.defaults,
        "fixed": dict(fixed),
        "objects": [
            path
            for path, leaf in tree.leaves.items()
            if path in tree.bare
            or (isinstance(leaf.parameter, Labelled) and leaf.parameter.objects)
        ],
    }
    return data | {key: value for key, value in rest.items() if value}


def _node(node: Node, encoding: Encoding) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return _leaf(node.parameter.settings(), node, encoding)
    if isinstance(node, Branch):
        options = {label: _node(option, encoding) for label, option in node.options.items()}
        return _leaf({"type": "Choice", "options": options}, node.selector, encoding)
    if isinstance(node, Listed):
        length = node.length.parameter.settings()
        data = {"type": "List", "of": _node(node.elements[0], encoding)}
        data["length"] = [length["low"], length["high"]]
        return _leaf(data, node.length, encoding)
    if not isinstance(node, Group):
        raise TypeError(f"a node of another kind: {node!r}")
    inner = {name: _node(child, encoding) for name, child in node.children.items()}
    form = node.fields.form
    if form is None:
        return inner
    return {"type": "Group", "form": form.name, "name": form.label, "parameters": inner}


def _leaf(data: dict[str, Any], leaf: Leaf, encoding: Encoding) -> dict[str, Any]:
    role, said = leaf.parameter.role, encoding.whens[leaf.path].said
    common = {"role": None if role == "algorithm" else role, "when": said}
    return data | {key: value for key, value in common.items() if value is not None}


def leaf_data(leaf: Leaf, encoding: Encoding, fixed: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return what the log keeps of one parameter, without its default."""
    settings = leaf.parameter.settings()
    if leaf.path in fixed:
        settings["fixed"] = fixed[leaf.path]
    return _leaf(settings, leaf, encoding)


def from_data(data: Any) -> Fields:
    """Return what `to_data` wrote.

    Raises:
        SpaceError: The data are no space; it says where.
    """
    if not isinstance(data, Mapping):
        raise SpaceError(f"a space is written as a table with 'parameters', got {data!r}")
    _known_keys(data, _ROOT, "a space")
    return Fields(
        members=_members(data.get("parameters", {}), "parameters"),
        form=form_of(data.get("form", "mapping"), str(data.get("name", "Params"))),
        defaults=_table(data.get("defaults", {}), "defaults"),
        constraints=texts(data.get("constraints", []), "constraints"),
        fixed=dict(_table(data.get("fixed", {}), "fixed")),
        bare=texts(data.get("objects", []), "objects"),
    )


def texts(given: Any, what: str) -> tuple[str, ...]:
    """Return a list as a tuple.

    Raises:
        SpaceError: It is none.
    """
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise SpaceError(f"{what} are a list of texts, got {given!r}; put it in []")
    return tuple(given)


def _table(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise SpaceError(f"{where} must be a table, got {data!r}")
    return data


def _known_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            raise SpaceError(f"{where} has no setting {key!r}; {hint(str(key), known)}")


def _members(data: Any, where: str) -> dict[str, Any]:
    table = _table(data, where)
    return {name: _spec(inner, f"{where}.{name}") for name, inner in table.items()}


def _spec(data: Any, where: str) -> Any:
    table = _table(data, where)
    kind = table.get("type")
    if not isinstance(kind, str):
        return _members(table, where)
    if kind not in _KINDS:
        raise SpaceError(f"{where}: there is no type {kind!r}; {hint(kind, _KINDS)}")
    make, needed, more = _KINDS[kind]
    settings = {key: value for key, value in table.items() if key != "type"}
    common = () if kind == "Group" else _COMMON
    _known_keys(settings, needed + more + common, f"{where}, a {kind},")
    for key in needed:
        if key not in settings:
            raise SpaceError(f"{where}, a {kind}, needs {key!r}")
    if kind == "Group":
        inner = _members(settings["parameters"], where)
        return Fields(inner, form_of(settings["form"], settings["name"]))
    if kind == "Choice":
        settings["options"] = _members(settings["options"], where)
    elif kind == "List":
        settings["of"] = _spec(settings["of"], f"{where}.of")
    with at(where):
        return make(**settings)
