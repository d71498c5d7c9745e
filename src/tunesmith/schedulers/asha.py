"""Asynchronous successive halving: nobody waits for a rung to fill."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, final

import numpy as np

from tunesmith.records import Problem, Record
from tunesmith.schedulers.rungs import (
    PAIRS,
    Proof,
    Rung,
    check_factor,
    levels,
    reached,
    resource_of,
)
from tunesmith.schedulers.scheduler import Decision, Fork, Resume, Scheduler


@dataclass
class _State:
    """What it knows.

    Attributes:
        rungs: In rising order; the resource's end is none.
        top: The resource's end.
        end: What trials had there.
        proofs: Of the rungs at which the first trials pass, until their order has shown that it tells
            something: those where that costs no more than one full training.
        running: Trials that run.
        passed: The place of the highest rung that a trial was let go on from; from there to the next
            it is not judged, also if it is begun again.
        waiting: Of paused ones the place of their rung; -1: they were compared at none.
    """

    rungs: list[Rung]
    top: int
    end: Rung
    proofs: dict[int, Proof]
    running: set[str] = field(default_factory=set)
    passed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class ASHA(Scheduler[_State]):
    """Lets the best 1/factor of each rung go on, of those that have come so far.

    A trial that can save and is not among them is paused, and goes on if it comes to be among them later;
    one that cannot save is stopped, unless it would be the first of its rung.

    A low rung has to prove itself: where ten trials to the next rung cost no more than one full training,
    all pass until ten were at both, and from then on as long as the rank correlation between the two rungs
    is below 0.7. Warm-ups and crossing curves so do no harm.

    Args:
        factor: How many trials share a place in the next rung.

    References:
        L. Li et al. A system for massively parallel hyperparameter tuning. MLSys 2020. Algorithm 2; for
        what cannot save, the stopping variant of section 3.2.
    """

    factor: float = 3

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        factor = check_factor("ASHA", self.factor)
        resource = resource_of(problem, "ASHA")
        rungs = [Rung(step) for step in levels(resource, factor)[:-1]]
        end = Rung(resource.max)
        proofs = {
            place: Proof(rung, following)
            for place, (rung, following) in enumerate(pairwise([*rungs, end]))
            if following.step * PAIRS <= resource.max
        }
        return _State(rungs, resource.max, end, proofs)

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            uid = record.uid
            if record.event == "reported":
                place = reached(state.rungs, record.step)
                if record.step < state.top:
                    self._compare(state, record, place)
                else:
                    state.end.add(record)
                below = place if record.step >= state.top else place - 1
                if below in state.proofs:
                    state.proofs[below].look()
            elif record.state == "running":
                state.running.add(uid)
                if uid in state.waiting:
                    state.passed[uid] = state.waiting.pop(uid)
            else:
                state.running.discard(uid)
                state.waiting.pop(uid, None)
                if record.scheduled:
                    place = reached(state.rungs, record.step)
                    known = place >= 0 and uid in state.rungs[place]
                    state.waiting[uid] = place if known else -1
                if record.finished:
                    state.passed.pop(uid, None)
        return state

    def _compare(self, state: _State, record: Record[Any], place: int) -> None:
        """Take a result into the rung that was reached, and into none that was jumped over."""
        state.rungs[place].add(record)
        if record.uid in state.rungs[place] and self.decide(state, record) == "continue":
            state.passed[record.uid] = place

    def due(self, state: _State, record: Record[Any]) -> int:
        place = state.passed.get(record.uid, -1) + 1
        return state.rungs[place].step if place < len(state.rungs) else state.top

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        place = reached(state.rungs, record.step)
        rung = state.rungs[place]
        if record.uid not in rung:  # this report has no result; the next may have one
            return "continue"
        if place in state.proofs and not state.proofs[place].holds:
            return "continue"
        share = len(rung) / self.factor
        if record.resumable:
            return "continue" if rung.is_among(record.uid, int(share)) else "pause"
        return "continue" if rung.is_among(record.uid, max(1, math.ceil(share))) else "stop"

    def revive(
        self, state: _State, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        if not state.waiting:
            return []
        # at the end the best of each rung goes on
        least = 1 if closing and not state.running else 0
        found: list[Resume | Fork] = []
        for place in reversed(range(len(state.rungs))):
            rung = state.rungs[place]
            allowed = rung.best(max(least, int(len(rung) / self.factor)))
            found += [Resume(uid) for uid in allowed if state.waiting.get(uid) == place]
            if len(found) >= n:
                return found[:n]
        # another scheduler has paused these
        found += [Resume(uid) for uid, place in state.waiting.items() if place < 0]
        return found[:n]

    def room(self, state: _State) -> int | None:
        return None

    def keeps(self, state: _State) -> set[tuple[str, int]]:
        return set()
