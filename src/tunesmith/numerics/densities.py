"""Kernel densities on the unit cube: products of truncated normals and of smoothed categories.

Every density is relative to the uniform one, whose logarithm is 0 everywhere: that of a category is
its probability times the number of categories. One kernel is the prior, broad and in the middle.
The logarithm of a kernel is linear in (x^2, x, 1[x is category c]) and a constant, so that all
kernels at all points are one matrix product; so it is for any part of the coordinates.

References:
    J. Bergstra et al. Algorithms for Hyper-Parameter Optimization. NIPS 2011. Section 4.
    S. Watanabe. Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their
    Roles for Better Empirical Performance. arXiv 2304.11127. Section 3.3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtr, ndtri

from tunesmith.numerics.arrays import Floats, Ints

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def log_sum(logs: Floats) -> Floats:
    """Return the logarithms (m,) of the sums of the exponentials of rows (m, n), n at least 1."""
    top = logs.max(axis=1, keepdims=True)
    sums: Floats = np.log(np.exp(logs - top).sum(axis=1)) + top[:, 0]
    return sums


def widths(means: Floats) -> Floats:
    """Return a width (n, p) for each of `means` (n, p), in units: the larger gap to a neighbour.

    Each column by itself; the ends of the interval are neighbours too. A NaN is no neighbour, and
    what stands for its width means nothing.
    """
    n, p = means.shape
    order = np.argsort(means, axis=0, kind="stable")  # NaN last
    columns = np.arange(p)
    padded = np.ones((n + 2, p))
    padded[0] = 0.0
    padded[1:-1] = np.fmin(means[order, columns], 1.0)
    gaps = padded[1:] - padded[:-1]  # (n + 1, p)
    found = np.empty((n, p))
    found[order, columns] = np.maximum(gaps[:-1], gaps[1:])
    return found


@final
@dataclass(frozen=True, slots=True)
class Part:
    """Some of the coordinates.

    Attributes:
        columns: (c,), their places, numeric ones first.
        numbers: Places of the first of them among all numeric ones.
        labels: Places of the rest among all labelled ones.
        features: Places of their features among all.
    """

    columns: Ints
    numbers: Ints
    labels: Ints
    features: Ints


@final
class Axes:
    """Coordinates of the unit cube.

    Args:
        categories: (d,), how many categories each has; 0 if numeric.

    Attributes:
        numeric: Places of the numeric ones (p,).
        labelled: Places of those with categories (q,).
        sizes: How many categories these have (q,).
        column: Which of these an indicator is of (r,).
        level: Which category it indicates (r,).
    """

    def __init__(self, categories: Sequence[int]) -> None:
        self.numeric = np.array([j for j, k in enumerate(categories) if not k], dtype=np.int64)
        self.labelled = np.array([j for j, k in enumerate(categories) if k], dtype=np.int64)
        self.sizes = np.array([k for k in categories if k], dtype=np.int64)
        self.column = np.repeat(np.arange(len(self.sizes)), self.sizes)
        self.level = np.arange(len(self.column)) - np.repeat(
            self.sizes.cumsum() - self.sizes, self.sizes
        )

    def part(self, columns: Sequence[int]) -> Part:
        """Return the part that has these coordinates."""
        p = len(self.numeric)
        numbers = np.flatnonzero(np.isin(self.numeric, columns))
        labels = np.flatnonzero(np.isin(self.labelled, columns))
        indicators = np.flatnonzero(np.isin(self.column, labels))
        return Part(
            np.concatenate([self.numeric[numbers], self.labelled[labels]]),
            numbers,
            labels,
            np.concatenate([numbers, p + numbers, 2 * p + indicators]),
        )

    def features(self, points: Floats) -> Floats:
        """Return x^2, x and indicators (m, 2 p + r) of points (m, d); 0 where they are NaN."""
        x = points[:, self.numeric]
        x = np.where(np.isnan(x), 0.0, x)
        if not len(self.labelled):
            return np.concatenate([x * x, x], axis=1)
        hit = self.labels(points)[:, self.column] == self.level
        return np.concatenate([x * x, x, hit], axis=1)

    def labels(self, points: Floats) -> Ints:
        """Return the categories (m, q) at points (m, d), -1 where they are NaN."""
        x = points[:, self.labelled]
        return np.where(np.isnan(x), -1.0, x * self.sizes).astype(np.int64)


@final
class Kernels:
    """Product kernels at points of the unit cube, and the prior as the last of them.

    A number's factor is a normal truncated to the interval, by `widths`, but at least `floor` and
    half of a grain wide; the prior's has mean 1/2 and deviation 1. Of a parameter with levels it is
    taken at the levels: that wide, its masses sum to one within a tenth. A category's factor adds
    1/(k + 1) to each category and normalises, where k points have one; the prior's is uniform.

    Args:
        axes: The coordinates.
        points: (n, d), in units; of a category the middle of its interval. Where one is NaN the
            kernel has no factor, and must not be asked for one.
        grains: (n, d), how much of the unit interval has the same value; 0 if continuous.
        floor: Least width of a numeric factor, in units; above 0.
    """

    def __init__(self, axes: Axes, points: Floats, grains: Floats, floor: float) -> None:
        self._axes = axes
        self._constants = np.zeros((len(points) + 1, points.shape[1]))
        weights = self._fit_numbers(points[:, axes.numeric], grains[:, axes.numeric], floor)
        if len(axes.labelled):
            weights += self._fit_categories(axes.labels(points))
        self._weights = np.concatenate(weights, axis=1)  # (n + 1, 2 p + r)

    def _fit_numbers(self, points: Floats, grains: Floats, floor: float) -> list[Floats]:
        n, p = points.shape
        self._means = np.full((n + 1, p), 0.5)
        self._sds = np.ones((n + 1, p))
        self._means[:n] = points
        wide = np.fmax(np.maximum(widths(points), 0.5 * grains), floor)
        self._sds[:n] = np.minimum(wide, 1.0)
        precise = 1.0 / self._sds
        self._below = ndtr(-self._means * precise)
        self._mass = ndtr((1.0 - self._means) * precise) - self._below
        slopes = precise * precise * self._means
        self._constants[:, self._axes.numeric] = -(
            0.5 * slopes * self._means + np.log(self._sds * self._mass) + _HALF_LOG_2PI
        )
        return [-0.5 * precise * precise, slopes]

    def _fit_categories(self, labels: Ints) -> list[Floats]:
        n, q = labels.shape
        axes = self._axes
        self._labels = np.zeros((n + 1, q), dtype=np.int64)
        self._labels[:n] = labels
        k = (labels >= 0).sum(axis=0)  # (q,)
        # a category is missed with probability s / (1 + s size), s = 1/(k + 1)
        miss = 1.0 / (k + 1 + axes.sizes)
        self._keep = np.zeros((n + 1, q))  # the label is kept, else any category is drawn
        self._keep[:n] = 1.0 - miss * axes.sizes
        self._constants[:n, axes.labelled] = np.log(miss * axes.sizes)
        hit = self._labels[:, axes.column] == axes.level
        hit[n] = False
        return [hit * np.log(k + 2.0)[axes.column]]

    def log_density(self, features: Floats, part: Part) -> Floats:
        """Return the logarithm of each kernel (m, n + 1), the factors of `part` multiplied.

        Args:
            features: (m, 2 p + r), of the points; see `Axes.features`.
            part: The coordinates.
        """
        constants = self._constants[:, part.columns].sum(axis=1)
        found: Floats = features[:, part.features] @ self._weights[:, part.features].T + constants
        return found

    def draw(self, which: Ints, part: Part, rng: np.random.Generator) -> Floats:
        """Return points (m, c) in the coordinates `part.columns`.

        Args:
            which: (m,), the kernel that each comes from.
            part: The coordinates.
            rng: Luck.
        """
        luck = rng.random((len(which), len(part.columns)))
        p, rows = len(part.numbers), which[:, None]
        at = rows, part.numbers
        below = self._below[at] + luck[:, :p] * self._mass[at]
        drawn = [np.clip(self._means[at] + self._sds[at] * ndtri(below), 0.0, 1.0)]
        if len(part.labels):
            at, sizes = (rows, part.labels), self._axes.sizes[part.labels]
            other = (rng.random((len(which), len(sizes))) * sizes).astype(np.int64)
            labels = np.where(luck[:, p:] < self._keep[at], self._labels[at], other)
            drawn.append((labels + 0.5) / sizes)
        return np.concatenate(drawn, axis=1)
