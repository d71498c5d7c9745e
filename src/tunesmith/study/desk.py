"""Where trials are handed out and taken back: every word on a trial becomes an event here."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, final

from tunesmith._core.checks import is_whole
from tunesmith._core.codec import to_logged
from tunesmith._core.errors import ResultError, StudyError, Superseded
from tunesmith.records import Failure, History, Record
from tunesmith.records.events import EndReason, Finished, Noted, Paused, PauseReason, Reported
from tunesmith.samplers import Sampler
from tunesmith.study.asking import Asker, Room
from tunesmith.study.ledger import Ledger
from tunesmith.study.owner import this_process
from tunesmith.study.results import check_objectives, diverged, failure_of, metrics_of
from tunesmith.study.trial import Trial

P = TypeVar("P")

READ_S = 1.0  # a reporting trial looks this often whether it was stopped or superseded


@final
class Desk(Generic[P]):
    """Hands out the trials of a study and takes their results.

    Args:
        ledger: The study's log.
        sampler: Who proposes.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(self, ledger: Ledger[P], sampler: Sampler[Any]) -> None:
        self.ledger = ledger
        self._asker = Asker(ledger, sampler, ledger.fold.configured)
        self._read = time.monotonic()

    @property
    def history(self) -> History[P]:
        """The trials as far as this process has read."""
        return self.ledger.fold.history

    def ask(self, n: int, room: Room, *, lease: bool) -> list[Trial[P]]:
        """Return at most `n` trials to run; see `Asker.ask`."""
        return [Trial(record, self) for record in self._asker.ask(n, room, lease=lease)]

    def report(
        self,
        uid: str,
        attempt: int,
        step: int,
        values: Any,
        more: Mapping[str, Any],
        *,
        resumable: bool,
    ) -> bool:
        """Keep a report; return whether the trial must end."""
        ledger = self.ledger
        problem = self.history.problem
        metrics = metrics_of(values, more, problem)
        if not metrics:
            raise ResultError(f"report({step}) says nothing; add metrics, such as loss=0.3")
        event = Reported(
            time=ledger.clock(),
            uid=uid,
            attempt=attempt,
            step=step,
            values=to_logged(metrics),
            resumable=resumable,
        )
        ledger.append(event, read=False)
        now = time.monotonic()
        if now - self._read > READ_S:
            self._read = now
            ledger.sync()
        record = ledger.fold.current(uid, attempt)
        if record is None or record.state != "running":
            raise self._superseded(uid, attempt)
        return diverged(metrics, problem) is not None or uid in ledger.fold.stopping

    def note(self, uid: str, text: str, tags: Sequence[str], values: Mapping[str, Any]) -> None:
        """Keep a remark on a trial, or on the study (`uid` empty)."""
        numbers = {} if not values else metrics_of(values, {}, self.history.problem)
        ledger = self.ledger
        ledger.append(
            Noted(
                time=ledger.clock(),
                id=secrets.token_hex(8),
                target=uid,
                text=text,
                tags=[str(tag) for tag in ([tags] if isinstance(tags, str) else tags)],
                values=to_logged(numbers),
            )
        )

    def tell(self, trial: Trial[P] | int, result: Any, more: Mapping[str, Any]) -> Record[P]:
        """End a trial with its result; an objective that is not finite makes it a failure.

        Raises:
            ResultError: The result cannot be used; the trial stays open.
            StudyError: The trial is not open, or not ours to end.
            Superseded: Another attempt has taken over.
        """
        problem = self.history.problem
        record = self._open(trial)
        metrics = metrics_of(result, more, problem)
        check_objectives({**self.ledger.fold.reported(record), **metrics}, problem)
        return self._finish(record, metrics)

    def stopped(self, trial: Trial[P]) -> Record[P]:
        """End a trial that `report` stopped."""
        record = self._open(trial)
        commanded = record.uid in self.ledger.fold.stopping
        return self._finish(record, {}, why="command" if commanded else "scheduler")

    def fail(self, trial: Trial[P] | int, error: BaseException | str) -> Record[P]:
        """End a trial as failed.

        Raises:
            StudyError: The trial is not open, or not ours to end.
            Superseded: Another attempt has taken over.
        """
        return self._finish(self._open(trial), {}, failure=failure_of(error))

    def pause(self, trial: Trial[P] | Record[P], why: PauseReason) -> None:
        """Hand a trial back: whoever asks next goes on with it."""
        ledger = self.ledger
        event = Paused(
            time=ledger.clock(), uid=trial.uid, attempt=trial.attempt, why=why,
            step=0 if (record := self.history.find(trial.uid)) is None else record.step,
        )  # fmt: skip
        ledger.append(event)

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
        failure = failure or diverged(final, self.history.problem)
        ended = Finished(
            time=ledger.clock(),
            uid=record.uid,
            attempt=record.attempt,
            step=record.step,
            state="failed" if failure else "complete" if why == "returned" else "stopped",
            why="returned" if failure else why,
            values=to_logged(metrics),
            failure=failure,
        )
        (entry,) = ledger.append(ended)
        if entry is None:
            raise self._superseded(record.uid, record.attempt)
        return entry

    def _open(self, trial: Trial[P] | int) -> Record[P]:
        """Return the record of a trial that may be ended here."""
        history = self.history
        if isinstance(trial, Trial):
            record = self.ledger.fold.current(trial.uid, trial.attempt)
            if record is None:
                raise self._superseded(trial.uid, trial.attempt)
            return record
        if not is_whole(trial):
            raise StudyError(f"tell takes a trial or its number, got {trial!r}")
        self.ledger.sync()
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
        if record.finished and record.attempt == attempt:
            return StudyError(f"trial {record.number} has finished already ({record.state})")
        return Superseded(
            f"trial {record.number} is in attempt {record.attempt} now; attempt {attempt} has "
            "been superseded and changes nothing"
        )
