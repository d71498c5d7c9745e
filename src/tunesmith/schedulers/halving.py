"""Successive halving and Hyperband: a cohort starts, and of each rung the best go on together."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith.records import Problem, Record
from tunesmith.schedulers.rungs import Rung, check_factor, levels, reached, resource_of
from tunesmith.schedulers.scheduler import Decision, Fork, Resume, Scheduler


@dataclass
class Bracket:
    """A cohort on its way up.

    Attributes:
        rungs: Where it is compared; beyond the last, trials run to the end.
        size: With how many trials it starts.
        members: How many have started.
        at: Place of the rung that is being filled.
        running: Who is on the way to it.
        waiting: Who is there, paused.
        chosen: Who goes on from the rung before and has not been resumed yet, the best first.
    """

    rungs: list[Rung]
    size: int
    members: int = 0
    at: int = 0
    running: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    chosen: list[str] = field(default_factory=list)

    def best(self, factor: float) -> list[str]:
        """Return those of the rung being filled that may go on; beyond the last, everybody may."""
        if self.at >= len(self.rungs):
            return sorted(self.waiting)
        ranked = [uid for uid in self.rungs[self.at].best() if uid in self.waiting]
        return ranked[: max(1, int(len(ranked) / factor))] or sorted(self.waiting)

    def due(self, factor: float, *, closing: bool) -> list[str]:
        """Return who is to be resumed now, the best first."""
        if self.chosen:
            return self.chosen
        full = self.members >= self.size or closing
        return self.best(factor) if full and self.waiting and not self.running else []

    def resume(self, uid: str, factor: float) -> None:
        """Take notice that a trial goes on; with the first paused one of a rung, the others have lost."""
        if uid in self.waiting:
            self.chosen = self.best(factor)
            self.size = self.members
            self.waiting.clear()
            self.at += 1
        if uid in self.chosen:
            self.chosen.remove(uid)
        self.running.add(uid)

    def leave(self, uid: str) -> None:
        """Take notice that a trial has ended."""
        self.running.discard(uid)
        self.waiting.discard(uid)
        if uid in self.chosen:
            self.chosen.remove(uid)


@dataclass
class State:
    """What synchronous halving knows.

    Attributes:
        problem: What is tuned.
        next: The bracket that is open to new trials.
        begun: How many brackets there were before it.
        places: In which bracket each unfinished trial is.
        passed: The place of the highest rung that a running trial was let go on from.
        open: The brackets in which something is still to be done.
    """

    problem: Problem[Any]
    next: Bracket
    begun: int = 0
    places: dict[str, Bracket] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    open: list[Bracket] = field(default_factory=list)


class Halving(Scheduler[State]):
    """What successive halving and Hyperband share: they differ in their brackets."""

    factor: float

    @abstractmethod
    def bracket(self, problem: Problem[Any], number: int) -> Bracket:
        """Return bracket `number`, from 0, before any trial has started in it."""

    @final
    def init(self, problem: Problem[Any], rng: np.random.Generator) -> State:
        check_factor(type(self).__name__, self.factor)
        resource_of(problem, type(self).__name__)
        first = self.bracket(problem, 0)
        return State(problem, first, open=[first])

    @final
    def tell(self, state: State, records: Sequence[Record[Any]]) -> State:
        for record in records:
            uid, event = record.uid, record.event
            if event == "started":
                self._enter(state, uid)
                continue
            bracket = state.places[uid]
            if event == "reported":
                self._compare(state, bracket, record)
            elif record.scheduled:
                bracket.running.discard(uid)
                bracket.waiting.add(uid)
            elif event == "resumed":
                bracket.resume(uid, self.factor)
            elif event == "finished":
                bracket.leave(uid)
                # who fails in the lowest rung does not count against the budget: another one takes the place
                if record.state == "failed" and bracket is state.next and not bracket.at:
                    bracket.members -= 1
                del state.places[uid]
                state.passed.pop(uid, None)
        return state

    def _enter(self, state: State, uid: str) -> None:
        """Let a new trial into the bracket that is open."""
        if state.next.members >= state.next.size:
            state.begun += 1
            state.next = self.bracket(state.problem, state.begun)
            state.open = [b for b in state.open if b.running or b.waiting or b.chosen]
            state.open.append(state.next)
        state.next.members += 1
        state.next.running.add(uid)
        state.places[uid] = state.next

    def _compare(self, state: State, bracket: Bracket, record: Record[Any]) -> None:
        """Take a result into the rung being filled, and into those that were jumped over."""
        place = reached(bracket.rungs, record.step)
        for rung in bracket.rungs[bracket.at : place + 1]:
            rung.add(record)
        if place < 0 or record.step >= resource_of(state.problem, type(self).__name__).max:
            return
        if record.uid in bracket.rungs[place] and self.decide(state, record) == "continue":
            state.passed[record.uid] = place

    @final
    def due(self, state: State, record: Record[Any]) -> int:
        bracket = state.places[record.uid]
        place = max(bracket.at, state.passed.get(record.uid, -1) + 1)
        if place < len(bracket.rungs):
            return bracket.rungs[place].step
        return resource_of(state.problem, type(self).__name__).max

    @final
    def decide(self, state: State, record: Record[Any]) -> Decision:
        bracket = state.places[record.uid]
        rung = bracket.rungs[reached(bracket.rungs, record.step)]
        if record.uid not in rung:  # this report has no result; the next may have one
            return "continue"
        if record.resumable:
            return "pause"
        # one that cannot wait for the others is compared with those that were here before
        allowed = max(1, math.ceil(len(rung) / self.factor))
        return "continue" if rung.is_among(record.uid, allowed) else "stop"

    @final
    def revive(
        self, state: State, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        due = [
            uid
            for bracket in state.open
            for uid in bracket.due(self.factor, closing=closing and bracket is state.next)
        ]
        return [Resume(uid) for uid in due[:n]]

    @final
    def room(self, state: State) -> int | None:
        left = state.next.size - state.next.members
        return left or self.bracket(state.problem, state.begun + 1).size

    @final
    def keeps(self, state: State) -> set[tuple[str, int]]:
        return set()


@final
@dataclass(frozen=True)
class SuccessiveHalving(Halving):
    """Starts a cohort of trials, and lets the best 1/factor of each rung go on when all are there.

    Trials that can save wait paused; others are compared with those that came to the rung before
    them and stopped if they are not among the best. When a cohort has started, so has the next one as
    soon as there is nothing else to do.

    Args:
        factor: How many trials share a place in the next rung.
        candidates: With how many trials a cohort starts; by default with as many as leave one at the end.

    References:
        K. Jamieson, A. Talwalkar. Non-stochastic best arm identification and hyperparameter
        optimization. AISTATS 2016. Algorithm of Figure 3.
    """

    factor: float = 3
    candidates: int | None = None

    def bracket(self, problem: Problem[Any], number: int) -> Bracket:
        steps = levels(resource_of(problem, "SuccessiveHalving"), self.factor)
        size = round(self.factor ** (len(steps) - 1))
        if self.candidates is not None:
            size = checks.whole("SuccessiveHalving(candidates=...)", self.candidates, 1)
        return Bracket([Rung(step) for step in steps[:-1]], size)


@final
@dataclass(frozen=True)
class Hyperband(Halving):
    """Successive halving again and again, from many short trials to few full ones.

    It hedges against curves that cross: the first bracket compares at the lowest rung, the last
    one trains every trial to the end, and then it begins anew.

    Args:
        factor: How many trials share a place in the next rung.

    References:
        L. Li et al. Hyperband: a novel bandit-based approach to hyperparameter optimization. JMLR 18,
        2018. Algorithm 1.
    """

    factor: float = 3

    def bracket(self, problem: Problem[Any], number: int) -> Bracket:
        steps = levels(resource_of(problem, "Hyperband"), self.factor)
        s = len(steps) - 1 - number % len(steps)
        size = math.ceil(len(steps) / (s + 1) * self.factor**s)
        return Bracket([Rung(step) for step in steps[len(steps) - 1 - s : -1]], size)
