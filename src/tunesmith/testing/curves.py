"""Records of given curves, for tests of what reads curves: schedulers, diagnoses, plots."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.records import Curve, Failure, Objective, Problem, Record, Resource, State
from tunesmith.space import Float, Params, Space

Curves = Mapping[str, Sequence[float] | np.ndarray[Any, Any]]
"""Values by metric, one for each step."""


def problem_of(
    steps: int, *objectives: Objective, space: Space[Any] | None = None, **options: Any
) -> Problem[Any]:
    """Return a problem whose resource is so many epochs, of the metric `val_loss` if none is given."""
    return Problem(
        space or Space({"lr": Float(1e-6, 1e2, log=True)}),
        objectives or (Objective("val_loss", "minimize"),),
        resource=Resource("epoch", steps),
        **options,
    )


def recorded(
    problem: Problem[Any],
    number: int,
    curves: Curves,
    params: Params | None = None,
    *,
    state: State = "complete",
    failure: Failure | None = None,
) -> Record[Any]:
    """Return the record of a trial that reported `curves`, a report at each step from 1 on."""
    curve = Curve()
    rows = zip(*curves.values(), strict=True)
    for step, row in enumerate(rows, 1):
        curve.append(step, float(step), dict(zip(curves, map(float, row), strict=True)))
    n = len(curve)
    return Record(
        problem=problem, number=number, uid=f"0.{number}", logged=params or {}, started=0.0, seed=1,
        basis=0, state=state, curve=curve, reports=n, values=curve.values_at(n - 1) if n else {},
        failure=failure, ended=float(n),
    )  # fmt: skip
