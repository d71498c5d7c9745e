"""SIGTERM and its like: the machine is wanted back, and whoever runs a study is told beforehand."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final

from tunesmith.executors.signals import TO_LEAVE

GRACE_S = 10.0  # what runs has so long to report; clusters wait 30 s before they kill


@final
class AtOnce(KeyboardInterrupt):
    """Raised wherever the main thread is: there is no time for anything but handing back."""


@final
class Notice:
    """Whether this process has been told to leave.

    Args:
        waits: Whether what runs will come to a report; else the main thread is interrupted at once.

    Attributes:
        given: Whether it has.
    """

    def __init__(self, waits: Callable[[], bool]) -> None:
        self.given = False
        self._pid = os.getpid()
        self._waits = waits
        self._timer: threading.Timer | None = None

    def give(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the first waits for reports, the second does not; nor do `GRACE_S`."""
        del frame
        if os.getpid() != self._pid:  # forked by a trial: it shall end as any process does
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        again, self.given = self.given, True
        if again or not self._waits():
            raise AtOnce
        self._timer = threading.Timer(GRACE_S, os.kill, (os.getpid(), number))
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
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in TO_LEAVE:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, notice.give)
    try:
        yield
    finally:
        notice.withdraw()
        for number, handler in before.items():
            signal.signal(number, handler)
