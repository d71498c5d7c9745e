"""What configurations are worth in truth: the expected value of each, given noisy measurements of all.

A measurement is y = f(x) + r + s + e. f is a Gaussian process; r, the configuration's own, what no smooth
function of its parameters explains and yet comes again; s is what a seed adds to all that are measured on it; e is
chance, another each time. Where configurations share seeds, s is one for all of them: what they measured on
several seeds tells how seeds differ, and what is not known of it is common to them. Without
measurements of one configuration again and again r and e cannot be told apart, so that both of what may be are
averaged: r is nothing, a twentieth, or 15 % of the two. So are sizes of the noise and of lengthscales around the fitted ones.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias, final

import numpy as np
from scipy.special import logsumexp

from tunesmith.models.gaussian import kernel, loss
from tunesmith.models.theta import OTHERS, Layout, Prior
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.numerics.minimising import lbfgs
from tunesmith.numerics.warps import half_rank, standard

NOISE = (
    -3.0,
    2.0,
)  # mean and deviation of the logarithm: less sure that there is none than a search is
NOISES = (0.0, -4.0, 2.0)  # starts of the fit, as its distances from that mean
STEPS = 40  # of the fit
OWN = (0.0, 0.05, 0.15)  # shares of r in what is not f
SEEDS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)  # variances of s, in those of e
AROUND = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])  # the fitted logarithms, which are averaged over
NEGLIGIBLE = 1e-3  # weight
QUIET = (
    -8.0
)  # logarithm of a noise that is a fiftieth of the deviation of all values, and taken for none
PART, LEAST = 3, 5  # of the configurations that are foreseen as the best: a third, 5 at least
BELIEF = 5.0  # configurations that the noise of the whole is worth where that among the best is estimated
OUTLIER = 12.0  # deviations, from which on a measurement counts as so far off
JITTER, TINY = 1e-10, 1e-300
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
        seen: How many of them are on each of the seeds that configurations share (m, s); s is 0 if they share none.
        sums: The sum of these (m, s).

    Where seeds are shared `values` are the means as they would be on all of them.
    """

    columns: Floats
    values: Floats
    counts: Floats
    scatter: Floats
    seen: Floats
    sums: Floats

    @classmethod
    def once(cls, columns: Floats, values: Floats) -> "Means":
        """Return configurations that were measured once each, on no seed that they share."""
        m = len(values)
        return cls(columns, values, np.ones(m), np.zeros(m), *np.empty((2, m, 0)))


@final
@dataclass(frozen=True, slots=True)
class _Seeds:
    """What is known of what shared seeds add, from what differs within configurations.

    Attributes:
        ratio: Its variance, in those of chance; all else follows from that.
        targets: Of each configuration, as far as is known without it (m,).
        spread: The covariances of what is left of it in the means, and of chance, in variances of chance (m, m).
        scatter: What differs within configurations and is not due to seeds: squares, of targets.
        bulk: The logarithm of the determinant of these differences' covariances, in variances of chance, and less twice
            that of what is believed of the ratio: the larger, the rarer, as the tail of a half-Cauchy deviation.

    References:
        A. Gelman. Prior distributions for variance parameters in hierarchical models. Bayesian Analysis 1, 2006.
    """

    ratio: float
    targets: Floats
    spread: Floats
    scatter: float
    bulk: float = 0.0

    @classmethod
    def of(cls, known: Means, targets: Floats, size: float, again: Bools) -> "list[_Seeds]":
        """Return it for each of `SEEDS`; `again`: the configurations whose scatter counts (m,)."""
        chance = np.diag(1 / known.counts)
        scatter = float(known.scatter[again].sum()) / size**2
        if known.seen.shape[1] < 2 or not again.any():  # one seed has nothing to differ from
            return [cls(0.0, targets, chance, scatter)]
        weights = known.seen / known.counts[:, None]
        raw = known.sums.sum(axis=1) / known.counts
        seen = known.seen[again]
        normal = np.diag(seen.sum(axis=0)) - seen.T @ weights[again]
        right = (known.sums[again] - seen * raw[again, None]).sum(axis=0)
        found = []
        for ratio in SEEDS:
            whole = np.eye(len(normal)) + ratio * normal
            inverse = ratio * np.linalg.inv(whole)
            effects = inverse @ right
            taken = (weights @ effects - (raw - known.values)) / size
            spread: Floats = chance + weights @ inverse @ weights.T
            left = max(0.0, scatter - float(right @ effects) / size**2)
            bulk = float(np.linalg.slogdet(whole)[1]) + math.log1p(ratio)
            found.append(cls(ratio, targets - taken, spread, left, bulk))
        return found


_Part: TypeAlias = tuple[Floats, float, _Seeds]  # theta, one of `OWN`, and seeds: what may be


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
        freedom: Degrees of freedom of the size of the noise: how wide intervals are, by Student's t.

    References:
        C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. (2.23), (2.42) and (5.12);
        the average over parameters in place of one fit: (5.3).
        F. E. Satterthwaite. An Approximate Distribution of Estimates of Variance Components. Biometrics Bulletin 2, 1946.
    """

    def __init__(self, known: Means, layout: Layout, size: float, level: float = math.inf) -> None:
        self._X, self._layout, self._values = known.columns, layout, known.values
        level = min(level, float(np.median(known.values)))
        self._y = standard(half_rank(known.values, level))
        self.scale = Scale.of(known.values, self._y, level)
        self._prior = _prior(layout, size)
        # only from the level on they are as they were measured
        again = (known.counts > 1) & (known.values >= level)
        self._freedom = float((known.counts[again] - 1).sum())
        seeds = _Seeds.of(known, self._y, self.scale.size, again)
        least = min(map(self._unlike, seeds)) - 2 * math.log(NEGLIGIBLE)
        seeds = [one for one in seeds if self._unlike(one) <= least]
        starts = [self._prior.mean + np.eye(len(self._prior.mean))[-1] * off for off in NOISES]
        likely = min(seeds, key=self._unlike)
        found = [
            lbfgs(lambda theta: self._loss((theta, 0.0, likely)), start, STEPS, tolerance=1e-2)
            for start in starts
        ]
        theta = min(found, key=lambda pair: pair[1])[0]
        fitted: _Part = (theta, 0.0, likely)
        self._parts, self._weights = [fitted], np.ones(1)
        if theta[-1] + math.log1p(likely.ratio) < QUIET:  # nothing is luck
            self.means, self.covariance = self._y, np.zeros((len(self._y), len(self._y)))
            self.noise = self.shift = self.shift_sd = 0.0
            self.noise_interval, self._ratio, self.freedom = (0.0, 0.0), 1.0, np.inf
            return
        self._parts, self._weights = self._likely(theta, seeds)
        self.means, covariance = self._joint()
        ratio, self.shift, self.shift_sd, self.freedom = self._among_the_best(fitted)
        self.covariance = covariance * ratio
        variances = np.array(
            [np.exp(theta[-1]) * (1 - own) * (1 + of.ratio) for theta, own, of in self._parts]
        )
        self.noise = self.scale.size * float(np.sqrt(ratio * (self._weights @ variances)))
        self._ratio = ratio
        order = np.argsort(variances, kind="stable")
        below = np.cumsum(self._weights[order]) - self._weights[order] / 2
        low, high = np.interp(
            [0.05, 0.95], below, self.scale.size * np.sqrt(ratio * variances[order])
        )
        self.noise_interval = float(low), float(high)

    def _unlike(self, seeds: _Seeds) -> float:
        """How unlikely what differs within configurations is, up to a constant, whatever size chance has."""
        return self._freedom * math.log(max(seeds.scatter, TINY)) + seeds.bulk

    def _loss(self, part: _Part) -> tuple[float, Floats]:
        """The negative log posterior of a theta, and its gradient, that of measurements again and again included."""
        theta, own, seeds = part
        share = (1 - own) * seeds.spread + own * np.eye(len(seeds.spread))
        value, gradient = loss(theta, self._X, seeds.targets, self._layout, self._prior, share)
        if self._freedom and np.isfinite(value):
            relative = seeds.scatter / ((1 - own) * np.exp(theta[-1]))
            value += 0.5 * (self._freedom * (theta[-1] + np.log1p(-own)) + relative + seeds.bulk)
            gradient[-1] += 0.5 * (self._freedom - relative)
        return value, gradient

    def _likely(self, theta: Floats, seeds: list[_Seeds]) -> tuple[list[_Part], Floats]:
        """Parts (k,) around what was fitted, and their weights (k,)."""
        lengths = np.arange(len(theta)) < self._layout.n_groups
        noise = np.arange(len(theta)) == len(theta) - 1
        parts: list[_Part] = [
            (theta + longer * lengths + noisier * noise, own, of)
            for longer, noisier, own, of in product(1.2 * AROUND, AROUND, OWN, seeds)
        ]
        logs = np.array([-self._loss(part)[0] for part in parts])
        weights = np.exp(logs - logsumexp(logs))
        kept = np.flatnonzero(weights > NEGLIGIBLE * weights.max())
        return [parts[i] for i in kept], weights[kept] / weights[kept].sum()

    def _joint(self) -> tuple[Floats, Floats]:
        """Means (m,) and covariance (m, m), parameters averaged over."""
        posteriors = [self._posterior(part) for part in self._parts]
        means: Floats = self._weights @ np.array([mean for mean, _ in posteriors])
        covariance = np.zeros((len(means), len(means)))
        for weight, (mean, within) in zip(self._weights, posteriors, strict=True):
            covariance += weight * (within + np.outer(mean - means, mean - means))
        return means, covariance

    def _inverse(self, part: _Part) -> tuple[Floats, Floats, Floats]:
        """C of the measurements (m, m), C without the unknown mean, and the covariances of what is luck in them (m, m)."""
        theta, own, seeds = part
        K = kernel(theta, self._layout, self._X, self._X)
        noise = float(np.exp(theta[-1]))
        luck = noise * (1 - own) * seeds.spread
        K += luck
        K.flat[:: len(K) + 1] += noise * own + JITTER
        C = np.asarray(np.linalg.inv(K), dtype=np.float64)
        ones = C.sum(axis=1)
        return C, C - np.outer(ones, ones) / ones.sum(), luck

    def _posterior(self, part: _Part) -> tuple[Floats, Floats]:
        """Means (m,) and covariance (m, m) of f + r: what was measured less what is luck in it."""
        _, C, luck = self._inverse(part)
        y = part[2].targets
        return y - luck @ (C @ y), luck - luck @ C @ luck

    def _among_the_best(self, part: _Part) -> tuple[float, float, float, float]:
        """How much more variance there is among the best than the model says; by how much values are off, and how surely.

        And the degrees of freedom of that variance, by Satterthwaite: few where few measurements are far off.

        It compares the measurements of what is foreseen, by all others, to be among the best with what is foreseen:
        so no luck of their own has chosen them.
        """
        _, C, luck = self._inverse(part)
        precision, y = np.diag(C), part[2].targets
        foreseen = _foreseen(C, y)
        best = np.argsort(-foreseen, kind="stable")[: max(LEAST, len(foreseen) // PART)]
        n = len(best)
        expected = self.scale.size / np.sqrt(precision[best])
        off = self._values[best] - self.scale.back(foreseen[best] + (self._y - y)[best])
        most = OUTLIER * float(np.median(expected))
        off = np.clip(off, -most, most)
        variance = float(((off - off.mean()) ** 2).sum()) / max(n - 1, 1)
        ratio = (n * variance / float(np.mean(expected**2)) + BELIEF) / (n + BELIEF)
        tails = float(((off - off.mean()) ** 4).sum()) / variance**2 if variance else 0.0
        tails = (tails + 3 * BELIEF) / (n + BELIEF)  # 3: of a normal distribution
        # of what is off only chance is; the rest is what a measurement of its own tells
        chances = float(np.mean((np.diag(luck) * precision)[best]))
        shift = chances * float(off.sum()) / (n + BELIEF)
        freedom = 2 * (n + BELIEF) / max(tails - 1, 1.0)
        return ratio, shift, chances * float(np.sqrt(variance / n)), freedom

    def foreseen(self) -> Floats:
        """Return the target (m,) that is expected of each configuration by all others, by the likeliest parameters."""
        part = self._likeliest()
        return _foreseen(self._inverse(part)[1], part[2].targets)

    def _likeliest(self) -> _Part:
        return self._parts[int(np.argmax(self._weights))]

    def at(self, columns: Floats) -> Floats:
        """Return expected targets (n,) at other columns (n, p), by the likeliest parameters."""
        part = self._likeliest()
        theta, y = part[0], part[2].targets
        C, _, _ = self._inverse(part)
        mean = float(C.sum(axis=0) @ y) / float(C.sum())
        weights = C @ (y - mean)
        return np.asarray(mean + kernel(theta, self._layout, columns, self._X) @ weights)

    def joint(self, columns: Floats) -> tuple[Floats, Floats]:
        """Return means (n,) and covariance (n, n) of f + r, as targets, at other columns (n, p), parameters averaged over."""
        means, seconds = np.zeros(len(columns)), np.zeros((len(columns), len(columns)))
        for weight, part in zip(self._weights, self._parts, strict=True):
            theta, own, seeds = part
            C, _, _ = self._inverse(part)
            ones, y = C.sum(axis=1), seeds.targets
            mean = float(ones @ y) / float(ones.sum())
            k = kernel(theta, self._layout, columns, self._X)
            short = 1 - k @ ones  # what is still open of the mean there
            here = mean + k @ (C @ (y - mean))
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
            theta, own, seeds = self._parts[part]
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
            C, _, covariance = self._inverse(self._parts[part])
            covariance.flat[:: len(covariance) + 1] += noise * own + JITTER
            luck = rng.standard_normal(at_X.shape)
            if seeds.ratio:  # what shared seeds add is common to several
                luck = np.linalg.cholesky(covariance) @ luck
            else:
                luck *= np.sqrt(np.diag(covariance))[:, None]
            # the last column is the mean itself: nothing drawn, nothing moved but the measurements
            missing = np.column_stack([seeds.targets[:, None] - at_X - luck, seeds.targets])
            mean = C.sum(axis=0) @ missing / C.sum()
            K = kernel(theta, self._layout, columns, self._X)
            moved = mean + K @ (C @ (missing - mean))
            expected = moved[:, -1:]
            off = np.sqrt(self._ratio) * (prior + moved[:, :-1] - expected)
            found[here] = (expected + off).T
        return found


def _foreseen(C: Floats, y: Floats) -> Floats:
    """What is expected of each measurement y (m,) by all others; C (m, m) is without the unknown mean."""
    return np.asarray(y - (C @ y) / np.diag(C))


def _prior(layout: Layout, size: float) -> Prior:
    """What is believed where measurements are noisy."""
    usual = Prior.of(layout, size)
    return Prior(np.append(usual.mean[:-1], NOISE[0]), np.append(usual.sd[:-1], NOISE[1]))
