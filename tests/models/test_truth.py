import numpy as np
import pytest
from numpy.testing import assert_allclose

from tunesmith.models import Features
from tunesmith.models.gaussian import kernel, loss
from tunesmith.models.theta import Layout, Prior
from tunesmith.models.truth import Means, Scale, Truth
from tunesmith.numerics.warps import half_rank, standard
from tunesmith.space import Float, Space

FEATURES = Features(Space({"x": Float(0, 1)}))
NONE = np.empty((2, 20, 0))  # seeds that are shared


def test_targets_go_back_to_values() -> None:
    """The map is inverted at every value, and goes on straight above the best."""
    values = np.random.default_rng(0).standard_normal(31) ** 3
    targets = standard(half_rank(values))

    scale = Scale.of(values, targets)

    assert_allclose(scale.back(targets), values, atol=1e-12)
    beyond = scale.back(targets.max() + np.array([1.0, 2.0]))
    assert_allclose(beyond, values.max() + scale.size * np.array([1.0, 2.0]))


@pytest.mark.parametrize("common", [False, True])
def test_a_mean_of_many_measurements_counts_as_those(common: bool) -> None:
    """The gradient by the noise is that of finite differences when outcomes have shares of it, or have it in common."""
    rng = np.random.default_rng(1)
    X, y, share = rng.random((9, 1)) - 0.5, rng.standard_normal(9), 1 / rng.integers(1, 9, 9)
    share = np.diag(share) + 0.5 if common else share
    layout: Layout = FEATURES.layout
    prior = Prior.of(layout, 1.0)
    step = np.eye(len(prior.mean))[-1] * 1e-5

    _, gradient = loss(prior.mean, X, y, layout, prior, share)

    above, below = (loss(prior.mean + s * step, X, y, layout, prior, share)[0] for s in (1, -1))
    assert_allclose(gradient[-1], (above - below) / 2e-5, rtol=1e-5)


def test_the_kernel_is_symmetric_and_positive() -> None:
    """It is a covariance."""
    X = np.random.default_rng(2).random((8, 1)) - 0.5
    K = kernel(Prior.of(FEATURES.layout, 1.0).mean, FEATURES.layout, X, X)

    assert_allclose(K, K.T)
    assert np.linalg.eigvalsh(K).min() > -1e-10


def test_what_was_measured_often_is_surer() -> None:
    """Of two configurations in the same place of the curve, that of 50 measurements has less variance than that of one."""
    rng = np.random.default_rng(3)
    x = np.linspace(0, 1, 20)
    counts = np.where(np.arange(20) % 2, 50.0, 1.0)
    values = np.sin(6 * x) + rng.standard_normal(20) * 0.5 / np.sqrt(counts)
    known = Means(FEATURES(x[:, None]), values, counts, 0.25 * (counts - 1), *NONE)

    truth = Truth(known, FEATURES.layout, FEATURES.size)

    variance = np.diag(truth.covariance)
    assert variance[1::2].max() < variance[0::2].min()
    assert 0.3 < truth.noise < 0.8


def test_other_places_are_foreseen() -> None:
    """Between measurements of a line without noise lies the line."""
    x = np.linspace(0, 1, 15)
    known = Means(FEATURES(x[:, None]), 2 * x, np.ones(15), np.zeros(15), *NONE[:, :15])

    truth = Truth(known, FEATURES.layout, FEATURES.size)

    between = np.linspace(0.55, 0.95, 8)
    assert_allclose(truth.scale.back(truth.at(FEATURES(between[:, None]))), 2 * between, atol=0.02)
