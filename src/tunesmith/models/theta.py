"""What a Gaussian process is told by: theta, one vector of logarithms, and what is believed of it.

theta = (k lengthscales, c warps' a, c warps' b, slope, signal, noise), all as logarithms.
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.warps import kumaraswamy, kumaraswamy_slopes

OTHERS = 3  # slope, signal and noise
SLOPE, SIGNAL, NOISE = (
    (-3.0, 1.0),
    (0.0, 0.5),
    (-5.0, 1.0),
)  # means and deviations of the logarithms
WARP = (0.0, 0.5)
LENGTHSCALE_SD = math.sqrt(3.0)


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a model mean.

    Attributes:
        group: Which lengthscale each column has (p,), from 0 to k - 1.
        warped: Columns that are units - 0.5 and are bent before they are scaled (c,).
    """

    group: Ints
    warped: Ints

    @property
    def n_groups(self) -> int:
        """The number k of lengthscales."""
        return int(self.group.max(initial=-1)) + 1

    def bent(self, theta: Floats, X: Floats) -> Floats:
        """Return columns after the input warp (n, p)."""
        bent = X.copy()
        bent[:, self.warped] = kumaraswamy(X[:, self.warped] + 0.5, *self._warps(theta)) - 0.5
        return bent

    def bent_slopes(self, theta: Floats, X: Floats) -> tuple[Floats, Floats]:
        """Return the derivatives of what is bent by its log a (n, c) and log b (n, c)."""
        return kumaraswamy_slopes(X[:, self.warped] + 0.5, *self._warps(theta))

    def _warps(self, theta: Floats) -> tuple[Floats, Floats]:
        k, c = self.n_groups, len(self.warped)
        return np.exp(theta[k : k + c]), np.exp(theta[k + c : k + 2 * c])

    def shrink(self, theta: Floats) -> Floats:
        """Return one over the lengthscale of each column (p,)."""
        return np.asarray(np.exp(-theta[self.group]))


@final
@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of theta before any outcome: each logarithm is normal.

    The density of a lengthscale is log-normal *in the lengthscale*; its mode in the logarithm lies
    lower by the variance (the Jacobian), at 0.2 sqrt(size).

    Attributes:
        mean: As long as theta.
        sd: As long as theta.

    References:
        C. Hvarfner, E. O. Hellsten, L. Nardi. Vanilla Bayesian Optimization Performs Great in High
        Dimensions. ICML 2024. Section 5: lengthscales grow with the square root of the dimension.
    """

    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, layout: Layout, size: float) -> "Prior":
        """Return the prior of a space in which `size` parameters are active."""
        lengthscale = math.sqrt(2.0) + 0.5 * math.log(size) - 3.0
        each = [(lengthscale, LENGTHSCALE_SD)] * layout.n_groups
        each += [WARP] * (2 * len(layout.warped)) + [SLOPE, SIGNAL, NOISE]
        mean, sd = np.array(each).T
        return cls(mean, sd)

    def penalty(self, theta: Floats) -> tuple[float, Floats]:
        """Return -log density up to a constant, and its gradient."""
        z = (theta - self.mean) / self.sd
        return 0.5 * float(z @ z), z / self.sd
