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

PAIRS = 10  # trials at two rungs, from which on their orders can be compared
AGREEMENT = 0.7  # rank correlation from which on one order tells the other
GROWTH = 1.2  # it is computed anew when there are so many times more trials


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
class Proof:
    """Whether the order of trials at a rung has shown that it tells their order at the next one.

    Some curves cross early, as where a warm-up is the first rung; there the best are stopped with the rest. The
    rank correlation over trials that were at both rungs shows it.

    Args:
        rung: The rung.
        following: The next one.
    """

    def __init__(self, rung: "Rung", following: "Rung") -> None:
        self._rung = rung
        self._following = following
        self._n = 0
        self._agreement = 0.0

    @property
    def holds(self) -> bool:
        """Whether at least 10 trials were at both rungs, in much the same order."""
        return self._agreement >= AGREEMENT

    def look(self) -> None:
        """Take notice that a trial has come to the next rung."""
        if len(self._following) < max(PAIRS, GROWTH * self._n):
            return
        uids = [uid for uid in self._following.losses if uid in self._rung]
        if len(uids) >= PAIRS:  # none but those that jumped over this rung are missing
            self._n = len(self._following)
            here, there = (
                np.array([one.losses[uid][0] for uid in uids])
                for one in (self._rung, self._following)
            )
            self._agreement = _agreement(here, there)


def _agreement(here: Floats, there: Floats) -> float:
    """The rank correlation of two losses (n,); equal ones in order of arrival."""
    middle = (len(here) - 1) / 2
    a, b = (x.argsort(kind="stable").argsort(kind="stable") - middle for x in (here, there))
    return float(a @ b) / float(a @ a)


@final
class Rung:
    """The trials that have reached a step, and their losses there.

    Whoever is known to break a limit of the study stands behind all others.

    Args:
        step: The step.

    Attributes:
        step: The same.
        losses: (m,) by uid, of m objectives.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self.losses: dict[str, Floats] = {}
        # whether it breaks a limit, the first loss, number, uid: of one objective that is the order
        self._order: list[tuple[bool, float, int, str]] = []
        self._places: dict[str, tuple[bool, float, int, str]] = {}
        self._ranked: tuple[int, int, list[str]] = (0, 0, [])  # of how many the best k

    def __len__(self) -> int:
        return len(self.losses)

    def __contains__(self, uid: object) -> bool:
        return uid in self.losses

    def add(self, record: Record[Any]) -> None:
        """Take in what a trial has reported, if it is its first result here, and one at all."""
        problem, values = record.problem, record.values
        losses = problem.losses(values)
        if record.uid in self.losses or not np.isfinite(losses).all():
            return
        breaks = any(limit.name in values and not limit.holds(values) for limit in problem.limits)
        place = (breaks, float(losses[0]), record.number, record.uid)
        self.losses[record.uid] = losses
        self._places[record.uid] = place
        insort(self._order, place)

    def remove(self, uid: str) -> None:
        """Take out a trial that has a result."""
        del self.losses[uid]
        self._order.remove(self._places.pop(uid))
        self._ranked = 0, 0, []

    def is_among(self, uid: str, k: int) -> bool:
        """Return whether a trial that has a result is one of the best `k`; of equals the earlier is."""
        if len(self.losses[uid]) == 1:
            return bisect_left(self._order, self._places[uid]) < k
        return uid in self.best(k)

    def best(self, k: int | None = None) -> list[str]:
        """Return the best `k` trials in order: by non-domination, and then by their spread."""
        k = len(self) if k is None else k
        if not self._order or len(self.losses[self._order[0][3]]) == 1:
            return [uid for _, _, _, uid in self._order[:k]]
        if self._ranked[:2] != (len(self), k):
            split = bisect_left(self._order, (True, -np.inf, -1, ""))
            ranked = self._fronts(self._order[:split], k)
            ranked += self._fronts(self._order[split:], k - len(ranked))
            self._ranked = len(self), k, ranked
        return self._ranked[2]

    def _fronts(self, part: Sequence[tuple[bool, float, int, str]], k: int) -> list[str]:
        """The best `k` of some trials with several objectives."""
        uids = [uid for _, _, _, uid in part]
        if not uids or k <= 0:
            return []
        table = np.array([self.losses[uid] for uid in uids])  # (n, m)
        return [uids[i] for i in pareto.best(table, k)]
