"""Short noisy series: whether they rise, how fast, how rough they are; and whether two samples differ."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.numerics.arrays import Floats

BLOCKS = 10
"""Means over so many blocks stand for a longer series."""


def blocks(y: Floats) -> Floats:
    """Return a series (n,) as the means of at most `BLOCKS` consecutive blocks of it.

    Neighbouring values of a training curve resemble one another, which a test of independent values
    takes for a trend; means of blocks hardly do.

    References:
        A. M. Law, J. S. Carson. A Sequential Procedure for Determining the Length of a Steady-State
        Simulation. Operations Research 27, 1979 (batch means).
    """
    return np.array([part.mean() for part in np.array_split(y, min(BLOCKS, len(y)))])


def rising(y: Floats) -> float:
    """Return the probability that a series (n,) without a trend rises as steadily as this one.

    It is the one-sided p of the Mann-Kendall test over blocks, with its correction for continuity;
    1 below 3 values. Of a falling series ask `rising(-y)`.

    References:
        H. B. Mann. Nonparametric Tests Against Trend. Econometrica 13, 1945.
        M. G. Kendall. Rank Correlation Methods. Griffin, 1975: the variance, ties included.
    """
    means = blocks(y)
    n = len(means)
    if n < 3:
        return 1.0
    i, j = np.triu_indices(n, 1)
    S = float(np.sign(means[j] - means[i]).sum())
    _, ties = np.unique(means, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    if variance <= 0:
        return 1.0
    return _tail((S - np.sign(S)) / math.sqrt(variance))


def slope(x: Floats, y: Floats) -> float:
    """Return the median of the slopes between all pairs of points (n,), n at least 2, over blocks.

    References:
        P. K. Sen. Estimates of the Regression Coefficient Based on Kendall's Tau. JASA 63, 1968.
    """
    x, y = blocks(x), blocks(y)
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])))


def roughness(y: Floats) -> float:
    """Return the standard deviation of what is noise in a series (n,), n at least 3.

    It is taken from the median of the second differences, so neither a smooth trend nor a few jumps
    count: for independent normal noise they have the variance 1 + 4 + 1 = 6.
    """
    return float(np.median(np.abs(np.diff(y, n=2))) / (0.6745 * math.sqrt(6.0)))


def zigzag(y: Floats) -> float:
    """Return the probability that independent values have as many turning points as a series (n,).

    References:
        M. G. Kendall, A. Stuart. The Advanced Theory of Statistics, vol. 3, section 45.18 (of 1976):
        of n values 2 (n - 2) / 3 are expected to be turning points, with the variance (16 n - 29) / 90.
    """
    n = len(y)
    if n < 4:
        return 1.0
    steps = np.diff(y)
    turns = float((steps[1:] * steps[:-1] < 0).sum())
    return _tail((turns - 2 * (n - 2) / 3) / math.sqrt((16 * n - 29) / 90))


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """By how much values are higher than others.

    Attributes:
        r: Share of pairs in which the one is higher, less the share in which the other is.
        low: Where its interval of 95 % begins.
        high: Where it ends.
        p: Two-sided, of the rank-sum test.
    """

    r: float
    low: float
    high: float
    p: float


def rank_biserial(a: Floats, b: Floats) -> Difference:
    """Return by how much values (n,) are higher than others (m,), n and m at least 1.

    References:
        D. S. Kerby. The Simple Difference Formula. Comprehensive Psychology 3, 2014: the correlation.
        H. B. Mann, D. R. Whitney. On a Test of Whether One of Two Random Variables is Stochastically
        Larger than the Other. Annals of Mathematical Statistics 18, 1947: p, with ties and continuity.
    """
    n, m = len(a), len(b)
    r = float(np.sign(a[:, None] - b[None, :]).mean())
    area = (1 + r) / 2
    low, high = _edge(area, 0.0, n, m), _edge(area, 1.0, n, m)
    _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
    N = n + m
    variance = n * m / 12 * ((N + 1) - (ties**3 - ties).sum() / (N * (N - 1)))
    z = (abs(r) * n * m / 2 - 0.5) / math.sqrt(variance) if variance > 0 else 0.0
    return Difference(r, 2 * low - 1, 2 * high - 1, min(1.0, 2 * _tail(z)))


def _edge(area: float, towards: float, n: int, m: int) -> float:
    """Where the interval of 95 % of an area under the curve of n and m values ends, on one side.

    The variance is taken there, not at `area`, where it vanishes for groups that do not overlap.

    References:
        R. G. Newcombe. Confidence intervals for an effect size measure based on the Mann-Whitney
        statistic. Part 2. Statistics in Medicine 25, 2006, method 5.
    """
    inside, outside = area, towards
    for _ in range(50):
        t = (inside + outside) / 2
        more = ((n + m) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))
        near = (t - area) ** 2 <= 1.96**2 * t * (1 - t) * (1 + more) / (n * m)
        inside, outside = (t, outside) if near else (inside, t)
    return inside


def rank_correlation(a: Floats, b: Floats) -> tuple[float, float]:
    """Return Spearman's rank correlation of (n,) and (n,), and its two-sided p; n at least 4.

    References:
        M. G. Kendall. Rank Correlation Methods. Griffin, 1975: variance 1 / (n - 1).
    """
    ranks = [_ranks(x) for x in (a, b)]
    if min(rank.std() for rank in ranks) == 0:
        return 0.0, 1.0
    r = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return r, min(1.0, 2 * _tail(abs(r) * math.sqrt(len(a) - 1)))


def _ranks(x: Floats) -> Floats:
    """Ranks (n,), equal ones shared."""
    below = (x[None, :] < x[:, None]).sum(axis=1)
    return np.asarray(below + (x[None, :] == x[:, None]).sum(axis=1) / 2, dtype=np.float64)


def _tail(z: float) -> float:
    """P(N(0, 1) > z)."""
    return math.erfc(float(z) / math.sqrt(2.0)) / 2
