"""Where trials are handed out and taken back: every word on a trial becomes an event here."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Generic, Literal, TypeVar, cast, final

from tunesmith._core import checks
from tunesmith._core.codec import to_logged
from tunesmith._core.errors import Conflict, StudyError, Superseded
from tunesmith._core.types import P
from tunesmith.executors import Key
from tunesmith.records import Failure, Fold, History, Record
from tunesmith.records.events import (
    Commanded,
    EndReason,
    Enqueued,
    Finished,
    Noted,
    Paused,
    PauseReason,
    Reported,
)
from tunesmith.samplers import Sampler
from tunesmith.space import Params
from tunesmith.study.asking import Asker, Room, next_attempt
from tunesmith.study.bounds import RETRIES
from tunesmith.study.ledger import Ledger
from tunesmith.study.owner import this_process
from tunesmith.study.results import check_objectives, diverged, failure_of, metrics_of
from tunesmith.study.trial import Ticket, Trial

M = TypeVar("M", bound=Callable[..., Any])

READ_S = 1.0  # a reporting trial looks this often whether it was stopped or superseded


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
        sampler: Who proposes; None: trials cannot be asked for.
        configured: Position of the event that names the sampler.

    Attributes:
        lock: Held by whoever uses it.
        left: Trials, by uid and attempt, that a run of this process has left and not handed back.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(self, ledger: Ledger[P], sampler: Sampler[Any] | None, configured: int) -> None:
        self._sampler = sampler
        self._configured = configured
        self.lock = threading.RLock()
        self.left: set[Key] = set()
        self._diverged: dict[tuple[str, int], Failure] = {}  # by uid and attempt, as reported here
        self._read = time.monotonic()
        self.move(ledger)

    def move(self, ledger: Ledger[P]) -> None:
        """Go on with another copy of the log; trials that are open stay so."""
        self.ledger = ledger
        self._asker = (
            None if self._sampler is None else Asker(ledger, self._sampler, self._configured)
        )

    @_alone
    def read(self) -> Fold[P]:
        """Return the fold of the whole log as it is now."""
        self.ledger.sync()
        return self.ledger.fold

    @_alone
    def glance(self) -> None:
        """Read on, unless that was done of late."""
        now = time.monotonic()
        if now - self._read > READ_S:
            self._read = now
            self.ledger.sync()

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

    @_alone
    def ask(
        self,
        n: int,
        room: Room,
        *,
        lease: bool,
        retries: int = RETRIES,
        begun: set[Key] | None = None,
    ) -> list[Trial[P]]:
        """Return at most `n` trials to run; see `Asker.ask`.

        Raises:
            StudyError: The study's sampler is not at hand.
        """
        if self._asker is None:
            raise StudyError(
                f"the study {self.ledger.name!r} was run with the sampler "
                f"{self.ledger.fold.sampler.name}, which is not registered here; open it with "
                "sampler=..."
            )
        records = self._asker.ask(
            n, room, lease=lease, retries=retries, begun=set() if begun is None else begun
        )
        return [Trial(Ticket.of(record), self) for record in records]

    @_alone
    def report(
        self,
        uid: str,
        attempt: int,
        step: int,
        metrics: dict[str, float],
        *,
        resumable: bool,
    ) -> bool:
        """Keep a report; return whether the trial must end."""
        ledger = self.ledger
        event = Reported(
            time=ledger.clock(),
            uid=uid,
            attempt=attempt,
            step=step,
            values=to_logged(metrics),
            resumable=resumable,
        )
        ledger.append(event, read=False)
        self.glance()
        record = ledger.fold.current(uid, attempt)
        if record is None or record.state != "running":
            raise self._superseded(uid, attempt)
        failure = diverged(metrics, self.history.problem)
        if failure is not None:
            self._diverged[uid, attempt] = failure
        return failure is not None or uid in ledger.fold.stopping

    @_alone
    def note(self, uid: str, text: str, tags: Sequence[str], values: Mapping[str, Any]) -> None:
        """Keep a remark on a trial, or on the study (`uid` empty)."""
        text = checks.text("the text of a note", text)
        tags = checks.texts("tags=", tags, '["odd"]')
        numbers = {} if not values else metrics_of(values, {}, self._names())
        ledger = self.ledger
        ledger.append(
            Noted(
                time=ledger.clock(),
                id=secrets.token_hex(8),
                target=uid,
                text=text,
                tags=tags,
                values=to_logged(numbers),
            )
        )

    @_alone
    def enqueue(self, params: Params, note: str, parent: str) -> None:
        """Put params, perhaps partial ones, into the queue.

        Raises:
            StudyError: The study is deterministic, and running.
        """
        ledger = self.ledger
        ordered = ledger.fold.created.deterministic is not None
        identity = secrets.token_hex(8)
        event = Enqueued(time=ledger.clock(), id=identity, params=params, note=note, parent=parent)
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
    def command(self, command: Literal["stop", "pause", "go on"], target: str = "") -> None:
        """Tell whoever runs the study, or the trial `target`, what to do."""
        ledger = self.ledger
        identity = secrets.token_hex(8)
        ledger.append(Commanded(time=ledger.clock(), id=identity, command=command, target=target))

    @_alone
    def tell(self, trial: Trial[P] | int, result: Any, more: Mapping[str, Any]) -> Record[P]:
        """End a trial with its result; an objective that is not finite makes it a failure.

        Raises:
            ResultError: The result cannot be used; the trial stays open.
            StudyError: The trial is not open, or not ours to end.
            Superseded: Another attempt has taken over.
        """
        problem = self.history.problem
        record = self._open(trial)
        metrics = metrics_of(result, more, self._names())
        if (record.uid, record.attempt) not in self._diverged:
            check_objectives({**self.ledger.fold.reported(record), **metrics}, problem)
        return self._finish(record, metrics)

    @_alone
    def stopped(self, trial: Trial[P], why: EndReason = "scheduler") -> Record[P]:
        """End a trial that `report` stopped."""
        record = self._open(trial)
        commanded = record.uid in self.ledger.fold.stopping
        return self._finish(record, {}, why="command" if commanded else why)

    @_alone
    def retry(self, trial: Trial[P]) -> Trial[P]:
        """Begin the next attempt of a trial whose worker is gone, and return it.

        Raises:
            Superseded: Somebody else has.
        """
        ledger = self.ledger
        record = self._open(trial)
        resumed = next_attempt(
            record, ledger.clock(), this_process(), ledger.fold.length, self._configured
        )
        (entry,) = ledger.append(resumed)
        if entry is None:
            raise self._superseded(record.uid, record.attempt)
        return Trial(Ticket.of(entry), self)

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
        """Hand a trial back: whoever asks next goes on with it."""
        ledger = self.ledger
        event = Paused(
            time=ledger.clock(), uid=trial.uid, attempt=trial.attempt, why=why,
            step=0 if (record := self.history.find(trial.uid)) is None else record.step,
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
            values=to_logged(metrics),
            failure=failure,
        )
        (entry,) = ledger.append(ended)
        if entry is None:
            raise self._superseded(record.uid, record.attempt)
        return entry

    def _open(self, trial: Trial[P] | int) -> Record[P]:
        """Return the record of a trial that may be ended here."""
        if isinstance(trial, Trial):
            self.ledger.catch_up()
            record = self.ledger.fold.current(trial.uid, trial.attempt)
            if record is None:
                raise self._superseded(trial.uid, trial.attempt)
            return record
        if not checks.is_whole(trial):
            raise StudyError(f"tell takes a trial or its number, got {trial!r}")
        self.ledger.sync()
        history = self.history
        if not 0 <= trial < len(history):
            raise StudyError(f"there is no trial {trial}; the study has {len(history)}")
        record = history[trial]
        if record.finished:
            raise self._superseded(record.uid, record.attempt)
        if record.owner not in ("", this_process()) and self.ledger.lives(record.owner):
            raise StudyError(
                f"trial {trial} is being run by another process ({record.owner}); that one tells "
                "its result"
            )
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
