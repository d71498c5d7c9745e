from typing import Any

import numpy as np
import pytest

from tunesmith.samplers.search import Search
from tunesmith.space import Space
from tunesmith.testing.samplers import SPACES


@pytest.mark.parametrize("name", [name for name in SPACES if name != "empty"])
def test_candidates_are_configurations(name: str) -> None:
    """Each is a row that `snap` leaves as it is and that keeps the constraints; the best is first."""
    space: Space[Any] = SPACES[name]
    rng = np.random.default_rng(0)

    pool, scores = Search(space).best(
        lambda units: np.nan_to_num(units).sum(axis=1), space.draw(rng, 3), rng
    )

    assert pool == pytest.approx(space.snap(pool), abs=1e-12, nan_ok=True)
    assert space.feasible(pool).all()
    assert (np.diff(scores) <= 0).all()
    for params in space.decode(pool[:20]):
        space.check(params)


def test_the_peak_is_found() -> None:
    """A narrow peak in five dimensions, mixed with steps, is climbed."""
    space = SPACES["numeric"]
    peak = space.snap(np.array([[0.31, 0.77, 0.5, 0.2, 0.9]]))[0]
    rng = np.random.default_rng(1)

    pool, _ = Search(space).best(
        lambda units: -((units - peak) ** 2).sum(axis=1), space.draw(rng, 5), rng
    )

    assert np.abs(pool[0] - peak).max() < 0.06


def test_a_share_of_the_candidates() -> None:
    """Half the effort is half the candidates."""
    space, rng = SPACES["one float"], np.random.default_rng(2)
    search, bases = Search(space), space.draw(rng, 2)

    whole, half = (
        len(search.best(lambda units: units[:, 0], bases, rng, share)[0]) for share in (1.0, 0.5)
    )

    assert half == whole / 2
