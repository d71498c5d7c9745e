"""Tests by ranks for few pairs: exact where a normal distribution would not be."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import fdtrc, ndtr, ndtri

from tunesmith.numerics.arrays import Floats

EXACT = 200  # pairs


def ranks(values: Floats) -> Floats:
    """Return the rank of each value (n,), from 1, equal ones at the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=np.float64)


def signed_rank(differences: Floats) -> float:
    """Return the probability, if signs are luck, of ranks that lean to one side as much as these or more.

    Zeros are left out. Exact up to 200 differences, ties included: each way to give signs to the ranks
    is as likely as any other. Beyond, the sum of ranks is taken for normal.

    Args:
        differences: (n,), finite.

    References:
        F. Wilcoxon. Individual comparisons by ranking methods. Biometrics Bulletin 1, 1945.
    """
    some = differences[differences != 0]
    if not len(some):
        return 1.0
    sizes = ranks(np.abs(some))
    less = min(float(sizes[some > 0].sum()), float(sizes[some < 0].sum()))
    if len(some) > EXACT:
        deviation = math.sqrt(float((sizes**2).sum()) / 4)
        return min(1.0, 2 * float(ndtr((less + 0.5 - sizes.sum() / 2) / deviation)))
    tail = _sums(np.rint(2 * sizes).astype(int).tolist())  # midranks are halves
    return min(1.0, 2 * float(tail[: round(2 * less) + 1].sum()))


def shift(differences: Floats, level: float) -> tuple[float, float, float]:
    """Return the median of all means of two differences, and the interval that belongs to the signed rank test.

    Args:
        differences: (n,), n at least 1, finite.
        level: Of the interval, such as 0.9: at least; infinite for so few differences that none has it.

    References:
        M. Hollander, D. A. Wolfe, E. Chicken. Nonparametric Statistical Methods. 3rd edition, 2014. Sections 3.2, 3.3:
        Hodges and Lehmann's estimator, Tukey's interval.
    """
    n = len(differences)
    i, j = np.triu_indices(n)
    means = np.sort((differences[i] + differences[j]) / 2)
    tail = (1 - level) / 2
    if n <= EXACT:
        below = np.cumsum(_sums(range(1, n + 1)))
        k = int(np.searchsorted(below, tail, side="right"))  # sums whose tail is at most that
    else:
        deviation = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        k = max(0, math.floor(len(means) / 2 + float(ndtri(tail)) * deviation))
    middle = float(np.median(means))
    if not k:
        return middle, -math.inf, math.inf
    return middle, float(means[k - 1]), float(means[len(means) - k])


def friedman(table: Floats) -> float:
    """Return the probability, if rows are luck, of mean ranks of columns that differ as much or more.

    Args:
        table: (n, k), n at least 2, k at least 2; smaller is better.

    References:
        R. L. Iman, J. M. Davenport. Approximations of the critical region of the Friedman statistic. Communications
        in Statistics A 9, 1980; J. Demšar. Statistical comparisons of classifiers over multiple data sets. JMLR 7, 2006.
        Section 3.2.2.
    """
    n, k = table.shape
    ranked = np.array([ranks(row) for row in table])
    between = n * float(((ranked.mean(axis=0) - (k + 1) / 2) ** 2).sum())
    all_ = float(((ranked - (k + 1) / 2) ** 2).sum())
    if all_ == 0:
        return 1.0
    rest = (all_ - between) / (n - 1)
    if rest <= 0:
        return 0.0
    return float(fdtrc(k - 1, (k - 1) * (n - 1), between / rest))


def holm(chances: Sequence[float]) -> list[float]:
    """Return p values of several tests such that any false alarm at all is as unlikely as they say.

    References:
        S. Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 1979.
    """
    found, least = [1.0] * len(chances), 0.0
    for place, i in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        least = max(least, (len(chances) - place) * chances[i])
        found[i] = min(1.0, least)
    return found


def _sums(sizes: Sequence[int]) -> Floats:
    """The probabilities of sums 0, 1, ... of whole numbers, each of which is taken or left by a fair coin."""
    found = np.ones(1)
    for size in sizes:
        longer = np.zeros(len(found) + size)
        longer[: len(found)] = found
        longer[size:] += found
        found = longer / 2
    return found
