"""How many configurations a space has, conditions counted: by deciding parents one at a time.

Once a parent is decided, what hangs on it falls apart into groups without conditions in common,
whose numbers multiply; so trees of choices and lists are counted in about as many steps as they
have values.
"""

import math
from typing import final

import numpy as np

from tunesmith.space.encoding import Encoding
from tunesmith.space.grids import Grid, levels

_ENUMERABLE = 100_000
_MOST_STEPS = 100_000


class _Infinite(Exception):  # noqa: N818 - an answer, not an error
    pass


class _TooMany(Exception):  # noqa: N818 - an answer, not an error
    pass


def cardinality(encoding: Encoding) -> int | None:
    """Return how many configurations there are; None if infinitely many.

    Constraints are counted if there are at most 100,000 configurations without them, else the
    number is a bound. So is it where conditions are too entangled to be counted.
    """
    try:
        free = _Count(encoding).ways(list(range(len(encoding.names))))
    except _Infinite:
        return None
    except _TooMany:
        return None if not all(encoding.counts) else math.prod(encoding.counts)
    if not encoding.rules or free > _ENUMERABLE:
        return free
    return sum(len(numbers) for numbers, _ in Grid(encoding, levels(encoding, 1)).blocks())


@final
class _Count:
    """A row of numbers, decided as far as the count has come."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._row = np.zeros((1, len(encoding.names)))
        self._active = np.zeros((1, len(encoding.names)), dtype=bool)
        self._steps = 0

    def ways(self, columns: list[int]) -> int:
        """Return in how many ways `columns`, ascending, can be decided."""
        return math.prod(self._ways_of_group(group) for group in self._groups(columns))

    def _ways_of_group(self, columns: list[int]) -> int:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _TooMany
        first, *rest = columns
        on = self._encoding.guards.active_at(first, self._row, self._active)[0]
        self._active[0, first] = on
        if not on:
            return self.ways(rest)
        if not self._encoding.counts[first]:
            raise _Infinite
        if not rest:
            return self._encoding.counts[first]
        total = 0
        for number in self._encoding.all_numbers(first):
            self._row[0, first] = number
            self._active[0, first] = True
            total += self.ways(rest)
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
            for condition in self._encoding.guards.of[column]:
                for parent in condition.uses:
                    if parent in leader:
                        a, b = sorted((find(column), find(parent)))
                        leader[b] = a
        groups: dict[int, list[int]] = {}
        for column in columns:
            groups.setdefault(find(column), []).append(column)
        return list(groups.values())
