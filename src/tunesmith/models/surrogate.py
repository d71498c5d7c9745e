"""The objective as a function of the configuration: a Gaussian process in the objective's own units."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from tunesmith.models.features import Features
from tunesmith.models.gaussian import Gaussian, fit, loss
from tunesmith.models.subset import chosen
from tunesmith.models.theta import Prior
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.threads import one_thread
from tunesmith.numerics.warps import half_rank
from tunesmith.records import Record

LEAST = 8  # trials
MOST = 256  # trials that a model takes in
STEPS = 60  # of a fit
NONE = -11.0  # log noise that is as good as none
PROOF = 1.35  # log likelihood that noise must bring: 2.7 is the 10 % point of chi-squared, halved


@final
class Surrogate:
    """What trials tell of the objective, everywhere in the space.

    Values worse than the median trial count by their order alone, so that a few very bad ones bend
    nothing; there the model says less than is lost.

    Args:
        records: Trials that have all completed, `LEAST` at least, of one objective.

    Attributes:
        noise: The standard deviation of one evaluation; 0: what was measured is explained as well without.
    """

    def __init__(self, records: Sequence[Record[Any]]) -> None:
        problem = records[0].problem
        self._space = problem.space
        self._features = Features(problem.space)
        layout, prior = self._features.layout, Prior.of(self._features.layout, self._features.size)
        X = self._features(self._space.encode([record.logged for record in records]))
        y = half_rank(-np.array([problem.losses(record.values)[0] for record in records]))
        with one_thread():
            if len(y) > MOST:
                place = chosen(X, y, layout.shrink(prior.mean), MOST)
                X, y = X[place], y[place]
            self._middle, self._scale = float(y.mean()), float(y.std()) or 1.0
            y = (y - self._middle) / self._scale
            free = Prior(prior.mean, np.array([*prior.sd[:-1], np.inf]))
            bare = Prior(np.array([*prior.mean[:-1], NONE]), np.array([*prior.sd[:-1], 1e-3]))
            theta = fit([prior.mean], X, y, layout, free, STEPS)
            exact = fit([bare.mean, np.array([*theta[:-1], NONE])], X, y, layout, bare, STEPS)
            fits = [loss(one, X, y, layout, free)[0] for one in (theta, exact)]
            noisy = fits[1] - fits[0] > PROOF
            self._model = Gaussian(theta if noisy else exact, X, y, layout)
        self.noise = self._scale * float(np.exp(theta[-1] / 2)) if noisy else 0.0

    def losses(self, units: Floats) -> tuple[Floats, Floats]:
        """Return expected losses (m,) and their covariances (m, m), at a few units (m, d)."""
        mean, covariance = self._model.joint(self._features(units))
        return -(self._middle + self._scale * mean), self._scale**2 * covariance
