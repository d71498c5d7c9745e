"""The numeric side of a space: from units to numbers to params and back, conditions included."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Bools, Columns, Floats, single
from tunesmith.space.conditions import Condition, Guards, Member, Rule, Whens, ordered, own, rule
from tunesmith.space.labels import Params, Scalar, hint
from tunesmith.space.nodes import Requires
from tunesmith.space.parameters import Parameter
from tunesmith.space.structure import Tree


@final
class Encoding:
    """All parameters of a space as columns, in the space's order.

    Args:
        tree: The space.
        constraints: Over whole paths.
        fixed: What the log keeps of parameters that have one value only.

    Raises:
        SpaceError: A condition or constraint is not valid.

    Attributes:
        names: Paths, parents first.
        parameters: With all their values.
        fixed: The numbers of fixed columns.
        columns: The maps from units to numbers.
        guards: When columns are active.
        rules: The constraints.
    """

    def __init__(self, tree: Tree, constraints: Sequence[str], fixed: Mapping[str, Scalar]) -> None:
        self.whens: dict[str, Whens] = {}
        for path, leaf in tree.leaves.items():
            with _at(path):
                self.whens[path] = own(leaf, tree)
        self.names = ordered(tree, self.whens)
        self.places = {path: j for j, path in enumerate(self.names)}
        self.parameters: tuple[Parameter, ...] = tuple(
            tree.leaves[path].parameter for path in self.names
        )
        self.fixed = {self.place(p): self._number(p, value) for p, value in fixed.items()}
        columns = [parameter.column for parameter in self.parameters]
        for j, number in self.fixed.items():
            columns[j] = single(number)
        self.counts = [column.count for column in columns]
        self.columns = Columns(columns)
        of: list[tuple[Condition, ...]] = []
        for path in self.names:
            of.append(self._conditions(path, tree, of))
        self.guards = Guards(of)
        self.rules: tuple[Rule, ...] = tuple(
            rule(text, "", tree, self.places) for text in constraints
        )

    def place(self, path: str) -> int:
        """Return the column of a path.

        Raises:
            SpaceError: There is none.
        """
        if path not in self.places:
            raise SpaceError(f"there is no parameter {path!r}; {hint(str(path), self.names)}")
        return self.places[path]

    def all_numbers(self, column: int) -> Floats:
        """Return all numbers (k,) of a discrete column, ascending."""
        if column in self.fixed:
            return np.array([self.fixed[column]])
        first, stride, scale = self.parameters[column].column.exact
        k = np.arange(self.counts[column], dtype=np.float64)
        return np.asarray((first + k * stride) / scale, dtype=np.float64)

    def _number(self, path: str, value: Scalar) -> float:
        parameter = self.parameters[self.place(path)]
        number = parameter.number(value)
        if number is None:
            raise SpaceError(f"{path}: {value!r} is not in {parameter!r}")
        return number

    def _conditions(
        self, path: str, tree: Tree, before: Sequence[tuple[Condition, ...]]
    ) -> tuple[Condition, ...]:
        leaf, when = tree.leaves[path], self.whens[path]
        needs: Requires = leaf.requires + when.needs
        conditions: list[Condition] = []
        for parent, labels in needs:
            place = self.places[parent]
            found = sorted(self._number(parent, label) for label in labels)
            if len(found) < (self.parameters[place].cardinality or 0) or before[place]:
                conditions.append(Member(place, tuple(found)))
        if when.text:
            with _at(path):
                conditions.append(rule(when.text, path.rpartition(".")[0], tree, self.places))
        return tuple(conditions)

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


def holding(one: Rule, numbers: Floats, active: Bools) -> Bools:
    """Return where (n,) a constraint holds; it does wherever it mentions an inactive column."""
    result: Bools = one.holds(numbers) | ~active[:, list(one.uses)].all(axis=1)
    return result


class _at:  # noqa: N801 - reads as the preposition it is
    """Puts the path of a parameter in front of an error."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, SpaceError) and not str(error).startswith(f"{self._path}: "):
            raise SpaceError(f"{self._path}: {error}") from None
