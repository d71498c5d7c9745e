"""A run: ask, call the objective, tell; until the budget is taken or a rule says stop."""

import math
import sys
import time
from asyncio import CancelledError
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Literal, NoReturn, TypeAlias, final

from tunesmith._core.codec import clean
from tunesmith._core.errors import (
    Cancelled,
    Infeasible,
    Interrupted,
    NotSupported,
    Preempted,
    ResultError,
    SettingError,
    Stopped,
    StorageError,
    StudyError,
    Superseded,
)
from tunesmith._core.types import P
from tunesmith._core.words import plural
from tunesmith.executors import Died, Executor, Key, Raised, Returned, Serial, Work
from tunesmith.executors.memory import out_of_memory
from tunesmith.records import Failure, History
from tunesmith.records.events import PauseReason
from tunesmith.study.bounds import Bounds
from tunesmith.study.desk import Desk, answer
from tunesmith.study.errand import Attachment, Ending, Kept, Note, Report
from tunesmith.study.owner import this_process
from tunesmith.study.results import failure_of, own_traceback
from tunesmith.study.saving import UNSAVED
from tunesmith.study.signals import GRACE_S, SAVING_S, AtOnce, Notice, noticed
from tunesmith.study.suspicion import is_fault, is_innocent, suspicion
from tunesmith.study.trial import Trial
from tunesmith.study.voice import Voice

PUMP_S = 0.5  # how long to wait for workers before looking at the clock
QUIET_S = 5.0  # a run that has waited for a place for longer says so
Recess: TypeAlias = Literal["pre-empted", "interrupted", "study paused"]  # it may go on later
Told: TypeAlias = Literal["stop", "pause", "timeout"] | Recess  # why a trial was told to end


@final
class Run(Generic[P]):
    """One run of an objective.

    Args:
        desk: Where trials are asked for and told.
        work: The objective, as an executor runs it.
        executor: Where trials are run; closed at the end.
        bounds: When to end.
        voice: Tells people.
        stops: How many commands to stop were given before it was asked for; by default, those that
            were read.
        proven: Whether the objective has succeeded elsewhere, so that what it raises is no bug but a trial's failure.
    """

    def __init__(
        self,
        desk: Desk[P],
        work: Work,
        executor: Executor,
        bounds: Bounds,
        voice: Voice,
        stops: int | None = None,
        *,
        proven: bool = False,
    ) -> None:
        self._desk = desk
        self._work = work
        self._executor = executor
        self._bounds = bounds
        self._proven = proven
        self._voice = voice
        self._begun = self._busy = time.monotonic()
        self._running: dict[Key, Trial[P]] = {}
        self._reporting: set[Key] = set()  # those of them that have reported in this attempt
        self._savable: set[Key] = set()  # those that can save themselves at their next report
        self._saving: set[Key] = set()  # those that were asked to and have not said that it is done
        self._told: dict[Key, Told] = {}  # those that were told to end, and why
        self._asked: set[Key] = set()  # what was begun here and has not ended
        self._lost: dict[Key, Trial[P]] = {}  # those of them that are to be begun again
        self._tried = 0
        self._failed = 0
        self._proven_here = (
            False  # whether anything that was begun in this run ended but by a fault
        )
        self._notice = Notice(
            self._will_report, lambda: bool(self._savable), lambda: bool(self._saving), voice.saving
        )
        self._stops_before = desk.fold.stops if stops is None else stops
        self._leaves_at = math.inf

    def __call__(self) -> None:
        """Run to the end.

        Raises:
            Interrupted: Ctrl-C; everything is kept.
            Preempted: SIGTERM or its like, likewise.
            StudyError: Too many trials failed.
            Exception: That of the objective, if no trial of the study has succeeded yet.
        """
        desk, bounds = self._desk, self._bounds
        self._hand_back("interrupted")
        try:
            with (
                noticed(self._notice),
                self._executor,
                self._voice.live(self._executor, bounds.trials) as refresh,
            ):
                reason, exhausted = self._to_the_end(refresh)
        except AtOnce:
            if not self._notice.given:  # this run is part of a trial of another, which was told
                self._hand_back("interrupted")
                raise
            reason, exhausted = "", False
        except KeyboardInterrupt:
            self._interrupted()
        except Exception:
            with suppress(StorageError):  # what is raised says more
                self._hand_back("error")
            raise
        if self._notice.given and self._notice.why == "interrupted":
            self._interrupted()
        if self._notice.given:
            self._hand_back("pre-empted")
            self._voice.left("pre-empted", bounds.trials)
            raise Preempted
        self._hand_back("interrupted")  # as a command to stop has left them
        if desk.fold.stops > self._stops_before:
            self._voice.left("stopped by command", bounds.trials)
        else:
            end = exhausted and self._at_end()
            self._voice.done(reason if self._tried else f"nothing to do: {reason}", end=end)

    def _interrupted(self) -> NoReturn:
        """Leave as Ctrl-C wants it."""
        self._hand_back("interrupted")
        self._voice.left("interrupted", self._bounds.trials)
        if hasattr(sys, "ps1"):  # the prompt shall stay, and what is in memory with it
            raise KeyboardInterrupt
        raise Interrupted from None

    def _to_the_end(self, refresh: Callable[[], None]) -> tuple[str, bool]:
        """Why there is no more to do, and whether that is because nothing was handed out."""
        while True:
            exhausted = False
            reason = self._reason(self._elapsed())
            leaves = self._recess() in ("pre-empted", "interrupted")
            if leaves and self._may_leave():
                return reason, False
            self._begin_again()
            if not reason and not leaves and (free := self._executor.free()):
                asked = self._desk.ask(
                    free, self._room, lease=True, retries=self._bounds.retries, begun=self._asked
                )
                for trial in asked:
                    self._begin(trial)
                waits = self._awaits()
                exhausted = len(asked) < len(free) and not waits
                reason = self._exhausted() if exhausted else ""
                if waits and not self._running:  # for a trial of others, or for the study to go on
                    self._desk.ledger.wait(PUMP_S)
                    refresh()
                    continue
            if not self._running:
                over = reason or exhausted or leaves
                awaited = self._executor.awaits() if self._lost or not over else ""
                if not awaited:
                    return reason, exhausted
                if time.monotonic() - self._busy > QUIET_S:
                    self._voice.awaits(awaited)
            else:
                self._busy = time.monotonic()
            if self._late() and self._bounds.kills:
                for key in self._running:
                    self._executor.cancel(key)
            self._executor.pump(self._hear, PUMP_S)
            self._desk.glance()  # whether there is a command
            refresh()

    def _room(self, history: History[P]) -> int:
        """How many trials more may begin; below 0: nor may any go on."""
        return -1 if self._ruled(self._elapsed()) else self._bounds.room(history)

    def _awaits(self) -> bool:
        """Whether something must happen elsewhere before the next trial may begin."""
        room = self._room(self._desk.history)
        if room >= 0 and not self._desk.fold.paused and self._desk.shared_rung():
            return True
        if room <= 0:
            return False
        if self._desk.fold.paused:
            self._voice.paused()
            return True
        awaited = self._desk.awaited
        if awaited is None:
            return False
        if not self._running and awaited.owner in ("", this_process()):
            raise StudyError(
                f"this deterministic study waits for trial {awaited.number}, which was asked by "
                "hand; tell its result first"
            )
        return True

    def _ruled(self, elapsed_s: float) -> str:
        """Why the stop rule ends the run; empty: it does not."""
        rule = self._bounds.until
        return "" if rule is None else rule.reason(self._desk.decided, elapsed_s)

    def _begin(self, trial: Trial[P]) -> None:
        key = trial.uid, trial.attempt
        alone = self._is_alone(trial)
        self._executor.submit(self._work, key, trial.ticket, alone=alone)
        self._running[key] = trial
        self._tried += 1

    def _is_alone(self, trial: Trial[P]) -> bool:
        """Whether a trial has its device to itself, since it ran out of memory beside others."""
        record = self._desk.history.find(trial.uid)
        return record is not None and record.alone

    def _begin_again(self) -> None:
        """Go on with those whose worker was lost, as far as there are places; or hand them back."""
        recess = self._recess() or ("interrupted" if self._late() else None)
        while self._lost and (recess or (free := self._executor.free())):
            key, trial = next(iter(self._lost.items()))
            del self._lost[key]
            with suppress(Superseded):  # another process goes on with it
                if recess:
                    self._desk.pause(trial, recess)
                else:
                    self._asked.add((trial.uid, trial.attempt + 1))
                    self._begin(self._desk.retry(trial, free[0]))
            self._asked.discard(key)

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    def _recess(self) -> Recess | None:
        """Why what runs is to be handed back at its next report."""
        fold = self._desk.fold
        if self._notice.given:
            return self._notice.why
        if fold.stops > self._stops_before:
            return "interrupted"
        return "study paused" if fold.paused else None

    def _will_report(self) -> bool:
        """Whether it is worth while to wait for what runs."""
        return not isinstance(self._executor, Serial) or self._running.keys() <= self._reporting

    def _may_leave(self) -> bool:
        """Whether nothing runs from which a report is still to be expected."""
        self._leaves_at = min(self._leaves_at, time.monotonic() + GRACE_S)
        late_s = time.monotonic() - self._leaves_at
        return not self._reporting or late_s >= (SAVING_S if self._saving else 0)

    def _late(self) -> bool:
        """Whether trials that run shall end at their next report."""
        return self._bounds.timeout is not None and self._elapsed() >= self._bounds.timeout

    def _hear(self, key: Key, message: Any) -> Any:
        """Answer what a trial says, and take its end."""
        desk, trial = self._desk, self._running[key]
        match message:
            case Report():
                try:
                    decision, kept = desk.judged(
                        *key,
                        message.step,
                        message.metrics,
                        resumable=message.resumable,
                        key=message.key,
                    )
                except (Superseded, ResultError, NotSupported) as error:
                    return error
                self._reporting.add(key)
                resource = desk.history.problem.resource
                ends = resource is not None and message.step >= resource.max  # by itself
                why: Told | None = None if decision == "continue" else decision
                if why is None and not ends:
                    why = self._recess()
                    if why is None and self._late():
                        why = "interrupted" if message.resumable else "timeout"
                if why is not None:
                    self._told[key] = why
                left = why is not None and why not in ("stop", "timeout")  # to be gone on with
                if why == "timeout":  # it may be all that there will be
                    left = not desk.history.count("complete")
                saves = False
                self._savable.discard(key)
                if message.resumable and message.key is None:
                    self._savable.add(key)
                    saves = kept or left
                if saves:
                    self._saving.add(key)
                return answer(ends=why is not None, saves=saves)
            case Kept():
                self._saving.discard(key)
                try:
                    desk.saved(*key, message.step, message.key)
                except Superseded as error:
                    return error
            case Attachment():
                try:
                    desk.attached(*key, message.name, message.key)
                except Superseded as error:
                    return error
            case Ending():
                return desk.wanted(*key, message.metrics)
            case Note():
                if UNSAVED in message.tags:
                    self._saving.discard(key)
                    self._voice.unsaved(trial.number, message.text)
                try:
                    return desk.note(trial.uid, message.text, message.tags, message.values)
                except (SettingError, ResultError) as error:
                    return error
            case Returned() | Raised() | Died():
                del self._running[key]
                for those in (self._reporting, self._savable, self._saving):
                    those.discard(key)
                told = self._told.pop(key, None)
                desk.used[key] = message.used
                if told and isinstance(message, Returned):  # as `decide` lets callbacks do it
                    message = Raised(Stopped(), "")
                with suppress(Superseded):  # another attempt goes on with this trial
                    self._end(trial, message, told or "stop")
                if key not in self._lost:
                    self._asked.discard(key)
                desk.used.pop(key, None)
                record = desk.history.find(trial.uid)
                if record is not None:
                    self._failed += record.state == "failed"
                    self._proven_here |= record.state != "running" and not is_fault(record)
                    if record.finished:
                        self._voice.ended(record)
        return None

    def _end(
        self,
        trial: Trial[P],
        ended: Returned | Raised | Died,
        told: Told,
    ) -> None:
        desk, recess = self._desk, self._recess()
        match ended:
            case Raised(Stopped()):
                match told:
                    case "stop":
                        desk.stopped(trial, "scheduler")
                    case "timeout":
                        desk.stopped(trial, "timeout")
                    case "pause":
                        desk.pause(trial, "scheduler")
                    case _:
                        desk.pause(trial, told)
            case Raised() if recess is not None and self._notice.given:
                desk.pause(trial, recess)  # the same signal may have ended what it had started
            case Died("cancelled"):
                desk.pause(trial, "interrupted")
            case Raised(Cancelled() | CancelledError()) if self._bounds.kills and self._late():
                desk.pause(trial, "interrupted")  # threads and coroutines cannot be killed
            case Returned(value):
                try:
                    desk.tell(trial, value, {})
                except ResultError as error:
                    self._fail(trial, error, "")
            case Raised(error) if (
                ended.shared and out_of_memory(error) and not self._is_alone(trial)
            ):
                desk.pause(trial, "out of memory")
                self._voice.crowded(trial.number)
            case Raised(error, text):
                match error:
                    case Superseded():
                        pass
                    case Infeasible():
                        desk.fail(trial, error)
                    case _:
                        self._fail(trial, error, text)
            case Died("timed out" | "out of memory" as kind, text):
                desk.fail(trial, Failure(kind, clean(text)))
            case Died(_, text):
                record = desk.history.find(trial.uid)
                lost = 0 if record is None else record.lost
                if recess is not None or self._late() or lost < self._bounds.retries:
                    self._lost[trial.uid, trial.attempt] = trial
                else:
                    desk.fail(trial, Failure("lost", clean(text)))

    def _fail(self, trial: Trial[P], error: BaseException, text: str) -> None:
        """Record a failure, unless it is a bug."""
        desk = self._desk
        here = error.__traceback__ is not None
        failure = failure_of(error)
        if failure.kind == "out of memory" or not self._is_bug(trial):
            desk.fail(trial, failure if here else Failure(failure.kind, clean(text or str(error))))
            return
        desk.pause(trial, "error")
        if not here:
            error.add_note(f"in a worker process:\n{text}")
        raise error.with_traceback(own_traceback(error))

    def _is_bug(self, trial: Trial[P]) -> bool:
        """Whether an exception is the caller's: as long as no trial has succeeded, or the trial is innocent.

        In a deterministic study, as long as none of those before has, or may.
        """
        history = self._desk.history
        record = history.find(trial.uid)
        if not self._proven_here and record is not None and is_innocent(record):
            return True
        if self._proven:
            return False
        if self._desk.fold.created.deterministic is None:
            return not history.count("complete", "stopped")
        return all(record.state == "failed" for record in history[: trial.number])

    def _hand_back(self, why: PauseReason) -> None:
        """Leave no trial behind that this run began, wherever it was interrupted."""
        desk = self._desk
        desk.left |= self._asked  # who presses Ctrl-C once more leaves the rest to the next run
        if desk.left:
            desk.ledger.sync()
        for key in sorted(desk.left):
            record = desk.fold.current(*key)
            if record is not None and record.state == "running" and record.owner == this_process():
                desk.pause(record, why)
            desk.left.discard(key)

    def _reason(self, elapsed_s: float) -> str:
        bounds = self._bounds
        if self._failed > bounds.max_failures:
            raise StudyError(
                f"{self._failed} trials failed in this run, {bounds.max_failures} may; {self._last_failure()}. "
                "Everything is kept; max_failures= allows more"
            )
        if (
            self._failed
            and not self._proven_here
            and (found := suspicion(self._desk.history, self._failed))
        ):
            raise StudyError(
                f"{found}; {self._last_failure()}. Everything is kept, the others go on"
            )
        if self._desk.fold.stops > self._stops_before:
            return "stopped by command"
        if bounds.timeout is not None and elapsed_s >= bounds.timeout:
            return f"the timeout of {bounds.timeout:g} s has passed"
        return self._ruled(elapsed_s)

    def _last_failure(self) -> str:
        last = next(r for r in reversed(self._desk.history) if r.state == "failed")
        text = "" if last.failure is None else last.failure.last
        return f"the last, trial {last.number}, with: {text}"

    def _exhausted(self) -> str:
        history, trials = self._desk.history, self._bounds.trials
        if ruled := self._ruled(self._elapsed()):
            return ruled
        steering = self._desk.ledger.steering
        if steering is not None:
            name, n = type(steering.scheduler).__name__, plural(history.taken, "trial")
            if history and all(record.scheduled for record in history):
                return f"none of {n} came to its end: {name} has paused them and lets none go on"
            if self._at_end() and steering.room() == 0:
                return f"{n}, and {name} takes no more into this study"
        if self._at_end():
            return f"{plural(history.taken, 'configuration')}, and there are no more"
        done = f"{min(history.taken, trials or 0)} of {plural(trials or 0, 'trial')}"
        return (
            done if history.taken == trials else f"{done} and {history.taken - (trials or 0)} more"
        )

    def _at_end(self) -> bool:
        """Whether the sampler has nothing left, rather than the budget."""
        trials = self._bounds.trials
        return trials is None or self._desk.history.taken < trials
