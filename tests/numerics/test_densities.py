from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import truncnorm

from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.densities import Axes, Kernels, log_sum, widths

KINDS = 3  # of the labelled coordinate
UNIT = st.floats(0, 1)
LABEL = st.integers(0, KINDS - 1).map(lambda label: (label + 0.5) / KINDS)
ROWS = st.tuples(UNIT, LABEL)
POINTS = st.lists(ROWS, max_size=12).map(lambda rows: np.array(rows).reshape(-1, 2))
FIVE = st.lists(ROWS, min_size=5, max_size=5).map(np.array)


def line(cells: int) -> Floats:
    """The middles (cells, 1) of equal cells."""
    return ((np.arange(cells) + 0.5) / cells)[:, None]


@dataclass
class Whole:
    """Kernels over all of their coordinates; a coordinate is numeric, or has so many categories."""

    points: Floats
    categories: tuple[int, ...]
    grains: Floats | None = None
    floor: float = 0.05

    def __post_init__(self) -> None:
        self.axes = Axes(self.categories)
        self.part = self.axes.part(range(len(self.categories)))
        grains = np.zeros(self.points.shape) if self.grains is None else self.grains
        self.kernels = Kernels(self.axes, self.points, grains, self.floor)

    def log_density(self, points: Floats) -> Floats:
        return self.kernels.log_density(self.axes.features(points), self.part)

    def draw(self, which: Any, rng: np.random.Generator) -> Floats:
        points = np.empty((len(which), len(self.categories)))
        points[:, self.part.columns] = self.kernels.draw(which, self.part, rng)
        return points


def mixed(points: Floats) -> Whole:
    """Kernels over one continuous and one labelled coordinate."""
    return Whole(points, (0, KINDS))


@given(POINTS)
def test_each_kernel_integrates_to_one(points: Floats) -> None:
    """Over the interval and all categories, the prior included."""
    x = np.repeat(line(2000), KINDS, axis=0)
    grid = np.column_stack([x, np.tile(line(KINDS), (2000, 1))])
    densities = np.exp(mixed(points).log_density(grid))

    np.testing.assert_allclose(densities.mean(axis=0), 1, atol=2e-3)


def test_a_numeric_kernel_is_a_truncated_normal() -> None:
    """In closed form: means at the points, the larger gap to a neighbour as width."""
    kernels = Whole(np.array([[0.2], [0.3]]), (0,))
    x = line(50)
    expected = [
        truncnorm.logpdf(x[:, 0], -mean / sd, (1 - mean) / sd, loc=mean, scale=sd)
        for mean, sd in [(0.2, 0.2), (0.3, 0.7), (0.5, 1.0)]
    ]

    np.testing.assert_allclose(kernels.log_density(x), np.transpose(expected), atol=1e-12)


def test_a_category_is_smoothed() -> None:
    """Each category has 1/(n + 1) parts, that of the trial one part more; the prior knows none."""
    kernels = Whole(line(KINDS)[:2], (KINDS,))
    probabilities = np.exp(kernels.log_density(line(KINDS))) / KINDS

    np.testing.assert_allclose(
        probabilities.T, [[4 / 6, 1 / 6, 1 / 6], [1 / 6, 4 / 6, 1 / 6], [1 / 3, 1 / 3, 1 / 3]]
    )


@given(POINTS, FIVE)
def test_coordinates_are_independent_within_a_kernel(points: Floats, at: Floats) -> None:
    """The logarithm of a product kernel is the sum of those of its coordinates."""
    apart = [
        Whole(points[:, :1], (0,)).log_density(at[:, :1]),
        Whole(points[:, 1:], (KINDS,)).log_density(at[:, 1:]),
    ]

    np.testing.assert_allclose(mixed(points).log_density(at), sum(apart), atol=1e-8)


def test_widths_are_the_larger_gap_to_a_neighbour() -> None:
    """The ends of the interval are neighbours too; columns do not know of one another."""
    means = np.array([[0.1, 0.5], [0.7, 0.5], [0.2, 0.5]])

    np.testing.assert_allclose(widths(means), [[0.1, 0.5], [0.5, 0.0], [0.5, 0.5]])


def test_widths_of_one_point_and_of_none() -> None:
    """A single point reaches to the farther end."""
    np.testing.assert_allclose(widths(np.array([[0.3]])), [[0.7]])
    assert widths(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("levels", [2, 3, 10, 100])
def test_kernels_at_levels_are_half_a_level_wide_at_least(levels: int) -> None:
    """So that their values at the levels sum to about one, however many trials share a level."""
    points = np.repeat(line(levels), 4, axis=0)
    kernels = Whole(points, (0,), np.full(points.shape, 1 / levels), floor=0.001)
    masses = np.exp(kernels.log_density(line(levels))) / levels

    np.testing.assert_allclose(masses.sum(axis=0), 1, atol=0.1)


@given(POINTS, st.integers(0, 2**32 - 1))
def test_draws_are_points_of_the_cube(points: Floats, seed: int) -> None:
    """Numbers lie in the interval, categories in the middle of theirs."""
    rng = np.random.default_rng(seed)
    drawn = mixed(points).draw(rng.integers(len(points) + 1, size=20), rng)

    assert drawn.shape == (20, 2)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    np.testing.assert_allclose(drawn[:, 1] * KINDS % 1, 0.5)


def test_draws_come_from_the_kernel_that_is_named() -> None:
    """Narrow kernels give what is near them."""
    kernels, which = Whole(line(50), (0,)), np.arange(50)

    assert np.abs(kernels.draw(which, np.random.default_rng(0)) - line(50)).max() < 0.3


def test_a_part_has_its_own_factors_only() -> None:
    """Whatever the other coordinates are; and kernels of a point without value stand aside."""
    points = np.array([[0.2, 0.9, 0.5], [0.3, 0.1, np.nan], [0.7, np.nan, np.nan]])
    axes = Axes([KINDS, 0, 0])
    kernels = Kernels(axes, points, np.zeros(points.shape), 0.05)
    at = np.array([[0.5, 0.4, 0.3]])
    for column in range(3):
        on = ~np.isnan(points[:, column])
        alone = Whole(points[on][:, [column]], (KINDS if column == 0 else 0,))
        given = kernels.log_density(axes.features(at), axes.part([column]))
        np.testing.assert_allclose(
            given[:, np.append(on, True)], alone.log_density(at[:, [column]]), atol=1e-12
        )


@given(arrays(np.float64, (4, 3), elements=st.floats(-700, 700)))
def test_log_sum_is_the_logarithm_of_the_sum(logs: Floats) -> None:
    """Row by row, as in plain arithmetic where that does not overflow."""
    np.testing.assert_allclose(log_sum(logs), np.log(np.exp(logs).sum(axis=1)), atol=1e-9)


def test_log_sum_of_huge_numbers_does_not_overflow() -> None:
    """Only differences matter."""
    np.testing.assert_allclose(log_sum(np.full((1, 2), 5000.0)), 5000 + np.log(2))
    np.testing.assert_allclose(log_sum(np.full((1, 2), -5000.0)), -5000 + np.log(2))
