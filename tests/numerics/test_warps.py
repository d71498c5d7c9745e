import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tunesmith.numerics.normal import quantile
from tunesmith.numerics.warps import half_rank, kumaraswamy, kumaraswamy_slopes, standard

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@given(values)
def test_half_rank_keeps_order_and_the_good_half(v: np.ndarray) -> None:
    """What is not below the median stays as it is; equal values stay equal, no order is reversed."""
    warped = half_rank(v)
    median = np.median(v)

    assert np.array_equal(warped[v >= median], v[v >= median])
    order = np.argsort(v, kind="stable")
    assert (np.diff(warped[order]) >= 0).all()


def test_half_rank_forgets_how_bad() -> None:
    """A loss of a million weighs no more than one that is just the worst."""
    mild = half_rank(np.array([5.0, 4.0, 3.0, 2.0, 1.0]))
    wild = half_rank(np.array([5.0, 4.0, 3.0, 2.0, -1e6]))

    assert np.array_equal(mild, wild)


def test_half_rank_by_hand() -> None:
    """Two values below the median 3 of five: ranks 1 and 2 of 2.5, spread sqrt(5 / 3)."""
    from scipy.stats import norm

    s = np.sqrt((0 + 1 + 4) / 3)
    expected = [3 + s * norm.ppf(0.5 * 0.5 / 2.5), 3 + s * norm.ppf(0.5 * 1.5 / 2.5), 3, 4, 5]

    assert_allclose(half_rank(np.array([-50.0, 2.9, 3.0, 4.0, 5.0])), expected)


@given(values)
def test_standard_has_mean_0_and_deviation_1(v: np.ndarray) -> None:
    """Unless all values are equal: then all become 0."""
    z = standard(v)

    if np.ptp(v) > 1e-6 * np.abs(v).max():
        assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-6)
    elif np.ptp(v) == 0:
        assert np.array_equal(z, np.zeros(len(v)))


def test_kumaraswamy_is_straight_for_ones() -> None:
    """With a = b = 1 nothing is bent, the ends apart."""
    u = np.linspace(0, 1, 11)[:, None]

    assert_allclose(kumaraswamy(u, np.ones(1), np.ones(1)), u, atol=2e-6)


def test_kumaraswamy_derivatives() -> None:
    """Both are those of finite differences."""
    u, a, b, h = np.linspace(0.05, 0.95, 7)[:, None], np.array([1.7]), np.array([0.4]), 1e-6

    by_a, by_b = kumaraswamy_slopes(u, a, b)

    up, down = np.exp(h), np.exp(-h)
    expected = (kumaraswamy(u, a * up, b) - kumaraswamy(u, a * down, b)) / (2 * h)
    assert_allclose(by_a, expected, rtol=1e-6)
    expected = (kumaraswamy(u, a, b * up) - kumaraswamy(u, a, b * down)) / (2 * h)
    assert_allclose(by_b, expected, rtol=1e-6)


def test_kumaraswamy_stays_in_the_unit_interval() -> None:
    """Far beyond and at the ends it is still finite, and its derivatives too."""
    u, nine = np.array([[-1.0], [0.0], [1.0], [2.0]]), np.full(1, 9.0)

    bent = kumaraswamy(u, nine, nine)

    assert ((bent >= 0) & (bent <= 1)).all()
    assert np.isfinite(kumaraswamy_slopes(u, nine, nine)).all()


@given(values)
def test_half_rank_from_a_level_on(v: np.ndarray) -> None:
    """What is not below the level stays, the rest keeps its order; at the median, it is as without one."""
    level = float(np.quantile(v, 0.2))
    warped = half_rank(v, level)

    assert (warped[v >= level] == v[v >= level]).all()
    assert (np.diff(warped[np.argsort(v, kind="stable")]) >= 0).all()
    assert (half_rank(v, float(np.median(v))) == half_rank(v)).all()
    assert (half_rank(v, np.inf) == half_rank(v)).all()


def test_half_rank_leaves_a_normal_sample_nearly_as_it_is() -> None:
    """Scores below the level are those that the rest lets expect."""
    v = np.asarray(quantile((np.arange(1001) + 0.5) / 1001), dtype=np.float64)

    assert_allclose(half_rank(v, -1.0), v, atol=0.05)
