"""Every combination of some values of each parameter, conditions and constraints kept, in order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Bools, Floats
from tunesmith.space.conditions import Rule
from tunesmith.space.encoding import Encoding, holding

_BLOCK = 4096


@final
class Grid:
    """Grows configurations column by column, at most some thousand rows at a time.

    Args:
        encoding: The space.
        values: The numbers (k,) of each column, ascending.
    """

    def __init__(self, encoding: Encoding, values: Sequence[Floats]) -> None:
        self._guards = encoding.guards
        self._values = values
        self._due: dict[int, list[Rule]] = {}  # by the last column that they mention
        for one in encoding.rules:
            self._due.setdefault(max(one.uses), []).append(one)

    def blocks(self) -> Iterator[tuple[Floats, Bools]]:
        """Yield numbers (n, d) and where they are active (n, d), the first column slowest."""
        d = len(self._values)
        stack = [iter([(np.zeros((1, d)), np.zeros((1, d), dtype=bool))])]
        while stack:
            block = next(stack[-1], None)
            if block is None:
                stack.pop()
            elif len(stack) > d:
                yield block
            else:
                stack.append(self._grown(len(stack) - 1, *block))

    def _grown(self, column: int, numbers: Floats, active: Bools) -> Iterator[tuple[Floats, Bools]]:
        """Yield the rows with each number of one column, where it is active."""
        values = self._values[column]
        on = self._guards.active_at(column, numbers, active)
        rows = max(1, _BLOCK // len(values))
        for first in range(0, len(numbers), rows):
            here = slice(first, first + rows)
            for low in range(0, len(values), _BLOCK):
                some = values[low : low + _BLOCK]
                times = np.where(on[here], len(some), int(low == 0))
                grown = np.repeat(numbers[here], times, axis=0)
                flags = np.repeat(active[here], times, axis=0)
                lit = np.repeat(on[here], times)
                grown[lit, column] = np.tile(some, int(on[here].sum()))
                flags[:, column] = lit
                for one in self._due.get(column, ()):
                    keep = holding(one, grown, flags)
                    grown, flags = grown[keep], flags[keep]
                if len(grown):
                    yield grown, flags


def levels(encoding: Encoding, wanted: Mapping[str, int] | int) -> list[Floats]:
    """Return the numbers of each column: all of a finite one, else at evenly spaced units.

    Args:
        encoding: The space.
        wanted: How many, both ends included (1: the middle); a mapping may thin finite ones too.

    Raises:
        SpaceError: A continuous parameter is not in `wanted`, or a number is below 1.
    """
    if isinstance(wanted, Mapping):
        for name in wanted:
            encoding.place(name)
    result = []
    for j, name in enumerate(encoding.names):
        count = encoding.counts[j]
        n: Any = wanted.get(name) if isinstance(wanted, Mapping) else None if count else wanted
        if n is None and not count:
            raise SpaceError(f"{name} is continuous; say how many levels it gets, {{{name!r}: 5}}")
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise SpaceError(f"{name} gets a whole number of levels from 1 on, got {n!r}")
        result.append(
            encoding.all_numbers(j) if n is None or 0 < count <= n else _spaced(encoding, j, n)
        )
    return result


def _spaced(encoding: Encoding, column: int, n: int) -> Floats:
    units = np.full((n, len(encoding.names)), 0.5)
    if n > 1:
        units[:, column] = np.linspace(0.0, 1.0, n)
    return np.unique(encoding.numbers(units)[:, column])
