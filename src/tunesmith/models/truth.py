"""What configurations are worth in truth: the expected value of each, given noisy measurements of all.

A measurement is y = f(x) + r + e. f is a Gaussian process; r, the configuration's own, what no smooth
function of its parameters explains and yet comes again; e is chance, another each time. Without
measurements of one configuration again and again r and e cannot be told apart, so that both of what may be are
averaged: r is nothing, a twentieth, or 15 % of the two. So are sizes of the noise and of lengthscales around the fitted ones.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import final

import numpy as np
from scipy.special import logsumexp

from tunesmith.models.gaussian import kernel, loss
from tunesmith.models.theta import OTHERS, Layout, Prior
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.minimising import lbfgs
from tunesmith.numerics.warps import half_rank, standard

NOISE = (
    -3.0,
    2.0,
)  # mean and deviation of the logarithm: less sure that there is none than a search is
NOISES = (0.0, -4.0, 2.0)  # starts of the fit, as its distances from that mean
STEPS = 40  # of the fit
OWN = (0.0, 0.05, 0.15)  # shares of r in what is not f
AROUND = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])  # the fitted logarithms, which are averaged over
NEGLIGIBLE = 1e-3  # weight
QUIET = (
    -8.0
)  # logarithm of a noise that is a fiftieth of the deviation of all values, and taken for none
PART, LEAST = 3, 5  # of the configurations that are foreseen as the best: a third, 5 at least
BELIEF = 5.0  # configurations that the noise of the whole is worth where that among the best is estimated
OUTLIER = 6.0  # deviations, from which on a measurement counts as so far off
JITTER = 1e-10
COSINES = 256  # of which a function is drawn


@final
@dataclass(frozen=True, slots=True)
class Means:
    """What was measured of configurations, greater being better.

    Attributes:
        columns: Of the configurations (m, p).
        values: The mean of each (m,).
        counts: Of how many measurements (m,).
        scatter: The sum of the squared deviations of each configuration's measurements from their mean (m,).
    """

    columns: Floats
    values: Floats
    counts: Floats
    scatter: Floats


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """The map between values and targets: straight for the better half, or from a level on, by rank for what is worse.

    Attributes:
        values: That were measured (m,), ascending.
        targets: What was made of them.
        size: One target, in values, where it is straight.
    """

    values: Floats
    targets: Floats
    size: float

    @classmethod
    def of(cls, values: Floats, targets: Floats, level: float = math.inf) -> "Scale":
        """Return the map that made `targets` (m,) of `values` (m,), not all equal, straight from a level on."""
        order = np.argsort(values, kind="stable")
        values, targets = values[order], targets[order]
        middle = min(len(values) // 2, int(np.searchsorted(values, level)))
        rise = targets[-1] - targets[middle]
        size = (
            (values[-1] - values[middle]) / rise if rise > 0 else np.ptp(values) / np.ptp(targets)
        )
        return cls(values, targets, float(size))

    def back(self, targets: Floats) -> Floats:
        """Return targets (n,) as values; beyond the worst there is nothing."""
        beyond = np.maximum(targets - self.targets[-1], 0.0) * self.size
        return np.asarray(np.interp(targets, self.targets, self.values) + beyond)


@final
class Truth:
    """The joint posterior of the expected values of configurations, as targets; see `Scale`.

    Args:
        known: At least two configurations, not all of one value.
        layout: What the columns mean.
        size: How many parameters are active on average.
        level: The value from which on values count as they are, of those that are worse the order; by default
            the median, at which they count at the latest.

    Attributes:
        means: (m,); what was measured, if there is no noise.
        covariance: (m, m).
        noise: The standard deviation of one measurement among the best, in values.
        noise_interval: That holds it with a probability of 90 %, in values.
        scale: What targets are in values.
        shift: By how much expected values lie above what targets say, among the best: what noise that is not
            symmetric does.
        shift_sd: How far off that may be.

    References:
        C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. (2.23), (2.42) and (5.12);
        the average over parameters in place of one fit: (5.3).
    """

    def __init__(self, known: Means, layout: Layout, size: float, level: float = math.inf) -> None:
        self._X, self._counts = known.columns, known.counts
        self._layout = layout
        level = min(level, float(np.median(known.values)))
        self._y = standard(half_rank(known.values, level))
        self._values = known.values
        self.scale = Scale.of(known.values, self._y, level)
        self._prior = _prior(layout, size)
        # only from the level on they are as they were measured
        again = (known.counts > 1) & (known.values >= level)
        self._freedom = float((known.counts[again] - 1).sum())
        self._scatter = float(known.scatter[again].sum()) / self.scale.size**2
        starts = [self._prior.mean + np.eye(len(self._prior.mean))[-1] * off for off in NOISES]
        found = [lbfgs(self._loss, start, STEPS, tolerance=1e-2) for start in starts]
        self._theta = min(found, key=lambda pair: pair[1])[0]
        self._parts, self._weights = [(self._theta, 0.0)], np.ones(1)
        if self._theta[-1] < QUIET:  # nothing is luck
            self.means, self.covariance = self._y, np.zeros((len(self._y), len(self._y)))
            self.noise = self.shift = self.shift_sd = 0.0
            self.noise_interval, self._ratio = (0.0, 0.0), 1.0
            return
        self._parts, self._weights = self._likely()
        self.means, covariance = self._joint()
        ratio, self.shift, self.shift_sd = self._among_the_best()
        self.covariance = covariance * ratio
        variances = np.array([np.exp(theta[-1]) * (1 - own) for theta, own in self._parts])
        self.noise = self.scale.size * float(np.sqrt(ratio * (self._weights @ variances)))
        self._ratio = ratio
        order = np.argsort(variances, kind="stable")
        below = np.cumsum(self._weights[order]) - self._weights[order] / 2
        low, high = np.interp(
            [0.05, 0.95], below, self.scale.size * np.sqrt(ratio * variances[order])
        )
        self.noise_interval = float(low), float(high)

    def _loss(self, theta: Floats, own: float = 0.0) -> tuple[float, Floats]:
        """The negative log posterior of theta, and its gradient, that of measurements again and again included."""
        share = (1 - own) / self._counts + own
        value, gradient = loss(theta, self._X, self._y, self._layout, self._prior, share)
        if self._freedom and np.isfinite(value):
            relative = self._scatter / ((1 - own) * np.exp(theta[-1]))
            value += 0.5 * (self._freedom * (theta[-1] + np.log1p(-own)) + relative)
            gradient[-1] += 0.5 * (self._freedom - relative)
        return value, gradient

    def _likely(self) -> tuple[list[tuple[Floats, float]], Floats]:
        """Pairs of theta and `OWN` (k,) around what was fitted, and their weights (k,)."""
        parts, logs = [], []
        lengths = np.arange(len(self._theta)) < self._layout.n_groups
        noise = np.arange(len(self._theta)) == len(self._theta) - 1
        for longer, noisier, own in product(1.2 * AROUND, AROUND, OWN):
            theta = self._theta + longer * lengths + noisier * noise
            parts.append((theta, own))
            logs.append(-self._loss(theta, own)[0])
        weights = np.exp(np.array(logs) - logsumexp(logs))
        kept = np.flatnonzero(weights > NEGLIGIBLE * weights.max())
        return [parts[i] for i in kept], weights[kept] / weights[kept].sum()

    def _joint(self) -> tuple[Floats, Floats]:
        """Means (m,) and covariance (m, m), parameters averaged over."""
        posteriors = [self._posterior(theta, own) for theta, own in self._parts]
        means: Floats = self._weights @ np.array([mean for mean, _ in posteriors])
        covariance = np.zeros((len(means), len(means)))
        for weight, (mean, within) in zip(self._weights, posteriors, strict=True):
            covariance += weight * (within + np.outer(mean - means, mean - means))
        return means, covariance

    def _inverse(self, theta: Floats, own: float) -> tuple[Floats, Floats, Floats]:
        """C of the measurements (m, m), C without the unknown mean, and the variances of chance in them (m,)."""
        K = kernel(theta, self._layout, self._X, self._X)
        noise = float(np.exp(theta[-1]))
        chance = noise * (1 - own) / self._counts
        K.flat[:: len(K) + 1] += chance + noise * own + JITTER
        C = np.asarray(np.linalg.inv(K), dtype=np.float64)
        ones = C.sum(axis=1)
        return C, C - np.outer(ones, ones) / ones.sum(), chance

    def _posterior(self, theta: Floats, own: float) -> tuple[Floats, Floats]:
        """Means (m,) and covariance (m, m) of f + r: what was measured less what is chance in it."""
        _, C, chance = self._inverse(theta, own)
        return self._y - chance * (C @ self._y), np.diag(chance) - chance[:, None] * C * chance

    def _among_the_best(self) -> tuple[float, float, float]:
        """How much more variance there is among the best than the model says; by how much values are off, and how surely.

        It compares the measurements of what is foreseen, by all others, to be among the best with what is foreseen:
        so no luck of their own has chosen them.
        """
        _, C, chance = self._inverse(self._theta, 0.0)
        precision = np.diag(C)
        foreseen = self._foreseen(C)
        best = np.argsort(-foreseen, kind="stable")[: max(LEAST, len(foreseen) // PART)]
        n = len(best)
        expected = self.scale.size / np.sqrt(precision[best])
        off = self._values[best] - self.scale.back(foreseen[best])
        most = OUTLIER * float(np.median(expected))
        off = np.clip(off, -most, most)
        variance = float(((off - off.mean()) ** 2).sum()) / max(n - 1, 1)
        ratio = (n * variance / float(np.mean(expected**2)) + BELIEF) / (n + BELIEF)
        # of what is off only chance is; the rest is what a measurement of its own tells
        chances = float(np.mean((chance * precision)[best]))
        shift = chances * float(off.sum()) / (n + BELIEF)
        return ratio, shift, chances * float(np.sqrt(variance / n))

    def _foreseen(self, C: Floats) -> Floats:
        """What is expected of each measurement (m,) by all others; C is without the unknown mean."""
        return np.asarray(self._y - (C @ self._y) / np.diag(C))

    def foreseen(self) -> Floats:
        """Return the target (m,) that is expected of each configuration by all others, by the likeliest parameters."""
        return self._foreseen(self._inverse(*self._likeliest())[1])

    def _likeliest(self) -> tuple[Floats, float]:
        return self._parts[int(np.argmax(self._weights))]

    def at(self, columns: Floats) -> Floats:
        """Return expected targets (n,) at other columns (n, p), by the likeliest parameters."""
        theta, own = self._likeliest()
        C, _, _ = self._inverse(theta, own)
        mean = float(C.sum(axis=0) @ self._y) / float(C.sum())
        weights = C @ (self._y - mean)
        return np.asarray(mean + kernel(theta, self._layout, columns, self._X) @ weights)

    def joint(self, columns: Floats) -> tuple[Floats, Floats]:
        """Return means (n,) and covariance (n, n) of f + r, as targets, at other columns (n, p), parameters averaged over."""
        means, seconds = np.zeros(len(columns)), np.zeros((len(columns), len(columns)))
        for weight, (theta, own) in zip(self._weights, self._parts, strict=True):
            C, _, _ = self._inverse(theta, own)
            ones = C.sum(axis=1)
            mean = float(ones @ self._y) / float(ones.sum())
            k = kernel(theta, self._layout, columns, self._X)
            short = 1 - k @ ones  # what is still open of the mean there
            here = mean + k @ (C @ (self._y - mean))
            within = kernel(theta, self._layout, columns, columns) - k @ C @ k.T
            within += np.outer(short, short) / ones.sum()
            within.flat[:: len(within) + 1] += own * float(np.exp(theta[-1]))
            means += weight * here
            seconds += weight * (self._ratio * within + np.outer(here, here))
        return means, seconds - np.outer(means, means)

    def draws(self, columns: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Return functions drawn from the posterior of f, as targets (count, n) at other columns (n, p).

        Each is one of the prior, a sum of random cosines, and what moves it to the measurements. So thousands of
        columns cost no more than one after another; parameters are averaged over.

        Args:
            columns: (n, p).
            count: How many.
            rng: Luck.

        References:
            J. Wilson et al. Efficiently Sampling Functions from Gaussian Process Posteriors. ICML 2020. Equation (13).
            A. Rahimi and B. Recht. Random Features for Large-Scale Kernel Machines. NeurIPS 2007: a Matérn-5/2 kernel has
            Student's density of 5 degrees of freedom as its spectrum.
        """
        middle = (np.arange(count) + 0.5) / count
        which = np.minimum(
            np.searchsorted(np.cumsum(self._weights), middle), len(self._weights) - 1
        )
        found = np.empty((count, len(columns)))
        for part in np.unique(which):
            theta, own = self._parts[part]
            here = which == part
            k = int(here.sum())
            slope, signal, noise = np.exp(theta[-OTHERS:])
            shrink = self._layout.shrink(theta)
            Z = self._layout.bent(theta, np.concatenate([columns, self._X])) * shrink
            heavy = np.sqrt(rng.chisquare(5, COSINES) / 5)
            frequency = rng.standard_normal((Z.shape[1], COSINES)) / heavy
            waves = np.cos(Z @ frequency + rng.uniform(0, 2 * np.pi, COSINES))
            drawn = np.sqrt(2 * signal / COSINES) * waves @ rng.standard_normal((COSINES, k))
            drawn += np.sqrt(slope) * Z @ rng.standard_normal((Z.shape[1], k))
            prior, at_X = drawn[: len(columns)], drawn[len(columns) :]
            C, _, chance = self._inverse(theta, own)
            luck = np.sqrt(chance + noise * own)[:, None] * rng.standard_normal(at_X.shape)
            # the last column is the mean itself: nothing drawn, nothing moved but the measurements
            missing = np.column_stack([self._y[:, None] - at_X - luck, self._y])
            mean = C.sum(axis=0) @ missing / C.sum()
            K = kernel(theta, self._layout, columns, self._X)
            moved = mean + K @ (C @ (missing - mean))
            expected = moved[:, -1:]
            off = np.sqrt(self._ratio) * (prior + moved[:, :-1] - expected)
            found[here] = (expected + off).T
        return found


def _prior(layout: Layout, size: float) -> Prior:
    """What is believed where measurements are noisy."""
    usual = Prior.of(layout, size)
    return Prior(np.append(usual.mean[:-1], NOISE[0]), np.append(usual.sd[:-1], NOISE[1]))
