"""What an executor runs: the objective, on a trial whose words go over a channel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from tunesmith.executors import Channel, Work
from tunesmith.study.results import metrics_of
from tunesmith.study.trial import Ticket, Trial


@final
@dataclass(frozen=True, slots=True)
class Report:
    """A trial reports; the answer says whether it must end."""

    step: int
    metrics: dict[str, float]
    resumable: bool
    key: str | None


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
    ) -> bool:
        del uid, attempt  # the key of the work says them
        must_end: bool = self._channel.request(Report(step, metrics, resumable, key))
        return must_end

    def note(self, uid: str, text: str, tags: Sequence[str], values: Mapping[str, Any]) -> None:
        del uid
        self._channel.request(Note(text, tags, dict(values)))


def errand(call: Callable[[Trial[Any]], Any]) -> Work:
    """Return a work that calls an objective on the trial of a ticket and returns its metrics."""

    def work(channel: Channel, ticket: Ticket[Any]) -> dict[str, float]:
        return metrics_of(call(Trial(ticket, _Line(channel))), {}, ticket.objectives)

    return work


def async_errand(call: Callable[[Trial[Any]], Any]) -> Work:
    """Return the same for an `async def` objective."""

    async def work(channel: Channel, ticket: Ticket[Any]) -> dict[str, float]:
        return metrics_of(await call(Trial(ticket, _Line(channel))), {}, ticket.objectives)

    return work
