"""What configurations would be worth that nobody has tried, and how one gets from the default to them.

The model is that of `tunesmith.models.truth`; of what it believes of several configurations at once draws are
taken, so that differences between them have the right spread.
"""

from collections.abc import Sequence
from typing import Any, Generic, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith._core.types import P
from tunesmith.analysis.modelling import Model
from tunesmith.analysis.permitted import Permitted, fault
from tunesmith.analysis.recommendation import Estimate
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.records import History
from tunesmith.space import Params, Space

DRAWS = 1000  # of which intervals are taken
TAILS = (0.05, 0.95)


@final
class Landscape(Generic[P]):
    """The expected objective over the space of a study.

    A row (d,) has a unit for each parameter, active or not: `whole` fills what is not active with its default, so
    that what a move makes active is at its default.

    Args:
        history: Of a study.
        objective: Which, if there are several.
        named: Configurations that shall be modelled, whatever else is.

    Attributes:
        model: What was measured, and the model of it.
        default: The default configuration.
        called: What it is called: default, or centre, where a parameter has no default.
        failed: How it failed, if it did, and not by a bug.
        start: Its row (d,).
        rows: Of the configurations that are modelled (m, d).
        may_lead: Which of them may be recommended (m,).

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives, and none is named.
    """

    def __init__(
        self, history: History[P], objective: str | None = None, named: Sequence[Params] = ()
    ) -> None:
        space = history.problem.space
        self.default, whole = space.default()
        self.called = "default" if whole else "centre"
        if len(history) and history[0].source == "default":
            self.default, self.called = history[0].logged, history[0].note or self.called
        same = len(history) and history[0].logged == self.default
        self.failed = fault(history[0]) if same else ""
        self.model = Model.of(history, objective, [self.default, *named])
        self._permitted = Permitted(self.model)
        self._filling = np.array(
            [
                0.5 if p.initial is None else p.to_unit(p.scalars([p.initial])[0])
                for p in space.parameters.values()
            ]
        )
        self._exact: dict[tuple[str, float], Any] = {}
        self.start = self.whole(self.default)
        units, kept = self.model.units, self.model.rows
        self.rows = np.where(np.isnan(units), self._filling, units)[kept]
        self.may_lead: Bools = np.isin(kept, self.model.tried.candidates)

    def check_default(self) -> None:
        """Refuse gains over a default that has none to compare with.

        Raises:
            NotSupported: It failed, and not by a bug.
        """
        if self.failed:
            raise NotSupported(
                f"the {self.called} failed ({self.failed}), so nothing can be said of gains over it"
            )

    @property
    def space(self) -> Space[P]:
        """What is tuned."""
        return self.model.space

    @property
    def better(self) -> float:
        """1 if a greater value of the objective is better, else -1."""
        return -self.model.objective.sign

    def whole(self, params: Params) -> Floats:
        """Return the row (d,) of a configuration."""
        units = self.space.encode([params])[0]
        for name, unit in zip(self.space.names, units.tolist(), strict=True):
            if name in params:
                self._exact[name, unit] = params[name]
        return np.where(np.isnan(units), self._filling, units)

    def params(self, rows: Floats) -> list[Params]:
        """Return the configurations at rows (n, d), with the very values of those that rows were made of."""
        return [
            {
                name: self._exact.get((name, unit), params[name])
                for name, unit in zip(self.space.names, row, strict=True)
                if name in params
            }
            for params, row in zip(self.space.decode(rows), rows.tolist(), strict=True)
        ]

    def moved(self, row: Floats) -> dict[str, Any]:
        """Return the values in a row (d,) that are not the default's; what is only made active has its own default."""
        [params] = self.params(row[None])
        apart = dict(zip(self.space.names, row != self.start, strict=True))
        return {
            name: value
            for name, value in params.items()
            if apart[name] and self.default.get(name, ...) != value
        }

    def possible(self, rows: Floats) -> Bools:
        """Return which rows (n, d) keep the constraints (n,)."""
        return self.space.feasible(rows)

    def promising(self, rows: Floats) -> Floats:
        """Return those of rows (n, d) that keep the constraints, and are expected to keep the limits and not to fail."""
        rows = rows[self.possible(rows)]
        return rows[self._permitted(self.space.snap(rows))] if len(rows) else rows

    def active(self, rows: Floats) -> Bools:
        """Return which parameters are active (n, d) at rows (n, d)."""
        return self.space.active(rows)

    def expected(self, rows: Floats) -> Floats:
        """Return what rows (n, d) are expected to be worth (n,), greater being better; quick, for thousands."""
        return -self.model.surrogate.quick(self.space.snap(rows))

    def worths(self, rows: Floats) -> Floats:
        """Return draws (DRAWS, n) of what rows (n, d) are worth, greater being better, in the objective's units."""
        return -self.model.surrogate.draws(self.space.snap(rows), DRAWS)

    def estimate(self, worths: Floats) -> Estimate:
        """Return what draws (DRAWS,) of a worth say of the objective."""
        surrogate = self.model.surrogate
        shift = 0.0 if surrogate.truth is None else surrogate.size * surrogate.truth.shift
        return summed(self.better * (worths + shift))


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
