"""What an executor runs: the objective, on a trial whose words go over a channel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from tunesmith.executors import Channel, Work
from tunesmith.study.results import metrics_of
from tunesmith.study.saving import Answer
from tunesmith.study.trial import Ticket, Trial


@final
@dataclass(frozen=True, slots=True)
class Report:
    """A trial reports; the answer is an `Answer`."""

    step: int
    metrics: dict[str, float]
    resumable: bool
    key: str | None


@final
@dataclass(frozen=True, slots=True)
class Kept:
    """A trial has put a checkpoint into the study's blobs."""

    step: int
    key: str


@final
@dataclass(frozen=True, slots=True)
class Attachment:
    """A trial has put a file or folder into the study's blobs."""

    name: str
    key: str


@final
@dataclass(frozen=True, slots=True)
class Ending:
    """A trial has returned; the answer says whether it shall be saved."""

    metrics: dict[str, float]


@final
@dataclass(frozen=True, slots=True)
class Note:
    """A trial has a remark."""

    text: Any
    tags: Any
    values: dict[str, Any]


@final
class _Line:
    """The link of a trial in a worker."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

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
        del uid, attempt  # the key of the work says them
        answer: Answer = self._channel.request(Report(step, metrics, resumable, key))
        return answer

    def saved(self, uid: str, attempt: int, step: int, key: str) -> None:
        del uid, attempt
        self._channel.request(Kept(step, key))

    def attached(self, uid: str, attempt: int, name: str, key: str) -> None:
        del uid, attempt
        self._channel.request(Attachment(name, key))

    def wanted(self, uid: str, attempt: int, metrics: dict[str, float]) -> bool:
        del uid, attempt
        wanted: bool = self._channel.request(Ending(metrics))
        return wanted

    def note(self, uid: str, text: str, tags: Sequence[str], values: Mapping[str, Any]) -> None:
        del uid
        self._channel.request(Note(text, tags, dict(values)))


def errand(call: Callable[[Trial[Any]], Any]) -> Work:
    """Return a work that calls an objective on the trial of a ticket and returns its metrics."""

    def work(channel: Channel, ticket: Ticket[Any]) -> dict[str, float]:
        trial = Trial(ticket, _Line(channel))
        return trial.ended(metrics_of(call(trial), {}, ticket.objectives))

    return work


def async_errand(call: Callable[[Trial[Any]], Any]) -> Work:
    """Return the same for an `async def` objective."""

    async def work(channel: Channel, ticket: Ticket[Any]) -> dict[str, float]:
        trial = Trial(ticket, _Line(channel))
        return trial.ended(metrics_of(await call(trial), {}, ticket.objectives))

    return work
