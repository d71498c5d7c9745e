import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tunesmith.numerics.ranking import friedman, holm, ranks, shift, signed_rank

numbers = st.lists(st.integers(-20, 20), min_size=1, max_size=15)


@given(numbers)
def test_ranks_are_those_of_scipy(values: list[int]) -> None:
    """Equal ones are at the mean of their places."""
    x = np.array(values, dtype=float)

    assert ranks(x).tolist() == stats.rankdata(x).tolist()


@pytest.mark.parametrize("n", [1, 2, 5, 6, 12, 40])
def test_signed_rank_is_that_of_scipy(n: int) -> None:
    """Exactly, without ties."""
    rng = np.random.default_rng(n)
    for lean in (0.0, 0.5, 2.0):
        x = rng.standard_normal(n) + lean

        assert signed_rank(x) == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)


def test_signed_rank_with_ties_counts_signs() -> None:
    """Of four equal differences all have one sign in two of sixteen ways; three and one in ten."""
    assert signed_rank(np.array([1.0, 1.0, 1.0, 1.0])) == pytest.approx(2 / 16)
    assert signed_rank(np.array([1.0, 1.0, 1.0, -1.0])) == pytest.approx(10 / 16)


def test_many_differences_are_taken_for_normal() -> None:
    """Beyond 200 the sum of ranks is close to what scipy says."""
    x = np.random.default_rng(1).standard_normal(500) + 0.08

    assert signed_rank(x) == pytest.approx(
        stats.wilcoxon(x, correction=True, method="asymptotic").pvalue, rel=1e-3
    )


def test_no_difference_is_no_evidence() -> None:
    """Zeros are left out; if nothing is left, nothing is told."""
    assert signed_rank(np.zeros(9)) == 1.0
    assert shift(np.zeros(9), 0.9) == (0.0, 0.0, 0.0)


def test_shift_of_a_textbook_case() -> None:
    """Hollander and Wolfe's depression scores: -0.46, and from -0.786 to -0.010 with 96.1 %."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    middle, low, high = shift(np.array(after) - np.array(before), 0.961 - 1e-3)

    assert middle == pytest.approx(-0.46, abs=1e-3)
    assert (low, high) == pytest.approx((-0.786, -0.010), abs=1e-3)


@given(st.lists(st.floats(-10, 10), min_size=5, max_size=12, unique=True))
def test_the_interval_belongs_to_the_test(values: list[float]) -> None:
    """What it holds the test at a tenth does not refuse, and what it leaves out it does."""
    x = np.array(values)
    _, low, high = shift(x, 0.9)

    assert signed_rank(x - (low - 1e-3)) <= 0.1
    assert signed_rank(x - (high + 1e-3)) <= 0.1
    assert signed_rank(x - (low + high) / 2) > 0.1 or low == high


def test_too_few_differences_bound_nothing() -> None:
    """Four may all have one sign by luck with a probability of an eighth."""
    assert shift(np.array([1.0, 2.0, 3.0, 4.0]), 0.9) == (2.5, -np.inf, np.inf)
    assert np.isfinite(shift(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.9)).all()


def test_friedman_is_that_of_iman_and_davenport() -> None:
    """Demšar's example, four classifiers on 14 data sets: their mean ranks, and (8) of the statistic of scipy."""
    auc = np.array([
        [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
    ])  # fmt: skip

    statistic = stats.friedmanchisquare(*auc.T).statistic

    places = np.array([ranks(row) for row in -auc]).mean(axis=0)
    assert places == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=1e-3)
    assert friedman(-auc) == pytest.approx(stats.f.sf(13 * statistic / (42 - statistic), 3, 39))


def test_friedman_knows_the_extremes() -> None:
    """Columns that are always equal, and columns that always stand in one order."""
    assert friedman(np.ones((5, 3))) == 1.0
    assert friedman(np.tile([1.0, 2.0, 3.0], (5, 1))) == 0.0


def test_holm() -> None:
    """The smallest times three, the next times two, never less than the one before, at most 1."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
