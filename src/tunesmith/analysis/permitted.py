"""Where limits are expected to hold and trainings to come to their end, by what was tried."""

import math
from collections.abc import Iterator
from typing import Any, final

import numpy as np

from tunesmith.analysis.modelling import Model
from tunesmith.models.features import Features
from tunesmith.models.surrogate import Surrogate
from tunesmith.models.truth import Means
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.records import Record

OWN_FAULT = ("diverged", "infeasible", "out of memory", "timed out")
MOST = 100  # trials that failed, and as many that did not, by which failing is foreseen


@final
class Permitted:
    """What may be proposed: by models of each metric that is limited, and of failing, of the configurations' own fault.

    Args:
        model: Of a study.
    """

    def __init__(self, model: Model[Any]) -> None:
        self._features = Features(model.space)
        self._limits = [*self._metrics(model), *self._failing(model)]

    def __call__(self, units: Floats) -> Bools:
        """Return at which units (n, d) all limits are expected to hold (n,), and a trial not to fail."""
        kept = np.ones(len(units), dtype=np.bool_)
        for surrogate, bound in self._limits:
            kept &= surrogate.quick(units) <= bound
        return kept

    def _metrics(self, model: Model[Any]) -> Iterator[tuple[Surrogate, float]]:
        for limit in model.history.problem.limits:
            sign = 1.0 if limit.sign in ("<", "<=") else -1.0
            first = [model.tried.first[row] for row in model.rows]
            losses = np.array([sign * r.values.get(limit.name, math.nan) for r in first])
            known = np.isfinite(losses)
            if known.any():
                yield self._of(model.units[model.rows][known], losses[known], sign * limit.bound)

    def _failing(self, model: Model[Any]) -> Iterator[tuple[Surrogate, float]]:
        failed = [r for r in model.history if fault(r)]
        if failed:
            rows = [_evenly(len(several)) for several in (failed, model.units)]
            units = model.space.encode([failed[i].logged for i in rows[0]])
            losses = np.repeat([1.0, 0.0], [len(rows[0]), len(rows[1])])
            yield self._of(np.vstack([units, model.units[rows[1]]]), losses, 0.5)

    def _of(self, units: Floats, losses: Floats, bound: float) -> tuple[Surrogate, float]:
        known = Means.once(self._features(units), -losses)
        return Surrogate(known, self._features, -bound), bound


def fault(record: Record[Any]) -> str:
    """Return how a trial failed by what it was told to do; empty: it did not, or by a bug or a lost machine."""
    kind = "" if record.failure is None else record.failure.kind
    return kind if kind in OWN_FAULT else ""


def _evenly(n: int) -> list[int]:
    """Places of at most `MOST` of n, evenly spaced."""
    return sorted(set(np.linspace(0, n - 1, min(n, MOST)).astype(int).tolist()))
