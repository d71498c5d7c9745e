"""The fold: from events to what they mean together. Every rule about effect lives here.

An event that comes too late, twice, or from an attempt that has been superseded has no effect;
so processes may repeat what they are not sure of, and all of them see the same study.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Generic, final

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from tunesmith._core.amounts import together
from tunesmith._core.codec import from_logged
from tunesmith._core.errors import LogError
from tunesmith._core.types import P
from tunesmith.records.curve import Curve
from tunesmith.records.events import (
    FORMAT,
    AnyEvent,
    Attached,
    Commanded,
    Configured,
    Created,
    Enqueued,
    Finished,
    Joined,
    Noted,
    Part,
    Paused,
    Reported,
    Resumed,
    Saved,
    Started,
)
from tunesmith.records.history import History
from tunesmith.records.problem import Problem
from tunesmith.records.record import Record
from tunesmith.space import Params, Space

_ONE = (0, 1)  # what most records have in common is kept once for all of them
_NOTHING: dict[str, Any] = {}


@final
class Fold(Generic[P]):
    """The state of a study after the first `length` lines of its log.

    Args:
        created: The first event.
        space: The space to give params their form with; by default the log's own.
        locate: Finds the folder of a checkpoint by its key.

    Attributes:
        created: The first event.
        history: The records.
        length: Lines folded so far.
        queue: Queued items not started yet, by id.
        handles: Who joined last under each handle.
        decisions: Effective starts, and resumptions by the scheduler: the keys of randomness.
        configured: Position of the `Created` or `Configured` in force.
        sampler: The sampler in force.
        scheduler: The scheduler in force, if there is one.
        notes: Remarks, in order.
        stopping: Trials that were commanded to stop.
        stops: How often whoever runs the study was commanded to stop.
        paused: Whether the study is commanded to pause.
        seen: Ids of queued items, notes and commands: a second one has no effect.
        starts: How many trials each handle started.
        saved: Steps of checkpoints by key, by trial.
        joined: Place of the last `Joined` of each owner.
    """

    def __init__(
        self,
        created: Created,
        space: Space[P] | None = None,
        locate: Callable[[str], Path | None] | None = None,
    ) -> None:
        if created.format != FORMAT:
            raise LogError(
                f"the log has format {created.format}, this version reads {FORMAT}; "
                "a newer version of tunesmith reads it"
            )
        own: Space[P] = Space.from_json(created.problem.space) if space is None else space
        self.created = created
        self.history: History[P] = History(Problem.from_text(created.problem, own, locate))
        self.length = 1
        self.queue: dict[str, Enqueued] = {}
        self.handles: dict[int, str] = {}
        self.decisions = 0
        self.configured = 0
        self.sampler: Part = created.sampler
        self.scheduler = created.scheduler
        self.replicates = created.replicates
        self.notes: list[Noted] = []
        self.stopping: set[str] = set()
        self.stops = 0
        self.paused = False
        self.seen: set[str] = set()
        self.starts: Counter[str] = Counter()
        self.saved: dict[str, dict[str, int]] = {}
        self.joined: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._ran: dict[tuple[int, ...], tuple[int, ...]] = {}  # one tuple for all their trials

    def apply(self, event: AnyEvent) -> Record[P] | None:
        """Take in the next event.

        Returns:
            The record right after it, for a sampler or scheduler to hear; None if it had no effect
            on a trial, or was a report or a checkpoint (see `History` for those).
        """
        self.length += 1
        match event:
            case Reported():
                self._report(event)
            case Started():
                return self._start(event)
            case Finished():
                return self._finish(event)
            case Paused():
                return self._pause(event)
            case Resumed():
                return self._resume(event)
            case Saved():
                self._save(event)
            case Joined():
                self.handles[event.handle] = event.owner
                self.joined[event.owner] = self.length - 1
                self.history.problem.joined[self.length - 1] = event.provenance
            case Attached():
                self._attach(event)
            case Created():
                raise LogError(f"line {self.length - 1} of the log creates the study a second time")
            case _:
                self._remark(event)
        return None

    def next_uids(self, handle: int) -> Iterator[str]:
        """Return the names of the next trials that `handle` starts."""
        return (f"{handle}.{n}" for n in count(self.starts[str(handle)]))

    def checkpoint(self, uid: str, step: int) -> str | None:
        """Return the key of a trial's checkpoint at a step; None: it has none there."""
        saved = self.saved.get(uid, {})
        return next((key for key, at in saved.items() if at == step), None)

    def current(self, uid: str, attempt: int) -> Record[P] | None:
        """Return the record if `attempt` is its current one and it has not finished, or None."""
        record = self.history.find(uid)
        if record is None or record.attempt != attempt or record.finished:
            return None
        return record

    def _remark(self, event: AnyEvent) -> None:
        identity = getattr(event, "id", "")
        if identity in self.seen:
            return
        self.seen.add(identity)
        match event:
            case Enqueued():
                self.queue[event.id] = event
            case Noted():
                self.notes.append(event)
            case Configured():
                self.configured = self.length - 1
                if event.sampler is not UNSET:
                    self.sampler = event.sampler
                if event.scheduler is not UNSET:
                    self.scheduler = event.scheduler
                if event.replicates is not UNSET:
                    self.replicates = event.replicates
            case Commanded(command="stop", target=""):
                self.stops += 1
            case Commanded(command="stop"):
                self.stopping.add(event.target)
            case Commanded():
                self.paused = event.command == "pause"
            case _:
                raise LogError(f"line {self.length - 1}: evolving spaces are not in this version")

    def _start(self, event: Started) -> Record[P] | None:
        if self.history.find(event.uid) is not None:
            return None
        handle, _, n = event.uid.partition(".")
        if not (handle.isdecimal() and n.isdecimal()):
            raise LogError(f"line {self.length - 1}: {event.uid!r} is no uid such as '0.12'")
        self.starts[handle] += 1
        self.decisions += 1
        item = self.queue.pop(event.item, None)
        record: Record[P] = Record(
            problem=self.history.problem,
            number=len(self.history),
            uid=event.uid,
            logged=event.params,
            started=event.time,
            seed=event.seed,
            basis=event.basis,
            owner=self._one(event.owner),
            worker=self._one(event.worker),
            device=self._one(event.device),
            batch=_ONE if event.batch == _ONE else event.batch,
            source=event.source,
            item=event.item,
            configured=event.configured,
            memo=event.memo or _NOTHING,
            replicate=event.replicate,
            note="" if item is None else item.note,
            parent=event.parent,
            fork_step=event.fork_step,
            before=self._before(event),
            key=event.key,
            saved=event.fork_step,
            ask_s=event.ask_s,
            ran=self._with(self._forked(event), self.handles.get(int(handle), event.owner)),
        )
        self.history.put(record)
        return record

    def _one(self, text: str) -> str:
        """The same text for all trials, so that memory has it once."""
        return self._texts.setdefault(text, text)

    def _with(self, ran: tuple[int, ...], owner: str) -> tuple[int, ...]:
        """The places of those whose work is in a trial, once `owner` goes on with it."""
        place = self.joined.get(owner)
        if place is not None and place not in ran[-1:]:
            ran = (*ran, place)
        return self._ran.setdefault(ran, ran)

    def _forked(self, event: Started) -> tuple[int, ...]:
        """The places of those whose work a fork goes on from."""
        parent = self.history.peek(event.parent) if event.source == "fork" else None
        return () if parent is None else parent.ran

    def _before(self, event: Started) -> tuple[tuple[int, Params], ...]:
        """The schedule that a fork goes on from."""
        parent = self.history.peek(event.parent) if event.source == "fork" else None
        if parent is None:
            return ()
        return *parent.before, (parent.fork_step + 1, parent.logged)

    def _report(self, event: Reported) -> None:
        record = self.history.peek(event.uid)  # a million of these must be folded in seconds
        if record is None or record.attempt != event.attempt or record.state != "running":
            return
        curve = record.curve
        if curve is None:
            curve = Curve()
            self.history.put(replace(record, curve=curve))
        if event.step > (curve.steps[-1] if curve.steps else record.fork_step):
            curve.append(
                event.step, event.time, from_logged(event.values), resumable=event.resumable
            )

    def _finish(self, event: Finished) -> Record[P] | None:
        record = self.current(event.uid, event.attempt)
        if record is None:
            return None
        record = replace(
            record,
            state=event.state,
            why=event.why,
            values={**self.reported(record), **from_logged(event.values)},
            cost=_added(record, event),
            failure=event.failure,
            ended=event.time,
            resumed=event.time if record.state == "paused" else record.resumed,
        )
        self.history.put(record)
        return record

    def _pause(self, event: Paused) -> Record[P] | None:
        record = self.current(event.uid, event.attempt)
        if record is None or record.state != "running":
            return None
        record = replace(
            record,
            state="paused",
            why=event.why,
            values=self.reported(record),
            owner="",
            cost=_added(record, event),
            spells=(*record.spells, (record.begun_at, event.time, event.why)),
        )
        self.history.put(record)
        return record

    def _resume(self, event: Resumed) -> Record[P] | None:
        record = self.current(event.uid, event.attempt - 1)
        if record is None:
            return None
        step = self.saved.get(event.uid, {}).get(event.key, 0)
        kept = record.curve.until(step) if record.curve is not None and step else None
        spells = record.spells
        if record.state == "running":  # nobody said when it ended
            spells = (*spells, (record.begun_at, record.seen_at, event.why))
        record = replace(
            record,
            state="running",
            attempt=event.attempt,
            owner=self._one(event.owner),
            worker=self._one(event.worker),
            device=self._one(event.device),
            why=event.why,
            lost=record.lost + (event.why == "lost"),
            resumed=event.time,
            spells=spells,
            key=event.key,
            values={},
            curve=kept,
            reports=len(kept) if kept is not None else 0,
            ran=self._with(record.ran if step else record.ran[:0], event.owner),
        )
        self.decisions += event.why == "scheduler"
        self.history.put(record)
        return record

    def _save(self, event: Saved) -> None:
        record = self.current(event.uid, event.attempt)
        if record is not None:
            self.saved.setdefault(event.uid, {})[event.key] = event.step
            self.history.put(replace(record, key=event.key, saved=event.step))

    def _attach(self, event: Attached) -> None:
        record = self.history.peek(event.uid)
        if record is not None and event.attempt == (
            record.attempt if record.state == "running" else 0
        ):
            attached = self.history.problem.attached
            attached[event.uid] = {**attached.get(event.uid, {}), event.name: event.key}

    def reported(self, record: Record[P]) -> dict[str, float]:
        """Return the values that count of those reported: the last ones, the best, or their means.

        The last ones are those of the last report that has every objective, if one has.
        """
        if record.curve is None:
            return {}
        problem = self.history.problem
        if problem.value == "mean":
            return _means(record)
        index = _last(record)
        if problem.value == "best":
            objective = problem.objectives[0]
            _, values = record.reported(objective.name)
            losses = [objective.sign * v for v in values]
            finite = [i for i, loss in enumerate(losses) if math.isfinite(loss)]
            index = min(finite, key=losses.__getitem__, default=index)
        return record.curve.values_at(index)


def _added(record: Record[Any], event: Paused | Finished) -> dict[str, float]:
    """What a trial has used once the attempt that ends here is counted."""
    return together([record.cost, event.cost]) if event.cost else record.cost or _NOTHING


def _last(record: Record[Any]) -> int:
    """The place of the last report that has every objective, else of the last one."""
    columns = {} if record.curve is None else record.curve.columns
    measured = [columns.get(objective.name) for objective in record.problem.objectives]
    for index in reversed(range(record.reports)):
        if all(column is not None and not math.isnan(column[index]) for column in measured):
            return index
    return record.reports - 1


def _means(record: Record[Any]) -> dict[str, float]:
    """The mean of each metric over the reports that have it; of an objective its standard error too."""
    objectives = {objective.name for objective in record.problem.objectives}
    means: dict[str, float] = {}
    for name in () if record.curve is None else tuple(record.curve.columns):
        _, values = record.reported(name)
        values = values[~np.isnan(values)]
        if len(values):
            means[name] = float(values.mean())
        if len(values) > 1 and name in objectives:
            means[f"{name}_se"] = float(values.std(ddof=1) / math.sqrt(len(values)))
    return means
