"""The Matérn-5/2 kernel over scaled columns, and what its gradient needs.

With r the Euclidean distance and s = sqrt(5) r, k = (1 + s + s^2 / 3) exp(-s).

References:
    C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. (4.17)
"""

import numpy as np

from tunesmith.numerics.arrays import Floats


def squared_distances(X: Floats, Y: Floats) -> Floats:
    """Return squared Euclidean distances (n, m) of the rows of X (n, p) and Y (m, p)."""
    xx, yy = np.einsum("ij,ij->i", X, X), np.einsum("ij,ij->i", Y, Y)
    D = X @ Y.T
    D *= -2.0
    D += xx[:, None]
    D += yy
    np.maximum(D, 0.0, out=D)
    return D


def matern52(D: Floats) -> Floats:
    """Return k (n, m) at squared distances D (n, m); D is overwritten."""
    D *= 5.0
    s = np.sqrt(D)
    D /= 3.0
    D += s
    D += 1.0
    np.negative(s, out=s)
    np.exp(s, out=s)
    D *= s
    return D


def matern52_with_slope(D: Floats) -> tuple[Floats, Floats]:
    """Return k (n, m) and -2 dk / d(r^2) (n, m) = (5/3) (1 + s) exp(-s), at squared distances D."""
    s = np.sqrt(5.0 * D)
    e = np.exp(-s)
    slope = (1.0 + s) * e
    k = slope + (5.0 / 3.0) * D * e
    slope *= 5.0 / 3.0
    return k, slope
