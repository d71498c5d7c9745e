"""Signals that tell whoever runs a study to leave: SIGTERM and its like, and Ctrl-C."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Literal, final

from tunesmith.executors.signals import TO_LEAVE

GRACE_S = 10.0  # what runs has so long to report; clusters wait 30 s before they kill
SAVING_S = 15.0  # what is being saved then has so much longer
ECHO_S = 1.0  # a signal that comes again so soon was sent by a cluster, and once more by the script that it told


@final
class AtOnce(KeyboardInterrupt):
    """Raised wherever the main thread is: there is no time for anything but handing back."""


@final
class Notice:
    """Whether this process has been told to leave.

    Args:
        waits: Whether what runs will come to a report; else the main thread is interrupted at once.
        saves: Whether it will save itself there, so that Ctrl-C should wait, too.
        busy: Whether something is being saved at this moment.
        say: Says that Ctrl-C waits for that.

    Attributes:
        given: Whether it has.
        why: How.
    """

    def __init__(
        self,
        waits: Callable[[], bool],
        saves: Callable[[], bool],
        busy: Callable[[], bool],
        say: Callable[[], None],
    ) -> None:
        self.given = False
        self.why: Literal["pre-empted", "interrupted"] = "pre-empted"
        self._pid = os.getpid()
        self._waits = waits
        self._saves = saves
        self._busy = busy
        self._say = say
        self._timer: threading.Timer | None = None
        self._first = (0, 0.0)  # signal taken, and when

    def give(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the first waits for reports, the second does not; nor do `GRACE_S`."""
        del frame
        if os.getpid() != self._pid:  # forked by a trial: it shall end as any process does
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        again, self.given = self.given, True
        now = time.monotonic()
        if again and self._first[0] == number and now - self._first[1] < ECHO_S:
            return
        self._first = number, now
        if again or not self._waits():
            raise AtOnce
        self._start(GRACE_S, self._late, number)

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Take Ctrl-C: the first waits for reports if something can be saved there."""
        del frame
        if os.getpid() != self._pid or self.given or not self._saves():
            raise KeyboardInterrupt
        self.given, self.why = True, "interrupted"
        with suppress(RuntimeError):  # it was in the middle of a line
            self._say()
        self._start(GRACE_S, self._late, number)

    def _late(self, number: int) -> None:
        """Insist, in a thread of the timer's, unless something is being saved just now."""
        if self._busy():
            self._start(SAVING_S, self._insist, number)
        else:
            self._insist(number)

    def _insist(self, number: int) -> None:
        os.kill(self._pid, number)

    def _start(self, seconds: float, function: Callable[[int], None], number: int) -> None:
        self._timer = threading.Timer(seconds, function, (number,))
        self._timer.daemon = True
        self._timer.start()

    def withdraw(self) -> None:
        """Let the time that was given run out unheard."""
        if self._timer is not None:
            self._timer.cancel()


@contextmanager
def noticed(notice: Notice) -> Iterator[None]:
    """Listen to the signals that say "leave", as far as nobody else does.

    Python has them handled in the main thread alone: a run in another thread is not told.
    """
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in TO_LEAVE:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, notice.give)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            before[signal.SIGINT] = signal.signal(signal.SIGINT, notice.interrupt)
    try:
        yield
    finally:
        notice.withdraw()
        raised: KeyboardInterrupt | None = None
        while True:  # a signal that comes right now must not leave our handlers behind
            try:
                for number, handler in before.items():
                    signal.signal(number, handler)
                break
            except KeyboardInterrupt as interrupt:
                raised = interrupt
        if raised is not None:
            raise raised
