"""Draws from a space, uniform in units, within its constraints: by rejection, in blocks."""

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import Bools, Floats
from tunesmith.space.encoding import Encoding

BLOCK = 4096
MOST_DRAWS = 200_000
_LEAST_SHARE = 1e-4


def own_generator() -> np.random.Generator:
    """Return the generator of draws that belong to the space itself: always the same."""
    return np.random.Generator(np.random.Philox(key=0))


def share(encoding: Encoding) -> float:
    """Return the share of the space that keeps the constraints, measured by fixed draws.

    Raises:
        SpaceError: It is less than 1 in 10,000, too little to draw from.
    """
    if not encoding.rules:
        return 1.0
    rng, drawn, kept = own_generator(), 0, 0
    size = 256  # mostly plenty, and cheap
    while drawn < MOST_DRAWS and kept < 100:
        numbers = encoding.numbers(rng.random((size, len(encoding.names))))
        kept += int(encoding.feasible(numbers, encoding.active(numbers)).sum())
        drawn += size
        size = BLOCK
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
    blocks = [(np.empty((0, d)), np.empty((0, d), dtype=bool))]
    missing = n
    while missing > 0:
        size = min(BLOCK, int(missing / portion * 1.2) + 16)
        numbers = encoding.numbers(rng.random((size, d)))
        active = encoding.active(numbers)
        keep = np.flatnonzero(encoding.feasible(numbers, active))[:missing]
        blocks.append((numbers[keep], active[keep]))
        missing -= len(keep)
    return np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])
