"""What the log says of one trial at one moment."""

import math
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, final

import msgspec
import numpy as np

from tunesmith._core.errors import StudyError
from tunesmith._core.types import P
from tunesmith.records.attachments import Attachments
from tunesmith.records.curve import Curve
from tunesmith.records.events import (
    EndReason,
    Failure,
    PauseReason,
    ResumeReason,
    Source,
)
from tunesmith.records.problem import Problem
from tunesmith.records.provenance import NOTHING, Provenance
from tunesmith.space import Params

State: TypeAlias = Literal["running", "paused", "complete", "stopped", "failed"]
Heard: TypeAlias = Literal["started", "resumed", "reported", "paused", "finished"]


@final
class Record(msgspec.Struct, Generic[P], frozen=True, kw_only=True, gc=False):
    """A trial as the log tells it.

    Attributes:
        problem: What is tuned.
        number: Place among the trials, from 0.
        uid: Name of the trial in the log.
        state: Where it stands.
        logged: Active parameters by path, as the log keeps them (labels for objects).
        started: When it started first, in seconds since 1970.
        seed: Its own seed, 32 bits.
        note: What was said of it when it was enqueued.
        parent: The trial that it comes from, by uid.
        fork_step: The step that it goes on from, if it is a fork.
        before: Of a fork: the first steps of those that it comes from, and the params that they had.
        attempt: How often it was begun; 1 is the first.
        values: Metrics that count for it: returned ones, else those of a report.
        why: Why it ended, paused or was resumed last; empty before.
        failure: Kind and text, if it failed.
        ended: When it finished, in seconds since 1970; None: it has not.
        reports: How many reports it has.
        memo: What its sampler wrote down.
        key: Of its latest checkpoint in the study's blobs, or of the one that it was forked from.
        saved: The step of that checkpoint; 0: there is none.
        lost: How many attempts ended by the death of their process.
        ran: Places of the `Joined` of those whose work is in it, the last one's last; of a fork, its parent's
            too.
        worker: The machine that runs it, if that is not its owner's; `device`: the GPUs that it sees there.
        cost: What its attempts used, by name: sums, and the highest of what is called `peak_…`.
        resumed: When the current attempt began, or it ended while it was paused, in seconds since 1970; None: it is the
            first.
        spells: The stretches of work before: when each began and ended, and why it ended; that of a lost attempt ends
            with its last sign of life.
        reporting: Whether this is what a scheduler or sampler hears of a report that was due: `values` then
            has what counts of the reports so far.
    """

    problem: Problem[P]
    number: int
    uid: str
    logged: Params
    started: float
    seed: int
    basis: int
    owner: str = ""
    worker: str = ""
    device: str = ""
    batch: tuple[int, int] = (0, 1)
    source: Source = "sampler"
    item: str = ""
    configured: int = 0
    memo: dict[str, Any] = {}
    replicate: tuple[str, int] | None = None
    note: str = ""
    parent: str = ""
    fork_step: int = 0
    before: tuple[tuple[int, Params], ...] = ()
    ask_s: float = 0.0
    state: State = "running"
    attempt: int = 1
    lost: int = 0
    why: PauseReason | ResumeReason | EndReason | Literal[""] = ""
    values: dict[str, float] = {}
    cost: dict[str, float] = {}
    failure: Failure | None = None
    ended: float | None = None
    key: str = ""
    saved: int = 0
    curve: Curve | None = None
    reports: int = 0
    ran: tuple[int, ...] = ()
    resumed: float | None = None
    spells: tuple[tuple[float, float, PauseReason | ResumeReason], ...] = ()
    reporting: bool = False

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.6g}" for name, value in self.values.items())
        return f"<Record {self.number}: {self.state}{values and f', {values}'}, {self.logged}>"

    @property
    def event(self) -> Heard:
        """What happened to it last: the kind of event that made this record.

        Of reports only those count at which a scheduler was due (see `reporting`).
        """
        if self.reporting:
            return "reported"
        if self.state == "running":
            return "started" if self.attempt == 1 else "resumed"
        return "paused" if self.state == "paused" else "finished"

    def begun(self) -> "Record[P]":
        """Return the record as it was right after its first start, its owner left out."""
        return Record(
            problem=self.problem,
            number=self.number,
            uid=self.uid,
            logged=self.logged,
            started=self.started,
            seed=self.seed,
            basis=self.basis,
            batch=self.batch,
            source=self.source,
            item=self.item,
            configured=self.configured,
            memo=self.memo,
            replicate=self.replicate,
            note=self.note,
            parent=self.parent,
            fork_step=self.fork_step,
            before=self.before,
            key=self.key if self.attempt == 1 and not self.reports else "",
            saved=self.fork_step,
            ask_s=self.ask_s,
        )

    @property
    def params(self) -> P:
        """The params in the form in which the objective gets them."""
        return self.problem.space.build(self.logged)

    @property
    def schedule(self) -> list[tuple[int, P]]:
        """The params under which it was trained, each with its first step; several if it is a fork.

        Example:
            >>> # of a trial that was forked after step 10, to be trained again as it was
            >>> # for first, params in study.best.schedule: ...
        """
        line = [*self.before, (self.fork_step + 1, self.logged)]
        return [(first, self.problem.space.build(logged)) for first, logged in line]

    @property
    def value(self) -> float:
        """The value of the only objective; NaN if it has none.

        Raises:
            StudyError: There are several objectives.
        """
        if len(self.problem.objectives) > 1:
            names = ", ".join(objective.name for objective in self.problem.objectives)
            raise StudyError(f"this study has several objectives ({names}); see .values")
        return self.values.get(self.problem.objectives[0].name, math.nan)

    @property
    def handle(self) -> int:
        """The handle under which it was started."""
        return int(self.uid.partition(".")[0])

    @property
    def step(self) -> int:
        """The last reported step; before any report, the step that it was forked at."""
        if self.curve is None or not self.reports:
            return self.fork_step
        return self.curve.steps[self.reports - 1]

    @property
    def steps(self) -> list[int]:
        """The reported steps."""
        return [] if self.curve is None else self.curve.steps[: self.reports].tolist()

    @property
    def scheduled(self) -> bool:
        """Whether it is paused, and a scheduler says when it goes on."""
        return self.state == "paused" and self.why == "scheduler"

    @property
    def resumable(self) -> bool:
        """Whether it could save itself when it reported last."""
        return self.curve is not None and self.curve.resumable

    @property
    def alone(self) -> bool:
        """Whether it ran out of memory beside others, and so is to have its device to itself."""
        return any(why == "out of memory" for _, _, why in self.spells)

    @property
    def checkpoint(self) -> Path | None:
        """The folder of its latest checkpoint, not to be changed; None: it has none that is kept."""
        locate = self.problem.locate
        return locate(self.key) if self.key and locate is not None else None

    @property
    def attachments(self) -> Attachments:
        """The files and folders that were attached to it, by name, not to be changed."""
        problem = self.problem
        return Attachments(problem.attached.get(self.uid, {}), problem.locate)

    @property
    def provenance(self) -> Provenance:
        """What the process was that ran it last; of one that never joined nothing is known."""
        return self.problem.joined.get(self.ran[-1], NOTHING) if self.ran else NOTHING

    @property
    def finished(self) -> bool:
        """Whether it is complete, stopped or failed: nothing changes it any more."""
        return self.state in ("complete", "stopped", "failed")

    @property
    def begun_at(self) -> float:
        """When its current attempt began, in seconds since 1970."""
        return self.started if self.resumed is None else self.resumed

    @property
    def seen_at(self) -> float:
        """The last sign of life of its current attempt: its end, its last report or its begin."""
        if self.ended is not None:
            return self.ended
        if self.curve is None or not self.reports:
            return self.begun_at
        return max(self.begun_at, self.curve.times[self.reports - 1])

    @property
    def duration_s(self) -> float:
        """Seconds from its first start to its end, pauses included; NaN while it has none."""
        return math.nan if self.ended is None else self.ended - self.started

    def reported(self, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return steps (n,) and reported values (n,) of a metric; NaN where it was left out."""
        return (Curve() if self.curve is None else self.curve).arrays(name, self.reports)
