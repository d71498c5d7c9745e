"""Population-based training: hyperparameters change while their members train."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported, SettingError
from tunesmith.records import Problem, Record
from tunesmith.schedulers.exploring import Exploring
from tunesmith.schedulers.rungs import Rung, reached, resource_of
from tunesmith.schedulers.scheduler import Decision, Fork, Resume, Scheduler
from tunesmith.space import Params

GENERATION = "generation"  # in the memo of a fork: the place of the selection that made it


@dataclass
class _State:
    """What it knows.

    Attributes:
        exploring: Makes the params of a fork.
        several: Whether there are several objectives.
        rungs: The results of each selection, in rising order of their steps.
        top: The resource's end.
        size: How many members there are, from the first fork on; None: they may still begin.
        params: Of each trial.
        live: The members that may still come to a selection, or wait at one.
        passed: The place of the last selection that each trial is through.
        waiting: At which selection each paused trial is, and at which step.
        unsaved: Who could not be saved at which selection: it is not copied.
        lost: The members that have given way to forks.
        forks: How many forks have begun at each selection.
    """

    exploring: Exploring
    several: bool
    rungs: list[Rung]
    top: int
    size: int | None = None
    params: dict[str, Params] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    passed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, tuple[int, int]] = field(default_factory=dict)
    unsaved: set[tuple[str, int]] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    forks: Counter[int] = field(default_factory=Counter)

    @property
    def members(self) -> int:
        """How many members there are so far: who ended on the way to the first selection is none."""
        return len(self.live | self.passed.keys()) if self.size is None else self.size

    def next(self, uid: str) -> int:
        """Return the place of the selection that a trial is on its way to, or paused at."""
        return self.passed.get(uid, -1) + 1

    def arrived(self, uid: str, place: int) -> bool:
        """Return whether a trial has a result at a selection."""
        return 0 <= place < len(self.rungs) and uid in self.rungs[place]

    def waits_at(self, uid: str, place: int) -> bool:
        """Return whether a trial is paused at a selection, and has a result there."""
        return self.waiting.get(uid, (-1, 0))[0] == place and self.arrived(uid, place)

    def complete(self, place: int) -> bool:
        """Return whether nobody is still to come to a selection."""
        return all(self.next(uid) > place or self.waits_at(uid, place) for uid in self.live)


@final
@dataclass(frozen=True)
class PBT(Scheduler[_State]):
    """Trains a population; every so often its worst members give way to changed copies of its best.

    At each selection all members pause. The worst `share` of them end there; each is replaced by a fork of
    one of the best, which goes on from that one's checkpoint under changed params. Who is certain to be
    neither goes on at once, the others when all are there; so no selection depends on who is quick. Who could
    not be saved is not copied; where nobody could be, nobody ends.

    The members are the trials of the budget: `run(train, trials=16)` trains 16, and forks do not count. What
    ended under another scheduler is no member. They must be `trial.resumable`. Only parameters with
    `role="algorithm"` change, and none on which others depend. Selection finds more to choose from if a
    training's luck follows from `trial.seed` and the step, so that a fork has its own, than if a checkpoint
    hands it down.

    Args:
        population: How many members; by default as many as the run has trials. A run without `trials=` and a
            loop of one's own need it.
        interval: Steps between selections, less than the resource has; by default a tenth of it.
        share: The share of the members that is replaced, and of those that are copied; at most a half.
        resample: The probability with which a parameter is drawn anew instead of moved.
        step: The standard deviation of a move, on the parameter's scale from 0 to 1.

    References:
        M. Jaderberg et al. Population based training of neural networks. 2017. Truncation selection, perturb and
        resample. Deviations: members wait for one another; moves are normal on the parameter's own scale
        instead of factors of 0.8 and 1.2; the best are copied in turn instead of by lot.
    """

    forks: ClassVar[bool] = True

    population: int | None = None
    interval: int | None = None
    share: float = 0.25
    resample: float = 0.25
    step: float = 0.1

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        resource = resource_of(problem, "PBT")
        if self.population is not None:
            checks.whole("PBT(population=...)", self.population, 2)
        interval = max(1, resource.max // 10)
        if self.interval is not None:
            interval = checks.whole("PBT(interval=...)", self.interval, 1)
        for name, least, most in (("share", 0, 0.5), ("resample", 0, 1), ("step", 0, 1)):
            number = checks.number(f"PBT({name}=...)", getattr(self, name))
            if not least <= number <= most:
                raise SettingError(f"PBT({name}=...) lies between {least} and {most}, got {number}")
        exploring = Exploring(problem.space, self.resample, self.step)
        if not exploring.names:
            raise NotSupported(
                'PBT changes parameters whose role is "algorithm" while trials run, and this space has '
                "none that it may change; another scheduler decides how long trials go on"
            )
        rungs = [Rung(s) for s in range(interval, resource.max, interval) if s >= resource.min]
        if not rungs:
            raise NotSupported(
                f"PBT(interval={interval}) selects at its multiples from step {resource.min} on and before "
                f"step {resource.max}, where there is none; give a smaller interval=, or scheduler=None"
            )
        return _State(exploring, len(problem.objectives) > 1, rungs, resource.max)

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            uid = record.uid
            match record.event:
                case "reported":
                    place = state.next(uid)
                    if record.resumable and place <= reached(state.rungs, record.step):
                        state.rungs[place].add(record)
                case "started":
                    self._enter(state, record)
                case "resumed":
                    place, _ = state.waiting.pop(uid, (-1, 0))
                    if state.arrived(uid, place):
                        state.passed[uid] = place
                        if uid in state.lost:  # another scheduler thinks better of it
                            state.lost.discard(uid)
                            state.live.add(uid)
                case "paused":
                    if record.scheduled:
                        place = state.next(uid)
                        state.waiting[uid] = place, record.step
                        if record.saved != record.step:
                            state.unsaved.add((uid, place))
                case "finished":
                    self._leave(state, uid)
        return state

    def _enter(self, state: _State, record: Record[Any]) -> None:
        """Take in a new member or fork; with the first fork the population is complete."""
        uid = record.uid
        state.params[uid] = record.logged
        if record.source == "fork":
            state.size = state.members
            place = int(record.memo.get(GENERATION, -1))
            if 0 <= place < len(state.rungs):
                if not state.forks[place]:
                    lost = self._last(state, place, state.size)
                    state.lost |= lost
                    state.live -= lost
                state.forks[place] += 1
            else:  # another scheduler has forked it
                place = reached(state.rungs, record.fork_step)
            state.passed[uid] = place
        if record.source == "fork" or state.size is None:
            state.live.add(uid)

    def _leave(self, state: _State, uid: str) -> None:
        """Take notice that a trial has ended; at the next selection a fork takes its place."""
        state.waiting.pop(uid, None)
        state.live.discard(uid)
        place = state.next(uid)
        if state.arrived(uid, place) and uid not in state.lost:
            state.rungs[place].remove(uid)

    def due(self, state: _State, record: Record[Any]) -> int:
        place = state.next(record.uid)
        step = state.rungs[place].step if place < len(state.rungs) else state.top
        # the first report says whether it can save
        return step if record.reports else min(step, record.step + 1)

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        if not record.resumable and record.reports == 1:
            raise NotSupported(
                f"PBT copies trials while they run, and trial {record.number} cannot be saved; call "
                "trial.resumable(save=..., load=...) before its first report"
            )
        return "pause" if state.arrived(record.uid, state.next(record.uid)) else "continue"

    def revive(
        self, state: _State, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        # another scheduler has paused these, somewhere in between
        found: list[Resume | Fork] = [
            Resume(uid)
            for uid, (place, _) in state.waiting.items()
            if not state.arrived(uid, place)
        ]
        if state.size is None and not closing and self.room(state) != 0:
            return found[:n]
        for place in sorted({place for place, _ in state.waiting.values()}):
            if len(found) < n and place < len(state.rungs):
                found += self._select(state, place, state.members, rng, n)
        return found[:n]

    def _select(
        self, state: _State, place: int, size: int, rng: np.random.Generator, n: int
    ) -> list[Resume | Fork]:
        """At most `n` who go on from a selection: forks first, while those they are copied from wait."""
        ranked = state.rungs[place].best()
        few = self._few(size)
        saved = [uid for uid in ranked if (uid, place) not in state.unsaved]
        if not state.complete(place):
            if state.several:  # whoever comes may change any rank
                return []
            sure = set(ranked[: max(0, len(ranked) - few)]).difference(saved[:few])
            return [Resume(uid) for uid in ranked if uid in sure and state.waits_at(uid, place)]
        begun = state.forks[place]
        lost = state.lost if begun else self._last(state, place, size)
        stay = [uid for uid in ranked if uid not in lost]
        here = [uid for uid in stay if state.waits_at(uid, place)]
        parents = [uid for uid in here if uid in saved][: max(1, few)]
        if not begun and not parents:  # nobody can be copied, so nobody gives way
            here = [uid for uid in ranked if state.waits_at(uid, place)]
        found: list[Resume | Fork] = []
        for index in range(begun, min(size - len(stay), begun + n) if parents else 0):
            parent = parents[index % len(parents)]
            params = state.exploring.around(state.params[parent], rng)
            memo = {GENERATION: place}
            found.append(Fork(parent, state.waiting[parent][1], params, memo))
        return [*found, *map(Resume, here)][:n]

    def _few(self, size: int) -> int:
        """How many of a population are replaced, and how many are copied."""
        return min(max(1, int(size * self.share)), size // 2) if self.share else 0

    def _last(self, state: _State, place: int, size: int) -> set[str]:
        """The worst at a selection that is complete; whoever has gone on is none of them."""
        last = state.rungs[place].best()[size - self._few(size) :]
        return {uid for uid in last if state.passed.get(uid, -1) < place}

    def room(self, state: _State) -> int | None:
        if state.size is not None:
            return 0
        return None if self.population is None else max(0, self.population - state.members)

    def keeps(self, state: _State) -> set[tuple[str, int]]:
        return {(uid, step) for uid, (_, step) in state.waiting.items() if uid not in state.lost}

    def drops(self, state: _State) -> set[str]:
        return state.lost & state.waiting.keys()
