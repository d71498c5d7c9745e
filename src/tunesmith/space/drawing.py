"""Draws from a space, uniform in units, within its constraints: by rejection, in blocks."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.encoding import Encoding

BLOCK = 4096
MOST_DRAWS = 200_000
_LEAST_SHARE = 1e-4


def own_generator() -> np.random.Generator:
    """Return the generator of draws that belong to the space itself: always the same."""
    return np.random.Generator(np.random.Philox(key=0))


def sizes(first: int, most: int = MOST_DRAWS) -> Iterator[int]:
    """Yield sizes of blocks, a small one first, until `most` are drawn."""
    return chain([first], repeat(BLOCK, max(0, -(-(most - first) // BLOCK))))


def blocks(
    encoding: Encoding,
    rng: np.random.Generator,
    sizes: Iterable[int],
    left: dict[int, Floats] | None = None,
    kept: Floats | None = None,
) -> Iterator[tuple[Floats, Bools, Bools]]:
    """Yield numbers (k, d), where they are active (k, d), and which rows keep the constraints (k,).

    Args:
        encoding: The space.
        rng: Luck.
        sizes: How many rows at a time.
        left: Numbers to choose from, by column.
        kept: Numbers (d,) that all rows have; NaN: none.
    """
    d = len(encoding.names)
    for size in sizes:
        numbers = encoding.numbers(rng.random((size, d)))
        for j, some in (left or {}).items():
            numbers[:, j] = some[rng.integers(len(some), size=size)]
        if kept is not None:
            numbers = np.where(np.isnan(kept), numbers, kept)
        active = encoding.active(numbers)
        yield numbers, active, encoding.feasible(numbers, active)


def share(encoding: Encoding) -> float:
    """Return the share of the space that keeps the constraints, measured by fixed draws.

    Raises:
        SpaceError: It is less than 1 in 10,000, too little to draw from.
    """
    if not encoding.rules:
        return 1.0
    drawn, kept = 0, 0
    for _, _, good in blocks(encoding, own_generator(), sizes(256)):  # mostly plenty, and cheap
        drawn, kept = drawn + len(good), kept + int(good.sum())
        if kept >= 100:
            break
    if kept / drawn < _LEAST_SHARE:
        raise SpaceError(
            f"{kept or 'none'} of {drawn:,} configurations drawn keep the constraints "
            f"{[one.text for one in encoding.rules]}, a share of {kept / drawn:.1g}; "
            f"loosen them or narrow the ranges, at least {_LEAST_SHARE:g} is needed"
        )
    return kept / drawn


def draw(
    encoding: Encoding, rng: np.random.Generator, n: int, portion: float
) -> tuple[Floats, Bools]:
    """Return numbers (n, d) within the constraints, and where they are active (n, d).

    Args:
        encoding: The space.
        rng: Luck.
        n: How many.
        portion: As `share` measured it.
    """
    d = len(encoding.names)
    if not encoding.rules:
        numbers = encoding.numbers(rng.random((n, d)))
        return numbers, encoding.active(numbers)
    found = [(np.empty((0, d)), np.empty((0, d), dtype=bool))]
    missing = n
    endless = blocks(encoding, rng, repeat(min(BLOCK, int(n / portion * 1.2) + 16)))
    while missing > 0:
        numbers, active, good = next(endless)
        keep = np.flatnonzero(good)[:missing]
        found.append((numbers[keep], active[keep]))
        missing -= len(keep)
    return np.concatenate([b[0] for b in found]), np.concatenate([b[1] for b in found])
