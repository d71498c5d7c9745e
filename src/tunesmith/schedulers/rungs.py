"""Rungs: the steps at which trials are compared, and what each had there."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported, SettingError
from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Problem, Record, Resource


def resource_of(problem: Problem[Any], name: str) -> Resource:
    """Return the resource that the scheduler `name` divides.

    Raises:
        NotSupported: The study declares none.
    """
    if problem.resource is None:
        raise NotSupported(
            f"{name} ends trials before they have spent all of a resource; declare it: "
            'Study(..., resource=ts.Resource("epoch", max=30))'
        )
    return problem.resource


def check_factor(name: str, factor: float) -> float:
    """Return a reduction factor.

    Raises:
        SettingError: It is no number above 1.
    """
    number = checks.number(f"{name}(factor=...)", factor)
    if not number > 1:
        raise SettingError(f"{name}(factor=...) is above 1, such as 3, got {factor!r}")
    return number


def levels(resource: Resource, factor: float) -> tuple[int, ...]:
    """Return the steps of all rungs, the last of which is the resource's end.

    They are max / factor^k, rounded, down to the resource's min (Li et al. 2018, Hyperband, Algorithm 1).

    Example:
        >>> levels(Resource("epoch", max=30), 3)
        (1, 3, 10, 30)
    """
    steps = [resource.max]
    step = resource.max / factor
    while round(step) >= max(1, resource.min):
        if round(step) < steps[-1]:
            steps.append(round(step))
        step /= factor
    return tuple(reversed(steps))


def reached(rungs: Sequence["Rung"], step: int) -> int:
    """Return the place of the highest rung that `step` is at or above; -1: there is none."""
    return sum(rung.step <= step for rung in rungs) - 1


@final
class Rung:
    """The trials that have reached a step, and their losses there.

    Args:
        step: The step.

    Attributes:
        step: The same.
        losses: (m,) by uid, of m objectives.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self.losses: dict[str, Floats] = {}
        self._order: list[tuple[float, int, str]] = []  # by loss and number, of a single objective

    def __len__(self) -> int:
        return len(self.losses)

    def add(self, record: Record[Any]) -> None:
        """Take in what a trial has reported, if it is its first result here and not NaN."""
        losses = record.problem.losses(record.values)
        if record.uid in self.losses or np.isnan(losses).any():
            return
        self.losses[record.uid] = losses
        insort(self._order, (float(losses[0]), record.number, record.uid))

    def place(self, record: Record[Any]) -> int:
        """Return how many trials are better here; of equals the earlier is, and whoever has a result."""
        if record.uid not in self.losses:
            return len(self)
        if len(self.losses[record.uid]) == 1:
            return bisect_left(
                self._order, (float(self.losses[record.uid][0]), record.number, record.uid)
            )
        return self.ranked().index(record.uid)

    def ranked(self) -> list[str]:
        """Return the trials, the best first: by non-domination, and then by their spread."""
        uids = [uid for _, _, uid in self._order]
        if not uids or len(self.losses[uids[0]]) == 1:
            return uids
        table = np.array([self.losses[uid] for uid in uids])  # (n, m)
        return [uids[i] for i in pareto.best(table, len(table))]
