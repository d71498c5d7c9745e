from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Floats

LOSS = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 1.0, 2.0, 3.0, np.inf, np.nan])
TABLES = st.tuples(st.integers(0, 25), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=LOSS)
)


def by_definition(losses: Floats) -> list[bool]:
    return [
        not np.isnan(a).any() and not any((b <= a).all() and (b < a).any() for b in losses)
        for a in losses
    ]


@given(TABLES)
def test_front_is_what_no_row_dominates(losses: Floats) -> None:
    """The mask agrees with the definition, ties, infinities and NaN included."""
    assert pareto.front(losses).tolist() == by_definition(losses)


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(losses: Floats, random: Random) -> None:
    """Permuting the rows permutes the mask."""
    order = list(range(len(losses)))
    random.shuffle(order)

    assert pareto.front(losses[order]).tolist() == pareto.front(losses)[order].tolist()


@given(TABLES)
def test_the_front_of_a_front_is_itself(losses: Floats) -> None:
    """Rows on the front do not dominate one another."""
    assert pareto.front(losses[pareto.front(losses)]).all()


def test_equal_rows_stay_together_and_nan_never() -> None:
    """The textbook case: a stair, a row above it, a twin, and a row that was not measured."""
    losses = np.array([[1, 3], [2, 2], [2, 2], [3, 1], [3, 2], [0, np.nan]])

    assert pareto.front(losses).tolist() == [True, True, True, True, False, False]


def test_a_large_front_of_two_objectives() -> None:
    """100,000 rows, all on the front, are sorted rather than compared pairwise."""
    x = np.random.default_rng(0).random(100_000)

    assert pareto.front(np.column_stack([x, -x])).all()


def test_three_objectives_on_a_sphere() -> None:
    """A concave front of 2,000 rows in three objectives is kept whole, its shadow dropped."""
    x = np.abs(np.random.default_rng(0).normal(size=(2000, 3)))
    shell = x / np.linalg.norm(x, axis=1, keepdims=True)

    assert (
        pareto.front(np.concatenate([shell, shell + 0.01])).tolist()
        == [True] * 2000 + [False] * 2000
    )


FINITE = st.tuples(st.integers(0, 25), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0, 2.0, 3.0]))
)


@given(FINITE, st.integers(0, 30))
def test_the_best_rows_are_those_of_the_first_fronts(losses: Floats, k: int) -> None:
    """As many as asked for; no row that is left out dominates one that is taken."""
    best = pareto.best(losses, k)
    rest = np.delete(np.arange(len(losses)), best)

    assert len(set(best.tolist())) == len(best) == min(k, len(losses))
    for taken in losses[best]:
        assert not ((losses[rest] <= taken).all(axis=1) & (losses[rest] < taken).any(axis=1)).any()


def test_of_one_front_the_loneliest_rows_are_best() -> None:
    """The ends of the front first, then what is far from its neighbours."""
    losses = np.array([[0, 10], [1, 9], [2, 8], [3, 7], [7, 1], [10, 0]])

    assert set(pareto.best(losses, 2).tolist()) == {0, 5}
    assert set(pareto.best(losses, 4).tolist()) == {0, 5, 4, 3}


def test_crowding_is_the_size_of_the_box_between_the_neighbours() -> None:
    """Summed over objectives, each relative to its range; infinite at the ends."""
    losses = np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]])

    np.testing.assert_array_equal(pareto.crowding(losses), [np.inf, 2.0, np.inf])


def test_crowding_of_equal_rows_is_finite_but_at_the_ends() -> None:
    """An objective without a range tells nothing."""
    assert np.isinf(pareto.crowding(np.ones((4, 2)))).sum() == 2
