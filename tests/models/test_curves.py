import numpy as np
import pytest

from tunesmith.models.curves import GRID, SPREAD, Curves, Ends, Shapes, blocked, drawn
from tunesmith.numerics.arrays import Floats

STEPS = np.arange(1.0, 51.0)


def power(end: float, height: float, steps: Floats = STEPS) -> Floats:
    return end + height * steps**-0.7


def whole(n: int = 8) -> list[tuple[Floats, Floats]]:
    rng = np.random.default_rng(0)
    return [
        (STEPS, power(end, height) + rng.normal(0, 0.005, 50))
        for end, height in zip(rng.random(n), 1 + rng.random(n), strict=True)
    ]


def test_drawn_shapes_are_finite_and_most_fall() -> None:
    """They begin above their end, but for some that turn round."""
    shapes = drawn()

    assert np.isfinite(shapes.rises).all()
    assert np.abs(shapes.rises).max() <= 1
    assert (shapes.rises[:, 0] > 0).mean() > 0.85
    assert shapes.rises[:, -1] == pytest.approx(0)


def test_the_posterior_of_a_shape_is_that_of_a_linear_model() -> None:
    """Mean and deviation of the end agree with the normal equations, for a single shape."""
    rises = (GRID**-0.3 - 1)[None]
    shapes = Shapes(rises, np.array([0.1]), (np.array([1.0]), np.array([0.7])), np.zeros(1))
    curves = Curves(50, 0.0, 1.0, np.zeros(1), shapes)
    steps, losses = STEPS[:5], power(0.2, 0.5)[:5]
    ends = curves.foresee(steps, losses)

    X = np.stack([np.ones(5), shapes.at(steps / 50)[0]], axis=1)  # (5, 2)
    prior = np.diag([SPREAD**-2, 0.7**-2])
    precision = X.T @ X / 0.01 + prior
    mean = np.linalg.solve(precision, X.T @ losses / 0.01 + prior @ [0.0, 1.0])
    assert ends.means[0] == pytest.approx(mean[0])
    assert ends.sds[0] ** 2 == pytest.approx(np.linalg.inv(precision)[0, 0] + 0.01)


def test_a_probability_grows_with_its_threshold() -> None:
    """From nearly nothing to one."""
    curves = Curves.of(50, whole())
    ends = curves.foresee(STEPS[:10], power(0.5, 1.5)[:10])
    chances = [ends.below(threshold) for threshold in np.linspace(-3, 4, 30)]

    assert chances == sorted(chances)
    assert chances[0] < 0.02
    assert chances[-1] == pytest.approx(1, abs=0.02)


def test_a_curve_is_foreseen_the_better_the_longer_it_is() -> None:
    """What it is known of it narrows, around where it ends."""
    curves = Curves.of(50, whole())
    losses = power(0.4, 1.2)
    errors, widths = [], []
    for n in (3, 10, 30):
        ends = curves.foresee(STEPS[:n], losses[:n])
        mean = ends.weights @ ends.means
        errors.append(abs(mean - losses[-1]))
        widths.append(np.sqrt(ends.weights @ (ends.sds**2 + (ends.means - mean) ** 2)))

    assert widths == sorted(widths, reverse=True)
    assert errors[-1] < 0.05


def test_what_happened_to_others_late_is_expected() -> None:
    """Where every curve falls at two thirds, a flat one may still come out best; elsewhere it may not."""
    rng = np.random.default_rng(1)
    late = [
        (STEPS, level - (STEPS > 33) * (0.5 + 0.2 * rng.random()) + rng.normal(0, 0.005, 50))
        for level in 1 + 0.2 * rng.random(8)
    ]
    early = [
        (steps, losses - losses[-1] + late[k][1][-1]) for k, (steps, losses) in enumerate(whole())
    ]
    flat = 1.05 + rng.normal(0, 0.005, 20)
    best = min(losses[-1] for _, losses in late)

    assert Curves.of(50, late).foresee(STEPS[:20], flat).below(best + 0.1) > 0.15
    assert Curves.of(50, early).foresee(STEPS[:20], flat).below(best + 0.1) < 0.1


@pytest.mark.parametrize("factor, shift", [(1e-6, 0.0), (1e6, -3e5), (1.0, 1e3)])
def test_units_do_not_matter(factor: float, shift: float) -> None:
    """Losses on another scale give the same probability."""
    curves = whole()
    scaled = [(steps, factor * losses + shift) for steps, losses in curves]
    prefix = power(0.3, 1.0)[:6]
    chance = Curves.of(50, curves).foresee(STEPS[:6], prefix).below(0.2)
    same = Curves.of(50, scaled).foresee(STEPS[:6], factor * prefix + shift)

    assert same.below(factor * 0.2 + shift) == pytest.approx(chance, rel=1e-6)


def test_curves_that_are_all_the_same_are_no_trouble() -> None:
    """Constant ones have no shape, and no scale."""
    curves = Curves.of(50, [(STEPS, np.zeros(50))] * 3)
    ends = curves.foresee(STEPS[:3], np.zeros(3))

    assert isinstance(ends, Ends)
    assert np.isfinite(ends.below(0.0))


def test_many_reports_become_blocks() -> None:
    """At most twelve, whose means lie on a straight line again."""
    steps = np.arange(1.0, 101.0)
    at, losses = blocked(steps, 2 * steps)

    assert len(at) == 12
    assert losses == pytest.approx(2 * at)
    assert blocked(steps[:2], steps[:2])[0].tolist() == [1, 2]
