"""What takes long is made here: by few threads, once, and kept for as long as it is true enough.

An answer belongs to a version of its study. A newer one is made when somebody asks and the last has cost
less than a tenth of the time since: what is quick follows every report, what takes seconds does not stop
the server from serving.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final, final

from tunesmith._core.errors import StudyError

WORKERS: Final = 2
MOST: Final = 400  # answers that are kept
SHARE: Final = 10.0  # of the time that one answer costs, until the next is made


@final
@dataclass(slots=True)
class _Shelf:
    """One answer.

    Attributes:
        version: Of its study.
        made: What came out; an exception, too.
        cost_s: What that took.
        begun: When the last making began.
        future: The making that is going on, or the last one.
    """

    version: Hashable
    future: Future[Any]
    begun: float
    made: Future[Any] | None = None
    cost_s: float = 0.0
    waiting: list[Callable[[], None]] = field(default_factory=list)


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """What is known now.

    Attributes:
        made: What came out, or what went wrong; None: nothing yet.
        again_s: Seconds after which asking again brings something newer; None: this is the newest.
    """

    made: Future[Any] | None
    again_s: float | None


@final
class Backroom:
    """Makes and keeps answers.

    Args:
        most: So many are kept; what is still being made comes on top.
    """

    def __init__(self, most: float = MOST) -> None:
        self._most = most
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._shelves: OrderedDict[Hashable, _Shelf] = OrderedDict()
        for _ in range(WORKERS):  # which the end of the process does not wait for
            threading.Thread(target=self._labour, name="dashboard-work", daemon=True).start()

    def _labour(self) -> None:
        while True:
            self._work.get()()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._lock:
            for shelf in self._shelves.values():
                if not shelf.future.done():
                    shelf.made = _failed(StudyError("the dashboard is closing"))
                    shelf.future.set_result(None)

    def ask(
        self,
        key: Hashable,
        version: Hashable,
        work: Callable[[], Any],
        done: Callable[[], None] | None = None,
    ) -> Answer:
        """Return the answer as far as there is one, and have a newer one made if it is time.

        Args:
            key: Which answer.
            version: Of its study, now.
            work: Makes it.
            done: Called when a newer one is there.
        """
        with self._lock:
            shelf = self._shelves.get(key)
            now = time.monotonic()
            if shelf is None:
                shelf = self._shelves[key] = self._begin(key, version, work, now)
                self._make_room()
            self._shelves.move_to_end(key)
            due = shelf.begun + (1.0 + SHARE) * shelf.cost_s
            if shelf.version != version and shelf.future.done() and now >= due:
                made, cost_s = shelf.made, shelf.cost_s
                shelf = self._shelves[key] = self._begin(key, version, work, now)
                shelf.made, shelf.cost_s = made, cost_s
            busy = not shelf.future.done()
            if busy and done is not None:
                shelf.waiting.append(done)
            if busy:
                return Answer(shelf.made, 1.0)
            return Answer(shelf.made, None if shelf.version == version else max(due - now, 0.1))

    def wait(
        self, key: Hashable, version: Hashable, work: Callable[[], Any], timeout_s: float
    ) -> Answer:
        """Return an answer, waiting for the first one if need be.

        Raises:
            TimeoutError: It takes longer.
        """
        answer = self.ask(key, version, work)
        if answer.made is None:
            with self._lock:
                shelf = self._shelves.get(key)
            if shelf is not None:
                shelf.future.exception(timeout_s)
            answer = self.ask(key, version, work)
        return answer

    def _make_room(self) -> None:
        """Forget those that were not asked for the longest time; what is being made would be made twice."""
        for key in [key for key, shelf in self._shelves.items() if shelf.future.done()]:
            if len(self._shelves) <= self._most:
                return
            del self._shelves[key]

    def _begin(
        self, key: Hashable, version: Hashable, work: Callable[[], Any], now: float
    ) -> _Shelf:
        future: Future[Any] = Future()
        shelf = _Shelf(version, future, now)

        def run() -> None:
            begun = time.monotonic()
            try:
                made: Future[Any] = Future()
                made.set_result(work())
            except Exception as error:  # noqa: BLE001 - it is the answer
                made = _failed(error)
            with self._lock:
                if future.done():  # it is closed
                    return
                shelf.made, shelf.cost_s = made, time.monotonic() - begun
                waiting, shelf.waiting = shelf.waiting, []
                future.set_result(None)
            for one in dict.fromkeys(waiting):
                one()

        self._work.put(run)
        return shelf


def _failed(error: Exception) -> Future[Any]:
    made: Future[Any] = Future()
    made.set_exception(error)
    return made
