"""Every combination of some values of each parameter: how many there are, and all of them in order.

Counting decides parents one at a time. Once a parent is decided, what hangs on it falls apart into
groups without conditions in common, whose numbers multiply; so trees of choices and lists are
counted in about as many steps as they have values. Listing grows configurations column by column; a
constraint cuts off a beginning as soon as none of its own combinations begins so. Nothing is ever
laid out in full: numbers and rows come by the slice.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.columns import Column
from tunesmith.space.compiling import Rule
from tunesmith.space.encoding import Encoding, holding
from tunesmith.space.labels import whole_or_none

ENUMERABLE = 100_000
"""So many configurations, or combinations that a constraint mentions, are looked at one by one."""

_MOST_STEPS, _DEEPEST = 10_000, 150
_MOST_LEVELS = 10**6
_BLOCK, _CELLS, _MOST_CELLS = 4096, 400_000, 2_000_000


@final
@dataclass(frozen=True)
class Axis:
    """The values of one parameter that are combined.

    Attributes:
        column: Has all of them.
        some: Those chosen (k,), ascending; None: all.
    """

    column: Column
    some: Floats | None = None

    def __len__(self) -> int:
        return self.column.count if self.some is None else len(self.some)

    def numbers(self, start: int, stop: int) -> Floats:
        """Return the numbers from place `start` to before `stop`."""
        return self.column.numbers(start, stop) if self.some is None else self.some[start:stop]


def axes(encoding: Encoding, wanted: Mapping[str, Any] | int | None) -> list[Axis]:
    """Return an axis for each parameter: all values of a finite one, else at evenly spaced units.

    Args:
        encoding: The space.
        wanted: How many levels, both ends included (1: the middle); a mapping may thin finite ones
            too. None: continuous ones have none, which means infinitely many values.

    Raises:
        SpaceError: A continuous parameter is not in `wanted`, or a number is below 1.
    """
    by_name = wanted if isinstance(wanted, Mapping) else {}
    for name in by_name:
        encoding.place(name)
    result = []
    for j, (name, column) in enumerate(zip(encoding.names, encoding.made, strict=True)):
        given: Any = by_name.get(name)
        if given is None and not column.count and wanted is not None:
            if by_name is wanted:
                raise SpaceError(
                    f"{name} is continuous; say how many levels it gets, {{{name!r}: 5}}"
                )
            given = wanted
        n = whole_or_none(given)
        if given is not None and (n is None or not 1 <= n <= _MOST_LEVELS):
            raise SpaceError(
                f"{name} gets a whole number of levels from 1 to {_MOST_LEVELS:,}, got {given!r}"
            )
        all_of_it = n is None or 0 < column.count <= n
        result.append(Axis(column) if all_of_it else Axis(column, _spaced(encoding, j, n or 1)))
    return result


def _spaced(encoding: Encoding, place: int, n: int) -> Floats:
    size = max(1, _CELLS // len(encoding.names))
    found = []
    for start in range(0, n, size):
        units = np.full((min(size, n - start), len(encoding.names)), 0.5)
        if n > 1:
            units[:, place] = np.arange(start, start + len(units)) / (n - 1)
        found.append(encoding.numbers(units)[:, place])
    return np.unique(np.concatenate(found))


def count(encoding: Encoding, along: Sequence[Axis]) -> int | None:
    """Return how many combinations there are; None if infinitely many.

    Constraints are counted if there are at most 100,000 combinations without them, or if they cut
    off so much that the rest is soon listed; else the number is a bound. So is it where conditions
    are too entangled to be counted in 10,000 steps.
    """
    try:
        free = _Count(encoding, along).ways(list(range(len(along))), 0)
    except _Infinite:
        return None
    except _TooMany:
        return math.prod(map(len, along)) if all(map(len, along)) else None
    if not encoding.rules:
        return free
    most = None if free <= ENUMERABLE else _MOST_CELLS // max(1, len(along))
    try:
        return sum(len(numbers) for numbers, _ in blocks(encoding, along, most))
    except _TooMany:
        return free


class _Infinite(Exception):  # noqa: N818 - an answer, not an error
    pass


class _TooMany(Exception):  # noqa: N818 - an answer, not an error
    pass


@final
class _Count:
    """A row of numbers, decided as far as the count has come."""

    def __init__(self, encoding: Encoding, along: Sequence[Axis]) -> None:
        self._guards = encoding.guards
        self._along = along
        self._row = np.zeros((1, len(along)))
        self._active = np.zeros((1, len(along)), dtype=bool)
        self._left = _MOST_STEPS

    def ways(self, columns: list[int], depth: int) -> int:
        """Return in how many ways `columns`, ascending, can be decided."""
        return math.prod(self._ways_of_group(group, depth + 1) for group in self._groups(columns))

    def _ways_of_group(self, columns: list[int], depth: int) -> int:
        first, *rest = columns
        axis = self._along[first]
        on = self._guards.active_at(first, self._row, self._active)[0]
        self._active[0, first] = on
        self._left -= 1 if not (on and rest) else 1 + len(axis)
        if self._left < 0 or depth > _DEEPEST:
            raise _TooMany
        if not on:
            return self.ways(rest, depth)
        if not len(axis):
            raise _Infinite
        if not rest:
            return len(axis)
        total = 0
        for number in axis.numbers(0, len(axis)).tolist():
            self._row[0, first] = number
            self._active[0, first] = True
            total += self.ways(rest, depth)
        return total

    def _groups(self, columns: list[int]) -> list[list[int]]:
        """Return the columns in groups that have no undecided condition in common."""
        leader = {column: column for column in columns}

        def find(column: int) -> int:
            while leader[column] != column:
                leader[column] = leader[leader[column]]
                column = leader[column]
            return column

        for column in columns:
            for condition in self._guards.of[column]:
                for parent in condition.uses:
                    if parent in leader:
                        a, b = sorted((find(column), find(parent)))
                        leader[b] = a
        groups: dict[int, list[int]] = {}
        for column in columns:
            groups.setdefault(find(column), []).append(column)
        return list(groups.values())


def blocks(
    encoding: Encoding, along: Sequence[Axis], most: int | None = None
) -> Iterator[tuple[Floats, Bools]]:
    """Yield numbers (n, d) and where they are active (n, d), the first column slowest.

    Constraints are kept. One over parameters with at most 100,000 combinations that are active
    together cuts from its first parameter on; any other only once its last parameter is decided,
    which may take as long as there are combinations of those before: `most` bounds how many
    beginnings are looked at, for whoever catches that.
    """
    d = len(along)
    due: dict[int, list[Rule | _Prefix]] = {}
    for rule in encoding.rules:
        due.setdefault(max(rule.uses), []).append(rule)
        for prefix in _prefixes(rule, encoding, along):
            due.setdefault(max(prefix.uses), []).append(prefix)
    grow = _Growth(encoding, along, due, most)
    stack = [iter([(np.zeros((1, d)), np.zeros((1, d), dtype=bool))])]
    while stack:
        block = next(stack[-1], None)
        if block is None:
            stack.pop()
        elif len(stack) > d:
            yield block
        else:
            stack.append(grow.by(len(stack) - 1, *block))


@final
@dataclass(frozen=True, eq=False)
class _Prefix:
    """What a constraint says of the first of its columns alone.

    Attributes:
        uses: The first columns of the constraint.
        known: The numbers of each, ascending.
        allowed: Whether the constraint can still be kept, by the places of the numbers.
    """

    uses: tuple[int, ...]
    known: tuple[Floats, ...]
    allowed: Bools

    def holds(self, numbers: Floats) -> Bools:
        """Return which rows (n,) of numbers (n, d) can still keep the constraint."""
        places = (
            np.searchsorted(k, numbers[:, j]) for j, k in zip(self.uses, self.known, strict=True)
        )
        result: Bools = self.allowed[
            tuple(np.minimum(p, len(k) - 1) for p, k in zip(places, self.known, strict=True))
        ]
        return result


def _prefixes(rule: Rule, encoding: Encoding, along: Sequence[Axis]) -> list[_Prefix]:
    """Return what a constraint says of its first columns, if these are always active together."""
    uses = rule.uses
    shape = [len(along[j]) for j in uses]
    together = len({encoding.guards.of[j] for j in uses}) == 1
    if len(uses) < 2 or not together or math.prod(shape) > ENUMERABLE:
        return []
    known = tuple(along[j].numbers(0, len(along[j])) for j in uses)
    total = math.prod(shape)
    allowed = np.empty(total, dtype=bool)
    rows = max(64, _CELLS // len(along))
    for start in range(0, total, rows):
        some = np.arange(start, min(start + rows, total))
        numbers = np.zeros((len(some), len(along)))
        for j, k, place in zip(uses, known, np.unravel_index(some, shape), strict=True):
            numbers[:, j] = k[place]
        allowed[some] = rule.holds(numbers)
    table = allowed.reshape(shape)
    return [
        _Prefix(uses[:i], known[:i], np.asarray(table.any(axis=tuple(range(i, len(uses))))))
        for i in range(1, len(uses))
    ]


@final
class _Growth:
    """Grows rows by one column, some thousand at a time."""

    def __init__(
        self,
        encoding: Encoding,
        along: Sequence[Axis],
        due: Mapping[int, Sequence[Rule | _Prefix]],
        most: int | None,
    ) -> None:
        self._left = math.inf if most is None else most
        self._guards = encoding.guards
        self._along = along
        self._due = due
        self._rows = min(_BLOCK, max(64, _CELLS // max(1, len(along))))

    def by(self, column: int, numbers: Floats, active: Bools) -> Iterator[tuple[Floats, Bools]]:
        """Yield the rows with each number of one column, where it is active."""
        axis, most = self._along[column], self._rows
        on = self._guards.active_at(column, numbers, active)
        rows = max(1, most // max(1, len(axis)))
        for first in range(0, len(numbers), rows):
            here = slice(first, first + rows)
            lit_here = int(on[here].sum())
            for low in range(0, len(axis) if lit_here else 1, most):
                some = axis.numbers(low, low + most)
                times = np.where(on[here], len(some), int(low == 0))
                grown = np.repeat(numbers[here], times, axis=0)
                flags = np.repeat(active[here], times, axis=0)
                lit = np.repeat(on[here], times)
                grown[lit, column] = np.tile(some, lit_here)
                flags[:, column] = lit
                self._left -= len(grown)
                if self._left < 0:
                    raise _TooMany
                for one in self._due.get(column, ()):
                    keep = holding(one, grown, flags)
                    grown, flags = grown[keep], flags[keep]
                if len(grown):
                    yield grown, flags
