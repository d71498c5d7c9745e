import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.models.fidelity import equivalents
from tunesmith.numerics.arrays import Floats

LUCK = np.random.default_rng(0)


def study(n: int, noise: float, *, stopped: float) -> tuple[Floats, Floats, Floats]:
    """Losses of n trials at step 1 and at the end, 9; the worst share at step 1 was stopped there."""
    final = LUCK.normal(size=n)
    first = 3 * final + 10 + noise * LUCK.normal(size=n)
    steps = np.where(first > np.quantile(first, 1 - stopped), 1.0, 9.0)
    return first, final, steps


def told(first: Floats, final: Floats, steps: Floats) -> Floats:
    """What is made of it."""
    whole = steps == 9
    losses = np.where(whole, final, first)
    return equivalents(losses, steps, whole, ~whole, lambda step: first if step == 1 else final)


def test_whole_trials_stay_as_they_are_and_others_come_to_their_scale() -> None:
    """Where the order at the rung is that of the end, what was stopped is foreseen nearly exactly."""
    first, final, steps = study(60, 0.0, stopped=0.5)
    finals = told(first, final, steps)

    assert (finals[steps == 9] == final[steps == 9]).all()
    assert np.corrcoef(finals, final)[0, 1] > 0.95
    assert np.abs(finals - final).max() < 0.7


def test_a_rung_that_tells_nothing_is_drawn_to_the_middle() -> None:
    """What looked best at a rung without relation to the end is not taken for the best."""
    final = LUCK.normal(size=40)
    first = LUCK.normal(size=40)
    steps = np.full(40, 9.0)
    steps[0], first[0] = 1, -9.0
    finals = told(first, final, steps)

    assert finals[0] > np.quantile(final[1:], 0.2)


@given(st.integers(0, 6), st.integers(0, 6))
def test_nothing_partial_is_better_than_the_best_whole(whole: int, partial: int) -> None:
    """However lucky it looked, and however few trials there are."""
    n = whole + partial
    first, final = LUCK.normal(size=n), LUCK.normal(size=n)
    steps = np.array([9.0] * whole + [1.0] * partial)
    finals = told(first, final, steps)

    assert np.isfinite(finals[:whole]).all()
    if 1 <= whole < 3:
        assert np.isnan(finals[whole:]).all()  # two trials are no scale
    else:
        assert np.isfinite(finals).all()
    if whole >= 3 and partial:
        assert finals[whole:].min() >= final[:whole].min()


def test_without_any_whole_trial_the_highest_rung_is_the_scale() -> None:
    """Trials at a lower rung are matched to it."""
    first = np.array([5.0, 6, 7, 8, 9])
    second = np.array([1.0, 2, 3, np.nan, np.nan])
    steps = np.array([3.0, 3, 3, 1, 1])
    none = np.zeros(5, dtype=bool)
    finals = equivalents(
        np.where(steps == 3, second, first),
        steps,
        none,
        ~none,
        lambda s: first if s == 1 else second,
    )

    assert finals[:3].tolist() == [1, 2, 3]
    assert 3 < finals[3] < finals[4]
