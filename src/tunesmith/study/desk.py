"""Where trials are handed out and taken back: every word on a trial becomes an event here."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, Generic, Literal, TypeVar, cast, final

from msgspec.structs import replace

from tunesmith._core import checks
from tunesmith._core.codec import to_logged
from tunesmith._core.errors import Conflict, StudyError, Superseded
from tunesmith._core.types import P
from tunesmith.executors import Key, Place
from tunesmith.records import Failure, Fold, History, Record
from tunesmith.records.events import (
    Attached,
    Commanded,
    EndReason,
    Enqueued,
    Finished,
    Noted,
    Paused,
    PauseReason,
    Reported,
    Saved,
)
from tunesmith.schedulers import Decision
from tunesmith.space import Params
from tunesmith.study.asking import Asker, Room, next_attempt
from tunesmith.study.bounds import RETRIES
from tunesmith.study.keeping import Keeping, remove
from tunesmith.study.ledger import Ledger
from tunesmith.study.owner import this_process
from tunesmith.study.parts import Parts
from tunesmith.study.results import check_objectives, diverged, failure_of, metrics_of
from tunesmith.study.saving import Answer
from tunesmith.study.trial import Ticket, Trial

M = TypeVar("M", bound=Callable[..., Any])

READ_S = 1.0  # a reporting trial looks this often whether it was stopped or superseded,
SHARE = 0.01  # unless that would take more of the time


def answer(*, ends: bool, saves: bool) -> Answer:
    """Return what is answered to a report."""
    if saves:
        return "save and end" if ends else "save"
    return "end" if ends else "continue"


def _alone(method: M) -> M:
    """Let one thread at a time into a method: the fold and the sampler are shared."""

    @wraps(method)
    def call(self: "Desk[Any]", *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return cast("M", call)


@final
class Desk(Generic[P]):
    """Hands out the trials of a study and takes their results.

    Args:
        ledger: The study's log.
        parts: Who decides; if something is missing, trials cannot be asked for.

    Attributes:
        lock: Held by whoever uses it.
        left: Trials, by uid and attempt, that a run of this process has left and not handed back.
        used: What attempts used that are about to be ended or handed back.

    Raises:
        NotSupported: The sampler or the scheduler cannot do what the problem asks.
    """

    def __init__(self, ledger: Ledger[P], parts: Parts) -> None:
        self._parts = parts
        self.lock = threading.RLock()
        self.left: set[Key] = set()
        self.used: dict[Key, Mapping[str, float]] = {}
        self._diverged: dict[tuple[str, int], Failure] = {}  # by uid and attempt, as reported here
        self._read = time.monotonic() + READ_S  # when it looks again
        self.move(ledger)

    def move(self, ledger: Ledger[P]) -> None:
        """Go on with another copy of the log; trials that are open stay so."""
        self.ledger = ledger
        self._keeping = Keeping(ledger)
        self._asker: Asker[P] | None = None
        parts = self._parts
        if parts.sampler is not None and not parts.missing:
            ledger.steer(parts.scheduler)
            self._asker = Asker(ledger, parts.sampler, parts.replication, parts.configured)

    @_alone
    def read(self) -> Fold[P]:
        """Return the fold of the whole log as it is now."""
        self.ledger.sync()
        return self.ledger.fold

    @_alone
    def glance(self) -> None:
        """Read on, unless that was done of late."""
        now = time.monotonic()
        if now >= self._read:
            self.ledger.sync()
            took_s = time.monotonic() - now
            self._read = now + max(READ_S, took_s / SHARE)

    @property
    def fold(self) -> Fold[P]:
        """The log as far as this process has read."""
        return self.ledger.fold

    @property
    def history(self) -> History[P]:
        """The trials as far as this process has read."""
        return self.ledger.fold.history

    @property
    def decided(self) -> History[P]:
        """The trials as far as decisions may use them; see `Asker.decided`."""
        return self.history if self._asker is None else self._asker.decided

    @property
    def awaited(self) -> Record[P] | None:
        """The trial that must finish before the next may start; see `Asker.awaited`."""
        return None if self._asker is None else self._asker.awaited

    def shared_rung(self) -> bool:
        """Whether what others run may let a trial go on that the scheduler has paused."""
        unfinished = self.history.unfinished
        return any(record.scheduled for record in unfinished) and any(
            record.state == "running" and record.owner not in ("", this_process())
            for record in unfinished
        )

    @_alone
    def ask(
        self,
        places: Sequence[Place],
        room: Room,
        *,
        lease: bool,
        retries: int = RETRIES,
        begun: set[Key] | None = None,
    ) -> list[Trial[P]]:
        """Return trials to run, at most one for each place; see `Asker.ask`.

        Raises:
            StudyError: The study's sampler or scheduler is not at hand.
        """
        if self._asker is None:
            raise StudyError(
                f"the study {self.ledger.name!r} was run with {self._parts.missing}, which is not "
                f"registered here; open it with {self._parts.missing.split()[1]}=..."
            )
        records = self._asker.ask(
            places, room, lease=lease, retries=retries, begun=set() if begun is None else begun
        )
        self._drop()
        return [Trial(Ticket.of(record, self.ledger.files), self) for record in records]

    def _drop(self) -> None:
        """End the paused trials that the scheduler will never revive."""
        steering = self.ledger.steering
        for uid in () if steering is None else sorted(steering.drops()):
            record = self.history.find(uid)
            if record is not None and record.scheduled:
                with suppress(StudyError):  # another process was quicker
                    self._finish(record, {}, why="scheduler")

    @_alone
    def report(
        self,
        uid: str,
        attempt: int,
        step: int,
        metrics: dict[str, float],
        *,
        resumable: bool,
        key: str | None,
    ) -> Answer:
        """Keep a report; return what the trial shall do.

        Args:
            uid: The trial.
            attempt: Of it.
            step: How far it is.
            metrics: What it has there.
            resumable: Whether it can save itself now.
            key: Of the checkpoint it has saved at this step; empty: it needs none; None: it has not.
        """
        decision, kept = self.judged(uid, attempt, step, metrics, resumable=resumable, key=key)
        saves = resumable and key is None and (kept or decision == "pause")
        return answer(ends=decision != "continue", saves=saves)

    @_alone
    def saved(self, uid: str, attempt: int, step: int, key: str) -> None:
        """Take notice of a checkpoint, which lies in the study's blobs already."""
        ledger = self.ledger
        event = Saved(time=ledger.clock(), uid=uid, attempt=attempt, step=step, key=key)
        ledger.append(event)
        record = ledger.fold.current(uid, attempt)
        if record is None or record.state != "running":
            remove(ledger.files, key)
            raise self._superseded(uid, attempt)
        self._keeping.tidy(record)

    @_alone
    def attached(self, uid: str, attempt: int, name: str, key: str) -> None:
        """Take notice of what was attached, which lies in the study's blobs already.

        The latest of a name counts; the one before is removed.
        """
        ledger = self.ledger
        ledger.catch_up()
        attached = self.history.problem.attached
        before = attached.get(uid, {}).get(name)
        event = Attached(time=ledger.clock(), uid=uid, attempt=attempt, name=name, key=key)
        ledger.append(event)
        if attached.get(uid, {}).get(name) != key:
            remove(ledger.files, key)
            raise self._superseded(uid, attempt)
        if before is not None:
            remove(ledger.files, before)

    @_alone
    def attachable(self, number: int) -> Record[P]:
        """Return the record of a trial that does not run.

        Raises:
            StudyError: There is no such trial, or it runs.
        """
        record = self._numbered(number, "attach")
        if record.state == "running":
            raise StudyError(
                f"trial {record.number} is running, and what runs it attaches by trial.attach(path); or wait for its end"
            )
        return record

    @_alone
    def wanted(self, uid: str, attempt: int, metrics: dict[str, float]) -> bool:
        """Return whether a trial that ends with these metrics shall be saved."""
        self.ledger.catch_up()
        record = self.ledger.fold.current(uid, attempt)
        if record is None or (uid, attempt) in self._diverged:
            return False
        final = {**self.ledger.fold.reported(record), **metrics}
        return self._keeping.wants(replace(record, values=final))

    @_alone
    def judged(
        self,
        uid: str,
        attempt: int,
        step: int,
        metrics: dict[str, float],
        *,
        resumable: bool,
        key: str | None,
    ) -> tuple[Decision, bool]:
        """Keep a report, as `report` does.

        Returns:
            What becomes of the trial, and whether the scheduler may fork from it at this step.
        """
        ledger = self.ledger
        if ledger.steering is not None:
            ledger.catch_up()
        due = ledger.steering is not None and ledger.steering.is_due(uid, step)
        reported = Reported(
            time=ledger.clock(),
            uid=uid,
            attempt=attempt,
            step=step,
            values=to_logged(metrics),
            resumable=resumable,
        )
        events: list[Reported | Saved] = [reported]
        if key is not None:
            saved = Saved(time=reported.time, uid=uid, attempt=attempt, step=step, key=key)
            events.append(saved)
        ledger.append(*events, read=False)
        if due or key:
            ledger.catch_up()
        else:
            self.glance()
        record = ledger.fold.current(uid, attempt)
        if record is None or record.state != "running":
            raise self._superseded(uid, attempt)
        if key:
            self._keeping.tidy(record)
        failure = diverged(metrics, self.history.problem)
        if failure is not None:
            self._diverged[uid, attempt] = failure
        if failure is not None or uid in ledger.fold.stopping:
            return "stop", False
        steering = ledger.steering
        kept = due and steering is not None and (uid, step) in steering.keeps()
        return self._decision(uid), kept

    def _decision(self, uid: str) -> Decision:
        """What the scheduler has decided of a running trial."""
        steering = self.ledger.steering
        return "continue" if steering is None else steering.decision(uid)

    @_alone
    def note(
        self,
        uid: str,
        text: str,
        tags: Sequence[str],
        values: Mapping[str, Any],
        who: str = "",
    ) -> None:
        """Keep a remark on a trial, or on the study (`uid` empty)."""
        text = checks.text("the text of a note", text)
        tags = checks.texts("tags=", tags, '["odd"]')
        numbers = {} if not values else metrics_of(values, {}, self._names())
        ledger = self.ledger
        ledger.append(
            Noted(
                time=ledger.clock(),
                id=secrets.token_hex(8),
                who=who,
                target=uid,
                text=text,
                tags=tags,
                values=to_logged(numbers),
            )
        )

    @_alone
    def enqueue(self, params: Params, note: str, parent: str, by: str = "user") -> None:
        """Put params, perhaps partial ones, into the queue.

        Raises:
            StudyError: The study is deterministic, and running.
        """
        ledger = self.ledger
        ordered = ledger.fold.created.deterministic is not None
        identity = secrets.token_hex(8)
        event = Enqueued(
            time=ledger.clock(), id=identity, params=params, by=by, note=note, parent=parent
        )
        while True:
            if ordered and self.read().history.count("running"):
                raise StudyError(
                    "a deterministic study is running, and what is enqueued now would come sooner "
                    "or later by chance; enqueue before the run, or after it"
                )
            try:
                ledger.append(event, expect=ordered)
            except Conflict:
                continue
            return

    @_alone
    def command(
        self, command: Literal["stop", "pause", "go on"], target: str = "", who: str = ""
    ) -> None:
        """Tell whoever runs the study, or the trial `target`, what to do."""
        ledger = self.ledger
        identity = secrets.token_hex(8)
        ledger.append(
            Commanded(time=ledger.clock(), id=identity, command=command, target=target, who=who)
        )

    @_alone
    def tell(self, trial: Trial[P] | int, result: Any, more: Mapping[str, Any]) -> Record[P]:
        """End a trial with its result; an objective that is not finite makes it a failure.

        One that was stopped or paused by the scheduler ends as such, whatever it returned.

        Raises:
            ResultError: The result cannot be used; the trial stays open.
            StudyError: The trial is not open, or not ours to end.
            Superseded: Another attempt has taken over.
        """
        problem = self.history.problem
        record = self._open(trial)
        metrics = metrics_of(result, more, self._names())
        decision = self._decision(record.uid)
        if decision == "pause":
            self.pause(record, "scheduler")
            return self.history[record.number]
        if decision == "stop":
            return self._finish(record, {}, why="scheduler")
        metrics = {**self._inherited(record), **metrics}
        if (record.uid, record.attempt) not in self._diverged:
            check_objectives({**self.ledger.fold.reported(record), **metrics}, problem)
        if isinstance(trial, Trial):
            trial.ended(metrics)
        return self._finish(record, metrics)

    def _inherited(self, record: Record[P]) -> dict[str, float]:
        """What counts of a fork that had nothing left to do: what its parent had at its step."""
        parent = self.history.find(record.parent)
        if record.reports or not record.fork_step or parent is None or parent.curve is None:
            return {}
        curve = parent.curve.until(record.fork_step)
        return self.ledger.fold.reported(replace(parent, curve=curve, reports=len(curve)))

    @_alone
    def stopped(self, trial: Trial[P], why: EndReason = "scheduler") -> Record[P]:
        """End a trial that `report` stopped."""
        record = self._open(trial)
        if (record.uid, record.attempt) in self._diverged:
            why = "raised"  # no scheduler has decided that
        elif record.uid in self.ledger.fold.stopping:
            why = "command"
        return self._finish(record, {}, why=why)

    @_alone
    def retry(self, trial: Trial[P], place: Place) -> Trial[P]:
        """Begin the next attempt of a trial whose worker is gone, in another place, and return it.

        Raises:
            Superseded: Somebody else has.
        """
        ledger = self.ledger
        record = self._open(trial)
        resumed = next_attempt(
            record, ledger.clock(), this_process(), ledger.fold.length, self._parts.configured
        )
        resumed = replace(resumed, worker=place.worker, device=place.device)
        (entry,) = ledger.append(resumed)
        if entry is None:
            raise self._superseded(record.uid, record.attempt)
        return Trial(Ticket.of(entry, ledger.files), self)

    @_alone
    def fail(self, trial: Trial[P] | int, error: BaseException | str | Failure) -> Record[P]:
        """End a trial as failed.

        Raises:
            StudyError: The trial is not open, or not ours to end.
            Superseded: Another attempt has taken over.
        """
        failure = error if isinstance(error, Failure) else failure_of(error)
        return self._finish(self._open(trial), {}, why="raised", failure=failure)

    @_alone
    def pause(self, trial: Trial[P] | Record[P], why: PauseReason) -> None:
        """Hand a trial back: whoever asks next goes on with it, or the scheduler says when."""
        ledger = self.ledger
        event = Paused(
            time=ledger.clock(), uid=trial.uid, attempt=trial.attempt, why=why,
            configured=self._parts.configured if why == "scheduler" else 0,
            step=0 if (record := self.history.find(trial.uid)) is None else record.step,
            cost=dict(self.used.pop((trial.uid, trial.attempt), {})),
        )  # fmt: skip
        ledger.append(event)

    def _names(self) -> tuple[str, ...]:
        return tuple(objective.name for objective in self.history.problem.objectives)

    def _finish(
        self,
        record: Record[P],
        metrics: dict[str, float],
        *,
        why: EndReason = "returned",
        failure: Failure | None = None,
    ) -> Record[P]:
        ledger = self.ledger
        final = {**ledger.fold.reported(record), **metrics}
        known = self._diverged.pop((record.uid, record.attempt), None)
        failure = failure or known or diverged(final, self.history.problem)
        ended = Finished(
            time=ledger.clock(),
            uid=record.uid,
            attempt=record.attempt,
            step=record.step,
            state="failed" if failure else "complete" if why == "returned" else "stopped",
            why=why,
            configured=self._parts.configured if why == "scheduler" else 0,
            values=to_logged(metrics),
            cost=dict(self.used.pop((record.uid, record.attempt), {})),
            failure=failure,
        )
        (entry,) = ledger.append(ended)
        if entry is None:
            raise self._superseded(record.uid, record.attempt)
        self._keeping.tidy(entry)
        return entry

    def _open(self, trial: Trial[P] | int) -> Record[P]:
        """Return the record of a trial that may be ended here."""
        if isinstance(trial, Trial):
            self.ledger.catch_up()
            record = self.ledger.fold.current(trial.uid, trial.attempt)
            if record is None:
                raise self._superseded(trial.uid, trial.attempt)
            return record
        record = self._numbered(trial, "tell")
        if record.finished:
            raise self._superseded(record.uid, record.attempt)
        if record.owner not in ("", this_process()) and self.ledger.lives(record.owner):
            raise StudyError(
                f"trial {trial} is being run by another process ({record.owner}); that one tells "
                "its result"
            )
        return record

    def _numbered(self, number: Any, verb: str) -> Record[P]:
        """Return the record of a number that somebody has given."""
        if not checks.is_whole(number):
            raise StudyError(f"{verb} takes a trial's number, got {number!r}")
        history = self.read().history
        if not 0 <= number < len(history):
            raise StudyError(f"there is no trial {number}; the study has {len(history)}")
        record: Record[P] = history[number]
        return record

    def _superseded(self, uid: str, attempt: int) -> StudyError:
        self.ledger.sync()
        record = self.history.find(uid)
        if record is None:
            return StudyError(f"trial {uid} is none of this study")
        if record.finished and record.attempt == attempt and record.why != "lost":
            return StudyError(f"trial {record.number} has finished already ({record.state})")
        if record.state == "paused":
            return Superseded(
                f"trial {record.number} was handed back ({record.why}) and waits for its next "
                "attempt; this one changes nothing any more"
            )
        if record.finished and record.attempt == attempt:
            return Superseded(
                f"trial {record.number} was given up as lost; this attempt changes nothing any more"
            )
        return Superseded(
            f"trial {record.number} is in attempt {record.attempt} now; attempt {attempt} has "
            "been superseded and changes nothing"
        )
