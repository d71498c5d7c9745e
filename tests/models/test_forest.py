import numpy as np
import pytest

from tunesmith.models.forest import GROUPS, Forest
from tunesmith.numerics.arrays import Floats


def grown(units: Floats, levels: list[int], y: Floats) -> Forest:
    return Forest(units, levels, y, np.random.default_rng(0))


def r2(y: Floats, expected: Floats) -> float:
    return float(1 - ((y - expected) ** 2).mean() / y.var())


def test_a_function_is_learned() -> None:
    """A smooth function of two of four numbers is foreseen at places that were not seen."""
    rng = np.random.default_rng(1)
    units, others = rng.random((1000, 4)), rng.random((500, 4))

    def f(u: Floats) -> Floats:
        return np.asarray(np.sin(6 * u[:, 0]) + u[:, 0] * u[:, 1])

    forest = grown(units, [0] * 4, f(units))
    told = r2(f(others), forest.groups(others).mean(axis=0))

    assert told > 0.95
    assert forest.explained(np.arange(1000)) == pytest.approx(told, abs=0.05)


def test_categories_have_no_order() -> None:
    """What depends on the set in which one of eight categories lies is learned from few trials."""
    rng = np.random.default_rng(1)
    units = (rng.integers(8, size=(200, 1)) + 0.5) / 8
    y = np.isin((units[:, 0] * 8).astype(int), [0, 3, 6]).astype(float)

    assert r2(y, grown(units, [8], y).groups(units).mean(axis=0)) > 0.99


def test_what_is_not_active_is_told_from_every_value() -> None:
    """The value where a parameter is inactive is its own, unlike those at the low end."""
    rng = np.random.default_rng(1)
    units = rng.random((600, 1))
    units[::2] = np.nan
    y = np.where(np.isnan(units[:, 0]), 5.0, units[:, 0])
    expected = grown(units, [0], y).groups(np.array([[np.nan], [0.02], [0.98]])).mean(axis=0)

    assert expected == pytest.approx([5.0, 0.02, 0.98], abs=0.1)


def test_noise_is_not_explained() -> None:
    """Of what is nothing but luck nothing is foreseen."""
    rng = np.random.default_rng(1)
    forest = grown(rng.random((400, 5)), [0] * 5, rng.standard_normal(400))

    assert forest.explained(np.arange(400)) < 0.05


@pytest.mark.parametrize("n", [2, 9])
def test_few_trials_and_equal_values(n: int) -> None:
    """Too few to be split, and all equal: the mean everywhere."""
    units = np.linspace(0, 1, n)[:, None]

    assert grown(units, [0], np.full(n, 3.0)).groups(units) == pytest.approx(
        np.full((GROUPS, n), 3.0)
    )
    assert np.isfinite(grown(units, [0], units[:, 0]).groups(units)).all()
    assert grown(units, [0], np.full(n, 3.0)).explained(np.arange(n)) == 0.0


def test_it_is_always_the_same() -> None:
    """The same luck gives the same forest; each group of trees says something else."""
    rng = np.random.default_rng(1)
    units, y = rng.random((300, 3)), rng.standard_normal(300)
    told = grown(units, [0] * 3, y).groups(units)

    assert np.array_equal(told, grown(units, [0] * 3, y).groups(units))
    assert len(np.unique(told[:, 0])) > GROUPS // 2
