"""The normal distribution, and the logarithm of expected improvement without loss of digits."""

import math
from typing import Any

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtri

Floats = np.ndarray[Any, np.dtype[np.float64]]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def quantile(p: Floats) -> Floats:
    """Return the standard normal quantile of probabilities `p`, of any shape."""
    return np.asarray(ndtri(p), dtype=np.float64)


def log_cdf(z: Floats) -> Floats:
    """Return log P(N(0, 1) <= z), of any shape."""
    return np.asarray(log_ndtr(z), dtype=np.float64)


def log_ei(mean: Floats, sd: Floats, best: float) -> Floats:
    """Return log E[max(f - best, 0)] for f ~ N(mean, sd^2).

    Args:
        mean: (n,).
        sd: (n,), above 0.
        best: What is to be exceeded.

    References:
        S. Ament et al. Unexpected Improvements to Expected Improvement for Bayesian Optimization.
        NeurIPS 2023. Equations (8) and (9), and appendix A.
    """
    z = (mean - best) / sd
    far = z < -1.0
    near = np.where(far, 0.0, z)
    # phi(z) + z Phi(z): direct where nothing cancels
    direct = np.exp(-0.5 * near**2 - _HALF_LOG_2PI) + near * np.exp(log_ndtr(near))
    away = np.where(far, z, -1.0)
    # h = phi(z) (1 - |z| sqrt(pi/2) erfcx(|z|/sqrt(2))); the bracket tends to 1/z^2
    bracket = np.where(
        away > -1e4,
        1.0 + away * math.sqrt(math.pi / 2) * erfcx(-away / math.sqrt(2.0)),
        1.0 / away**2,
    )
    tail = -0.5 * away**2 - _HALF_LOG_2PI + np.log(np.maximum(bracket, 1e-300))
    return np.asarray(np.log(sd) + np.where(far, tail, np.log(direct)), dtype=np.float64)
