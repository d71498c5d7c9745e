"""The numeric side of a space: from units to numbers to params and back, conditions included."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.columns import Columns, single
from tunesmith.space.compiling import Found, Rule, compiled
from tunesmith.space.conditions import Condition, Guards, Member, Whens, ordered, own
from tunesmith.space.expressions import Expression
from tunesmith.space.labels import Params, Scalar, at, hint
from tunesmith.space.parameters import Parameter
from tunesmith.space.structure import Tree

_MANY = 50  # params, from which on it is worth going by columns
_FEW = 1000  # combinations that are tried to see whether a condition can hold


@final
class Encoding:
    """All parameters of a space as columns, in the space's order.

    Args:
        tree: The space.

    Raises:
        SpaceError: A condition or constraint is not valid.

    Attributes:
        names: Paths, parents first.
        parameters: With all their values.
        fixed: The numbers of fixed columns.
        made: The map of each column.
        columns: The maps from units to numbers.
        guards: When columns are active.
        rules: The constraints.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._rules: dict[tuple[str, str], Rule] = {}
        self.whens: dict[str, Whens] = {}
        for path, leaf in tree.leaves.items():
            with at(path):
                self.whens[path] = own(leaf, tree)
        self.names = ordered(tree, self.whens)
        self.places = {path: j for j, path in enumerate(self.names)}
        self.parameters: tuple[Parameter, ...] = tuple(
            tree.leaves[path].parameter for path in self.names
        )
        self.fixed = {self.place(p): self._number(p, value) for p, value in tree.fixed.items()}
        made = [parameter.column for parameter in self.parameters]
        for j, number in self.fixed.items():
            made[j] = single(number)
        self.made = tuple(made)
        self.columns = Columns(self.made)
        of: list[tuple[Condition, ...]] = []
        for path in self.names:
            with at(path):
                of.append(self._conditions(path, of))
        self.guards = Guards(of)
        rules = [self._rule(expression, where) for expression, where in tree.rules]
        self.rules: tuple[Rule, ...] = tuple({rule.text: rule for rule in rules}.values())

    def place(self, path: str) -> int:
        """Return the column of a path.

        Raises:
            SpaceError: There is none.
        """
        if path not in self.places:
            raise SpaceError(f"there is no parameter {path!r}; {hint(str(path), self.names)}")
        return self.places[path]

    def _number(self, path: str, value: Scalar) -> float:
        parameter = self.parameters[self.place(path)]
        number = parameter.number(value)
        if number is None:
            raise SpaceError(f"{path}: {value!r} is not in {parameter!r}")
        return number

    def _conditions(
        self, path: str, before: Sequence[tuple[Condition, ...]]
    ) -> tuple[Condition, ...]:
        leaf, when = self._tree.leaves[path], self.whens[path]
        wanted: dict[str, set[float]] = {}
        for parent, labels in leaf.requires + when.needs:
            numbers = {self._number(parent, label) for label in labels}
            wanted[parent] = wanted.get(parent, numbers) & numbers
        conditions: list[Condition] = []
        for parent, found in wanted.items():
            if not found:
                raise SpaceError(
                    f"when={when.said!r} never holds where {path} stands: {parent} has another "
                    f"value there"
                )
            place = self.places[parent]
            if len(found) < (self.parameters[place].cardinality or 0) or before[place]:
                conditions.append(Member(place, tuple(sorted(found))))
        if when.expression is not None:
            rule = self._rule(when.expression, path.rpartition(".")[0])
            if not self._possible(rule):
                raise SpaceError(
                    f"when={rule.text!r} never holds in the ranges of what it mentions; "
                    f"change it, or leave {path} out"
                )
            conditions.append(rule)
        return tuple(conditions)

    def _possible(self, rule: Rule) -> bool:
        """Return whether a condition may hold: tried where there are few values, else by ranges."""
        columns = [self.parameters[j].column for j in rule.uses]  # fixing may close what it likes
        if not rule.possible or not 0 < math.prod(c.count for c in columns) <= _FEW:
            return rule.possible
        values = np.meshgrid(*(c.numbers(0, c.count) for c in columns), indexing="ij")
        numbers = np.zeros((values[0].size, rule.uses[-1] + 1), order="F")
        for j, some in zip(rule.uses, values, strict=True):
            numbers[:, j] = some.ravel()
        return bool(rule.holds(numbers).any())

    def _rule(self, expression: Expression, where: str) -> Rule:
        """Compile the expression that stands in the group at `where`; equal ones are one."""
        tree, places = self._tree, self.places

        def find(name: str) -> Found:
            leaf = tree.resolve(name, where)
            return Found(leaf.path, places[leaf.path], leaf.parameter, leaf.is_length)

        key = expression.text, where
        if key not in self._rules:
            self._rules[key] = compiled(expression, find)
        return self._rules[key]

    def numbers(self, units: Floats) -> Floats:
        """Return numbers (n, d) at units (n, d)."""
        return self.columns.numbers(units)

    def active(self, numbers: Floats) -> Bools:
        """Return where columns are active (n, d)."""
        return self.guards.active(numbers)

    def feasible(self, numbers: Floats, active: Bools) -> Bools:
        """Return which rows (n,) keep all constraints whose parameters are all active."""
        result = np.ones(len(numbers), dtype=bool)
        for one in self.rules:
            result &= holding(one, numbers, active)
        return result

    def params(self, numbers: Floats, active: Bools | None) -> list[Params]:
        """Return the active part of rows (n, d) as params; None: all columns are active."""
        columns = [
            parameter.scalars(column)
            for parameter, column in zip(self.parameters, numbers.T.tolist(), strict=True)
        ]
        names = self.names
        if not columns:
            return [{} for _ in range(len(numbers))]
        rows = zip(*columns, strict=True)
        if active is None:
            return [dict(zip(names, row, strict=True)) for row in rows]
        return [
            {name: value for name, value, on in zip(names, row, here, strict=True) if on}
            for row, here in zip(rows, active.tolist(), strict=True)
        ]

    def row(self, params: Mapping[str, Scalar]) -> Floats:
        """Return numbers (d,) of params, NaN where they have none.

        Raises:
            SpaceError: A name is unknown, or a value is not in its parameter.
        """
        row = np.full(len(self.names), np.nan)
        places, parameters = self.places, self.parameters
        for name, value in params.items():
            j = places.get(name)
            number = None if j is None else parameters[j].number(value)
            if j is None or number is None or (self.fixed and self.fixed.get(j, number) != number):
                raise self._stranger(name, value)
            row[j] = number
        return row

    def rows(self, params: Sequence[Mapping[str, Scalar]]) -> Floats:
        """Return numbers (n, d) of several params, as `row` does of one."""
        d = len(self.names)
        if self.fixed or len(params) < _MANY:
            return np.array([self.row(one) for one in params], dtype=float).reshape(len(params), d)
        found = np.full((len(params), d), np.nan)
        for name, j in self.places.items():
            number = lru_cache(maxsize=None, typed=True)(self.parameters[j].number)
            try:
                column = [number(one[name]) if name in one else np.nan for one in params]
            except TypeError:  # a value that cannot be looked up
                column = [self.row(one)[j] for one in params]
            if None in column:
                self.row(params[column.index(None)])  # says what is wrong
            found[:, j] = column
        sizes = np.fromiter(map(len, params), dtype=np.int64, count=len(params))
        for i in np.flatnonzero((~np.isnan(found)).sum(axis=1) != sizes).tolist():
            self.row(params[i])  # a name is unknown
        return found

    def _stranger(self, name: str, value: Scalar) -> SpaceError:
        j = self.place(name)
        if self.parameters[j].contains(value):
            [only] = self.parameters[j].scalars([self.fixed[j]])
            return SpaceError(f"{name} is fixed to {only!r}, got {value!r}")
        return SpaceError(f"{name}: {value!r} is not in {self.parameters[j]!r}")

    def why_inactive(self, column: int, row: Floats, active: Bools) -> str:
        """Return in words which condition of a column fails in a row (d,)."""
        for condition in self.guards.of[column]:
            if not active[list(condition.uses)].all() or not condition.holds(row[None])[0]:
                if isinstance(condition, Rule):
                    return f"it is only active when {condition.text}"
                parent = condition.parent
                labels = self.parameters[parent].scalars(condition.numbers)
                said = " or ".join(map(repr, labels[:8])) + (" ..." if len(labels) > 8 else "")
                return f"it is only active when {self.names[parent]} is {said}"
        return "it is always active"

    def check(self, params: Mapping[str, Scalar]) -> None:
        """Check that params are one whole configuration.

        Raises:
            SpaceError: They are not; it says what is wrong.
        """
        row = self.row(params)
        filled = np.where(np.isnan(row), 0.0, row)
        given = ~np.isnan(row)
        active = self.active(filled[None])[0]
        for j, name in enumerate(self.names):
            if active[j] and not given[j]:
                raise SpaceError(f"{name} is missing; it is active here, give it a value")
            if given[j] and not active[j]:
                why = self.why_inactive(j, filled, active)
                raise SpaceError(f"{name} is not active here, leave it out: {why}")
        broken = self.broken(filled[None], active[None])
        if broken is not None:
            raise SpaceError(f"{dict(params)!r} breaks the constraint {broken!r}")

    def broken(self, numbers: Floats, active: Bools) -> str | None:
        """Return the first constraint that one row (1, d) breaks, or None."""
        broken = (one.text for one in self.rules if not holding(one, numbers, active)[0])
        return next(broken, None)


class Holds(Protocol):
    """What holds in some rows, and may be asked only where its columns are active."""

    @property
    def uses(self) -> tuple[int, ...]:
        """The columns it reads."""
        ...

    def holds(self, numbers: Floats) -> Bools:
        """Return where it holds (n,) in numbers (n, d)."""
        ...


def holding(one: Holds, numbers: Floats, active: Bools) -> Bools:
    """Return where (n,) a constraint holds; it does wherever it mentions an inactive column."""
    result: Bools = one.holds(numbers) | ~active[:, list(one.uses)].all(axis=1)
    return result
