import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from tunesmith.numerics.normal import log_ei, quantile


def test_quantile_inverts_the_distribution() -> None:
    """The quantile of 0.975 is the 1.96 of every textbook."""
    assert_allclose(quantile(np.array([0.5, 0.975])), [0.0, 1.959963984540054], atol=1e-15)


@pytest.mark.parametrize("z", [-5.0, -1.5, -1.0, -0.5, 0.0, 2.0, 8.0])
def test_log_ei_is_the_log_of_the_closed_form(z: float) -> None:
    """Where the closed form keeps its digits, both agree; the deviation scales it."""
    expected = np.log(2.0 * (stats.norm.pdf(z) + z * stats.norm.cdf(z)))

    assert_allclose(log_ei(np.array([2.0 * z + 1]), np.array([2.0]), 1.0), [expected], rtol=1e-9)


def test_log_ei_by_simulation() -> None:
    """It is the log of the mean gain over draws."""
    draws = np.random.default_rng(0).normal(0.3, 0.5, size=200_000)

    [found] = log_ei(np.array([0.3]), np.array([0.5]), 0.6)

    assert_allclose(np.exp(found), np.maximum(draws - 0.6, 0).mean(), rtol=0.02)


@given(st.floats(-1e8, 50), st.floats(1e-8, 10))
def test_log_ei_is_finite_and_grows_with_the_mean(z: float, sd: float) -> None:
    """Hopeless candidates are still told apart: no underflow, whatever the distance."""
    steps = np.array([z, z + max(1e-3, 1e-3 * abs(z))])

    low, high = log_ei(sd * steps, np.full(2, sd), 0.0)

    assert np.isfinite(low)
    assert low < high


def test_log_ei_is_smooth_where_its_formulae_meet() -> None:
    """No jump at the two places where another formula takes over."""
    for z in (-1.0, -1e4):
        below, above = log_ei(np.array([z - 1e-9, z + 1e-9]), np.ones(2), 0.0)
        assert_allclose(below, above, rtol=1e-7)
