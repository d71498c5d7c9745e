import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.models.gains import LEVELS, gain

RNG = np.random.default_rng(0)
LOSSES = st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=60).map(np.array)


@given(LOSSES, st.floats(0.5, 500))
def test_it_is_a_distribution_of_gains(losses: np.ndarray, more: float) -> None:
    """Chances lie in [0, 1] and fall with what is asked; quantiles rise; the interval holds the middle."""
    told = gain(losses, more)
    asked = [told.chance(x) for x in (0.0, 1e-6, 1e-3, 1.0, 1e3, 1e9)]
    sizes = [told.quantile(level) for level in LEVELS]
    low, high = told.interval()

    assert 0 <= told.any <= 1
    assert all(0 <= chance <= told.any for chance in asked)
    assert asked == sorted(asked, reverse=True)
    assert sizes == sorted(sizes)
    assert 0 <= low <= told.quantile(0.5) <= high


@given(LOSSES, st.sampled_from([2.0**-10, 2.0**20]), st.sampled_from([0.0, 1024.0]))
def test_units_do_not_matter(losses: np.ndarray, scale: float, shift: float) -> None:
    """Losses in other units are the same forecast in other units."""
    losses = np.round(losses)  # so that no digit is lost
    one, other = gain(losses, 20), gain(scale * (losses + shift), 20)

    assert other.any == pytest.approx(one.any)
    assert other.sizes == pytest.approx(scale * one.sizes)


def test_what_cannot_be_is_not_forecast() -> None:
    """Nothing more to try gains nothing, nor does what has always had the same value."""
    assert gain(RNG.random(20), 0).chance() == 0
    assert gain(np.ones(20), 50).chance() == 0
    assert gain(np.ones(20), 50).interval() == (0, 0)


@pytest.mark.parametrize("huge", [1e308, np.inf])
def test_huge_losses_are_finite_gains(huge: float) -> None:
    """Some trials of the size of the largest float, or beyond, break nothing."""
    losses = RNG.random(20)
    losses[[0, 5]] = huge
    losses[3] = -1e308

    assert np.isfinite(gain(losses, 50).quantile(0.5))


def test_more_trials_gain_more_and_standing_still_less() -> None:
    """The chance rises with the number of trials, and falls with how long ago the best was found."""
    losses = np.linspace(2.0, 1.0, 40)  # better with each trial
    still = np.append(losses[-1], losses[:-1])  # the best came first

    assert gain(losses, 5).chance(0.05) < gain(losses, 100).chance(0.05)
    assert gain(still, 50).chance(0.05) < gain(losses, 50).chance(0.05)
