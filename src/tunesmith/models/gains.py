"""What more trials will gain: how it came in recorded runs that stood where this one stands.

How often anything better came, and by how much, depends on four things that every run has: how many
trials are added to how many, how long ago its best was found, how close its good ones lie together, and
whether it has its best several times. The gain counts in units of that closeness. What follows was
fitted to recorded runs by `bench/forecast.py`; nothing of it knows what is tuned, nor by whom.
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.numerics.arrays import Floats

LEAST = 8  # values from which on anything can be said
GOOD = 0.1  # share of the values that count as good ones
HUGE = 1e300  # no loss is worse, and differences stay finite
_FAR = 6.0  # a logarithm of a ratio beyond which nothing more is learnt

LEVELS = np.array([0.005, *np.arange(0.05, 0.951, 0.05), 0.995])
"""Probabilities of which the quantiles are known."""

# of (1, log(1 + more / n), ties, since / n, log(good / median gap)), and the deviations by `LEVELS`
ANY = np.array([-0.364, 2.217, -1.364, -2.178, -0.105])
SIZE = np.array([-1.291, 0.968, 0.594, 0.186, -0.082])
SPREAD = np.array([
    -6.868, -3.15, -2.151, -1.714, -1.391, -1.036, -0.753, -0.545, -0.356, -0.179, -0.001,
    0.198, 0.367, 0.551, 0.747, 0.982, 1.252, 1.532, 1.9, 2.652, 5.151,
])  # fmt: skip


@final
@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """A probability distribution of what is gained.

    Attributes:
        any: The probability that anything is.
        sizes: The quantiles, by `LEVELS`, of how much, if it is (q,).
    """

    any: float
    sizes: Floats

    def chance(self, above: float = 0.0) -> float:
        """Return the probability that more than so much is gained, 0 at least."""
        if above <= 0:
            return self.any if self.sizes[-1] > 0 else 0.0
        return self.any * float(1 - np.interp(above, self.sizes, LEVELS, left=0.0, right=1.0))

    def quantile(self, level: float) -> float:
        """Return what is gained at most with a probability."""
        rest = level - (1 - self.any)
        return float(np.interp(rest / self.any, LEVELS, self.sizes)) if rest > 0 else 0.0

    def interval(self) -> tuple[float, float]:
        """Return where the gain lies with a probability of 90 %: the middle, or, if that may be none, the least."""
        if 1 - self.any >= 0.05:
            return 0.0, self.quantile(0.9)
        return self.quantile(0.05), self.quantile(0.95)


def standing(losses: Floats, more: float) -> tuple[float, Floats]:
    """Return how close the good values lie to the best, and what else a run's outlook depends on (5,).

    Args:
        losses: In the order of the trials (n,), at least 2.
        more: How many values will be added, above 0.
    """
    n = len(losses)
    losses = np.clip(losses, -HUGE, HUGE)
    ordered = np.sort(losses)
    gaps = ordered - ordered[0]
    unit = float(gaps[min(n - 1, math.ceil(GOOD * n))])
    ties = unit == 0.0
    if ties:  # the next value that is another
        unit = float(gaps[min(n - 1, int((gaps == 0).sum()))])
    middle = float(gaps[n // 2])
    shape = 0.0 if ties or not middle else max(-_FAR, math.log(unit / middle))
    since = (n - 1 - int(losses.argmin())) / n
    return unit, np.array([1.0, math.log1p(more / n), ties, since, shape])


def gain(losses: Floats, more: float) -> Gain:
    """Return what further values will gain over the best.

    Args:
        losses: In the order of the trials (n,), `LEAST` at least.
        more: How many values will be added, 0 at least.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> lucky = gain(rng.random(50), 50)
        >>> lucky.chance() > lucky.chance(0.01) > lucky.chance(0.1)
        True
    """
    if more <= 0:
        return Gain(0.0, np.zeros(len(LEVELS)))
    unit, x = standing(losses, more)
    with np.errstate(over="ignore"):
        return Gain(1 / (1 + math.exp(-float(ANY @ x))), unit * np.exp(float(SIZE @ x) + SPREAD))
