"""Population-based training: hyperparameters change while their members train."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

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
        size: How many members there are, from the first selection on; None: they are still beginning.
        members: How many have begun, before that.
        params: Of each member.
        passed: The place of the last selection that each member is through.
        waiting: At which selection each paused member is, and at which step.
        gone: How many members ended on the way to each selection.
        forks: How many forks have begun at each.
    """

    exploring: Exploring
    several: bool
    rungs: list[Rung]
    top: int
    size: int | None = None
    members: int = 0
    params: dict[str, Params] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, tuple[int, int]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    forks: list[int] = field(default_factory=list)

    def waits_at(self, uid: str, place: int) -> bool:
        """Return whether a member is paused at a selection."""
        return uid in self.waiting and self.waiting[uid][0] == place

    def arrived(self, uid: str, place: int) -> bool:
        """Return whether a member has a result at a selection."""
        return 0 <= place < len(self.rungs) and uid in self.rungs[place]

    def next(self, uid: str) -> int:
        """Return the place of the selection that a member is on its way to, or paused at."""
        return self.passed.get(uid, -1) + 1


@final
@dataclass(frozen=True)
class PBT(Scheduler[_State]):
    """Trains a population; every so often its worst members give way to changed copies of its best.

    At each selection all members pause. The worst `share` of them end there; each is replaced by a fork of
    one of the best, which goes on from that one's checkpoint under changed params. Whose place among
    neither is certain goes on at once, the others when all are there; so no selection depends on who is quick.

    The members are the trials of the budget: `run(train, trials=16)` trains 16, and forks do not count. They
    must be `trial.resumable`. Only parameters with `role="algorithm"` change, and none on which others depend.
    Selection finds more to choose from if a training's luck follows from `trial.seed` and the step, so that a
    fork has its own, than if a checkpoint hands it down.

    Args:
        population: How many members; by default as many as the run has trials.
        interval: Steps between selections; by default a tenth of the resource.
        share: The share of the members that is replaced, and of those that are copied; at most a half.
        resample: The probability with which a parameter is drawn anew instead of moved.
        step: The standard deviation of a move, on the parameter's scale from 0 to 1.

    References:
        M. Jaderberg et al. Population based training of neural networks. 2017. Truncation selection, perturb and
        resample. Deviations: members wait for one another; moves are normal on the parameter's own scale
        instead of factors of 0.8 and 1.2; the best are copied in turn instead of by lot.
    """

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
        steps = [s for s in range(interval, resource.max, interval) if s >= resource.min]
        rungs = [Rung(s) for s in steps]
        several = len(problem.objectives) > 1
        none = [0] * len(rungs)
        return _State(exploring, several, rungs, resource.max, gone=none, forks=list(none))

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        for record in records:
            match record.event:
                case "reported":
                    place = state.next(record.uid)
                    if record.resumable and place <= reached(state.rungs, record.step):
                        state.rungs[place].add(record)
                case "started":
                    self._enter(state, record)
                case "resumed":
                    place, _ = state.waiting.pop(record.uid, (-1, 0))
                    if state.arrived(record.uid, place):
                        self._close(state)
                        state.passed[record.uid] = place
                case "paused":
                    if record.scheduled:
                        state.waiting[record.uid] = (state.next(record.uid), record.step)
                case "finished":
                    self._leave(state, record.uid)
        return state

    def _enter(self, state: _State, record: Record[Any]) -> None:
        """Take in a new member or fork."""
        state.params[record.uid] = record.logged
        if record.source == "fork":
            self._close(state)
            place = int(record.memo.get(GENERATION, -1))
            if 0 <= place < len(state.rungs):
                state.forks[place] += 1
            else:  # another scheduler has forked it
                place = reached(state.rungs, record.fork_step)
            state.passed[record.uid] = place
        elif state.size is None:
            state.members += 1

    def _close(self, state: _State) -> None:
        """With the first selection the population is complete."""
        if state.size is None:
            state.size = state.members

    def _leave(self, state: _State, uid: str) -> None:
        """Take notice that a member has ended; at the next selection a fork takes its place."""
        state.waiting.pop(uid, None)
        place = state.next(uid)
        if place >= len(state.rungs) or state.arrived(uid, place):
            return
        if state.size is None:
            state.members -= 1
        else:
            state.gone[place] += 1

    def due(self, state: _State, record: Record[Any]) -> int:
        place = state.next(record.uid)
        step = state.rungs[place].step if place < len(state.rungs) else state.top
        # the first report says whether it can save
        return step if record.reports else min(step, record.step + 1)

    def decide(self, state: _State, record: Record[Any]) -> Decision:
        if not record.resumable:
            raise NotSupported(
                f"PBT copies trials while they run, and trial {record.number} cannot be saved; call "
                "trial.resumable(save=..., load=...) before its first report"
            )
        place = state.next(record.uid)
        return "pause" if state.arrived(record.uid, place) else "continue"

    def revive(
        self, state: _State, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        size = state.size
        if size is None and (closing or state.members == self.population):
            size = state.members
        # another scheduler has paused these, somewhere in between
        found: list[Resume | Fork] = [
            Resume(uid)
            for uid, (place, _) in state.waiting.items()
            if not state.arrived(uid, place)
        ]
        for place in sorted({place for place, _ in state.waiting.values()}):
            if size is not None and len(found) < n and place < len(state.rungs):
                found += self._select(state, place, size, rng, n)
        return found[:n]

    def _select(
        self, state: _State, place: int, size: int, rng: np.random.Generator, n: int
    ) -> list[Resume | Fork]:
        """At most `n` who go on from a selection: forks first, while those they are copied from wait."""
        rung = state.rungs[place]
        ranked = rung.best()
        few = min(max(1, int(size * self.share)), size // 2) if self.share else 0
        missing = size - len(ranked) - state.gone[place]
        if missing > 0:
            if state.several:  # whoever comes may change any rank
                return []
            sure = ranked[few : max(few, size - few - missing)]
            return [Resume(uid) for uid in sure if state.waits_at(uid, place)]
        last = {uid for uid in ranked[size - few :] if state.passed.get(uid, -1) < place}
        stay = [uid for uid in ranked if uid not in last]
        here = [uid for uid in stay if state.waits_at(uid, place)]
        found: list[Resume | Fork] = []
        parents = here[: max(1, few)]
        begun = state.forks[place]
        for index in range(begun, min(size - len(stay), begun + n) if parents else 0):
            parent = parents[index % len(parents)]
            params = state.exploring.around(state.params[parent], rng)
            memo = {GENERATION: place}
            found.append(Fork(parent, state.waiting[parent][1], params, memo))
        return [*found, *map(Resume, here)][:n]

    def room(self, state: _State) -> int | None:
        if state.size is not None:
            return 0
        return None if self.population is None else max(0, self.population - state.members)

    def keeps(self, state: _State) -> set[tuple[str, int]]:
        return {(uid, step) for uid, (_, step) in state.waiting.items()}
