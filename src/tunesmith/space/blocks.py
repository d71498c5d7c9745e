"""Blocks: parameters that are active together, and which blocks they hang on."""

from dataclasses import dataclass
from typing import final

from tunesmith.space.conditions import Condition, Guards


@final
@dataclass(frozen=True, slots=True)
class Block:
    """Parameters that have the same conditions.

    Attributes:
        columns: Their places in the names of the space, ascending.
        above: Places, among the blocks, of those that are active wherever it is, because its
            conditions read them or they stand above such; ascending.
        depth: How many blocks stand above it at most, one above the other.
    """

    columns: tuple[int, ...]
    above: tuple[int, ...]
    depth: int


def blocks(guards: Guards) -> tuple[Block, ...]:
    """Return the blocks of a space, those above before those below; what is always active first."""
    alike = guards.alike
    home = {column: conditions for conditions, columns in alike.items() for column in columns}
    reads = {
        conditions: {home[column] for condition in conditions for column in condition.uses}
        for conditions in alike
    }
    depths: dict[tuple[Condition, ...], int] = {}
    for conditions in (home[column] for column in sorted(home)):  # parents come first
        depths.setdefault(conditions, 1 + max((depths[r] for r in reads[conditions]), default=-1))
    ordered = sorted(alike, key=depths.__getitem__)  # stable: else in the order of columns
    places = {conditions: place for place, conditions in enumerate(ordered)}
    found: list[Block] = []
    for conditions in ordered:
        above: set[int] = set()
        for read in reads[conditions]:
            above |= {places[read], *found[places[read]].above}
        found.append(Block(tuple(alike[conditions]), tuple(sorted(above)), depths[conditions]))
    return tuple(found)
