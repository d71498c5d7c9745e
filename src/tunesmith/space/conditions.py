"""Which parameters are active: the conditions of all leaves, ordered and compiled to columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.compiling import Rule
from tunesmith.space.expressions import Expression
from tunesmith.space.labels import Scalar
from tunesmith.space.nodes import Leaf
from tunesmith.space.structure import Tree


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


Condition: TypeAlias = Member | Rule


@final
@dataclass(frozen=True)
class Whens:
    """The own condition of a leaf, in the log's terms.

    Attributes:
        needs: Values that leaves by path must have.
        expression: An expression, if the condition is one.
        above: Paths of the leaves that it mentions.
        said: The JSON of it: paths as the user wrote them, labels in place of objects.
    """

    needs: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    expression: Expression | None = None
    above: tuple[str, ...] = ()
    said: Any = None


def own(leaf: Leaf, tree: Tree) -> Whens:
    """Return what a leaf's `when` says.

    Raises:
        SpaceError: It names an unknown parameter or value.
    """
    when = leaf.parameter.when
    if when is None:
        return Whens()
    where = leaf.path.rpartition(".")[0]
    if isinstance(when, str):
        expression = Expression(when)
        above = tuple(tree.resolve(name, where).path for name in expression.names)
        return Whens(expression=expression, above=above, said=when)
    needs, said = [], {}
    for name, wanted in when.items():
        found = tree.resolve(str(name), where)
        path, parent = found.path, found.parameter
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
    return Whens(needs=tuple(needs), above=tuple(path for path, _ in needs), said=said)


def ordered(tree: Tree, whens: Mapping[str, Whens]) -> tuple[str, ...]:
    """Return the paths of all leaves, parents before children, else in the order of declaration.

    Raises:
        SpaceError: Conditions form a circle.
    """
    parents: dict[str, list[str]] = {}
    for path, leaf in tree.leaves.items():
        parents[path] = [*(p for p, _ in leaf.requires), *whens[path].above]
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
        alike: The columns that have the same conditions, ascending.
    """

    def __init__(self, of: Sequence[tuple[Condition, ...]]) -> None:
        self.of = tuple(of)
        self.alike: dict[tuple[Condition, ...], list[int]] = {}
        for column, conditions in enumerate(of):
            self.alike.setdefault(conditions, []).append(column)
        self._groups = [(some, np.array(columns)) for some, columns in self.alike.items() if some]

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
