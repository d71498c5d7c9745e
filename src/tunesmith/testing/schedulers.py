"""Whether a scheduler keeps its contract: a suite to subclass, for ours and for those of others."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pytest
from msgspec.structs import replace

from tunesmith._core.codec import Number
from tunesmith._core.errors import NotSupported
from tunesmith._core.random import Keyed
from tunesmith.records import Failure, Fold, Limit, Objective, Problem, Record, Resource
from tunesmith.records.events import (
    FORMAT,
    AnyEvent,
    Created,
    EndReason,
    EndState,
    Finished,
    Part,
    Paused,
    PauseReason,
    Reported,
    Resumed,
    ResumeReason,
    Saved,
    Source,
    Started,
)
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler
from tunesmith.space import Float, Int, Params, Space
from tunesmith.testing.refusals import refusal_of

SPACE: Space[Any] = Space(
    {"lr": Float(1e-4, 1, log=True), "momentum": Float(0, 1), "width": Int(1, 64, role="model")}
)
LOSS = (Objective("loss", "minimize"),)
BOTH = (*LOSS, Objective("accuracy", "maximize"))
EPOCHS = Resource("epoch", max=27)

PROBLEMS: dict[str, Problem[Any]] = {
    "epochs": Problem(SPACE, LOSS, resource=EPOCHS),
    "one step": Problem(SPACE, LOSS, resource=Resource("epoch", max=1)),
    "from the fourth step on": Problem(SPACE, LOSS, resource=Resource("tree", max=30, min=4)),
    "accuracy": Problem(SPACE, BOTH[1:], resource=EPOCHS, value="best"),
    "two objectives": Problem(SPACE, BOTH, resource=EPOCHS),
    "limits": Problem(SPACE, LOSS, (Limit.parse("accuracy >= 0.5"),), resource=EPOCHS),
    "folds": Problem(SPACE, LOSS, resource=Resource("fold", max=8), value="mean"),
}


@final
@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a study is played.

    Attributes:
        workers: How many trials run at once.
        trials: The budget.
        savable: The share of the trials that can save.
        stride: Trials report each 1 to `stride` steps.
        deaths: The share of steps at which a trial is lost, and of those at which it is handed back.
        failures: The share of steps at which it fails.
        silence: The share of reports that leave out the objectives.
        ties: Whether all results are equal.
    """

    workers: int = 3
    trials: int = 20
    savable: float = 1.0
    stride: int = 1
    deaths: float = 0.0
    failures: float = 0.0
    silence: float = 0.0
    ties: bool = False


CONDITIONS: dict[str, Conditions] = {
    "one worker": Conditions(workers=1),
    "four workers": Conditions(workers=4, trials=30),
    "few trials": Conditions(trials=2),
    "more workers than trials": Conditions(workers=9, trials=5),
    "nothing can be saved": Conditions(savable=0),
    "seldom reports": Conditions(stride=5),
    "ties": Conditions(ties=True),
    "silence": Conditions(silence=0.5),
    "deaths": Conditions(deaths=0.05, trials=30),
    "deaths, and nothing can be saved": Conditions(deaths=0.02, savable=0),
    "everything at once": Conditions(
        savable=0.6, stride=3, deaths=0.03, failures=0.03, silence=0.2, trials=30
    ),
}


# each condition on the first problem, the other problems under two
CASES = [("epochs", name) for name in CONDITIONS] + [
    (problem, name)
    for problem in PROBLEMS
    if problem != "epochs"
    for name in ("four workers", "everything at once")
]


@final
class Play:
    """A simulated study: a fold of events, a scheduler's state, and trials that report by luck.

    It fails where the scheduler breaks its contract.

    Args:
        scheduler: Who decides.
        problem: What is tuned.
        conditions: How the study goes.
        seed: The study's seed.
        nosy: Whether everything is asked for more often than is needed.

    Attributes:
        told: What the scheduler was told so far.
        state: Its state.
        refusal: The sentence by which it refused a trial that runs; empty: it did not.

    Raises:
        NotSupported: The scheduler cannot do what the problem asks.
    """

    def __init__(
        self,
        scheduler: Scheduler[Any],
        problem: Problem[Any],
        conditions: Conditions | None = None,
        *,
        seed: int = 0,
        nosy: bool = False,
    ) -> None:
        self.scheduler = scheduler
        self.problem = problem
        self.conditions = conditions or Conditions()
        self.seed = seed
        self.told: list[Record[Any]] = []
        self.state = scheduler.init(problem, self._luck("init"))
        self.refusal = ""
        self._nosy = nosy
        self._dropped: set[str] = set()
        self._due: dict[str, int] = {}
        self._time = 0
        self._fold: Fold[Any] = Fold(
            Created(
                time=0, format=FORMAT, problem=problem.to_text(), seed=seed, sampler=Part("played")
            ),
            problem.space,
        )

    @property
    def history(self) -> Sequence[Record[Any]]:
        """The trials."""
        return self._fold.history

    @property
    def top(self) -> int:
        """The last step of a trial."""
        return 1 if self.problem.resource is None else self.problem.resource.max

    @property
    def running(self) -> list[Record[Any]]:
        """The trials that run, by number."""
        return [record for record in self._fold.history.unfinished if record.state == "running"]

    def study(self) -> "Play":
        """Play the study to its end, or until a trial is refused."""
        while not self.refusal and self.turn():
            pass
        return self

    def turn(self) -> bool:
        """Begin what may begin, and let one trial go on; return whether there was one."""
        self._drop()
        while len(self.running) < self.conditions.workers and self._begin():
            pass
        running = self.running
        if running:
            self._time += 1
            luck = self._luck("turn", self._time)
            self._go_on(running[luck.integers(len(running))], luck)
        return bool(running)

    def answers(self, state: Any) -> list[Any]:
        """Return everything that a state says."""
        scheduler, running = self.scheduler, self.running
        return [
            *(
                scheduler.revive(state, self._luck("answers"), n, closing=closing)
                for n in (1, 4)
                for closing in (False, True)
            ),
            scheduler.room(state),
            scheduler.keeps(state),
            scheduler.drops(state),
            [scheduler.due(state, record) for record in running],
        ]

    def retold(self, cuts: Sequence[int]) -> Any:
        """Return the state of a scheduler that was told everything in pieces, cut at these places."""
        state = self.scheduler.init(self.problem, self._luck("init"))
        for begin, end in zip([0, *cuts], [*cuts, len(self.told)], strict=True):
            state = self.scheduler.tell(state, self.told[begin:end])
        return state

    def _luck(self, *key: int | str) -> np.random.Generator:
        return Keyed().at(self.seed, *key)

    def _tell(self, record: Record[Any]) -> None:
        heard = replace(record, owner="")
        self.told.append(heard)
        self.state = self.scheduler.tell(self.state, [heard])
        if record.state != "running":
            self._due.pop(record.uid, None)
        elif record.event != "reported":
            self._due[record.uid] = self.scheduler.due(self.state, heard)
        if self._nosy and len(self.told) % 7 == 0:
            self.answers(self.state)

    def _apply(self, event: AnyEvent) -> Record[Any]:
        record = self._fold.apply(event)
        assert record is not None, f"without effect: {event}"
        self._tell(record)
        return record

    def _drop(self) -> None:
        """End what the scheduler has dropped a turn ago, and look whether it may drop what it does now."""
        drops = self.scheduler.drops(self.state)
        assert drops >= self._dropped, f"takes back that it drops {self._dropped - drops}"
        for uid in sorted(drops):
            assert self._record(uid).scheduled, f"drops {uid}, which it has not paused"
        for uid in sorted(self._dropped):
            self._finish(self._record(uid), "scheduler")
        self._dropped = drops - self._dropped

    def _begin(self) -> bool:
        """Begin the next trial in a study's order of service; return whether there was one."""
        history = self._fold.history
        for record in history.unfinished:
            if record.state == "paused" and not record.scheduled:
                self._resume(record, "handed back")
                return True
        left = self.conditions.trials - history.taken
        n = self.conditions.workers - len(self.running)
        revived = self._revived(n, closing=left <= 0)
        if revived:
            return True
        room = self.scheduler.room(self.state)
        assert room is None or room >= 0, f"room for {room}"
        if left <= 0 or room == 0:
            return False
        (params,) = self.problem.space.sample(self._luck("params", len(history)), 1)
        self._start(params)
        return True

    def _revived(self, n: int, *, closing: bool) -> bool:
        """Let trials go on as the scheduler says, and look whether it may say so."""
        luck = self._luck(self._fold.decisions, 0, "revive")
        revived = self.scheduler.revive(self.state, luck, n, closing=closing)
        assert len(revived) <= n, f"asked for {n}, it revives {len(revived)}"
        resumed = [one.uid for one in revived if isinstance(one, Resume)]
        assert len(set(resumed)) == len(resumed), f"resumes one twice: {resumed}"
        for one in revived:
            match one:
                case Resume(uid):
                    record = self._fold.history.find(uid)
                    assert record is not None, f"resumes {uid}, which is none"
                    assert record.scheduled, f"resumes {record}, which it has not paused"
                    self._resume(record, "scheduler")
                case Fork():
                    self._fork(one)
        return bool(revived)

    def _fork(self, fork: Fork) -> None:
        name = type(self.scheduler).__name__
        assert self.scheduler.forks, f"forks {fork.parent}, and {name}.forks says that it does not"
        key = self._fold.checkpoint(fork.parent, fork.step)
        assert key is not None, f"forks {fork.parent} at {fork.step}, where it has not saved"
        self.problem.space.check(fork.params)
        self._start(fork.params, "fork", fork.parent, fork.step, key, fork.memo)

    def _start(
        self, params: Params, source: Source = "sampler", parent: str = "", step: int = 0,
        key: str = "", memo: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self._apply(
            Started(
                time=self._time, uid=next(self._fold.next_uids(0)), params=params, seed=0,
                basis=self._fold.length, source=source, parent=parent, fork_step=step, key=key,
                memo=memo or {},
            )
        )  # fmt: skip

    def _resume(self, record: Record[Any], why: ResumeReason) -> None:
        self._apply(
            Resumed(
                time=self._time, uid=record.uid, attempt=record.attempt + 1, why=why,
                key=record.key, basis=self._fold.length,
            )
        )  # fmt: skip

    def _pause(self, record: Record[Any], why: PauseReason) -> None:
        uid, attempt, step = record.uid, record.attempt, record.step
        self._apply(Paused(time=self._time, uid=uid, attempt=attempt, step=step, why=why))

    def _finish(self, record: Record[Any], why: EndReason, failure: Failure | None = None) -> None:
        state: EndState = "failed" if failure else "complete" if why == "returned" else "stopped"
        self._apply(
            Finished(
                time=self._time, uid=record.uid, attempt=record.attempt, step=record.step,
                state=state, why=why, failure=failure,
            )
        )  # fmt: skip

    def _go_on(self, record: Record[Any], luck: np.random.Generator) -> None:
        """Let a running trial report, or come to grief."""
        conditions = self.conditions
        accident = luck.random()
        if accident < conditions.failures:
            self._finish(record, "raised", Failure("error", "bad luck"))
        elif accident > 1 - conditions.deaths:
            self._resume(record, "lost")
        elif accident > 1 - 2 * conditions.deaths:
            self._pause(record, "interrupted")
        elif record.step >= self.top:
            self._finish(record, "returned")
        else:
            stride = 1 + int(self._luck("stride", record.number).integers(conditions.stride))
            step = min(record.step + stride, self.top)
            measured = luck.random() >= conditions.silence or step == self.top
            self._report(record, step, measured=measured)

    def _report(self, record: Record[Any], step: int, *, measured: bool) -> None:
        uid, attempt = record.uid, record.attempt
        traits = self._luck("traits", record.number)
        savable = traits.random() < self.conditions.savable
        level, noise = traits.random(), self._luck("noise", record.number, step).normal()
        loss = 1.0 if self.conditions.ties else 1 + level + 2 / step + 0.05 * noise
        values: dict[str, Number] = (
            {"loss": loss, "accuracy": 1 / loss} if measured else {"other": loss}
        )
        self._fold.apply(
            Reported(
                time=self._time, uid=uid, attempt=attempt, step=step, values=values,
                resumable=savable,
            )
        )  # fmt: skip
        if savable:
            self._fold.apply(Saved(time=self._time, uid=uid, attempt=attempt, step=step, key=""))
        if step >= self._due[uid]:
            self._decide(uid, step)
        elif step == self.top:
            self._finish(self._record(uid), "returned")

    def _decide(self, uid: str, step: int) -> None:
        """Tell a report that was due, and do as the scheduler decides."""
        record = self._record(uid)
        heard = replace(record, reporting=True, values=self._fold.reported(record), owner="")
        self._tell(heard)
        if step >= self.top:
            self._finish(record, "returned")
            return
        try:
            decision = self._decision(heard)
        except NotSupported as refusal:
            self.refusal = str(refusal)
            self._finish(record, "raised", Failure("error", self.refusal))
            return
        self._due[uid] = max(step + 1, self.scheduler.due(self.state, heard))
        if decision == "pause":
            assert record.resumable, f"pauses {record}, which cannot save"
            self._pause(record, "scheduler")
        elif decision == "stop":
            self._finish(record, "scheduler")

    def _decision(self, heard: Record[Any]) -> Decision:
        decision = self.scheduler.decide(self.state, heard)
        assert decision in ("continue", "pause", "stop"), f"decides {decision!r}"
        if self._nosy:
            again = self.scheduler.decide(self.state, heard)
            assert again == decision, "decides otherwise when asked again"
        return decision

    def _record(self, uid: str) -> Record[Any]:
        record = self._fold.history.find(uid)
        assert record is not None
        return record


class SchedulerConformance:
    """Tests that every scheduler passes, on each problem that it does not refuse in `init`.

    A subclass gives the fixture `scheduler`.

    Example::

        class TestPatient(SchedulerConformance):
            @pytest.fixture
            def scheduler(self) -> Patient:
                return Patient(patience=5)
    """

    @pytest.fixture(params=CASES, ids=", ".join)
    def case(
        self, request: pytest.FixtureRequest, scheduler: Scheduler[Any]
    ) -> tuple[Problem[Any], Conditions]:
        """A problem that the scheduler takes, and how the study goes."""
        name, how = request.param
        if refusal_of(scheduler, PROBLEMS[name]) is not None:
            pytest.skip("refused in init")
        return PROBLEMS[name], CONDITIONS[how]

    def test_takes_some_problem(self, scheduler: Scheduler[Any]) -> None:
        """What it cannot do is refused in `init` by a sentence, but not everything."""
        refusals = [refusal_of(scheduler, problem) for problem in PROBLEMS.values()]
        assert None in refusals
        assert "" not in refusals

    def test_keeps_the_contract(
        self, scheduler: Scheduler[Any], case: tuple[Problem[Any], Conditions]
    ) -> None:
        """In a whole study it pauses what can save, revives what it paused, and asks for what there is."""
        play = Play(scheduler, *case).study()
        assert play.running == [] or play.refusal

    def test_a_study_comes_to_its_end(
        self, scheduler: Scheduler[Any], case: tuple[Problem[Any], Conditions]
    ) -> None:
        """Where nothing fails, at least one trial gets to the full resource, whatever the budget."""
        if case[1].failures:
            pytest.skip("the best may fail when all others have been stopped")
        play = Play(scheduler, *case).study()
        steps = [record.step for record in play.history if record.state == "complete"]
        assert max(steps, default=0) == play.top or play.refusal

    def test_the_budget_is_taken(
        self, scheduler: Scheduler[Any], case: tuple[Problem[Any], Conditions]
    ) -> None:
        """As many trials begin as may: a scheduler decides how far they go, not how many there are."""
        play = Play(scheduler, *case).study()
        taken = [r for r in play.history if r.state != "failed" and r.source != "fork"]
        assert len(taken) == case[1].trials or play.refusal

    def test_answers_leave_no_trace(
        self, scheduler: Scheduler[Any], case: tuple[Problem[Any], Conditions]
    ) -> None:
        """Asked more often, it decides the same."""
        quiet = Play(scheduler, *case).study()
        nosy = Play(scheduler, *case, nosy=True).study()
        assert list(nosy.history) == list(quiet.history)

    def test_tell_may_be_cut_anywhere(
        self, scheduler: Scheduler[Any], case: tuple[Problem[Any], Conditions]
    ) -> None:
        """However what happened is cut into calls, the state says the same, and so does a copy of it."""
        play = Play(scheduler, *case)
        for turn in range(120):
            if not play.turn():
                break
            if turn % 40 == 39:
                expected = play.answers(play.state)
                half = len(play.told) // 2
                for cuts in ([], [1], [half, half, half + 1]):
                    assert play.answers(play.retold(cuts)) == expected, f"cut at {cuts}"
                assert play.answers(copy.deepcopy(play.state)) == expected
