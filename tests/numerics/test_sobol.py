import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from tunesmith.numerics import sobol

PUBLISHED = 337


def scrambled(d: int, seed: int = 0) -> sobol.Directions:
    return sobol.scramble(sobol.directions(d), np.random.default_rng(seed))


def plain_by_scipy(d: int, n: int) -> np.ndarray[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # n need not be a power of 2
        return np.asarray(qmc.Sobol(d, scramble=False, bits=sobol.BITS).random(n))


@pytest.mark.parametrize("d", [1, 2, 10, PUBLISHED])
def test_plain_points_are_those_of_scipy(d: int) -> None:
    """Reference values: scipy 1.17, which ships the same table."""
    assert np.array_equal(sobol.points(sobol.directions(d), 0, 300), plain_by_scipy(d, 300))


def test_the_first_plain_points_by_hand() -> None:
    """The first two coordinates begin as every textbook has them, in Gray code order."""
    expected = [[0, 0], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75]]

    assert sobol.points(sobol.directions(2), 0, 4).tolist() == expected


@given(st.integers(0, 2**31), st.integers(0, 40), st.integers(0, 40))
def test_points_depend_on_their_index_alone(start: int, n: int, more: int) -> None:
    """However a stretch is cut into calls, the points are the same."""
    table = scrambled(3)
    whole = sobol.points(table, start, n + more)
    parts = [sobol.points(table, start, n), sobol.points(table, start + n, more)]

    assert np.array_equal(whole, np.concatenate(parts))


def test_the_last_index_of_32_bits_is_computed() -> None:
    """The sequence goes on up to index 2^32 - 1."""
    (point,) = sobol.points(scrambled(2), 2**32 - 1, 1)

    assert ((point >= 0) & (point < 1)).all()


@pytest.mark.parametrize("make", [sobol.directions, scrambled])
@pytest.mark.parametrize("d", [1, 5, PUBLISHED + 20])
def test_every_coordinate_is_stratified(make: Callable[[int], sobol.Directions], d: int) -> None:
    """Each 256th of an axis holds one point of an aligned stretch of 256, beyond the table too."""
    units = sobol.points(make(d), 512, 256)
    cells = np.sort((units * 256).astype(int), axis=0)

    assert (cells == np.arange(256)[:, None]).all()


@pytest.mark.parametrize("make", [sobol.directions, scrambled])
def test_elementary_intervals_of_the_first_two_coordinates(
    make: Callable[[int], sobol.Directions],
) -> None:
    """Coordinates 1 and 2 are a (0, m, 2)-net: each box of volume 1/256 holds one point of 256."""
    units = sobol.points(make(2), 0, 256)
    for k in range(9):
        boxes = (units * [2**k, 2 ** (8 - k)]).astype(int)

        assert len({tuple(box) for box in boxes.tolist()}) == 256


def test_discrepancy_is_far_below_that_of_random_points() -> None:
    """256 points in 6 coordinates are more even than the best of 20 random sets."""
    rng = np.random.default_rng(0)
    best = min(qmc.discrepancy(rng.random((256, 6))) for _ in range(20))

    assert qmc.discrepancy(sobol.points(scrambled(6), 0, 256)) < best / 4


def test_scrambles_of_different_luck_differ() -> None:
    """A scramble depends on its generator, and on nothing else."""
    first, again, other = (sobol.points(scrambled(4, seed), 0, 8) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_scrambled_point_is_uniform() -> None:
    """Over 1024 scrambles, the mean of point 5 is 1/2; six standard errors, false alarm 1e-8."""
    n = 1024
    plain = sobol.directions(3)
    rng = np.random.default_rng(0)
    mean = sum(sobol.points(sobol.scramble(plain, rng), 5, 1)[0] for _ in range(n)) / n

    assert np.abs(mean - 0.5).max() < 6 / np.sqrt(12 * n)


def test_no_points_and_no_coordinates() -> None:
    """n = 0 and d = 0 give empty arrays of the right shape."""
    assert sobol.points(scrambled(3), 7, 0).shape == (0, 3)
    assert sobol.points(scrambled(0), 7, 5).shape == (5, 0)
