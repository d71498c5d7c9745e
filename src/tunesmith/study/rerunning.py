"""Running one trial once more as it was run, to see whether the same comes out.

A trial is run from its beginning without interruption, to the step where it ended. A fork is trained
again from the trial that began anew, under the schedule that it had, as far as each can save itself.
What comes of it is folded apart; the study's log is left as it is.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import Any, Generic, final

from msgspec.structs import replace

from tunesmith._core.codec import to_logged
from tunesmith._core.errors import ResultError, Stopped, StudyError
from tunesmith._core.types import P
from tunesmith._core.words import plural
from tunesmith.executors import Died, Executor, Key, Raised, Returned, Work
from tunesmith.records import Change, Failure, Fold, Record, changes
from tunesmith.records.events import Finished, Reported, Started
from tunesmith.storage import Blobs, Folder
from tunesmith.study.errand import Ending, Kept, Report
from tunesmith.study.ledger import Ledger
from tunesmith.study.origin import origin
from tunesmith.study.results import check_objectives, diverged, failure_of
from tunesmith.study.saving import Answer
from tunesmith.study.trial import Ticket

TOLERANCE = 1e-6
_PUMP_S = 0.5
_SHOWN = 10  # rows of the table of what differs


@final
@dataclass(frozen=True, slots=True)
class Compared:
    """A value as it was and as it is now.

    Attributes:
        metric: Its name.
        step: Where it was reported; None: what counts for the trial.
        before: What the log has; NaN: nothing.
        now: What came out now; NaN: nothing.
    """

    metric: str
    step: int | None
    before: float
    now: float

    @property
    def difference(self) -> float:
        """How far apart they are, relative to the larger one; 0 if they are the same."""
        before, now = self.before, self.now
        if before == now or (math.isnan(before) and math.isnan(now)):
            return 0.0
        if not (math.isfinite(before) and math.isfinite(now)):
            return math.inf
        return abs(before - now) / max(abs(before), abs(now))


@final
@dataclass(frozen=True, slots=True)
class Rerun(Generic[P]):
    """What came out when a trial was run once more; true if that is the same, within the tolerance.

    Attributes:
        before: The trial as the log has it.
        now: As it is now; its place among the study's trials is that of the other one.
        compared: Every value of both.
        changes: What of the provenance is otherwise now.
        tolerance: Relative difference that counts as the same.
    """

    before: Record[P]
    now: Record[P]
    compared: tuple[Compared, ...]
    changes: tuple[Change, ...]
    tolerance: float = TOLERANCE

    @property
    def difference(self) -> float:
        """The largest relative difference in what counts: objectives and limits."""
        if (self.before.failure is None) != (self.now.failure is None):
            return math.inf
        return max((one.difference for one in self.compared if self._counts(one)), default=0.0)

    def __bool__(self) -> bool:
        return self.difference <= self.tolerance

    def _counts(self, one: Compared) -> bool:
        problem = self.before.problem
        names = [objective.name for objective in problem.objectives]
        return one.metric in {*names, *(limit.name for limit in problem.limits)}

    @property
    def verdict(self) -> str:
        """The finding in a sentence."""
        n = plural(sum(self._counts(one) for one in self.compared), "value")
        before, now = self.before.failure, self.now.failure
        if before is None and now is not None:
            return f"differs: it failed ({now.kind}), {now.last}"
        if before is not None and now is None:
            return f"differs: it failed then ({before.kind}), and does not now"
        if self.difference == 0:
            return f"matches exactly, in {n}" if before is None else "fails as it did"
        if self:
            return f"matches within {self.difference:.1e}, in {n}"
        return f"differs by up to {self.difference:.2g} of the value, in {n}"

    def __str__(self) -> str:
        lines = [f"trial {self.before.number} {self.verdict}"]
        rows = [one for one in self.compared if one.difference > 0 and self._counts(one)]
        for one in rows[:_SHOWN]:
            at = "" if one.step is None else f" at step {one.step}"
            lines.append(f"  {one.metric}{at}: {one.before!r} then, {one.now!r} now")
        if len(rows) > _SHOWN:
            lines.append(f"  and {len(rows) - _SHOWN} more")
        others = [c.metric for c in self.compared if c.difference > 0 and not self._counts(c)]
        if others:
            lines.append(f"  other metrics that differ: {', '.join(dict.fromkeys(others))}")
        told = [str(change) for change in self.changes if change.kind != "command"]
        lines.append(f"  since then: {'; '.join(told) or 'nothing changed that is known'}")
        return "\n".join(lines)


def rerun(
    ledger: Ledger[P],
    number: int,
    objective: Callable[..., Any],
    work: Work,
    executor: Callable[[], Executor],
    tolerance: float,
) -> Rerun[P]:
    """Run a trial once more; see `Study.rerun`.

    Args:
        ledger: The study's log, which is read and not written.
        number: The trial.
        objective: For its provenance.
        work: The same, as an executor runs it.
        executor: Makes what runs it.
        tolerance: Relative difference that counts as the same.

    Raises:
        StudyError: There is nothing to compare with, or what it was forked from cannot be trained again.
    """
    history = ledger.fold.history
    record = history[number]
    if not record.finished and not record.reports:
        raise StudyError(f"trial {number} is {record.state} and has no value to compare with yet")
    if record.failure is not None and record.failure.kind in ("lost", "timed out", "out of memory"):
        raise StudyError(
            f"trial {number} failed because its process did ({record.failure.kind}), which another run "
            "neither confirms nor refutes; enqueue its params to try them again"
        )
    line = history.lineage(record)
    if line[0].source == "fork":
        raise StudyError(f"trial {number} was forked from one that is not in the log")
    with TemporaryDirectory() as folder:
        play = _Replay(Fold(ledger.fold.created, history.problem.space), Folder(folder))
        for one, fork in pairwise(line):
            play.run(one, work, executor(), until=fork.fork_step, forked=True)
        ended = record.why in ("returned", "raised")
        now = play.run(record, work, executor(), until=None if ended else record.step)
        now = replace(now, number=record.number)
    return Rerun(
        record,
        now,
        tuple(_compared(record, now)),
        tuple(changes(record.provenance, origin(objective, ledger.data))),
        tolerance,
    )


def _compared(before: Record[Any], now: Record[Any]) -> list[Compared]:
    found = []
    curves = [record.curve for record in (before, now) if record.curve is not None]
    for metric in dict.fromkeys(name for curve in curves for name in curve.columns):
        old, new = (
            dict(zip(*(column.tolist() for column in record.reported(metric)), strict=True))
            for record in (before, now)
        )
        found += [
            Compared(metric, step, old.get(step, math.nan), new.get(step, math.nan))
            for step in sorted(old.keys() | new.keys())
        ]
    for metric in {**before.values, **now.values}:
        old_value, new_value = (record.values.get(metric, math.nan) for record in (before, now))
        found.append(Compared(metric, None, old_value, new_value))
    return found


@final
class _Replay(Generic[P]):
    """Runs trials one after the other and folds what they say.

    Args:
        fold: Of no trial yet.
        files: Where what a fork goes on from is kept meanwhile.
    """

    def __init__(self, fold: Fold[P], files: Blobs) -> None:
        self._fold = fold
        self._files = files
        self._key: str | None = ""  # what the next one goes on from; None: nothing was saved
        self._asked = False  # whether it was told to save itself

    def run(
        self,
        record: Record[P],
        work: Work,
        executor: Executor,
        *,
        until: int | None,
        forked: bool = False,
    ) -> Record[P]:
        """Run a trial from where it was forked, or began, to a step or its end.

        Raises:
            StudyError: It shall be `forked` there, and cannot be.
        """
        fold, uid = self._fold, record.uid
        started = Started(
            time=time.time(), uid=uid, params=record.logged, basis=0, seed=record.seed,
            source=record.source, parent=record.parent, fork_step=record.fork_step,
        )  # fmt: skip
        begun = fold.apply(started)
        if begun is None:
            raise StudyError(f"trial {record.number} comes twice in its own line")
        begun = replace(begun, number=record.number, key=self._key or "")
        ticket = Ticket.of(begun, self._files)
        ends: list[Returned | Raised | Died] = []
        self._key, self._asked = None, False

        def inbox(_: Key, message: Any) -> Any:
            match message:
                case Report():
                    return self._reported(uid, message, until, forked=forked)
                case Kept() if self._asked:  # others are saved since time has passed
                    self._key = message.key
                case Ending():
                    return False
                case Returned() | Raised() | Died():
                    ends.append(message)
            return None

        with executor:
            while not executor.free():
                executor.pump(inbox, _PUMP_S)
            executor.submit(work, (uid, 1), ticket)
            while not ends:
                executor.pump(inbox, _PUMP_S)
        if forked and self._key is None:
            raise StudyError(
                f"a later trial was forked from trial {record.number} after step {until}, and this time that "
                f"could not be saved there{_why(ends[0])}; it needs trial.resumable(save=..., load=...)"
            )
        return self._ended(uid, ends[0])

    def _reported(self, uid: str, report: Report, until: int | None, *, forked: bool) -> Answer:
        event = Reported(
            time=time.time(), uid=uid, step=report.step, values=to_logged(report.metrics)
        )
        self._fold.apply(event)
        last = until is not None and report.step >= until
        if last and forked:
            self._key = report.key
            self._asked = report.key is None and report.resumable
            if self._asked:
                return "save and end"
        bad = diverged(report.metrics, self._fold.history.problem)
        return "end" if last or bad else "continue"

    def _ended(self, uid: str, end: Returned | Raised | Died) -> Record[P]:
        """The record of a trial that has ended."""
        fold = self._fold
        record = fold.history[-1]
        values, failure = fold.reported(record), None
        match end:
            case Returned(value):
                values = {**values, **value}
                try:
                    check_objectives(values, fold.history.problem)
                except ResultError as error:
                    failure = failure_of(error)
            case Raised(Stopped()):
                pass
            case Raised(error, text):
                kept = failure_of(error)
                failure = kept if error.__traceback__ else Failure(kept.kind, text or str(error))
            case Died(kind, text):
                failure = Failure("error", f"{kind}: {text}")
        failure = failure or diverged(values, fold.history.problem)
        finished = Finished(
            time=time.time(),
            uid=uid,
            step=record.step,
            state="complete" if failure is None else "failed",
            values=to_logged(values),
            failure=failure,
        )
        fold.apply(finished)
        return fold.history[-1]


def _why(end: Returned | Raised | Died) -> str:
    return f" ({type(end.error).__name__}: {end.error})" if isinstance(end, Raised) else ""
