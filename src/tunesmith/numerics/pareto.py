"""Pareto fronts: which rows of a table of losses no other row beats."""

import numpy as np

from tunesmith.numerics.arrays import Bools, Floats, Ints


def front(losses: Floats) -> Bools:
    """Return which rows are not dominated.

    A row dominates another if it is nowhere greater and somewhere less; so of equal rows all
    stay or none. Infinities are compared as they are; a row with a NaN is never on the front and
    dominates nothing.

    Args:
        losses: (n, m), m at least 1; smaller is better.

    Returns:
        (n,), in O(n log n) for m up to 2 and O(n m k) for a front of k rows beyond.
    """
    mask = np.zeros(len(losses), dtype=np.bool_)
    known = np.flatnonzero(~np.isnan(losses).any(axis=1))
    # lexicographic: what dominates a row stands before it, and equal rows stand together
    order = known[np.lexsort(losses[known].T[::-1])]
    rows = losses[order]  # (k, m)
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    distinct = rows[first]
    kept = _falling(distinct[:, 1]) if losses.shape[1] == 2 else _peeled(distinct)
    mask[order] = kept[np.cumsum(first) - 1]
    return mask


def crowding(losses: Floats) -> Floats:
    """Return how far (n,) each row of a front is from its neighbours; infinite at the ends.

    Args:
        losses: (n, m).

    References:
        K. Deb et al. A fast and elitist multiobjective genetic algorithm: NSGA-II. IEEE Trans.
        Evol. Comput. 6, 2002. Section III-B.
    """
    distance = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        ranked = column[order]
        distance[order[[0, -1]]] = np.inf
        if ranked[-1] > ranked[0]:
            distance[order[1:-1]] += (ranked[2:] - ranked[:-2]) / (ranked[-1] - ranked[0])
    return distance


def best(losses: Floats, k: int) -> Ints:
    """Return the places of the best `k` rows in order: front by front, in each the loneliest first.

    Args:
        losses: (n, m), m at least 1, without NaN; smaller is better.
        k: How many; all rows if there are fewer.
    """
    left = np.arange(len(losses))
    found = [left[:0]]
    while k > 0 and len(left):
        on = front(losses[left])
        layer = left[on]
        found.append(layer[np.argsort(-crowding(losses[layer]), kind="stable")[:k]])
        k -= len(layer)
        left = left[~on]
    return np.concatenate(found)


def _falling(second: Floats) -> Bools:
    """The front for m = 2: sorted by the first loss, each must beat all before it in the second."""
    kept = np.ones(len(second), dtype=np.bool_)
    kept[1:] = second[1:] < np.minimum.accumulate(second)[:-1]
    return kept


def _peeled(rows: Floats) -> Bools:
    """The front for any m: the first row that is left is on it; drop what it dominates."""
    kept = np.zeros(len(rows), dtype=np.bool_)
    left = np.arange(len(rows))
    while len(left):
        best = rows[left[0]]
        kept[left[0]] = True
        left = left[(rows[left] < best).any(axis=1)]
    return kept
