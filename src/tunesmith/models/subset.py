"""Which of many trials a model takes in: it is most exact where it matters."""

import numpy as np

from tunesmith.numerics.arrays import Floats, Ints


def chosen(X: Floats, y: Floats, shrink: Floats, most: int) -> Ints:
    """Return places (most,), ascending: the best, those nearest to the very best, and others.

    A third each; the others are evenly spaced in time, so that the model knows the whole space.

    Args:
        X: Columns (n, p), n above `most`.
        y: What is to be large (n,).
        shrink: One over the lengthscale of each column (p,).
        most: How many, 3 at least.
    """
    third = most // 3
    best = np.argsort(-y, kind="stable")
    taken = np.zeros(len(y), dtype=bool)
    taken[best[:third]] = True
    distance = (((X - X[best[0]]) * shrink) ** 2).sum(axis=1)
    distance[taken] = np.inf
    taken[np.argsort(distance, kind="stable")[:third]] = True
    rest = np.flatnonzero(~taken)
    missing = most - int(taken.sum())
    taken[rest[np.linspace(0, len(rest) - 1, missing).astype(int)]] = True
    return np.flatnonzero(taken)
