import numpy as np
import pytest

from tunesmith.models import Features
from tunesmith.models.surrogate import Surrogate
from tunesmith.models.truth import Means
from tunesmith.numerics.arrays import Floats
from tunesmith.space import Float, Space

SPACE = Space({"x": Float(0, 1), "y": Float(0, 1)})


def loss(units: Floats) -> Floats:
    return np.asarray(np.sin(5 * units[:, 0]) + units[:, 1])


@pytest.fixture(scope="module")
def model() -> Surrogate:
    rng = np.random.default_rng(0)
    units = rng.random((60, 2))
    noisy = loss(units) + rng.normal(0, 0.05, 60)
    features = Features(SPACE)
    return Surrogate(Means.once(features(units), -noisy), features)


def test_losses_are_foreseen(model: Surrogate) -> None:
    """In the units of what was measured, smaller being better; those of the better half within their deviations."""
    units = np.random.default_rng(1).random((200, 2))
    mean, sd = model.at(units)

    assert mean == pytest.approx(loss(units), abs=0.4)
    good = loss(units) < np.median(loss(units))
    assert np.mean(np.abs(mean - loss(units))[good] < 2 * sd[good]) > 0.85
    assert model.explained > 0.95


def test_the_ways_to_ask_agree(model: Surrogate) -> None:
    """Means and deviations are those of the joint posterior, and of functions drawn from it."""
    units = np.random.default_rng(2).random((50, 2))
    mean, sd = model.at(units)
    means, covariance = model.joint(units)
    drawn = model.draws(units, 1000)

    assert means == pytest.approx(mean)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(sd)
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.1)
    correlated = np.corrcoef(
        np.cov(drawn.T)[np.triu_indices(50, 1)], covariance[np.triu_indices(50, 1)]
    )
    assert correlated[0, 1] > 0.8
    assert np.array_equal(drawn, model.draws(units, 1000))


def test_equal_values_are_the_same_everywhere() -> None:
    """One value is all that is known, and it is known surely."""
    features = Features(SPACE)
    units = np.random.default_rng(0).random((9, 2))
    flat = Surrogate(Means.once(features(units), np.full(9, -2.0)), features)
    mean, sd = flat.at(units)

    assert mean.tolist() == [2.0] * 9
    assert sd.tolist() == [0.0] * 9
    assert flat.draws(units, 3).tolist() == [[2.0] * 9] * 3
    assert flat.explained == 0.0


def test_nothing_is_asked_of_it(model: Surrogate) -> None:
    """No units, no answers."""
    mean, sd = model.at(np.empty((0, 2)))

    assert mean.shape == sd.shape == (0,)
