"""Threads of this process as an executor: for works that wait, or compute outside of Python."""

from collections.abc import Callable
from contextvars import Context
from functools import partial
from threading import Thread
from typing import Any, final

from tunesmith.executors.devices import GPUs, devices_of, environment, variables
from tunesmith.executors.executor import Executor, Inbox, Key, Place, Work
from tunesmith.executors.post import Line, Post
from tunesmith.executors.seats import Seats


@final
class Threads(Executor):
    """Runs each work in a thread of its own.

    Nothing has to travel, and imports are shared. A thread cannot be killed: a work that is
    cancelled, or outlives `close`, goes on until its next message, at the latest until this
    process ends.

    Args:
        n: How many works run at once; None: one for each of the GPUs.
        ending: Called by `close`, to end what works wait for.
        gpus: Those that works share out among the programs that they start, which find them in `environment`;
            see `Processes`.
    """

    def __init__(
        self,
        n: int | None,
        ending: Callable[[], object] | None = None,
        *,
        gpus: GPUs | None = None,
    ) -> None:
        self._post = Post(Seats("Threads", n, () if gpus is None else devices_of(gpus)))
        self._ending = ending

    def free(self) -> list[Place]:
        return self._post.free()

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        def begin(line: Line) -> None:
            context = Context()
            context.run(environment.set, variables(line.devices))
            call = partial(work, line, *args)
            Thread(
                target=context.run, args=(line.run, call), name=f"tunesmith {key}", daemon=True
            ).start()

        self._post.open(key, begin, alone=alone)

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
