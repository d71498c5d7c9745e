"""Threads of this process as an executor: for works that wait, or compute outside of Python."""

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, final

from tunesmith.executors.executor import Executor, Inbox, Key, Place, Work
from tunesmith.executors.post import Post


@final
class Threads(Executor):
    """Runs each work in a thread of its own.

    Nothing has to travel, and imports are shared. A thread cannot be killed: a work that is
    cancelled, or outlives `close`, goes on until its next message, at the latest until this
    process ends.

    Args:
        n: How many works run at once.
        ending: Called by `close`, to end what works wait for.
    """

    def __init__(self, n: int, ending: Callable[[], object] | None = None) -> None:
        self._post = Post("Threads", n)
        self._ending = ending

    def free(self) -> list[Place]:
        return self._post.free()

    def submit(self, work: Work, key: Key, *args: Any) -> None:
        line = self._post.open(key)
        call = partial(work, line, *args)
        Thread(target=line.run, args=(call,), name=f"tunesmith {key}", daemon=True).start()

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        self._post.pump(inbox, timeout_s)

    def reply(self, key: Key, value: Any) -> None:
        self._post.reply(key, value)

    def cancel(self, key: Key) -> None:
        self._post.cancel(key)

    def close(self) -> None:
        self._post.close()
        if self._ending is not None:
            self._ending()
