"""A time budget: candidates that run when it is over are handed back after their fold."""

import time
from typing import Any, final

from tunesmith.executors import Died, Executor, Inbox, Key, Raised, Returned, Work
from tunesmith.study.errand import Report


@final
class Budgeted(Executor):
    """Runs works as another executor does, until the time is over.

    A candidate that then reports a fold before its last is ended as if it had been cancelled: it does
    not count, and the next run begins with it.

    Args:
        executor: What runs the works.
        seconds: How long, from now on.
        last: The number of the last fold.
    """

    def __init__(self, executor: Executor, seconds: float, last: int) -> None:
        self._executor = executor
        self._over_at = time.monotonic() + seconds
        self._last = last
        self._cut: set[Key] = set()

    def free(self) -> int:
        return self._executor.free()

    def submit(self, work: Work, key: Key, *args: Any) -> None:
        self._executor.submit(work, key, *args)

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        def hear(key: Key, message: Any) -> Any:
            if isinstance(message, Returned | Raised | Died) and key in self._cut:
                self._cut.discard(key)
                message = Died("cancelled", "the time budget is over")
            answer = inbox(key, message)
            late = time.monotonic() >= self._over_at
            if late and isinstance(message, Report) and message.step < self._last and not answer:
                self._cut.add(key)
                return True
            return answer

        self._executor.pump(hear, timeout_s)

    def reply(self, key: Key, value: Any) -> None:
        self._executor.reply(key, value)

    def cancel(self, key: Key) -> None:
        self._executor.cancel(key)

    def close(self) -> None:
        self._executor.close()
