import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from tunesmith.models import Gaussian, Layout, Prior, fit
from tunesmith.models.gaussian import loss
from tunesmith.numerics.kernels import matern52, squared_distances

LAYOUT = Layout(np.array([0, 1, 2, 2]), np.array([0, 1]))
THETA = np.array([-0.5, 0.3, 0.1, 0.4, -0.3, 0.2, 0.1, -1.5, 0.2, -3.0])
RNG = np.random.default_rng(0)
X, Y = RNG.random((15, 4)) - 0.5, RNG.standard_normal(15)


def scaled(A: np.ndarray) -> np.ndarray:
    """Columns bent and divided by their lengthscales, by the definition."""
    A = A.copy()
    for j, a, b in ((0, 0.4, 0.2), (1, -0.3, 0.1)):
        u = np.clip(A[:, j] + 0.5, 1e-6, 1 - 1e-6)
        A[:, j] = 0.5 - (1 - u ** np.exp(a)) ** np.exp(b)
    return np.asarray(A / np.exp(THETA[LAYOUT.group]))


def kernel(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """The kernel by its definition."""
    slope, signal, _ = np.exp(THETA[-3:])
    A, B = scaled(A), scaled(B)
    return np.asarray(signal * matern52(squared_distances(A, B)) + slope * A @ B.T)


def by_definition(Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations by (2.41)-like algebra with a plain inverse."""
    C = np.linalg.inv(kernel(X, X) + np.exp(THETA[-1]) * np.eye(len(X)))
    constant = (C.sum(axis=0) @ Y) / C.sum()
    k = kernel(Q, X)
    mean = constant + k @ C @ (Y - constant)
    return mean, np.sqrt(np.diag(kernel(Q, Q) - k @ C @ k.T))


def test_gradient_is_that_of_finite_differences() -> None:
    """Each component of the gradient, the prior's part included."""
    prior = Prior.of(LAYOUT, 4.0)
    value, gradient = loss(THETA, X, Y, LAYOUT, prior)

    for j in range(len(THETA)):
        e = np.eye(len(THETA))[j] * 1e-5
        above, below = (loss(THETA + s * e, X, Y, LAYOUT, prior)[0] for s in (1, -1))
        assert_allclose(gradient[j], (above - below) / 2e-5, rtol=1e-5, atol=1e-7)
    assert np.isfinite(value)


def test_posterior_is_that_of_the_definition() -> None:
    """Means and deviations agree with dense linear algebra."""
    Q = RNG.random((6, 4)) - 0.5

    mean, deviation = Gaussian(THETA, X, Y, LAYOUT).predict(Q)

    expected_mean, expected_deviation = by_definition(Q)
    assert_allclose(mean, expected_mean, rtol=1e-8)
    assert_allclose(deviation, expected_deviation, rtol=1e-6)


def test_pending_points_leave_means_and_lower_deviations() -> None:
    """What is being measured teaches where it is, not what it will be."""
    Q = RNG.random((6, 4)) - 0.5
    before_mean, before = Gaussian(THETA, X, Y, LAYOUT).predict(Q)

    model = Gaussian(THETA, X, Y, LAYOUT, pending=Q[:2])
    mean, after = model.predict(Q)

    assert_allclose(mean, before_mean, rtol=1e-10)
    assert (after <= before + 1e-12).all()
    assert (after[:2] < 0.8 * before[:2]).all()


@pytest.mark.parametrize("points, noise", [(X, -3.0), (np.repeat(X[:3], 5, axis=0), -40.0)])
def test_means_at_what_is_known(points: np.ndarray, noise: float) -> None:
    """They are those that `predict` gives there, also where the kernel needs a larger diagonal."""
    model = Gaussian(np.append(THETA[:-1], noise), points, Y, LAYOUT, pending=X[:2] + 0.01)

    assert_allclose(model.means, model.predict(points)[0], rtol=1e-6, atol=1e-6)


def test_pending_deviations_do_not_depend_on_values() -> None:
    """They are those of a model that has measured these points."""
    Q = RNG.random((5, 4)) - 0.5
    known = Gaussian(THETA, np.vstack([X, Q[:2]]), np.append(Y, [3.0, -3.0]), LAYOUT)

    _, expected = known.predict(Q)

    assert_allclose(Gaussian(THETA, X, Y, LAYOUT, Q[:2]).predict(Q)[1], expected, rtol=1e-8)


def test_accuracy_is_that_of_leaving_each_out() -> None:
    """Spearman's correlation of the outcomes with means that were computed without each of them."""
    C = np.linalg.inv(kernel(X, X) + np.exp(THETA[-1]) * np.eye(len(X)))
    centred = Y - (C.sum(axis=0) @ Y) / C.sum()
    foreseen = []
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        without = np.linalg.inv(np.linalg.inv(C)[np.ix_(others, others)])
        foreseen.append(kernel(X[[i]], X[others]) @ without @ centred[others])
    expected = spearmanr(centred, np.ravel(foreseen)).statistic

    assert_allclose(Gaussian(THETA, X, Y, LAYOUT).accuracy(Y), expected, atol=1e-12)


def test_accuracy_of_ties() -> None:
    """Equal outcomes share a rank; where all are equal there is nothing to foresee."""
    model = Gaussian(THETA, X, np.zeros(15), LAYOUT)
    y = np.repeat([0.0, 1.0, 2.0], 5)

    assert model.accuracy(np.zeros(15)) == 0.0
    reordered = Gaussian(THETA, X[::-1], y[::-1], LAYOUT).accuracy(y[::-1])
    assert_allclose(Gaussian(THETA, X, y, LAYOUT).accuracy(y), reordered, atol=1e-12)


def test_fit_finds_what_matters() -> None:
    """The lengthscale of a column that has no effect becomes the longest; the rest is predicted."""
    rng = np.random.default_rng(1)
    points = rng.random((40, 3)) - 0.5
    y = np.sin(6 * points[:, 0]) + points[:, 1] ** 2
    y = (y - y.mean()) / y.std()
    layout = Layout(np.arange(3), np.arange(3))
    prior = Prior.of(layout, 3.0)

    theta = fit([prior.mean], points, y, layout, prior, 50)

    assert np.argmax(theta[:3]) == 2
    assert np.argmin(theta[:3]) == 0
    fresh = rng.random((200, 3)) - 0.5
    mean, _ = Gaussian(theta, points, y, layout).predict(fresh)
    truth = np.sin(6 * fresh[:, 0]) + fresh[:, 1] ** 2
    assert np.corrcoef(mean, truth)[0, 1] > 0.98


def test_equal_rows_are_no_obstacle() -> None:
    """Repeated measurements, even with next to no noise, can be factored."""
    theta = np.append(THETA[:-1], -11.9)

    mean, deviation = Gaussian(theta, np.repeat(X[:3], 5, axis=0), Y, LAYOUT).predict(X)

    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


def test_theta_out_of_reach_has_no_density() -> None:
    """The search is told to turn back before anything overflows."""
    value, _ = loss(np.full(10, 100.0), X, Y, LAYOUT, Prior.of(LAYOUT, 4.0))

    assert value == np.inf


@pytest.mark.slow
def test_agrees_with_scikit_learn() -> None:
    """With the same kernel and a known mean, means and deviations are scikit-learn's."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

    slope, signal, noise = np.exp(THETA[-3:])
    theirs = (
        ConstantKernel(signal, "fixed") * Matern(1.0, "fixed", nu=2.5)
        + ConstantKernel(slope, "fixed") * DotProduct(0.0, "fixed")
        + WhiteKernel(noise, "fixed")
    )
    Q = np.random.default_rng(5).random((50, 4)) - 0.5
    _, constant = Gaussian(THETA, X, Y, LAYOUT).predict(Q)
    centre = Y - by_definition_mean()
    model = GaussianProcessRegressor(theirs, optimizer=None).fit(scaled(X), centre)
    mean, deviation = model.predict(scaled(Q), return_std=True)

    ours, our_deviation = Gaussian(THETA, X, Y, LAYOUT).predict(Q)

    assert_allclose(ours, mean + by_definition_mean(), rtol=1e-7)
    assert_allclose(our_deviation, np.sqrt(deviation**2 - noise), rtol=1e-5)
    assert_allclose(our_deviation, constant)


def by_definition_mean() -> float:
    """The constant mean by generalised least squares."""
    C = np.linalg.inv(kernel(X, X) + np.exp(THETA[-1]) * np.eye(len(X)))
    return float((C.sum(axis=0) @ Y) / C.sum())
