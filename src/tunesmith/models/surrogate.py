"""The surrogate: what any configuration would be worth, by what was measured of others, and how surely.

It is `Truth`, a Gaussian process of few configurations, seen in the objective's losses: expected values, the luck of
an evaluation taken off.
"""

import math
from dataclasses import replace
from hashlib import blake2b
from typing import final

import numpy as np

from tunesmith.models.features import Features
from tunesmith.models.truth import Means, Truth
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.threads import one_thread

KEPT = 8  # models, for whoever asks next of the same measurements
CHUNK = 256  # configurations that are foreseen at a time
JITTER = 1e-9


@final
class Surrogate:
    """The joint posterior of the expected losses of configurations.

    Args:
        known: Of one configuration at least, greater values being better; all may be equal, which says that they are everywhere.
        features: What makes its columns of units.
        level: From which value on losses count as they are, see `Truth`.

    Attributes:
        explained: The share of the variance of what was measured that is foreseen, of each by all others; from 0 to 1.

        size: What values are divided by, a power of two, so that huge and tiny ones are like others.

    References:
        C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. (5.12): each by all others.
    """

    def __init__(self, known: Means, features: Features, level: float = math.inf) -> None:
        self._features = features
        self._constant = -float(known.values[0])
        self._truth: Truth | None = None
        self.explained = 0.0
        known, self.size = scaled(known)
        if np.ptp(known.values) > 0:
            values = known.values
            self._truth = fitted(known, features, level / self.size)
            missed = values - self._truth.scale.back(self._truth.foreseen())
            off = values - values.mean()
            unit = power_of_two(off)
            share = float(((missed / unit) ** 2).sum() / ((off / unit) ** 2).sum())
            self.explained = max(0.0, 1 - share)

    @property
    def truth(self) -> Truth | None:
        """The model, of values over `size`; None: all are equal."""
        return self._truth

    def quick(self, units: Floats) -> Floats:
        """Return the expected loss (n,) at units (n, d), by the likeliest parameters alone: for thousands."""
        if self._truth is None:
            return np.full(len(units), self._constant)
        with one_thread():
            return -self.size * self._truth.scale.back(self._truth.at(self._features(units)))

    def at(self, units: Floats) -> tuple[Floats, Floats]:
        """Return the mean (n,) and the standard deviation (n,) of the expected loss at units (n, d)."""
        parts = [
            self._values(units[i : i + CHUNK])[:2] for i in range(0, max(len(units), 1), CHUNK)
        ]
        return np.concatenate([m for m, _ in parts]), np.concatenate([s for _, s in parts])

    def joint(self, units: Floats) -> tuple[Floats, Floats]:
        """Return means (n,) and covariance (n, n) of the expected losses at units (n, d)."""
        means, sds, correlation = self._values(units)
        return means, sds[:, None] * correlation * sds

    def draws(self, units: Floats, count: int) -> Floats:
        """Return what the smooth part of the losses (count, n) may be at units (n, d): functions, always the same."""
        if self._truth is None:
            return np.full((count, len(units)), self._constant)
        rng = np.random.Generator(np.random.Philox(0))
        with one_thread():
            drawn = self._truth.draws(self._features(units), count, rng)
        return -self.size * self._truth.scale.back(drawn)

    def _values(self, units: Floats) -> tuple[Floats, Floats, Floats]:
        """Means (n,), deviations (n,) and correlations (n, n) of losses.

        A deviation is half of what lies between the values of one deviation to either side.
        """
        n = len(units)
        if self._truth is None:
            return np.full(n, self._constant), np.zeros(n), np.eye(n)
        with one_thread():
            means, covariance = self._truth.joint(self._features(units))
        sds = np.sqrt(np.maximum(np.diag(covariance), JITTER))
        back = self._truth.scale.back
        half = (back(means + sds) - back(means - sds)) / 2
        return -self.size * back(means), self.size * half, covariance / sds[:, None] / sds


def scaled(known: Means) -> tuple[Means, float]:
    """Return what was measured, divided by a power of two so that huge and tiny values are like others, and that power."""
    good = np.maximum(known.values - np.median(known.values), 0.0)  # the worse half may be anything
    size = power_of_two(good if good.any() else known.values)
    scatter = known.scatter / size / size
    return replace(known, values=known.values / size, scatter=scatter, sums=known.sums / size), size


def power_of_two(values: Floats) -> float:
    """Return what values (n,) are divided by so that their squares neither overflow nor vanish; no digit is lost."""
    _, exponent = np.frexp(np.abs(values).max(initial=0.0))
    return float(np.ldexp(1.0, int(exponent) - 1))


def deviation(values: Floats, axis: int | None = None) -> Floats:
    """Return the standard deviation of values, of huge and tiny ones, too."""
    size = power_of_two(values)
    return np.asarray(size * (values / size).std(axis=axis))


_kept: dict[bytes, Truth] = {}


def fitted(known: Means, features: Features, level: float = math.inf) -> Truth:
    """Return the model of measurements, kept: several analyses ask for the same."""
    layout = features.layout
    digest = blake2b(repr((known.columns.shape, features.size, level)).encode())
    for array in (
        known.columns,
        known.values,
        known.counts,
        known.scatter,
        known.seen,
        known.sums,
        layout.group,
        layout.warped,
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    key = digest.digest()
    truth = _kept.pop(key, None)
    if truth is None:
        with one_thread():
            truth = Truth(known, layout, features.size, level)
    _kept[key] = truth  # the latest is last
    while len(_kept) > KEPT:
        _kept.pop(next(iter(_kept)), None)
    return truth
