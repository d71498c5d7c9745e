"""L-BFGS: the minimum of a smooth function of a few dozen numbers, with little overhead."""

from collections import deque
from collections.abc import Callable

import numpy as np

from tunesmith.numerics.arrays import Floats

_MEMORY = 8
_ARMIJO = 1e-4


def lbfgs(
    function: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    steps: int,
    tolerance: float = 1e-3,
    longest: float = 1.0,
) -> tuple[Floats, float]:
    """Return where a function is least, near `start`, and its value there.

    The line search only halves (Armijo); pairs that do not curve upwards are left out.

    Args:
        function: Takes x (d,), returns its value and gradient (d,); the value may be infinite.
        start: (d,).
        steps: How many steps at most.
        tolerance: It ends when no component of the gradient is larger.
        longest: A step changes no component by more.

    References:
        J. Nocedal and S. Wright. Numerical Optimization. 2006. Algorithm 7.4.
    """
    x = start
    value, gradient = function(x)
    pairs: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
    for _ in range(steps):
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            break
        direction = -_inverse_times(pairs, gradient)
        slope = float(direction @ gradient)
        if slope >= 0:
            direction, slope = -gradient, -float(gradient @ gradient)
            pairs.clear()
        length = min(1.0, longest / float(np.abs(direction).max()))
        for _ in range(12):
            moved = x + length * direction
            new, new_gradient = function(moved)
            if new <= value + _ARMIJO * length * slope:
                break
            length *= 0.4
        else:
            break
        s, y = moved - x, new_gradient - gradient
        sy = float(s @ y)
        if sy > 1e-10 * float(y @ y):
            pairs.append((s, y, 1.0 / sy))
        gained, x, value, gradient = value - new, moved, new, new_gradient
        if gained < 1e-4 * tolerance:
            break
    return x, value


def _inverse_times(pairs: deque[tuple[Floats, Floats, float]], gradient: Floats) -> Floats:
    """The approximate inverse Hessian times the gradient, by the two-loop recursion."""
    q = gradient.copy()
    weights = []
    for s, y, rho in reversed(pairs):
        a = rho * float(s @ q)
        q -= a * y
        weights.append(a)
    if pairs:
        s, y, rho = pairs[-1]
        q /= rho * float(y @ y)
    for (s, y, rho), a in zip(pairs, reversed(weights), strict=True):
        q += (a - rho * float(y @ q)) * s
    return q
