"""How works in other threads of this process talk to the pump: one queue there, one answer back."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, final

from tunesmith._core.errors import Cancelled, SettingError
from tunesmith.executors.devices import Devices
from tunesmith.executors.executor import LATER, Ended, Inbox, Key, Place, Raised, Returned
from tunesmith.executors.seats import Seats

Answer: TypeAlias = Callable[[Any], object]


@final
@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to the inbox.

    Attributes:
        line: Whose it is.
        message: What it says.
        answer: Where the answer goes; None: nobody waits for one.
        patient: Whether the answer may come later.
    """

    line: "Line"
    message: Any
    answer: Answer | None = None
    patient: bool = True


@final
class Line:
    """The channel of a work that runs in another thread than the pump.

    Args:
        key: The work's key.
        put: Takes a letter to the pump.
        devices: What the work shall use.

    Attributes:
        cancelled: Whether the work shall end.
    """

    def __init__(self, key: Key, put: Callable[[Letter], None], devices: Devices) -> None:
        self.key = key
        self.put = put
        self.devices = devices
        self.cancelled = False
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._asking = threading.Lock()  # threads of one work ask one after the other

    def send(self, message: Any) -> None:
        """Say something; see `Channel.send`."""
        self.check()
        self.put(Letter(self, message))

    def request(self, message: Any, *, patient: bool = True) -> Any:
        """Ask something; see `Channel.request`. `patient`: whether the answer may come later."""
        with self._asking:
            self.ask(message, self._answers.put, patient=patient)
            return opened(self._answers.get())

    def ask(self, message: Any, answer: Answer, *, patient: bool = True) -> None:
        """Ask something, without waiting: `answer` is called in the pump's thread."""
        self.check()
        self.put(Letter(self, message, answer, patient))

    def check(self) -> None:
        """Raise `Cancelled` if the work shall end."""
        if self.cancelled:
            raise Cancelled("the work was cancelled, or has ended")

    def cancel(self) -> None:
        """Let the work end at its next message, or the one that waits."""
        self.cancelled = True
        self._answers.put(Cancelled("the work was cancelled"))

    def end(self, ended: Ended) -> None:
        """Say the last word."""
        self.put(Letter(self, ended))

    def run(self, work: Callable[[], Any]) -> None:
        """Call `work` in the calling thread and say how it ended."""
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends this work only
            self.end(Raised.by(error))
        else:
            self.end(Returned(value))


def opened(value: Any) -> Any:
    """Return an answer, or raise it if it is an exception."""
    if isinstance(value, BaseException):
        raise value
    return value


Begin: TypeAlias = Callable[[Line], object]


@final
class Post:
    """The pump's side: who runs, what has come, who waits for an answer.

    Args:
        seats: The places.
    """

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._lines: dict[Key, Line] = {}
        self._later: dict[Key, Begin] = {}  # those whose turn has not come
        self._waiting: dict[Key, Answer] = {}
        self._letters: SimpleQueue[Letter] = SimpleQueue()

    def free(self) -> list[Place]:
        """See `Executor.free`."""
        return self._seats.free()

    def open(self, key: Key, begin: Begin, *, alone: bool = False) -> None:
        """Take a place for a work, and begin it when its turn has come.

        Args:
            key: The work's key.
            begin: Begins it, given its line.
            alone: See `Executor.submit`.

        Raises:
            SettingError: No place is free, the key is taken, or the executor is closed.
        """
        self._seats.take(key, alone=alone)
        self._lines[key] = Line(key, self._letters.put, self._seats.devices(key))
        self._later[key] = begin
        self._begin_due()

    def _begin_due(self) -> None:
        for key in self._seats.due():
            begin = self._later.pop(key, None)
            if begin is not None:  # it was not cancelled meanwhile
                begin(self._lines[key])

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        """See `Executor.pump`."""
        if not self._lines:
            return
        try:
            letter = self._letters.get(timeout=min(timeout_s, threading.TIMEOUT_MAX))
        except Empty:
            return
        self._deliver(letter, inbox)
        for _ in range(self._letters.qsize()):  # not what comes meanwhile: the caller goes on, too
            self._deliver(self._letters.get(), inbox)

    def reply(self, key: Key, value: Any) -> None:
        """See `Executor.reply`."""
        answer = self._waiting.pop(key, None)
        if answer is not None:
            answer(value)

    def cancel(self, key: Key) -> Line | None:
        """See `Executor.cancel`; return the line, if the work runs."""
        line = self._lines.get(key)
        if line is not None:
            self._waiting.pop(key, None)
            line.cancel()
            if self._later.pop(key, None) is not None:  # nobody else will say that it has ended
                line.end(Raised.by(Cancelled("the work was cancelled")))
        return line

    def close(self) -> None:
        """See `Executor.close`."""
        for key in list(self._lines):
            self.cancel(key)
        self._lines.clear()
        self._seats.close()

    def _deliver(self, letter: Letter, inbox: Inbox) -> None:
        line, message = letter.line, letter.message
        if self._lines.get(line.key) is not line:
            return  # a thread that its work has left behind, or the executor is closed
        if isinstance(message, Ended):
            del self._lines[line.key]
            self._waiting.pop(line.key, None)
            line.cancel()  # so that no thread it left behind waits for ever
            shared = self._seats.leave(line.key)
            self._begin_due()
            inbox(line.key, replace(message, shared=shared))
        elif not line.cancelled:
            if letter.answer is not None:
                self._waiting[line.key] = letter.answer
            value = inbox(line.key, message)
            if value is not LATER:
                self.reply(line.key, value)
            elif not letter.patient:
                self.reply(line.key, _IMPATIENT)


_IMPATIENT = SettingError(
    "request() would halt all coroutines until an answer comes that takes a while; "
    "write `await channel.arequest(...)`"
)
