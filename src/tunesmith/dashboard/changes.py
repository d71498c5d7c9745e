"""Server-sent events: open pages hear that what they show has changed, and where the log stands.

One thread looks, however many pages are open, and only while there are any. An event carries a version,
the position in the log and a counter; a page that comes back says which it has seen.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias, final

from tunesmith._core.errors import TunesmithError

_Waiter: TypeAlias = tuple[asyncio.AbstractEventLoop, asyncio.Event]

BREATH_S = 0.5  # between two events to one page: what happens in between comes together
SILENCE_S = 15.0  # after which something is sent, so that nobody on the way hangs up


@final
class Changes:
    """Tells pages in the event loop what a thread sees.

    Args:
        look: From the position that is known, returns the one that is now; it comes back when that is another,
            and at the latest after a second.
    """

    def __init__(self, look: Callable[[int], int]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._waiters: set[_Waiter] = set()
        self._pause = threading.Event()
        self._following = False
        self._position = -1
        self.nudges = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def version(self, position: int) -> str:
        """Return the version of what was made at a position."""
        return f"{position}-{self.nudges}"

    def nudge(self) -> None:
        """Say that something has changed beside the log."""
        with self._lock:
            self.nudges += 1
            self._wake()

    def _wake(self) -> None:
        for loop, event in self._waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _follow(self) -> None:
        while True:
            try:
                position = self._look(self._position)
            except TunesmithError:  # the storage does not answer; pages say so themselves
                position = self._position
                self._pause.wait(1.0)
            with self._lock:
                if position != self._position:
                    self._position = position
                    self._wake()
                if not self._waiters:
                    self._following = False
                    return

    async def stream(self, seen: str) -> AsyncGenerator[str, None]:
        """Yield server-sent events, one for each new version.

        Args:
            seen: The version that the page has.
        """
        event = asyncio.Event()
        waiter = asyncio.get_running_loop(), event
        with self._lock:
            self._waiters.add(waiter)
            if not self._following:
                self._following = True
                threading.Thread(target=self._follow, name="dashboard", daemon=True).start()
        try:
            while True:
                event.clear()
                now = self.version(self._position)
                if self._position >= 0 and now != seen:
                    seen = now
                    yield f"id: {now}\nevent: change\ndata: {now}\n\n"
                    await asyncio.sleep(BREATH_S)
                try:
                    await asyncio.wait_for(event.wait(), SILENCE_S)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            with self._lock:
                self._waiters.discard(waiter)
