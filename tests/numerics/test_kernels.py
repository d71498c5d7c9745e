import numpy as np
from numpy.testing import assert_allclose

from tunesmith.numerics.kernels import matern52, matern52_with_slope, squared_distances


def test_distances_are_those_of_the_definition() -> None:
    """Each entry is the sum of squared differences; a row is at distance 0 from itself."""
    rng = np.random.default_rng(0)
    X, Y = rng.random((7, 3)), rng.random((5, 3))

    expected = ((X[:, None] - Y[None]) ** 2).sum(axis=-1)

    assert_allclose(squared_distances(X, Y), expected, atol=1e-14)
    assert_allclose(np.diag(squared_distances(X, X)), 0.0, atol=1e-14)


def test_matern_by_hand() -> None:
    """At distance 1 it is (1 + sqrt 5 + 5/3) exp(-sqrt 5), at distance 0 it is 1."""
    s = np.sqrt(5.0)

    assert_allclose(matern52(np.array([[0.0, 1.0]])), [[1.0, (1 + s + 5 / 3) * np.exp(-s)]])


def test_slope_is_the_derivative() -> None:
    """The slope is -2 dk / d(r^2), by finite differences; the value is that of `matern52`."""
    D, h = np.array([[0.1, 0.7, 3.0]]), 1e-6

    k, slope = matern52_with_slope(D)

    assert_allclose(k, matern52(D.copy()))
    assert_allclose(slope, -(matern52(D + h) - matern52(D - h)) / h, rtol=1e-6)
