"""Two spaces of dicts made one, where they do not contradict each other."""

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Labelled, same
from tunesmith.space.encoding import Encoding
from tunesmith.space.nests import Fields
from tunesmith.space.nodes import Group, Leaf
from tunesmith.space.serial import leaf_data
from tunesmith.space.structure import Tree


def united(mine: tuple[Tree, Encoding], theirs: tuple[Tree, Encoding]) -> Fields:
    """Return the group that has the parameters, defaults and constraints of both.

    Raises:
        SpaceError: They define a name differently, or one is not of a dict.
    """
    a, b = mine[0], theirs[0]
    if a.root.fields.form is not None or b.root.fields.form is not None:
        raise SpaceError("only spaces of dicts can be united; put this one into a dict")
    for name in a.root.children.keys() & b.root.children.keys():
        _check_alike(name, mine, theirs)
    return Fields(
        members={**a.root.fields.members, **b.root.fields.members},
        defaults=a.defaults | b.defaults,
        constraints=tuple(
            dict.fromkeys(rule.text for _, encoding in (mine, theirs) for rule in encoding.rules)
        ),
        fixed=a.fixed | b.fixed,
        bare=tuple(dict.fromkeys(a.bare + b.bare)),
    )


def _check_alike(name: str, mine: tuple[Tree, Encoding], theirs: tuple[Tree, Encoding]) -> None:
    (a, ours), (b, others) = mine, theirs
    nodes = [{node.path: node for node in tree.root.children[name].walk()} for tree in (a, b)]
    leaves = [{n.path: n for n in some.values() if isinstance(n, Leaf)} for some in nodes]
    for path in leaves[0] | leaves[1]:
        one, two = (a.leaves.get(path), b.leaves.get(path))
        said = [
            "missing" if leaf is None else leaf_data(leaf, encoding, {})
            for leaf, encoding in ((one, ours), (two, others))
        ]
        if one is None or two is None or said[0] != said[1]:
            raise SpaceError(f"both spaces define {path}, as {said[0]} and {said[1]}; rename one")
        p, q = one.parameter, two.parameter
        if (
            isinstance(p, Labelled)
            and isinstance(q, Labelled)
            and not all(map(same, p.choices, q.choices))
        ):
            raise SpaceError(
                f"both spaces define {path}, with equal labels for different objects; rename one"
            )
        if ours.fixed.get(ours.places[path]) != others.fixed.get(others.places[path]):
            raise SpaceError(
                f"{path} is fixed in one space, and free or fixed otherwise in the other; "
                f"fix it after uniting them"
            )
        if p.initial is not None and q.initial is not None and p.initial != q.initial:
            raise SpaceError(f"{path} has different defaults in the two spaces; leave out one")
    for path, node in nodes[0].items():
        twin = nodes[1].get(path)
        forms = [one.fields.form for one in (node, twin) if isinstance(one, Group)]
        if len(set(forms)) > 1:
            raise SpaceError(
                f"both spaces define {path}, as objects of different classes; rename one"
            )
