import numpy as np
from numpy.testing import assert_allclose

from tunesmith.numerics.normal import log_cdf, quantile


def test_quantile_inverts_the_distribution() -> None:
    """The quantile of 0.975 is the 1.96 of every textbook; log_cdf leads back."""
    p = np.array([1e-12, 0.025, 0.5, 0.975])

    assert_allclose(quantile(p)[1:], [-1.959963984540054, 0.0, 1.959963984540054], atol=1e-15)
    assert_allclose(np.exp(log_cdf(quantile(p))), p, rtol=1e-9)


def test_log_cdf_keeps_its_digits_far_out() -> None:
    """At -40, where the probability underflows, it is that of the asymptotic expansion."""
    z = 40.0
    expected = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(z) + np.log1p(-1 / z**2 + 3 / z**4)

    assert_allclose(log_cdf(np.array([-z])), [expected], rtol=1e-9)
