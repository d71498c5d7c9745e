import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from tunesmith.numerics import hypervolume
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.hypervolume import growing, volume


def cells(losses: Floats, per_side: int) -> float:
    """The volume of losses on a grid, counted cell by cell."""
    m = losses.shape[1]
    lower = np.array(np.meshgrid(*[np.arange(per_side)] * m, indexing="ij")).reshape(m, -1).T
    dominated = np.zeros(len(lower), dtype=bool)
    for row in np.rint(losses * per_side):
        dominated |= (row <= lower).all(axis=1)
    return float(dominated.mean())


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@settings(max_examples=30)
@given(data=st.data())
def test_it_is_what_counting_cells_gives(m: int, data: st.DataObject) -> None:
    """For up to four objectives, ties, equal rows and rows on the border included, after each row."""
    losses = (
        data.draw(arrays(np.int64, (data.draw(st.integers(1, 8)), m), elements=st.integers(0, 5)))
        / 5
    )
    volumes, error = growing(losses)

    for n, found in enumerate(volumes.tolist(), 1):
        assert found == pytest.approx(cells(losses[:n], 5), abs=1e-12)
    assert_allclose(error, 0.0)
    assert volume(losses) == pytest.approx(volumes[-1], abs=1e-12)


def test_by_hand() -> None:
    """Two boxes of 0.5 x 0.5 that share nothing but their corner, then one that holds both."""
    losses = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5], [0.0, 0.5, 0.0]])

    assert_allclose(growing(losses)[0], [0.25, 0.25, 0.25, 0.5])


def test_what_is_unknown_or_beyond_adds_nothing() -> None:
    """NaN and infinity add nothing; what is better than the ideal counts as that."""
    losses = np.array([[np.nan, 0.1], [0.1, np.inf], [2.0, 0.0], [-1.0, 0.5]])

    assert_allclose(growing(losses)[0], [0, 0, 0, 0.5])


def test_nothing_is_nothing() -> None:
    """No rows have no volume."""
    assert volume(np.empty((0, 3))) == 0.0
    assert len(growing(np.empty((0, 3)))[0]) == 0


def test_beyond_four_objectives_it_is_estimated() -> None:
    """The box from (1/2, ..., 1/2) of six has 1/64 of the volume, within the interval told."""
    losses = np.vstack([np.full(6, 0.5), np.full(6, 0.25)])
    volumes, error = growing(losses)

    assert (np.abs(volumes - [0.5**6, 0.75**6]) <= 2 * error).all()
    assert (error > 0).all()


def test_long_fronts_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where three objectives have a front that is too long, the estimate holds the exact volume."""
    rng = np.random.default_rng(0)
    directions = np.abs(rng.standard_normal((60, 3)))
    losses = 1 - directions / np.linalg.norm(directions, axis=1)[:, None]
    exact, _ = growing(losses)
    monkeypatch.setattr(hypervolume, "MOST", 10)
    volumes, error = growing(losses)

    assert (np.abs(volumes - exact) <= 2 * error + 1e-3).all()
