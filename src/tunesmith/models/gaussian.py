"""A Gaussian process: fitted by maximum a posteriori, then asked for means and deviations.

The parameters are theta = (log lengthscales, log signal variance, log noise variance). The mean is a
constant, found by generalised least squares.

References:
    C. E. Rasmussen and C. K. I. Williams. Gaussian Processes for Machine Learning. 2006. Algorithm
    2.1, (5.9), (5.12).
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri

from tunesmith.numerics.kernels import matern52, matern52_with_slope, squared_distances
from tunesmith.numerics.minimising import lbfgs
from tunesmith.numerics.normal import Floats

_JITTERS = (0.0, 1e-8, 1e-6, 1e-4)
_LOW, _HIGH = -12.0, 8.0  # theta beyond is not looked at


@final
@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of theta before any outcome: normal in each logarithm.

    The density of a lengthscale is log-normal *in the lengthscale*; in its logarithm that is a
    normal whose mean is lower by the variance (the Jacobian).

    Attributes:
        mean: (k + 2,).
        sd: (k + 2,).

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
        mean = np.full(n_lengthscales + 2, lengthscale)
        sd = np.full(n_lengthscales + 2, math.sqrt(3.0))
        mean[-2:], sd[-2:] = (0.0, -5.0), (0.5, 1.0)
        return cls(mean, sd)

    def penalty(self, theta: Floats) -> tuple[float, Floats]:
        """Return -log density up to a constant, and its gradient (k + 2,)."""
        z = (theta - self.mean) / self.sd
        return 0.5 * float(z @ z), z / self.sd


def _solved(K: Floats) -> Floats:
    """The lower Cholesky factor of K (n, n), with as little added to the diagonal as it takes."""
    for jitter in _JITTERS:
        if jitter:
            K = K + jitter * np.eye(len(K))  # noqa: PLR6104 - K is the caller's
        L, info = dpotrf(K, lower=1)
        if info == 0:
            return np.asarray(L)
    raise np.linalg.LinAlgError("not positive definite")


def loss(
    theta: Floats, X: Floats, y: Floats, group: np.ndarray, prior: Prior
) -> tuple[float, Floats]:
    """Return the negative log posterior of theta up to a constant, and its gradient.

    Args:
        theta: (k + 2,).
        X: Columns (n, p).
        y: Outcomes (n,).
        group: Which lengthscale a column has (p,).
        prior: Of theta.
    """
    if theta.min() < _LOW or theta.max() > _HIGH:
        return math.inf, theta
    n = len(y)
    signal, noise = np.exp(theta[-2:])
    Z = X * np.exp(-theta[group])
    k, slope = matern52_with_slope(squared_distances(Z, Z))
    K = signal * k
    K.flat[:: n + 1] += noise
    L, info = dpotrf(K, lower=1)
    if info:
        return math.inf, theta
    C, _ = dpotri(L, lower=1)
    C = np.tril(C) + np.tril(C, -1).T  # inverse of K
    ones = C.sum(axis=1)
    residual = y - float(ones @ y) / float(ones.sum())
    a = C @ residual
    penalty, gradient = prior.penalty(theta)
    value = 0.5 * float(residual @ a) + float(np.log(np.diag(L)).sum()) + penalty
    A = np.outer(a, a)
    A -= C
    gradient[-1] -= 0.5 * noise * float(np.trace(A))
    gradient[-2] -= 0.5 * signal * float(np.einsum("ij,ij->", A, k))
    A *= slope
    A *= signal
    by_column = A.sum(axis=1) @ Z**2 - np.einsum("ij,ij->j", Z, A @ Z)
    gradient[:-2] -= np.bincount(group, by_column, len(theta) - 2)
    return value, gradient


def fit(
    starts: list[Floats], X: Floats, y: Floats, group: np.ndarray, prior: Prior, steps: int
) -> Floats:
    """Return the theta (k + 2,) of the highest posterior density that is found from any start."""
    found = [
        lbfgs(lambda theta: loss(theta, X, y, group, prior), start, steps, tolerance=1e-2)
        for start in starts
    ]
    return min(found, key=lambda pair: pair[1])[0]


@final
class Gaussian:
    """The posterior given outcomes.

    Args:
        theta: (k + 2,).
        X: Columns (n, p).
        y: Outcomes (n,).
        group: Which lengthscale a column has (p,).
    """

    def __init__(self, theta: Floats, X: Floats, y: Floats, group: np.ndarray) -> None:
        n = len(y)
        self._signal, noise = np.exp(theta[-2:])
        self._shrink = np.exp(-theta[group])
        self._Z = X * self._shrink
        K = self._signal * matern52(squared_distances(self._Z, self._Z))
        K.flat[:: n + 1] += noise
        inverse, _ = dtrtri(_solved(K), lower=1)
        self._inverse = np.tril(inverse)
        ones = self._inverse.sum(axis=1)
        half = self._inverse @ y
        self._mean = float(ones @ half) / float(ones @ ones)
        self._weights = self._inverse.T @ (half - self._mean * ones)

    def mean(self, X: Floats) -> Floats:
        """Return posterior means (m,) at columns (m, p)."""
        k = self._signal * matern52(squared_distances(X * self._shrink, self._Z))
        return np.asarray(self._mean + k @ self._weights)

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Return posterior means (m,) and standard deviations (m,), without noise, at (m, p)."""
        k = self._signal * matern52(squared_distances(X * self._shrink, self._Z))
        mean = self._mean + k @ self._weights
        V = k @ self._inverse.T
        variance = self._signal - np.einsum("ij,ij->i", V, V)
        return mean, np.sqrt(np.maximum(variance, 1e-12 * self._signal))
