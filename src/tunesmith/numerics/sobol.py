"""Sobol' sequences: points that fill the unit cube evenly, each computed from its index alone.

Digit by digit, coordinate j of point i is a matrix times the binary digits of i, modulo 2. A
column of the matrix is a direction number: 32 bits, the first digit after the point on top. The
Gray code of i visits the same points as i in another order, and changes one digit at a time.

References:
    S. Joe and F. Y. Kuo. Constructing Sobol' sequences with better two-dimensional projections.
    SIAM J. Sci. Comput. 30, 2008. Initial numbers "new-joe-kuo-6", in `joe_kuo.txt` as published.
    J. Matoušek. On the L2-discrepancy for anchored boxes. J. Complexity 14, 1998. Section 3.
"""

from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np

from tunesmith._core.random import seed_of
from tunesmith.numerics.arrays import Floats

BITS = 32

Directions: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]  # (1 + BITS, d): shift, then numbers


@cache
def _published() -> tuple[tuple[int, ...], ...]:
    """The rows of the table, from coordinate 2 on: d, s, a, m_1 … m_s."""
    text = files("tunesmith.numerics").joinpath("joe_kuo.txt").read_text("ascii")
    return tuple(tuple(map(int, line.split())) for line in text.splitlines()[1:])


def _numbers(j: int) -> list[int]:
    """The direction numbers of coordinate `j`, from 0."""
    if j == 0:  # van der Corput's sequence
        return [1 << (BITS - k) for k in range(1, BITS + 1)]
    if j > len(_published()):
        # any odd m_k < 2^k keeps the coordinate itself stratified; none are known to be good
        return [(seed_of("sobol", j, k) % (1 << k) | 1) << (BITS - k) for k in range(1, BITS + 1)]
    _, s, a, *m = _published()[j - 1]
    v = [m_k << (BITS - k) for k, m_k in enumerate(m, 1)]
    for k in range(s, BITS):
        new = v[k - s] ^ (v[k - s] >> s)  # (2)
        for i in range(1, s):
            if a >> (s - 1 - i) & 1:
                new ^= v[k - i]
        v.append(new)
    return v


def directions(d: int) -> Directions:
    """Return the plain Sobol' sequence in `d` coordinates, for `points`.

    There is no limit to `d`: beyond the 337 coordinates of the table (all primitive polynomials
    up to degree 11) the initial numbers are hashes. Such coordinates are as even as any, each by
    itself; pairs of them are as even as random points.

    Returns:
        (33, d): the shift, here 0, and 32 direction numbers of each coordinate.
    """
    table = np.zeros((1 + BITS, d), dtype=np.uint32)
    for j in range(d):
        table[1:, j] = _numbers(j)
    return table


def scramble(plain: Directions, rng: np.random.Generator) -> Directions:
    """Return the sequence under a random linear matrix scramble and a random digital shift.

    Every point becomes uniform on the cube; together they stay as even as the plain ones.

    Args:
        plain: (33, d), as `directions` returns it.
        rng: Where the scramble comes from.
    """
    luck = rng.integers(0, 1 << BITS, size=(1 + BITS, plain.shape[1]), dtype=np.uint32)
    scrambled = np.zeros_like(plain)
    for r in range(BITS):  # the digit in place r, from the top
        digit = np.uint32(1 << (BITS - 1 - r))
        above = np.uint32(((1 << r) - 1) << (BITS - r))
        row = luck[1 + r] & above | digit  # (d,): lower triangular, diagonal 1
        scrambled |= (np.bitwise_count(plain & row) & 1).astype(np.uint32) * digit
    scrambled[0] = luck[0]
    return scrambled


def points(table: Directions, start: int, n: int) -> Floats:
    """Return points `start` … `start + n - 1` of a sequence, in Gray code order.

    Args:
        table: (33, d), from `directions` or `scramble`.
        start: Index of the first, from 0; all indices are below 2^32.
        n: How many.

    Returns:
        (n, d), in [0, 1), multiples of 2^-32.
    """
    if n == 0:
        return np.empty((0, table.shape[1]))
    gray = start ^ start >> 1
    ones = [0, *(k for k in range(1, gray.bit_length() + 1) if gray >> (k - 1) & 1)]
    first = np.bitwise_xor.accumulate(table[ones], axis=0)[-1:]  # (1, d)
    if n > 1:
        index = np.arange(start + 1, start + n)
        # the codes of i - 1 and i differ in the lowest one of i; frexp finds its place, from 1
        changed = np.frexp(index & -index)[1]
        first = np.bitwise_xor.accumulate(np.concatenate([first, table[changed]]), axis=0)
    return first * 2.0**-BITS  # (n, d)
