"""Warps of outcomes: values whose bad side tells of order only, as a Gaussian process likes them."""

import math

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.normal import quantile


def half_rank(values: Floats, level: float | None = None) -> Floats:
    """Return values of which those below the median are replaced by normal scores of their ranks.

    What is better than the median stays. What is worse keeps its order only: the rank-th lowest of
    them becomes median + s q, q being the normal quantile of 0.5 (rank - 0.5) / denominator and s
    the root mean square deviation from the median on the good side, so that both sides match.

    With a level below the median that takes its place: of a normal distribution of which the share F lies below c,
    the score is level + s (q - c), q being the quantile of F (rank - 0.5) / denominator and s the root mean square
    deviation from the level over that of the distribution, 1 - c l + c^2, l being the density at c over 1 - F.

    Args:
        values: (n,), greater is better.
        level: At most the median, which it is by default.

    Returns:
        (n,), in the same order.

    References:
        X. Song et al. The Vizier Gaussian Process Bandit Algorithm. arXiv 2408.11527, 2024.
        Section 4.1, "half-rank warping".
    """
    if len(values) < 2:
        return values.copy()
    median = float(np.median(values))
    level = median if level is None else min(level, median)
    good = values[values >= level]
    spread = float(np.sqrt(np.mean((good - level) ** 2)))
    if spread == 0.0:
        spread = float(np.std(values)) or 1.0
    below = values < level
    distinct, rank = np.unique(values[below], return_inverse=True)
    if not len(distinct):
        return values.copy()
    denominator = len(distinct) + 0.5 * bool(np.any(values == level))
    share, edge = 0.5, 0.0
    if level < median:
        share = float(below.mean())
        edge = float(quantile(np.array([share]))[0])
        hazard = math.exp(-(edge**2) / 2) / math.sqrt(2 * math.pi) / (1 - share)
        spread /= math.sqrt(1 - edge * hazard + edge**2)
    warped = values.copy()
    scores = quantile(np.asarray(share * (rank + 0.5) / denominator, dtype=np.float64))
    warped[below] = level + spread * (scores - edge)
    return warped


def standard(values: Floats) -> Floats:
    """Return values (n,) moved and scaled to mean 0 and deviation 1; equal ones become 0."""
    centred = values - np.mean(values)
    spread = float(np.std(values))
    if spread <= 1e-12 * np.max(np.abs(values), initial=0.0):
        return np.zeros_like(values)
    return np.asarray(centred / spread)


def kumaraswamy(units: Floats, a: Floats, b: Floats) -> Floats:
    """Return units (n, c) bent by Kumaraswamy's distribution function.

    w = 1 - (1 - u^a)^b maps [0, 1] onto itself: straight for a = b = 1, else stretched at one end or
    both, so that what changes fast there changes evenly.

    Args:
        units: (n, c); moved inwards by 1e-6 at the ends.
        a: (c,), above 0.
        b: (c,), above 0.

    References:
        J. Snoek, K. Swersky, R. Zemel, R. Adams. Input Warping for Bayesian Optimization of
        Non-Stationary Functions. ICML 2014; the distribution in place of their Beta: A. Cowen-Rivers
        et al. HEBO. JAIR 74, 2022. Section 4.2.
    """
    return np.asarray(1.0 - (1.0 - _inside(units) ** a) ** b)


def kumaraswamy_slopes(units: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives of `kumaraswamy` by log a (n, c) and by log b (n, c)."""
    u = _inside(units)
    power = u**a
    rest = 1.0 - power
    tail = rest**b
    return a * b * tail / rest * power * np.log(u), -b * tail * np.log(rest)


def _inside(units: Floats) -> Floats:
    return np.clip(units, 1e-6, 1.0 - 1e-6)
