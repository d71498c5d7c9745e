import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tunesmith.numerics.trends import (
    BLOCKS,
    blocks,
    rank_biserial,
    rank_correlation,
    rising,
    roughness,
    slope,
    zigzag,
)


def test_six_values_in_order_are_a_trend() -> None:
    """The p of Kendall's normal approximation is (15 - 1) / sqrt(28.33); reversed there is none."""
    y = np.arange(6.0)

    assert_allclose(rising(y), stats.norm.sf(14 / np.sqrt(6 * 5 * 17 / 18)), rtol=1e-12)
    assert rising(-y) > 0.99
    assert rising(np.ones(6)) == 1.0
    assert rising(y[:2]) == 1.0


def test_values_without_a_trend_rarely_rise() -> None:
    """At a level of 0.005 at most 1 % of 2,000 series of noise, long or short; 6 sigma is 1.5 %."""
    rng = np.random.default_rng(1)
    for n in (6, 10, 40):
        share = np.mean([rising(rng.normal(size=n)) < 0.005 for _ in range(2000)])
        assert share < 0.015


def test_the_test_agrees_with_all_orders() -> None:
    """Of the 720 orders of six values only the sorted one comes below 0.005."""
    below = [p for p in itertools.permutations(range(6)) if rising(np.array(p, float)) < 0.005]

    assert below == [tuple(range(6))]


def test_blocks_keep_the_mean_and_the_order() -> None:
    """A long series becomes ten means, a short one stays."""
    y = np.arange(100.0)

    assert len(blocks(y)) == BLOCKS
    assert_allclose(blocks(y), np.arange(10) * 10 + 4.5)
    assert_allclose(blocks(y[:7]), y[:7])


def test_slope_is_not_moved_by_an_outlier() -> None:
    """Sen's median of slopes: one value of ten may be anything."""
    x = np.arange(10.0)
    y = 3 * x + 1
    y[4] = 1e6

    assert_allclose(slope(x, y), 3.0)


def test_roughness_is_the_noise_beside_a_trend() -> None:
    """The standard deviation of noise is found within 20 %, whatever the smooth trend and a jump."""
    rng = np.random.default_rng(2)
    y = np.linspace(0, 50, 400) + 0.3 * rng.normal(size=400)
    y[200:] += 100

    assert_allclose(roughness(y), 0.3, rtol=0.2)


def test_zigzag() -> None:
    """Alternating values turn at each step; noise does in two of three."""
    rng = np.random.default_rng(3)
    alternating = np.array([1.0, 2.0] * 10)

    assert zigzag(alternating) < 1e-3
    assert np.mean([zigzag(rng.normal(size=30)) < 0.005 for _ in range(1000)]) < 0.02
    assert zigzag(np.arange(20.0)) > 0.99
    assert zigzag(np.arange(3.0)) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_rank_biserial_agrees_with_scipy(seed: int) -> None:
    """p of the rank-sum test with ties; the correlation is 2 U / (n m) - 1."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, 15).astype(float), rng.integers(0, 6, 11).astype(float)
    it = rank_biserial(a, b)
    scipy = stats.mannwhitneyu(a, b, method="asymptotic")

    assert_allclose(it.r, 2 * scipy.statistic / (15 * 11) - 1)
    assert_allclose(it.p, scipy.pvalue, rtol=1e-9)
    assert it.low < it.r < it.high
    assert it.low >= -1
    assert it.high <= 1


def test_its_interval_is_honest() -> None:
    """Of 400 pairs of samples at least 91 % of the intervals hold the truth: 95 % less 4 sigma."""
    rng = np.random.default_rng(4)
    truth = 2 * stats.norm.cdf(1.0 / np.sqrt(2)) - 1
    held = 0
    for _ in range(400):
        it = rank_biserial(rng.normal(1.0, 1.0, 8), rng.normal(0.0, 1.0, 20))
        held += it.low <= truth <= it.high

    assert held / 400 > 0.91


def test_groups_that_do_not_overlap_leave_doubt() -> None:
    """All of three above all of three is a correlation of 1, and may be chance."""
    it = rank_biserial(np.array([4.0, 5.0, 6.0]), np.array([1.0, 2.0, 3.0]))

    assert it.r == it.high == 1.0
    assert it.low < 0.5
    assert it.p > 0.05


def test_rank_correlation_agrees_with_scipy() -> None:
    """Spearman's, ties included; a constant has none."""
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 5, 30).astype(float), rng.normal(size=30)

    assert_allclose(rank_correlation(a, b)[0], stats.spearmanr(a, b).statistic, rtol=1e-9)
    assert rank_correlation(a, np.ones(30)) == (0.0, 1.0)
