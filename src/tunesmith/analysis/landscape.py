"""What configurations would be worth that nobody has tried, and how one gets from the default to them.

The model is that of `tunesmith.models.truth`; of what it believes of several configurations at once draws are
taken, so that differences between them have the right spread.
"""

import math
from collections.abc import Sequence
from typing import Any, Generic, final

import numpy as np

from tunesmith._core.types import P
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.recommendation import Estimate, Tried, modelled
from tunesmith.models.features import Features
from tunesmith.models.truth import Truth
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.numerics.threads import one_thread
from tunesmith.records import History
from tunesmith.space import Params

DRAWS = 1000  # of which intervals are taken
TAILS = (0.05, 0.95)


@final
class Landscape(Generic[P]):
    """The expected objective over the space of a study.

    A row (d,) has a unit for each parameter, active or not: `whole` fills what is not active with its default, so
    that what a move makes active is at its default.

    Args:
        history: Of a study of one objective.
        named: Configurations that shall be modelled, whatever else is.

    Attributes:
        problem: What is tuned.
        tried: What was measured.
        default: The default configuration.
        called: What it is called: default, or centre, where a parameter has no default.
        start: Its row (d,).
        rows: Of the configurations that are modelled (m, d).
        may_lead: Which of them may be recommended (m,).
        truth: The model; None: all values are equal.

    Raises:
        NoTrials: Fewer than 8 have completed.
    """

    def __init__(self, history: History[P], named: Sequence[Params] = ()) -> None:
        measurable(history)
        self.problem = history.problem
        self.tried = Tried.of(history)
        space = self._space = self.problem.space
        first = history[0]
        default, whole = space.default()
        self.default, self.called = default, "default" if whole else "centre"
        if first.source == "default":
            self.default, self.called = first.logged, first.note or self.called
        self._filling = np.array(
            [
                0.5 if p.initial is None else p.to_unit(p.scalars([p.initial])[0])
                for p in space.parameters.values()
            ]
        )
        self.start = self.whole(self.default)
        self._features = Features(space)
        units = space.encode([record.logged for record in self.tried.first])
        columns = self._features(units)
        places = [self.tried.places.get(space.key(one)) for one in [self.default, *named]]
        self.truth: Truth | None = None
        self.rows = np.where(np.isnan(units), self._filling, units)
        self.may_lead: Bools = np.isin(np.arange(len(units)), self.tried.candidates)
        if np.ptp(self.tried.values):
            with one_thread():
                kept = modelled(
                    self.tried, columns, self._features, [p for p in places if p is not None]
                )
                level = math.inf if places[0] is None else float(self.tried.values[places[0]])
                self.truth = Truth(
                    self.tried.some(kept, columns), self._features.layout, self._features.size, level
                )
            self.rows, self.may_lead = self.rows[kept], self.may_lead[kept]

    def whole(self, params: Params) -> Floats:
        """Return the row (d,) of a configuration."""
        units = self._space.encode([params])[0]
        return np.where(np.isnan(units), self._filling, units)

    def params(self, rows: Floats) -> list[Params]:
        """Return the configurations at rows (n, d)."""
        return self._space.decode(rows)

    def moved(self, row: Floats) -> dict[str, Any]:
        """Return the values in a row (d,) that are not the default's; what is only made active has its own default."""
        [params] = self.params(row[None])
        apart = dict(zip(self._space.names, row != self.start, strict=True))
        return {
            name: value
            for name, value in params.items()
            if apart[name] and self.default.get(name, ...) != value
        }

    def possible(self, rows: Floats) -> Bools:
        """Return which rows (n, d) keep the constraints (n,)."""
        return self._space.feasible(rows)

    def active(self, rows: Floats) -> Bools:
        """Return which parameters are active (n, d) at rows (n, d)."""
        return self._space.active(rows)

    def expected(self, rows: Floats) -> Floats:
        """Return what rows (n, d) are expected to be worth (n,), greater being better; quick, for thousands."""
        if self.truth is None or not len(rows):
            return np.full(len(rows), self.tried.values[0])
        with one_thread():
            return self.truth.scale.back(self.truth.at(self._features(self._space.snap(rows))))

    def worths(self, rows: Floats) -> Floats:
        """Return draws (DRAWS, n) of what rows (n, d) are worth, greater being better, in the objective's units."""
        if self.truth is None:
            return np.full((DRAWS, len(rows)), self.tried.values[0])
        truth = self.truth
        with one_thread():
            means, covariance = truth.joint(self._features(self._space.snap(rows)))
            strength, axes = np.linalg.eigh(covariance)
        luck = np.random.Generator(np.random.Philox(0)).standard_normal((DRAWS, len(means)))
        drawn = means + luck * np.sqrt(np.maximum(strength, 0.0)) @ axes.T
        return np.asarray(truth.scale.back(drawn) + truth.shift)

    def estimate(self, worths: Floats) -> Estimate:
        """Return what draws (DRAWS,) of a worth say of the objective."""
        sign = -self.problem.objectives[0].sign
        return summed(sign * worths)

    def __len__(self) -> int:
        return len(self.tried.values)


def summed(draws: Floats) -> Estimate:
    """Return the mean of draws (n,), and the interval that holds 90 % of them."""
    low, high = np.quantile(draws, TAILS)
    return Estimate(float(draws.mean()), (float(low), float(high)))


def short(value: Any) -> str:
    """Return a value as people read it.

    Example:
        >>> short(0.123456), short(12), short("adam")
        ('0.123', '12', 'adam')
    """
    return f"{value:.3g}" if isinstance(value, float) else str(value)
