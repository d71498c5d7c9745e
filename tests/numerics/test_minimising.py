from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from tunesmith.numerics.minimising import lbfgs


def test_a_quadratic_is_minimised_exactly() -> None:
    """The minimum of (x - c)' A (x - c) is c, however unlike the curvatures are."""
    rng = np.random.default_rng(0)
    B = rng.standard_normal((6, 6))
    A, c = B @ B.T + 0.1 * np.eye(6), rng.standard_normal(6)

    x, value = lbfgs(
        lambda x: (float((x - c) @ A @ (x - c)), 2 * A @ (x - c)), np.zeros(6), 200, 1e-8
    )

    assert_allclose(x, c, atol=1e-5)
    assert abs(value) < 1e-8


def test_rosenbrock() -> None:
    """The bent valley of Rosenbrock's function is followed to its end."""

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = x
        gradient = np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])
        return 100 * (b - a * a) ** 2 + (1 - a) ** 2, gradient

    x, _ = lbfgs(function, np.array([-1.2, 1.0]), 200, 1e-6)

    assert_allclose(x, [1, 1], atol=1e-3)


def test_what_is_infinite_is_left() -> None:
    """A step to where the function has no value is taken back."""
    x, _ = lbfgs(
        lambda x: (float(np.sum((x - 2) ** 2)) if x[0] < 2.5 else np.inf, 2 * (x - 2)),
        np.array([-8.0]),
        100,
        1e-6,
        longest=20.0,
    )

    assert_allclose(x, [2], atol=1e-4)


def test_no_step_is_longer_than_allowed() -> None:
    """From one evaluation to the next no component moves by more than `longest`."""
    seen: list[float] = []

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(float(x[0]))
        return float(x[0] ** 2), 2 * x

    lbfgs(function, np.array([10.0]), 5, longest=0.5)

    assert max(abs(b - a) for a, b in pairwise(seen)) <= 0.5
