"""The curve of a trial as a scheduler of one objective reads it."""

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Objective, Problem, Record


def objective_of(problem: Problem[Any], name: str) -> Objective:
    """Return the objective that the scheduler `name` follows.

    Raises:
        NotSupported: There are several.
    """
    if len(problem.objectives) > 1:
        raise NotSupported(
            f"{name} follows the curve of one objective, got "
            f"{', '.join(objective.name for objective in problem.objectives)}; ASHA, "
            "SuccessiveHalving and Hyperband rank several"
        )
    return problem.objectives[0]


@final
@dataclass(frozen=True, slots=True)
class Reports:
    """How a trial's reports are read.

    Attributes:
        objective: What counts.
        value: Which of them counts for the trial; see `Problem`.
    """

    objective: Objective
    value: Literal["last", "best", "mean"]

    def of(self, record: Record[Any]) -> tuple[Floats, Floats]:
        """Return the steps (n,) of the reports that have the objective, and what counts up to each (n,)."""
        steps, values = record.reported(self.objective.name)
        known = np.isfinite(values)
        losses = self.objective.sign * values[known]
        if self.value == "best":
            losses = np.minimum.accumulate(losses)
        elif self.value == "mean":
            losses = np.cumsum(losses) / np.arange(1, len(losses) + 1)
        return steps[known].astype(np.float64), losses
