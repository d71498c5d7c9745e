from typing import Any

import numpy as np
import pytest

from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.densities import Axes, Kernels
from tunesmith.samplers.mixture import Frame, Mixture
from tunesmith.space import Categorical, Choice, Float, Space
from tunesmith.testing.samplers import SPACES

FLOOR = 0.05

BRANCHED = Space({"kind": Choice({"a": {"x": Float(0, 1)}, "b": {"y": Float(0, 1)}, "c": {}})})


def mixture(space: Space[Any], n: int, seed: int = 0, weights: Floats | None = None) -> Mixture:
    units = trials(space, n, seed)
    return of(space, units, np.ones(n + 1) if weights is None else weights)


def of(space: Space[Any], units: Floats, weights: Floats) -> Mixture:
    return Mixture(Frame.of(space), units, space.grains(units), weights, FLOOR)


def trials(space: Space[Any], n: int, seed: int = 0) -> Floats:
    return space.encode(space.sample(np.random.default_rng(seed), n))


def test_a_flat_space_has_a_plain_mixture() -> None:
    """The density is the weighted mean of the kernels."""
    space = Space({"x": Float(0, 1), "c": Categorical(["p", "q"])})
    units, weights = trials(space, 5), np.array([5.0, 4, 3, 2, 1, 1])
    at = trials(space, 20, seed=1)
    axes = Axes([0, 2])
    kernels = Kernels(axes, units, space.grains(units), FLOOR)
    logs = kernels.log_density(axes.features(at), axes.part([0, 1]))
    expected = np.exp(logs) @ weights / weights.sum()

    given = mixture(space, 5, weights=weights).log_density(at)
    np.testing.assert_allclose(np.exp(given), expected)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_the_density_over_all_branches_sums_to_one(n: int) -> None:
    """Relative to a uniform draw, whatever a branch was tried or not."""
    grid = (np.arange(2000) + 0.5) / 2000
    total = 0.0
    density = mixture(BRANCHED, n)
    for kind, name in (("a", "kind.a.x"), ("b", "kind.b.y")):
        at = BRANCHED.encode([{"kind": kind, name: x} for x in grid])
        total += np.exp(density.log_density(at)).mean() / 3
    total += np.exp(density.log_density(BRANCHED.encode([{"kind": "c"}])))[0] / 3

    assert total == pytest.approx(1, abs=2e-3)


def test_trials_of_other_branches_say_nothing_of_a_branch() -> None:
    """Given the branch, its density is that of its own trials and the prior."""
    own = BRANCHED.encode([{"kind": "a", "kind.a.x": x} for x in (0.2, 0.25)])
    others = BRANCHED.encode([{"kind": "b", "kind.b.y": y} for y in (0.7, 0.9, 0.8)])
    at = BRANCHED.encode([{"kind": "a", "kind.a.x": x} for x in (0.1, 0.22, 0.8)])
    found = []
    for units in (own, np.concatenate([own, others])):
        density = of(BRANCHED, units, np.ones(len(units) + 1))
        inside = density.log_density(at)
        found.append(inside - inside[0])  # the branch's own probability is the same factor

    # the categories above are smoothed by the number of trials: hence not exactly equal
    np.testing.assert_allclose(found[0], found[1], atol=0.5)


def test_a_branch_is_modelled_jointly_with_what_stands_above_it() -> None:
    """A number that goes with another above it is likely only together with that."""
    space = Space({"x": Float(0, 1), "o": Choice({"a": {"y": Float(0, 1)}, "b": {}})})
    units = space.encode(
        [{"x": x, "o": "a", "o.a.y": x} for x in (0.1, 0.11, 0.12, 0.88, 0.89, 0.9)]
    )
    density = of(space, units, np.ones(7))
    together, apart = density.log_density(
        space.encode([{"x": 0.1, "o": "a", "o.a.y": y} for y in (0.1, 0.9)])
    )

    assert together > apart + 1


@pytest.mark.parametrize("name", sorted(set(SPACES) - {"empty"}))
def test_draws_are_configurations(name: str) -> None:
    """Each row is what encoding it as params gives, NaN where inactive, however few the trials."""
    space = SPACES[name]
    for n in (0, 1, 9):
        drawn = mixture(space, n).draw(50, np.random.default_rng(1))
        np.testing.assert_allclose(drawn, space.encode(space.decode(drawn)), atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(SPACES) - {"empty"}))
def test_a_row_has_the_same_density_in_any_company(name: str) -> None:
    """Points are judged one by one."""
    space = SPACES[name]
    density, at = mixture(space, 9), trials(space, 20, seed=1)
    together = density.log_density(at)

    assert np.isfinite(together).all()
    np.testing.assert_allclose([density.log_density(row[None])[0] for row in at], together)
