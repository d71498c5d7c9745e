"""The calling thread as an executor: a debugger works, and nothing has to travel."""

from collections.abc import Callable
from typing import Any, final

from tunesmith._core.errors import Cancelled, SettingError
from tunesmith.executors.executor import (
    HERE,
    LATER,
    Ended,
    Executor,
    Inbox,
    Key,
    Place,
    Raised,
    Returned,
    Work,
    check_submit,
)


@final
class Serial(Executor):
    """Runs one work at a time, inside `pump`.

    `pump` runs the submitted work to its end, whatever its timeout says, and calls the inbox in
    between. A `KeyboardInterrupt` passes through work and `pump`, and so does what the inbox
    raises; the work then has ended without a last message. The inbox cannot say `LATER`: nobody
    would be there to answer.

    Example:
        >>> with Serial() as executor:
        ...     executor.submit(lambda channel, x: x + 1, ("0.0", 1), 41)
        ...     executor.pump(print, timeout_s=0)
        ('0.0', 1) Returned(value=42)
    """

    def __init__(self) -> None:
        self._task: Callable[[Inbox], Ended] | None = None  # submitted and not begun
        self._line: _Line | None = None  # submitted or running
        self._closed = False

    def free(self) -> list[Place]:
        return [] if self._closed or self._line else [HERE]

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        running = [self._line.key] if self._line else []
        check_submit("Serial", key, running, 1, closed=self._closed)
        line = self._line = _Line(key)

        def task(inbox: Inbox) -> Ended:
            line.inbox = inbox
            try:
                line.check()
                value = work(line, *args)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - a SystemExit ends the work only
                return Raised.by(error)
            return Returned(value)

        self._task = task

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        task, line = self._task, self._line
        if task is None or line is None:
            return
        self._task = None
        try:
            ended = task(inbox)
        finally:
            self._line = None
        if line.failure is not None:
            raise line.failure
        if not self._closed:
            inbox(line.key, ended)

    def reply(self, key: Key, value: Any) -> None:
        pass  # no request ever waits here

    def cancel(self, key: Key) -> None:
        if self._line is not None and self._line.key == key:
            self._line.cancelled = True

    def close(self) -> None:
        self._closed = True
        if self._line is not None:
            self._line.cancelled = True
        if self._task is not None:
            self._task = self._line = None


@final
class _Line:
    """The channel of a work that runs in the thread of its inbox."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.inbox: Inbox = lambda *_: None  # until the work begins
        self.cancelled = False
        self.failure: BaseException | None = None  # what the inbox raised

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.cancelled:
            raise Cancelled("the work was cancelled")

    def send(self, message: Any) -> None:
        self._deliver(message)
        self.check()

    def request(self, message: Any) -> Any:
        value = self._deliver(message)
        if value is LATER:
            self.failure = SettingError(
                "an inbox of Serial must answer at once, it returned LATER; use Threads or Processes"
            )
        self.check()
        if isinstance(value, BaseException):
            raise value
        return value

    def _deliver(self, message: Any) -> Any:
        self.check()
        try:
            return self.inbox(self.key, message)
        except BaseException as error:
            self.failure = error
            raise
