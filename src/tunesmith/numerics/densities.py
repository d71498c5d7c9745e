"""Kernel densities on the unit cube: products of truncated normals and of smoothed categories.

Every density is relative to the uniform one, whose logarithm is 0 everywhere: a category's is its
probability times the number of categories. The last kernel is the prior, broad and in the middle.
Up to constants of a kernel its logarithm is linear in (x^2, x, 1[x = category]), so that all
kernels at all points are one matrix product.

References:
    J. Bergstra et al. Algorithms for Hyper-Parameter Optimization. NIPS 2011. Section 4.
    S. Watanabe. Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their
    Roles for Better Empirical Performance. arXiv 2304.11127. Section 3.3.
"""

import json
import math
import os
from typing import Any, TypeAlias, final

import numpy as np
from scipy.special import ndtr, ndtri

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

FORM = {"floor": 0.03, "ends": True, "grain": 0.5, "bw": "neighbour", "scott": 0.2, "cat": 1.0, "power": 0.0}
FORM.update(json.loads(os.environ.get("TPE_D", "{}")))


def widths(means: Floats, ) -> Floats:
    """Return a width for each kernel and coordinate: the larger gap to its neighbours."""
    n, p = means.shape
    if FORM["bw"] == "scott":
        return np.full((n, p), FORM["scott"] * max(n, 1) ** (-1 / (p + 4)))
    order = np.argsort(means, axis=0, kind="stable")
    padded = np.zeros((n + 2, p))
    padded[1:-1] = np.take_along_axis(means, order, axis=0)
    padded[-1] = 1.0
    gaps = np.diff(padded, axis=0)  # (n + 1, p)
    if not FORM["ends"] and n > 1:
        gaps[0] = gaps[-1] = 0
    found = np.empty((n, p))
    np.put_along_axis(found, order, np.maximum(gaps[:-1], gaps[1:]), axis=0)
    return found


@final
class Kernels:
    """Product kernels at points of the unit cube, the prior last.

    Args:
        points: (n, d), in units; of a category the middle of its interval.
        grains: (n, d), how much of the unit interval has the same value; 0 if continuous.
        categories: (d,), how many categories there are; 0 if numeric.
    """

    def __init__(self, points: Floats, grains: Floats, categories: Ints) -> None:
        n, d = points.shape
        numeric, labelled = np.flatnonzero(categories == 0), np.flatnonzero(categories)
        self._categories, self._numeric, self._labelled = categories, numeric, labelled
        p = len(numeric)
        self.means = np.full((n + 1, p), 0.5)
        self.means[:-1] = points[:, numeric]
        self.sds = np.ones((n + 1, p))
        if p:
            floor = FORM["floor"] * (n + 1) ** -FORM["power"]
            wide = np.maximum(widths(self.means[:-1]), floor)
            self.sds[:-1] = np.minimum(np.maximum(wide, FORM["grain"] * grains[:, numeric]), 1.0)
        self._low = ndtr(-self.means / self.sds)
        self._mass = ndtr((1.0 - self.means) / self.sds) - self._low
        precisions = self.sds**-2
        self._constants = -(
            0.5 * precisions * self.means**2 + np.log(self.sds * self._mass) + _HALF_LOG_2PI
        ).sum(axis=1)
        parts = [-0.5 * precisions, precisions * self.means]
        if len(labelled):
            sizes = categories[labelled]  # (q,)
            self._labels = np.zeros((n + 1, len(labelled)), dtype=np.int64)
            self._labels[:-1] = points[:, labelled] * sizes
            share = FORM["cat"] / (n + 1)  # added to each category
            miss = share / (1 + share * sizes)  # (q,)
            self._keep = np.zeros((n + 1, len(labelled)))
            self._keep[:-1] = 1 - miss * sizes
            self._column = np.repeat(np.arange(len(labelled)), sizes)
            self._level = np.concatenate([np.arange(size) for size in sizes])
            hit = self._labels[:, self._column] == self._level
            hit[-1] = False
            parts.append(hit * math.log1p(1 / share))
            self._constants[:-1] += np.log(miss * sizes).sum()
        self._weights = np.concatenate(parts, axis=1)  # (n + 1, f)

    def log_density(self, points: Floats) -> Floats:
        """Return the logarithm of each kernel (m, n + 1) at points (m, d)."""
        x = points[:, self._numeric]
        parts = [x * x, x]
        if len(self._labelled):
            labels = (points[:, self._labelled] * self._categories[self._labelled]).astype(np.int64)
            parts.append((labels[:, self._column] == self._level).astype(float))
        found: Floats = np.concatenate(parts, axis=1) @ self._weights.T + self._constants
        return found

    def draw(self, which: Ints, rng: np.random.Generator) -> Floats:
        """Return points (m, d), each from the kernel (m,) that `which` names."""
        luck = rng.random((len(which), len(self._categories)))
        points = np.empty_like(luck)
        p = self._low[which] + luck[:, self._numeric] * self._mass[which]
        points[:, self._numeric] = np.clip(self.means[which] + self.sds[which] * ndtri(p), 0.0, 1.0)
        if len(self._labelled):
            sizes = self._categories[self._labelled]
            other = (rng.random((len(which), len(sizes))) * sizes).astype(np.int64)
            kept = luck[:, self._labelled] < self._keep[which]
            labels = np.where(kept, self._labels[which], other)
            points[:, self._labelled] = (labels + 0.5) / sizes
        return points
