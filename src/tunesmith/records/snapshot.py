"""A fold as bytes, to be kept beside a long log: disposable, and read 10 times faster than it.

MessagePack of plain values; what was heard is kept as differences to the records, since nearly all
of it follows from them.
"""

from array import array
from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from tunesmith._core.types import P
from tunesmith._core.version import VERSION
from tunesmith.records.curve import Curve
from tunesmith.records.events import Created, Enqueued, Noted, Part
from tunesmith.records.fold import Fold
from tunesmith.records.provenance import Provenance
from tunesmith.records.record import Record
from tunesmith.space import Space

# What was heard, in order: the number of a trial for its first start, else the record it led to.
Told: TypeAlias = list[int | Record[P]]

_APART = ("problem", "curve")
_FIELDS = tuple(f for f in msgspec.structs.fields(Record) if f.name not in _APART)
_NAMES = tuple(field.name for field in _FIELDS)
_Row: Any = msgspec.defstruct(
    "_Row", [(field.name, field.type) for field in _FIELDS], array_like=True, gc=False
)
_row = attrgetter(*_NAMES)


class _Curve(msgspec.Struct, array_like=True, gc=False):
    """A curve's columns as native bytes."""

    steps: bytes
    times: bytes
    columns: dict[str, bytes]
    resumable: bool


class _Snapshot(msgspec.Struct, array_like=True, gc=False):
    """Everything of a fold but its problem, which is made from the log's first line."""

    version: str
    created: Created
    length: int
    queue: dict[str, Enqueued]
    handles: dict[int, str]
    decisions: int
    configured: int
    sampler: Part
    scheduler: Part | None
    replicates: Part | None
    notes: list[Noted]
    stopping: set[str]
    stops: int
    paused: bool
    seen: set[str]
    starts: dict[str, int]
    saved: dict[str, dict[str, int]]
    joined: dict[str, int]
    provenances: dict[int, Provenance]
    attached: dict[str, dict[str, str]]
    since_best: int
    rows: list[_Row]
    curves: dict[int, _Curve]
    heard: list[int | tuple[_Row, _Curve | None]]


_decoder = msgspec.msgpack.Decoder(_Snapshot)


def _pack(curve: Curve) -> _Curve:
    columns = {name: column.tobytes() for name, column in curve.columns.items()}
    return _Curve(curve.steps.tobytes(), curve.times.tobytes(), columns, curve.resumable)


def _unpack(packed: _Curve) -> Curve:
    curve = Curve()
    curve.steps, curve.times = array("q", packed.steps), array("d", packed.times)
    curve.columns = {name: array("d", column) for name, column in packed.columns.items()}
    curve.resumable = packed.resumable
    return curve


def freeze(fold: Fold[Any], heard: Told[Any]) -> bytes:
    """Return a fold and what was heard in it as bytes."""
    told: list[Any] = []
    for one in heard:
        if isinstance(one, int):
            told.append(one)
        elif one is fold.history[one.number]:  # its last word: the ones' complement of its number
            told.append(~one.number)
        else:
            told.append((_row(one), None if one.curve is None else _pack(one.curve)))
    snapshot = _Snapshot(
        version=VERSION,
        created=fold.created,
        length=fold.length,
        queue=fold.queue,
        handles=fold.handles,
        decisions=fold.decisions,
        configured=fold.configured,
        sampler=fold.sampler,
        scheduler=fold.scheduler,
        replicates=fold.replicates,
        notes=fold.notes,
        stopping=fold.stopping,
        stops=fold.stops,
        paused=fold.paused,
        seen=fold.seen,
        starts=fold.starts,
        saved=fold.saved,
        joined=fold.joined,
        provenances=fold.history.problem.joined,
        attached=fold.history.problem.attached,
        since_best=fold.history.since_best,
        rows=[_row(record) for record in fold.history],
        curves={r.number: _pack(r.curve) for r in fold.history if r.curve is not None},
        heard=told,
    )
    return msgspec.msgpack.encode(snapshot)


def thaw(
    data: bytes,
    created: Created,
    space: Space[P] | None,
    locate: Callable[[str], Path | None] | None = None,
) -> tuple[Fold[P], Told[P]] | None:
    """Return the fold of `freeze` and what was heard in it.

    Args:
        data: The bytes.
        created: The first event of the log.
        space: The space that gives params their form; by default the log's own.
        locate: Finds the folder of a checkpoint by its key.

    Returns:
        None if the bytes are of another log or version: then the log itself must be folded.
    """
    try:
        kept = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    if kept.version != VERSION or kept.created != created:
        return None
    fold: Fold[P] = Fold(created, space, locate)
    problem = fold.history.problem

    def record_of(row: Any, packed: _Curve | None) -> Record[P]:
        curve = None if packed is None else _unpack(packed)
        return Record(problem=problem, curve=curve, **dict(zip(_NAMES, _row(row), strict=True)))

    for number, row in enumerate(kept.rows):
        fold.history.put(record_of(row, kept.curves.get(number)))
    fold.length = kept.length
    fold.queue = kept.queue
    fold.handles = kept.handles
    fold.decisions = kept.decisions
    fold.configured = kept.configured
    fold.sampler = kept.sampler
    fold.scheduler = kept.scheduler
    fold.replicates = kept.replicates
    fold.notes = kept.notes
    fold.stopping = kept.stopping
    fold.stops = kept.stops
    fold.paused = kept.paused
    fold.seen = kept.seen
    fold.starts = Counter(kept.starts)
    fold.saved = kept.saved
    fold.joined = kept.joined
    problem.joined.update(kept.provenances)
    problem.attached.update(kept.attached)
    fold.history.since_best = kept.since_best
    heard: Told[P] = [
        record_of(*one) if isinstance(one, tuple) else one if one >= 0 else fold.history[~one]
        for one in kept.heard
    ]
    return fold, heard
