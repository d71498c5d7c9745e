"""How much of a box a growing set of points dominates: exactly for up to four objectives, else by a sample."""

from bisect import bisect_right

import numpy as np

from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Bools, Floats

EXACT = 4  # objectives
MOST = 1000  # rows on the front of three or four, for which it is exact
SAMPLE = 20_000  # points
CHUNK = 512  # losses that are compared with all points of the sample at a time
Z = 1.6449  # deviations to both sides that hold 90 %


def growing(losses: Floats) -> tuple[Floats, Floats]:
    """Return the volume of [0, 1]^m that the first 1, 2, ..., n rows dominate, and how far off it may be.

    A row dominates what is nowhere less. So a row adds its box, from itself to 1, less what the rows
    before dominate of that: the volume of these, moved into the box.

    Args:
        losses: (n, m), m at least 1; below 0 counts as 0, a row with something not below 1 adds nothing, nor does
            one with a NaN.

    Returns:
        Volumes (n,), and half the width (n,) of intervals of 90 %: 0 where volumes are exact. They are for two
        objectives, in O(n log n), and for three and four as long as the front has at most 1,000 rows.

    References:
        L. While, L. Bradstreet, L. Barone. A Fast Way of Calculating Exact Hypervolumes. IEEE Trans. Evol. Comput. 16, 2012.
        Section III: exclusive hypervolume, and the limited set.
    """
    inside: Bools = np.all(losses < 1, axis=1)  # false for NaN
    rows = np.maximum(losses, 0.0)
    n, m = rows.shape
    if m == 2:
        return _areas(np.where(inside[:, None], rows, 1.0)), np.zeros(n)
    if m > EXACT or pareto.front(rows[inside]).sum() > MOST:
        return _sampled(rows, inside)
    added = np.zeros(n)
    front = np.empty((0, m))
    for i in np.flatnonzero(inside):
        row = rows[i]
        if (front <= row).all(axis=1).any():
            continue
        limited = np.maximum(front, row)
        limited = limited[(limited < 1).all(axis=1)]
        added[i] = np.prod(1 - row) - volume(limited)
        front = np.vstack([front[~(front >= row).all(axis=1)], row])
    return np.cumsum(added), np.zeros(n)


def volume(losses: Floats) -> float:
    """Return the volume of [0, 1]^m that rows dominate.

    Args:
        losses: (n, m), m from 1 to 4, each in [0, 1].
    """
    if not len(losses):
        return 0.0
    rows = losses[pareto.front(losses)]
    m = rows.shape[1]
    if m == 1:
        return float(1 - rows.min())
    if m == 2:
        return float(_areas(rows)[-1])
    rows = rows[np.argsort(rows[:, -1], kind="stable")]
    depths = np.diff(np.append(rows[:, -1], 1.0))
    if m == 3:
        return float(_areas(rows) @ depths)
    slices = [volume(rows[: i + 1, :-1]) if depth > 0 else 0.0 for i, depth in enumerate(depths)]
    return float(slices @ depths)


def _areas(rows: Floats) -> Floats:
    """The areas (n,) that the first 1, ..., n rows dominate in their first two columns."""
    xs, ys = [-1.0, 1.0], [1.0, -1.0]  # the corners of a falling staircase, between two posts
    areas, area = np.empty(len(rows)), 0.0
    for i, (x, y) in enumerate(rows[:, :2].tolist()):
        at = end = bisect_right(xs, x)
        if ys[at - 1] > y and x < 1:
            left, top = x, ys[at - 1]
            while ys[end] >= y:  # corners that are dominated now
                area += (xs[end] - left) * (top - y)
                left, top = xs[end], ys[end]
                end += 1
            area += (xs[end] - left) * (top - y)
            at -= xs[at - 1] == x
            xs[at:end], ys[at:end] = [x], [y]
        areas[i] = area
    return areas


def _sampled(rows: Floats, inside: Bools) -> tuple[Floats, Floats]:
    """The share of fixed random points that is dominated, by which row first."""
    n, m = rows.shape
    points = np.random.Generator(np.random.Philox(0)).random((SAMPLE, m))
    left = np.arange(SAMPLE)
    first = np.zeros(n)
    order = np.flatnonzero(inside)
    for begin in range(0, len(order), CHUNK):
        some = order[begin : begin + CHUNK]
        below = np.ones((len(left), len(some)), dtype=bool)
        for k in range(m):
            below &= rows[some, k] <= points[left, k, None]
        hit = below.any(axis=1)
        first += np.bincount(some[below[hit].argmax(axis=1)], minlength=n)
        left = left[~hit]
    share = np.cumsum(first) / SAMPLE
    return share, Z * np.sqrt(share * (1 - share) / SAMPLE)
