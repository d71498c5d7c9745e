"""A Gaussian process: fitted by maximum a posteriori, then asked for means and deviations.

The kernel is signal * Matérn-5/2(Z, Z') + slope * Z Z', Z being columns that were bent (the input
warp) and divided by their lengthscales: what is near is alike, and beyond that each column has a
trend. The mean is a constant, found by generalised least squares.

References:
    C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. Algorithm
    2.1, (5.9), (2.41) and section 4.2.
"""

import math
from typing import final

import numpy as np
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri

from tunesmith.models.theta import OTHERS, Layout, Prior
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.kernels import matern52, matern52_with_slope, squared_distances
from tunesmith.numerics.minimising import lbfgs

BLOCK = 16_384  # entries of an array that stays in the processor's cache
_JITTERS = (0.0, 1e-8, 1e-6, 1e-4)
_LOW, _HIGH = -12.0, 8.0  # theta beyond is not looked at


def loss(
    theta: Floats,
    X: Floats,
    y: Floats,
    layout: Layout,
    prior: Prior,
    share: Floats | None = None,
) -> tuple[float, Floats]:
    """Return the negative log posterior of theta up to a constant, and its gradient.

    With A = a a' - C, C the inverse of K and a = C (y - mean), the derivative by any parameter is
    -tr(A dK) / 2; none needs an array larger than (n, n).

    Args:
        theta: As `theta` describes it.
        X: Columns (n, p).
        y: Outcomes (n,).
        layout: What the columns mean.
        prior: Of theta.
        share: Which part of the noise each outcome has (n,), as a mean of k measurements has 1 / k; or, where outcomes
            have noise in common, its covariances (n, n), of which `theta` has the size; None: all have all of it.
    """
    if theta.min() < _LOW or theta.max() > _HIGH:
        return math.inf, theta
    n, n_groups, n_warped = len(y), layout.n_groups, len(layout.warped)
    slope, signal, noise = np.exp(theta[-OTHERS:])
    shrink = layout.shrink(theta)
    Z = layout.bent(theta, X) * shrink
    k, derivative = matern52_with_slope(squared_distances(Z, Z))
    K = signal * k + slope * (Z @ Z.T)
    if share is not None and share.ndim == 2:
        K += noise * share
    else:
        K.flat[:: n + 1] += noise if share is None else noise * share
    L, info = dpotrf(K, lower=1)
    if info:
        return math.inf, theta
    C, _ = dpotri(L, lower=1)
    C = C + C.T  # only its lower half was there
    C.flat[:: n + 1] *= 0.5
    ones = C.sum(axis=1)
    residual = y - float(ones @ y) / float(ones.sum())
    a = C @ residual
    penalty, gradient = prior.penalty(theta)
    value = 0.5 * float(residual @ a) + float(np.log(np.diag(L)).sum()) + penalty
    A = np.outer(a, a) - C
    AZ = slope * (A @ Z)
    gradient[-3] -= 0.5 * float(np.einsum("ij,ij->", Z, AZ))
    gradient[-2] -= 0.5 * signal * float(np.einsum("ij,ij->", A, k))
    if share is None:
        trace = np.trace(A)
    else:
        trace = A.diagonal() @ share if share.ndim == 1 else np.einsum("ij,ij->", A, share)
    gradient[-1] -= 0.5 * noise * float(trace)
    A *= derivative
    A *= signal
    by_Z = A.sum(axis=1)[:, None] * Z - A @ Z - AZ  # (n, p)
    by_lengthscale = -np.einsum("ij,ij->j", Z, by_Z)  # Z is inversely proportional to it
    gradient[:n_groups] += np.bincount(layout.group, by_lengthscale, n_groups)
    by_a, by_b = layout.bent_slopes(theta, X)
    by_bent = (by_Z * shrink)[:, layout.warped]  # (n, c)
    gradient[n_groups:-OTHERS][:n_warped] += np.einsum("ij,ij->j", by_bent, by_a)
    gradient[n_groups:-OTHERS][n_warped:] += np.einsum("ij,ij->j", by_bent, by_b)
    return value, gradient


def kernel(theta: Floats, layout: Layout, X: Floats, Y: Floats) -> Floats:
    """Return the covariances (n, m), without noise, of what is modelled at columns X (n, p) and Y (m, p)."""
    slope, signal, _ = np.exp(theta[-OTHERS:])
    shrink = layout.shrink(theta)
    Z, W = layout.bent(theta, X) * shrink, layout.bent(theta, Y) * shrink
    found: Floats = signal * matern52(squared_distances(Z, W)) + slope * (Z @ W.T)
    return found


def fit(
    starts: list[Floats],
    X: Floats,
    y: Floats,
    layout: Layout,
    prior: Prior,
    steps: int,
    share: Floats | None = None,
) -> Floats:
    """Return the theta of the highest posterior density that is found from any start."""
    found = [
        lbfgs(lambda theta: loss(theta, X, y, layout, prior, share), start, steps, tolerance=1e-2)
        for start in starts
    ]
    return min(found, key=lambda pair: pair[1])[0]


def _factor(K: Floats) -> tuple[Floats, float]:
    """The lower Cholesky factor of K (n, n), and what had to be added to the diagonal for it."""
    for jitter in _JITTERS:
        L, info = dpotrf(K + jitter * np.eye(len(K)) if jitter else K, lower=1)
        if info == 0:
            return np.asarray(L), jitter
    raise np.linalg.LinAlgError("the kernel matrix is not positive definite")


def _ranks(values: Floats) -> Floats:
    """Ranks (n,) around 0, equal values sharing theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = counts.cumsum() - (counts + len(values)) / 2
    return np.asarray(ranks[place], dtype=float)


@final
class Gaussian:
    """The posterior given outcomes.

    Args:
        theta: As `theta` describes it.
        X: Columns (n, p).
        y: Outcomes (n,).
        layout: What the columns mean.
        pending: Columns (q, p) of what will be measured: it makes deviations smaller and leaves
            means as they are.
        share: Which part of the noise each outcome has (n,); see `loss`.

    Attributes:
        means: The posterior means (n,) at X.
    """

    def __init__(
        self,
        theta: Floats,
        X: Floats,
        y: Floats,
        layout: Layout,
        pending: Floats | None = None,
        share: Floats | None = None,
    ) -> None:
        self._theta, self._layout = theta, layout
        self._slope, self._signal, noise = np.exp(theta[-OTHERS:])
        self._shrink = layout.shrink(theta)
        n = len(y)
        self._Z = self._scaled(X if pending is None else np.concatenate([X, pending]))
        K = self._kernel(self._Z)
        own = noise if share is None else noise * share
        diagonal = K.reshape(-1)[:: len(K) + 1]
        diagonal[:n] += own
        diagonal[n:] += noise
        L, jitter = _factor(K)
        self._inverse, _ = dtrtri(L, lower=1)  # of the factor
        # the factor of a leading block is the leading block of the factor
        head = self._inverse[:n, :n]
        ones, half = head.sum(axis=1), head @ y
        self._mean = float(ones @ half) / float(ones @ ones)
        self._weights = head.T @ (half - self._mean * ones)
        # K a = y - mean, so without its noise the kernel gives the means at X at no cost
        self.means = y - (own + jitter) * self._weights

    def _scaled(self, X: Floats) -> Floats:
        return np.asarray(self._layout.bent(self._theta, X) * self._shrink)

    def _kernel(self, Z: Floats) -> Floats:
        """The kernel (m, n) between scaled columns Z (m, p) and what is known."""
        k = matern52(squared_distances(Z, self._Z))
        k *= self._signal
        k += self._slope * (Z @ self._Z.T)
        return k

    def accuracy(self, y: Floats) -> float:
        """Return how well each outcome (n,) is foreseen from all others: Spearman's correlation.

        It is 0 where all are equal.

        The means without one are those of all minus a / diag(C): Rasmussen and Williams, (5.12).
        """
        n = len(y)
        head = self._inverse[:n, :n]
        diagonal = np.einsum("ij,ij->j", head, head)
        measured, foreseen = _ranks(y), _ranks(y - self._weights / diagonal)
        if not measured.any() or not foreseen.any():
            return 0.0
        return float(measured @ foreseen / np.sqrt((measured @ measured) * (foreseen @ foreseen)))

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Return posterior means (m,) and standard deviations (m,), without noise, at (m, p)."""
        Z = self._scaled(X)
        mean, deviation = np.empty(len(X)), np.empty(len(X))
        size = max(16, BLOCK // len(self._Z))
        for i in range(0, len(X), size):
            some = slice(i, i + size)
            k = self._kernel(Z[some])
            mean[some] = self._mean + k[:, : len(self._weights)] @ self._weights
            V = dtrmm(1.0, self._inverse, k.T, lower=1).T  # half the work of a full product
            before = self._signal + self._slope * np.einsum("ij,ij->i", Z[some], Z[some])
            variance = before - np.einsum("ij,ij->i", V, V)
            deviation[some] = np.sqrt(np.maximum(variance, 1e-12))
        return mean, deviation
