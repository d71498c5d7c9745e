"""The objective as a function of the configuration: a Gaussian process in the objective's own units."""

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from tunesmith.models.features import Features
from tunesmith.models.gaussian import Gaussian, fit, loss
from tunesmith.models.noise import losses_of
from tunesmith.models.subset import chosen
from tunesmith.models.theta import Layout, Prior
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.threads import one_thread
from tunesmith.numerics.warps import standard
from tunesmith.records import Record

LEAST = 8  # trials
START = 10  # trials that are of no model yet: typical ones
MOST = 256  # trials that a model takes in
STEPS = 60  # of a fit
BEGIN = (-5.0, -0.5)  # log noises from which a fit starts: hardly any, and nearly all
GRID = np.array([-11.0, -8.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0])
"""Log noises at which a likelihood is taken; the first is as good as none."""
SMOOTH = 1.5  # log lengthscales are so much longer than where the best is sought: what is rough is noise
DOUBT = 2.0
"""Log likelihood less than the best. Half the 90 % point of chi-squared is 1.35; that of 95 % makes up for
what else is not known: so intervals held 89 % of 36 noises of 0.1 to 1 standard deviations."""


@final
class Surrogate:
    """What trials tell of the objective, everywhere in the space.

    Losses count as they are up to twice as far from the best as that of a typical configuration, and no worse
    beyond, so that a few very bad ones bend nothing; there the model says less than is lost.

    Args:
        records: Trials that have all completed, `LEAST` at least, of one objective.

    Attributes:
        noise: The standard deviation of one evaluation: what is not explained by the configuration.
        spread: The standard deviation of the values, noise included.
    """

    def __init__(self, records: Sequence[Record[Any]]) -> None:
        problem = records[0].problem
        self._space = problem.space
        self._features = Features(problem.space)
        self._layout = layout = Layout(self._features.layout.group, np.empty(0, dtype=int))
        prior = Prior.of(layout, self._features.size)
        X = self._features(self._space.encode([record.logged for record in records]))
        y = -_bounded(losses_of(records))
        if len(y) > MOST:
            place = chosen(X, y, layout.shrink(prior.mean), MOST)
            X, y = X[place], y[place]
        self._middle, self.spread = float(y.mean()), float(y.std())
        y = standard(y)
        self._X, self._y = X, y
        self._prior = Prior(
            prior.mean, np.array([*prior.sd[:-1], np.inf])
        )  # of noise the data alone
        with one_thread():
            starts = [np.array([*prior.mean[:-1], noise]) for noise in BEGIN]
            self._theta = fit(starts, X, y, layout, self._prior, STEPS)
            self._model = Gaussian(self._theta, X, y, layout)
        self.noise = self.spread * math.exp(self._theta[-1] / 2)

    def noise_interval(self) -> tuple[float, float]:
        """Return the interval of 90 % of the noise, by its profile likelihood; it begins at 0 if none may be."""
        X, y, layout, prior = self._X, self._y, self._layout, self._prior
        best = loss(self._theta, X, y, layout, prior)[0]
        grid = np.sort(np.append(GRID, self._theta[-1]))
        worse = np.empty(len(grid))
        with one_thread():
            for i, log_noise in enumerate(grid):
                fixed = Prior(
                    np.array([*prior.mean[:-1], log_noise]), np.array([*prior.sd[:-1], 1e-3])
                )
                starts = [np.array([*start[:-1], log_noise]) for start in (self._theta, prior.mean)]
                theta = fit(starts, X, y, layout, fixed, STEPS // 3)
                # its root is straight where the likelihood is normal
                worse[i] = math.sqrt(max(0.0, loss(theta, X, y, layout, prior)[0] - best))
        centre = int(np.flatnonzero(grid == self._theta[-1])[0])
        worse[centre] = 0.0
        far = math.sqrt(DOUBT)
        low = float(np.interp(-far, -worse[: centre + 1], grid[: centre + 1]))
        high = float(np.interp(far, worse[centre:], grid[centre:]))
        none = worse[0] <= far
        return 0.0 if none else self.spread * math.exp(low / 2), self.spread * math.exp(high / 2)

    def losses(self, units: Floats) -> tuple[Floats, Floats]:
        """Return expected losses (m,) and their covariances (m, m), at a few units (m, d)."""
        mean, covariance = self._model.joint(self._features(units))
        return -(self._middle + self.spread * mean), self.spread**2 * covariance


def _bounded(losses: Floats) -> Floats:
    """Losses (n,), in the order of the trials, none worse than twice the way from a typical one to the best."""
    best = float(losses.min())
    typical = max(float(np.median(losses)), float(np.median(losses[:START])))
    return np.minimum(losses, best + 2 * (typical - best))
