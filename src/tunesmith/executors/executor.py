"""The contract of an executor: it runs works elsewhere and carries their messages to one place.

A work is a callable, a key says whose it is. An executor knows neither trials nor studies: it begins
a work where there is a free place, hands what the work says to an inbox, and says how it ended.
"""

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, Protocol, Self, TypeAlias, final

from tunesmith._core.checks import is_whole
from tunesmith._core.errors import SettingError

Key: TypeAlias = tuple[str, int]  # such as (uid, attempt)


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where a work runs, in words for people.

    Attributes:
        worker: The machine, where it is another one than the executor's; else empty.
        device: The accelerators that a work sees there; empty: none is its own.
    """

    worker: str = ""
    device: str = ""


HERE: Final = Place()


class _Answer(Enum):
    LATER = "LATER"


LATER: Final = _Answer.LATER  # what an inbox returns when it will answer with `reply`


class Channel(Protocol):
    """A work's end of the line, its first argument; usable from any thread of the work."""

    def send(self, message: Any) -> None:
        """Say something, in order, without waiting for it to be heard.

        Raises:
            TypeError: The message cannot travel to another process.
            Cancelled: The work has been cancelled.
        """

    def request(self, message: Any) -> Any:
        """Say something, wait for the inbox's answer and return it; an exception is raised instead.

        Raises:
            TypeError: The message cannot travel to another process.
            Cancelled: The work has been cancelled, before or while it waited.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """What the last message of a work says beside how it ended.

    Attributes:
        used: What the work used, by name, as far as that was measured; a name that begins with
            `peak_` is the most at one time.
        shared: Whether other works ran on its device while it did.
    """

    used: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    shared: bool = field(default=False, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True)
class Returned(Last):
    """The last message of a work that returned.

    Attributes:
        value: What it returned.
    """

    value: Any


@final
@dataclass(frozen=True, slots=True)
class Raised(Last):
    """The last message of a work that raised.

    Attributes:
        error: The exception; where it cannot travel, one with its type's name and its message.
        text: Its traceback, formatted, from the work's first frame on.
    """

    error: BaseException
    text: str

    @classmethod
    def by(cls, error: BaseException) -> Self:
        """Return the message about an exception that the frame of the caller has caught."""
        trace = error.__traceback__
        if trace is not None and trace.tb_next is not None:
            trace = trace.tb_next  # without the frame that called the work
        return cls(error, "".join(traceback.format_exception(type(error), error, trace)))


@final
@dataclass(frozen=True, slots=True)
class Died(Last):
    """The last message about a work whose process is gone.

    Attributes:
        kind: "lost": it crashed, left or was killed by somebody; "out of memory" and "timed out":
            it was killed for going over its limit; "silent": it was killed because it gave no
            sign of life; "cancelled": it was killed as `Executor.cancel` asked.
        text: What happened, in a sentence.
    """

    kind: Literal["lost", "out of memory", "timed out", "silent", "cancelled"]
    text: str


Ended: TypeAlias = Returned | Raised | Died
Work: TypeAlias = Callable[..., Any]  # called with a Channel, then the arguments of `submit`
Inbox: TypeAlias = Callable[[Key, Any], Any]  # gets every message; returns the answer to a request


class Executor(ABC):
    """A number of places in which works run, one each. To be used from one thread.

    Messages of one key arrive in the order in which they were sent; the last is exactly one
    `Returned`, `Raised` or `Died`. Nothing arrives except in `pump`, and the inbox may call every
    method but `pump`. What an inbox raises leaves `pump`; the messages not yet delivered are
    delivered by the next one.

    Attributes:
        output: Gets each line that works print in other processes, in `pump`; None: it goes where
            this process's goes.
    """

    output: Callable[[str], object] | None = None

    @abstractmethod
    def free(self) -> list[Place]:
        """Return where works would begin at once, in the order in which `submit` takes the places."""

    @abstractmethod
    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        """Begin `work(channel, *args)` in a free place.

        Args:
            work: What to run. It is the same object for many keys where it can be: what is
                different from one to the next belongs into `args`.
            key: Whose messages these are; no work that runs has the same.
            args: Further arguments.
            alone: Whether no other work may be on its device, if its place has one: it then begins when
                those there have ended, and no place there is free until it has, too.

        Raises:
            SettingError: No place is free, the key is taken, or the executor is closed.
            TypeError: The work or an argument cannot travel to another process.
        """

    @abstractmethod
    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        """Hand the messages that have come to `inbox`, in the calling thread.

        Waits for the first of them, or for a place to become free, if none has come; returns at once
        if no work runs and it `awaits` no place.

        Args:
            inbox: Called as `inbox(key, message)`. For a request it returns the answer, an
                exception to be raised in the work, or `LATER`; else what it returns is not used.
            timeout_s: How long to wait at most; 0 does not wait.

        Raises:
            SettingError: The inbox said `LATER` to a work that cannot wait here.
        """

    def awaits(self) -> str:
        """Return what it waits for to get a place that it does not have yet, in words for people.

        Empty, as of those that make their places themselves: none is on its way.
        """
        return ""

    @abstractmethod
    def reply(self, key: Key, value: Any) -> None:
        """Answer the request to which the inbox returned `LATER`; no error if its work has ended."""

    @abstractmethod
    def cancel(self, key: Key) -> None:
        """End a work by force; of what it says, only its end still arrives.

        Processes are killed, coroutines cancelled; in a thread, the next message or the one that
        waits for its answer raises `Cancelled`. A work that has ended, or never was, is no error.
        Where its place has to come anew, it is free some time after its end.
        """

    def follow(self, work: Work) -> Any:
        """Run `work` along with the process that leads, for all that it submits.

        Of a program that runs in several processes at once, on one trial at a time, one leads: it alone submits, and
        at its end calls `conclude`.

        Returns:
            What that concludes with; None: this process leads.
        """
        return None

    def conclude(self, outcome: Callable[[], Any] | BaseException) -> None:  # noqa: B027 - most have no others
        """Let those that run along return what `outcome` returns, or raise likewise; also when closed."""

    @abstractmethod
    def close(self) -> None:
        """End everything, with no more messages; closing again is allowed."""

    @final
    def __enter__(self) -> Self:
        return self

    @final
    def __exit__(self, *_: object) -> None:
        self.close()


def check_places(name: str, n: int | None) -> int:
    """Return a number of places.

    Raises:
        SettingError: It is no whole number above 0.
    """
    if n is None or not is_whole(n) or n < 1:
        raise SettingError(f"{name}(n) needs a whole number of places above 0, got {n!r}")
    return int(n)


def check_submit(name: str, key: Key, running: Collection[Key], n: int, *, closed: bool) -> None:
    """Check whether a work may begin.

    Raises:
        SettingError: No place is free, the key is taken, or the executor is closed.
    """
    if closed:
        raise SettingError(f"this {name} is closed and takes no work; make another")
    if key in running:
        raise SettingError(f"a work with the key {key!r} is running; wait for its end")
    if len(running) >= n:
        raise SettingError(
            f"all places of {name} ({n}) are taken; submit while free() has some, pump until it has"
        )
