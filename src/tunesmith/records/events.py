"""The events of a study's log: one JSON line each, nothing in them that Python alone can read.

Positions count lines from 0. A `basis` is the number of lines that a decision was computed from.
Times are seconds since 1970 (UTC) by the clock of the process that wrote the event; no decision
uses them but as they stand in the log.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from tunesmith._core.codec import Number
from tunesmith._core.errors import LogError
from tunesmith.records.provenance import NOTHING, Provenance
from tunesmith.space import Params

FORMAT = 1

Source: TypeAlias = Literal["sampler", "queue", "default", "replicate", "fork"]
PauseReason: TypeAlias = Literal[
    "scheduler", "pre-empted", "interrupted", "error", "study paused", "out of memory"
]
ResumeReason: TypeAlias = Literal["scheduler", "lost", "handed back"]
EndReason: TypeAlias = Literal[
    "returned", "raised", "lost", "scheduler", "command", "stop rule", "timeout"
]
EndState: TypeAlias = Literal["complete", "stopped", "failed"]
Keep: TypeAlias = Literal["needed", "best", "last", "all"]
FailureKind: TypeAlias = Literal[
    "error", "diverged", "infeasible", "out of memory", "timed out", "lost"
]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Base of what stands inside an event."""


class Part(_Part, frozen=True):
    """A sampler or scheduler: the name it is registered under, or module:qualname, and settings."""

    name: str
    settings: dict[str, Any] = {}


class ProblemText(_Part, frozen=True):
    """A problem as logged: the space as JSON, objectives as name -> direction."""

    space: dict[str, Any]
    objectives: dict[str, Literal["minimize", "maximize"]]
    limits: list[str] = []
    resource: dict[str, Any] | None = None
    value: Literal["last", "best", "mean"] = "last"


class Failure(_Part, frozen=True):
    """Why a trial failed: its kind, and the text of the exception with its traceback, if any."""

    kind: FailureKind
    text: str = ""

    @property
    def last(self) -> str:
        """The last line of the text, which says what was raised."""
        return "".join(self.text.strip().splitlines()[-1:])


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
    tag_field="event",
    tag=str.lower,
):
    """Base of all events.

    Attributes:
        time: When it was written.
    """

    time: float


class Created(Event, frozen=True, kw_only=True):
    """The first line: what is tuned, and how.

    Attributes:
        files: URL below which the study's files are kept; empty: beside its storage.
        keep: Which checkpoints are kept: those that may still be needed; also the best trial's; also the
            last of each trial; or all.
        provenance: As far as it is known before anything runs: the data.
    """

    format: int
    problem: ProblemText
    seed: int
    sampler: Part
    scheduler: Part | None = None
    replicates: Part | None = None
    deterministic: int | None = None
    files: str = ""
    keep: Keep = "best"
    versions: dict[str, str] = {}
    provenance: Provenance = NOTHING


class Configured(Event, frozen=True, kw_only=True):
    """A later opener goes on with other parts; unset: the same, None: without."""

    id: str
    sampler: Part | msgspec.UnsetType = msgspec.UNSET
    scheduler: Part | msgspec.UnsetType | None = msgspec.UNSET
    replicates: Part | msgspec.UnsetType = msgspec.UNSET
    versions: dict[str, str] = {}


class Joined(Event, frozen=True, kw_only=True):
    """A process begins to ask, under the smallest handle that no living owner holds.

    It says so again if it is not what it was: its objective, or a file of it, is another.
    """

    owner: str
    handle: int
    versions: dict[str, str] = {}
    provenance: Provenance = NOTHING


class Enqueued(Event, frozen=True, kw_only=True):
    """Params that shall be tried, complete or partial."""

    id: str
    params: Params
    by: str = "user"
    note: str = ""
    parent: str = ""


class Started(Event, frozen=True, kw_only=True):
    """A trial begins. Its number is its place among the effective events of this kind.

    Attributes:
        uid: `<handle>.<n>`, n counting the handle's starts.
        owner: Process that runs it; empty if nobody's death shall orphan it.
        basis: Lines that the suggestion was computed from.
        batch: Index and size of the call of the sampler that it came from.
        item: Id of the queued item that it came from.
        configured: Position of the `Created` or `Configured` in force.
        memo: What the sampler wants back.
        replicate: The configuration, by the uid of its first trial, and which evaluation of it this is.
        parent: Trial that it was forked from or enqueued for; `fork_step`, `key`: where it was
            forked, and the checkpoint.
        ask_s: Seconds that the suggestion took.
        worker: Who runs it for the owner, if somebody else does; `device`: on what.
    """

    uid: str
    owner: str = ""
    params: Params
    basis: int
    batch: tuple[int, int] = (0, 1)
    source: Source = "sampler"
    item: str = ""
    configured: int = 0
    memo: dict[str, Any] = {}
    seed: int
    replicate: tuple[str, int] | None = None
    parent: str = ""
    fork_step: int = 0
    key: str = ""
    ask_s: float = 0.0
    worker: str = ""
    device: str = ""


class Reported(Event, frozen=True, kw_only=True):
    """Values after `step` of the resource; `resumable`: the trial could save at this moment."""

    uid: str
    attempt: int = 1
    step: int
    values: dict[str, Number]
    resumable: bool = False


class Saved(Event, frozen=True, kw_only=True):
    """A checkpoint of `step` lies under `key`."""

    uid: str
    attempt: int = 1
    step: int
    key: str


class Paused(Event, frozen=True, kw_only=True):
    """A trial was interrupted after `step` and may go on later.

    Attributes:
        cost: What the attempt used, by name; of what is called `peak_…`, the most at one time.
    """

    uid: str
    attempt: int = 1
    step: int = 0
    why: PauseReason
    configured: int = 0
    cost: dict[str, float] = {}


class Resumed(Event, frozen=True, kw_only=True):
    """The next attempt of a trial begins, from the checkpoint `key` or, without one, anew."""

    uid: str
    attempt: int
    owner: str = ""
    key: str = ""
    why: ResumeReason
    basis: int
    batch: tuple[int, int] = (0, 1)
    configured: int = 0
    memo: dict[str, Any] = {}
    ask_s: float = 0.0
    worker: str = ""
    device: str = ""


class Finished(Event, frozen=True, kw_only=True):
    """A trial ended; values it returned win over those it reported. `cost`: as of `Paused`."""

    uid: str
    attempt: int = 1
    step: int = 0
    state: EndState
    why: EndReason = "returned"
    configured: int = 0
    values: dict[str, Number] = {}
    cost: dict[str, float] = {}
    failure: Failure | None = None


class Noted(Event, frozen=True, kw_only=True):
    """Somebody's remark on a trial (`target`: its uid) or on the study (empty)."""

    id: str
    who: str = ""
    target: str = ""
    text: str = ""
    tags: list[str] = []
    values: dict[str, Number] = {}


class Commanded(Event, frozen=True, kw_only=True):
    """Stop the trial `target`, or all that run the study (empty); or pause it, or go on with it."""

    id: str
    command: Literal["stop", "pause", "go on"]
    target: str = ""
    who: str = ""
    text: str = ""


class Attached(Event, frozen=True, kw_only=True):
    """A file or folder lies under `key`, as the trial's `name`; attempt 0: none was running."""

    uid: str
    attempt: int = 1
    name: str
    key: str


class SpaceChanged(Event, frozen=True, kw_only=True):
    """Another version of the space is in force. Reserved."""

    id: str
    version: int
    space: dict[str, Any] = {}


AnyEvent: TypeAlias = (
    Created
    | Configured
    | Joined
    | Enqueued
    | Started
    | Reported
    | Saved
    | Paused
    | Resumed
    | Finished
    | Noted
    | Commanded
    | Attached
    | SpaceChanged
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def to_line(event: AnyEvent) -> str:
    """Return the event as one line of JSON, without the line break."""
    return _encoder.encode(event).decode()


def from_lines(lines: list[str], start: int = 0) -> list[AnyEvent]:
    """Return the events of consecutive lines.

    Args:
        lines: JSON lines, as `to_line` makes them.
        start: Position of the first, for messages.

    Raises:
        LogError: A line is no event of this format; says which and why.
    """
    try:
        return _decoder.decode_lines("\n".join(lines))
    except msgspec.DecodeError:
        for position, line in enumerate(lines, start):
            try:
                _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise LogError(
                    f"line {position} of the log is no event that this version knows: {error}; "
                    "was it written by a newer version, or changed by hand?"
                ) from None
        raise
