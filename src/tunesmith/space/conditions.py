"""Which parameters are active: the conditions of all leaves, ordered and compiled to columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Bools, Floats
from tunesmith.space.expressions import Expression
from tunesmith.space.labels import Scalar
from tunesmith.space.nodes import Leaf
from tunesmith.space.parameters import Parameter
from tunesmith.space.structure import Tree

Resolve: TypeAlias = Callable[[str], tuple[int, Parameter]]


@final
@dataclass(frozen=True)
class Member:
    """Active while the column `parent` has one of some numbers."""

    parent: int
    numbers: tuple[float, ...]

    @property
    def uses(self) -> tuple[int, ...]:
        """The columns it reads."""
        return (self.parent,)

    def holds(self, numbers: Floats) -> Bools:
        """Return where it holds (n,) in numbers (n, d)."""
        column, wanted = numbers[:, self.parent], self.numbers
        result: Bools
        if len(wanted) == 1:
            result = column == wanted[0]
        elif wanted[-1] - wanted[0] == len(wanted) - 1:  # a run of whole numbers
            result = (column >= wanted[0]) & (column <= wanted[-1])
        else:
            result = np.isin(column, wanted)
        return result


@final
@dataclass(frozen=True, eq=False)
class Rule:
    """An expression over columns: a condition of a parameter, or a constraint of a space."""

    text: str
    uses: tuple[int, ...]
    holds: Callable[[Floats], Bools]


Condition: TypeAlias = Member | Rule


def rule(text: str, where: str, tree: Tree, places: Mapping[str, int]) -> Rule:
    """Compile the expression that stands at `where`.

    Raises:
        SpaceError: It cannot be compiled.
    """

    def find(name: str) -> tuple[int, Parameter]:
        path = tree.resolve(name, where)
        return places[path], tree.leaves[path].parameter

    expression = Expression(text)
    holds = expression.bind(find)
    return Rule(text, tuple(sorted({find(name)[0] for name in expression.names})), holds)


@final
@dataclass(frozen=True)
class Whens:
    """The own condition of a leaf, in the log's terms.

    Attributes:
        needs: Values that leaves by path must have.
        text: An expression, or empty.
        said: The JSON of it: paths as the user wrote them, labels in place of objects.
    """

    needs: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    text: str = ""
    said: Any = None


def own(leaf: Leaf, tree: Tree) -> Whens:
    """Return what a leaf's `when` says.

    Raises:
        SpaceError: It names an unknown parameter or value.
    """
    when = leaf.parameter.when
    if when is None:
        return Whens()
    above = leaf.path.rpartition(".")[0]
    if isinstance(when, str):
        Expression(when)
        return Whens(text=when, said=when)
    needs, said = [], {}
    for name, wanted in when.items():
        path = tree.resolve(str(name), above)
        parent = tree.leaves[path].parameter
        if parent.cardinality is None:
            raise SpaceError(
                f"{path} is continuous and never equals a value; use when='{name} >= 0.5' or so"
            )
        several = isinstance(wanted, list | tuple | set | frozenset)
        values = list(wanted) if several and not parent.contains(wanted) else [wanted]
        for value in values:
            if not parent.contains(value):
                raise SpaceError(f"when={when!r}: {value!r} is not in {path} = {parent!r}")
        if not values:
            raise SpaceError(f"when={when!r} never holds: it names no value of {path}")
        labels = parent.scalars(sorted({parent.number(value) or 0.0 for value in values}))
        needs.append((path, tuple(labels)))
        said[str(name)] = labels
    return Whens(needs=tuple(needs), said=said)


def ordered(tree: Tree, whens: Mapping[str, Whens]) -> tuple[str, ...]:
    """Return the paths of all leaves, parents before children, else in the order of declaration.

    Raises:
        SpaceError: Conditions form a circle.
    """
    parents: dict[str, list[str]] = {}
    for path, leaf in tree.leaves.items():
        above = [p for p, _ in leaf.requires] + [p for p, _ in whens[path].needs]
        if whens[path].text:
            here = path.rpartition(".")[0]
            above += [tree.resolve(n, here) for n in Expression(whens[path].text).names]
        parents[path] = above
    done: dict[str, None] = {}
    open_: dict[str, None] = {}
    for start in parents:
        stack = [start]
        while stack:
            path = stack[-1]
            waiting = [p for p in parents[path] if p not in done]
            if not waiting:
                done[stack.pop()] = None
                open_.pop(path, None)
                continue
            open_[path] = None
            for parent in reversed(waiting):
                if parent in open_:
                    raise SpaceError(
                        f"{parent} is active depending on itself, by way of {path}; "
                        f"break the circle of when="
                    )
                stack.append(parent)
    return tuple(done)


@final
class Guards:
    """The conditions of all columns, evaluated together.

    Attributes:
        of: The conditions of each column; none: always active.
    """

    def __init__(self, of: Sequence[tuple[Condition, ...]]) -> None:
        self.of = tuple(of)
        alike: dict[tuple[Condition, ...], list[int]] = {}
        for column, conditions in enumerate(of):
            if conditions:
                alike.setdefault(conditions, []).append(column)
        self._groups = [(conditions, np.array(cols)) for conditions, cols in alike.items()]

    def __bool__(self) -> bool:
        return bool(self._groups)

    def active(self, numbers: Floats) -> Bools:
        """Return where columns are active (n, d), given numbers (n, d).

        A condition on a column that is not active does not hold.
        """
        active = np.ones(numbers.shape, dtype=bool)
        for conditions, columns in self._groups:
            on: Any = True
            for condition in conditions:
                on = on & condition.holds(numbers)
                for parent in condition.uses:
                    on = on & active[:, parent]
            active[:, columns] = on[:, None]
        return active

    def active_at(self, column: int, numbers: Floats, active: Bools) -> Bools:
        """Return where one column is active (n,), given `active` of the columns before it."""
        on = np.ones(len(numbers), dtype=bool)
        for condition in self.of[column]:
            on &= condition.holds(numbers)
            on &= active[:, list(condition.uses)].all(axis=1)
        return on
