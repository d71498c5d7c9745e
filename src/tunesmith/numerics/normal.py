"""The standard normal distribution: quantiles, and the logarithm of its distribution function."""

import numpy as np
from scipy.special import log_ndtr, ndtri

from tunesmith.numerics.arrays import Floats


def quantile(p: Floats) -> Floats:
    """Return the z of P(N(0, 1) <= z) = p, for probabilities of any shape."""
    return np.asarray(ndtri(p), dtype=np.float64)


def log_cdf(z: Floats) -> Floats:
    """Return log P(N(0, 1) <= z), exact far out in the tail, for z of any shape."""
    return np.asarray(log_ndtr(z), dtype=np.float64)
