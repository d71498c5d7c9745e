"""A Gaussian process: fitted by maximum a posteriori, then asked for means and deviations.

The kernel is signal * Matérn-5/2(Z, Z') + slope * Z Z', Z being columns divided by their lengthscales:
what is near is alike, and beyond that each column has a trend. The mean is a constant, found by
generalised least squares. Everything is said by theta = (log lengthscales, log slope, log signal, log noise).

References:
    C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. Algorithm
    2.1, (5.9), (2.41) and section 4.2.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri

from tunesmith.numerics.kernels import matern52, matern52_with_slope, squared_distances
from tunesmith.numerics.minimising import lbfgs
from tunesmith.numerics.normal import Floats

Groups: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

OTHERS = 3  # what theta holds beside lengthscales
SLOPE, SIGNAL, NOISE = (-3.0, 1.0), (0.0, 0.5), (-5.0, 1.0)  # mean and deviation of the logarithms
LENGTHSCALE_SD = math.sqrt(3.0)
BLOCK = 16_384  # entries of an array that stays in the processor's cache
_JITTERS = (0.0, 1e-8, 1e-6, 1e-4)
_LOW, _HIGH = -12.0, 8.0  # theta beyond is not looked at


@final
@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of theta before any outcome: each logarithm is normal.

    The density of a lengthscale is log-normal *in the lengthscale*; its mode in the logarithm lies
    lower by the variance (the Jacobian), at 0.2 sqrt(size).

    Attributes:
        mean: (k + 3,).
        sd: (k + 3,).

    References:
        C. Hvarfner, E. O. Hellsten, L. Nardi. Vanilla Bayesian Optimization Performs Great in High
        Dimensions. ICML 2024. Section 5: lengthscales grow with the square root of the dimension.
    """

    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, n_lengthscales: int, size: float) -> "Prior":
        """Return the prior of a space in which `size` parameters are active."""
        lengthscale = math.sqrt(2.0) + 0.5 * math.log(size) - 3.0
        each = [(lengthscale, LENGTHSCALE_SD)] * n_lengthscales + [SLOPE, SIGNAL, NOISE]
        mean, sd = np.array(each).T
        return cls(mean, sd)

    def penalty(self, theta: Floats) -> tuple[float, Floats]:
        """Return -log density up to a constant, and its gradient (k + 3,)."""
        z = (theta - self.mean) / self.sd
        return 0.5 * float(z @ z), z / self.sd


def loss(theta: Floats, X: Floats, y: Floats, group: Groups, prior: Prior) -> tuple[float, Floats]:
    """Return the negative log posterior of theta up to a constant, and its gradient (k + 3,).

    With A = a a' - C, C the inverse of K and a = C (y - mean), the derivative by any parameter is
    -tr(A dK) / 2; for lengthscales that needs no array larger than (n, n).

    Args:
        theta: (k + 3,).
        X: Columns (n, p).
        y: Outcomes (n,).
        group: Which lengthscale a column has (p,).
        prior: Of theta.
    """
    if theta.min() < _LOW or theta.max() > _HIGH:
        return math.inf, theta
    n = len(y)
    slope, signal, noise = np.exp(theta[-OTHERS:])
    Z = X * np.exp(-theta[group])
    k, derivative = matern52_with_slope(squared_distances(Z, Z))
    K = signal * k + slope * (Z @ Z.T)
    K.flat[:: n + 1] += noise
    L, info = dpotrf(K, lower=1)
    if info:
        return math.inf, theta
    C, _ = dpotri(L, lower=1)
    C = C + np.tril(C, -1).T
    ones = C.sum(axis=1)
    residual = y - float(ones @ y) / float(ones.sum())
    a = C @ residual
    penalty, gradient = prior.penalty(theta)
    value = 0.5 * float(residual @ a) + float(np.log(np.diag(L)).sum()) + penalty
    A = np.outer(a, a) - C
    trend = slope * np.einsum("ij,ij->j", Z, A @ Z)  # (p,)
    gradient[-3] -= 0.5 * float(trend.sum())
    gradient[-2] -= 0.5 * signal * float(np.einsum("ij,ij->", A, k))
    gradient[-1] -= 0.5 * noise * float(np.trace(A))
    A *= derivative
    A *= signal
    nearness = A.sum(axis=1) @ Z**2 - np.einsum("ij,ij->j", Z, A @ Z)  # (p,)
    gradient[:-OTHERS] += np.bincount(group, trend - nearness, len(theta) - OTHERS)
    return value, gradient


def fit(
    starts: list[Floats], X: Floats, y: Floats, group: Groups, prior: Prior, steps: int
) -> Floats:
    """Return the theta (k + 3,) of the highest posterior density that is found from any start."""
    found = [
        lbfgs(lambda theta: loss(theta, X, y, group, prior), start, steps, tolerance=1e-2)
        for start in starts
    ]
    return min(found, key=lambda pair: pair[1])[0]


def _factor(K: Floats) -> Floats:
    """The lower Cholesky factor of K (n, n), with as little added to the diagonal as it takes."""
    for jitter in _JITTERS:
        L, info = dpotrf(K + jitter * np.eye(len(K)) if jitter else K, lower=1)
        if info == 0:
            return np.asarray(L)
    raise np.linalg.LinAlgError("the kernel matrix is not positive definite")


@final
class Gaussian:
    """The posterior given outcomes.

    Args:
        theta: (k + 3,).
        X: Columns (n, p).
        y: Outcomes (n,).
        group: Which lengthscale a column has (p,).
        pending: Columns (q, p) of what will be measured: it makes deviations smaller and leaves
            means as they are.
    """

    def __init__(
        self, theta: Floats, X: Floats, y: Floats, group: Groups, pending: Floats | None = None
    ) -> None:
        self._slope, self._signal, noise = np.exp(theta[-OTHERS:])
        self._shrink = np.exp(-theta[group])
        n = len(y)
        both = X if pending is None else np.concatenate([X, pending])
        self._Z = both * self._shrink
        K = self._kernel(self._Z)
        K.flat[:: len(both) + 1] += noise
        self._inverse, _ = dtrtri(_factor(K), lower=1)  # of the factor
        # the factor of a leading block is the leading block of the factor
        head = self._inverse[:n, :n]
        ones, half = head.sum(axis=1), head @ y
        self._mean = float(ones @ half) / float(ones @ ones)
        self._weights = head.T @ (half - self._mean * ones)

    def _kernel(self, Z: Floats) -> Floats:
        """The kernel (m, n) between scaled columns Z (m, p) and what is known."""
        k = matern52(squared_distances(Z, self._Z))
        k *= self._signal
        k += self._slope * (Z @ self._Z.T)
        return k

    def mean(self, X: Floats) -> Floats:
        """Return posterior means (m,) at columns (m, p)."""
        k = self._kernel(X * self._shrink)[:, : len(self._weights)]
        return np.asarray(self._mean + k @ self._weights)

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Return posterior means (m,) and standard deviations (m,), without noise, at (m, p)."""
        size = max(16, BLOCK // len(self._Z))
        blocks = [self._predict(X[i : i + size]) for i in range(0, len(X), size)]
        means, deviations = zip(*blocks, strict=True) if blocks else ((X[:, 0],), (X[:, 0],))
        return np.concatenate(means), np.concatenate(deviations)

    def _predict(self, X: Floats) -> tuple[Floats, Floats]:
        Z = X * self._shrink
        k = self._kernel(Z)
        mean = self._mean + k[:, : len(self._weights)] @ self._weights
        V = dtrmm(1.0, self._inverse, k.T, lower=1).T  # (m, n): half the work of a full product
        before = self._signal + self._slope * np.einsum("ij,ij->i", Z, Z)
        variance = before - np.einsum("ij,ij->i", V, V)
        return mean, np.sqrt(np.maximum(variance, 1e-12))
