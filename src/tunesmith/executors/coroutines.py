"""Coroutines as an executor: for `async def` works that wait for other machines, many at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from inspect import isawaitable
from typing import Any, final

from tunesmith._core.errors import Cancelled
from tunesmith.executors.executor import Executor, Inbox, Key, Place, Raised, Returned, Work
from tunesmith.executors.post import Line, Post, opened
from tunesmith.executors.seats import Seats

GRACE_S = 1.0  # how long `close` waits for coroutines to end


@final
class AsyncChannel:
    """What a coroutine gets: a `Channel`, and `arequest` to wait without halting the others.

    `request`, too, may be called in a coroutine: the loop then stands still until the answer is
    there, some 0.1 ms if the pump is waiting. An answer that is to come `LATER` is refused there.
    From other threads, as in `asyncio.to_thread`, it waits as long as need be.
    """

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        self._line = line
        self._loop = loop
        self._thread = thread

    def send(self, message: Any) -> None:
        """Say something, in order, without waiting for it to be heard."""
        self._line.send(message)

    def request(self, message: Any) -> Any:
        """Say something, wait for the answer and return it; an exception is raised instead."""
        in_loop = threading.get_ident() == self._thread
        return self._line.request(message, patient=not in_loop)

    async def arequest(self, message: Any) -> Any:
        """Say something and await the answer, for as long as it takes, while others go on."""
        answer: asyncio.Future[Any] = self._loop.create_future()

        def settle(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        self._line.ask(message, lambda value: self._loop.call_soon_threadsafe(settle, value))
        return opened(await answer)


@final
class Coroutines(Executor):
    """Runs `async def` works in one event loop, in a thread of its own.

    All share the loop, so that clients and semaphores made for it serve them all. A work gets an
    `AsyncChannel`. What blocks, blocks all of them: such works belong into `Threads`.

    Args:
        n: How many works run at once.
    """

    def __init__(self, n: int) -> None:
        self._post = Post(Seats("Coroutines", n))
        self._tasks: dict[Line, asyncio.Task[None]] = {}  # touched in the loop's thread only
        self._thread: threading.Thread | None = None
        self._loop: Future[asyncio.AbstractEventLoop] = Future()

    def free(self) -> list[Place]:
        return self._post.free()

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        def begin(line: Line) -> None:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="tunesmith loop", daemon=True
                )
                self._thread.start()
            self._call(self._begin, line, work, args)

        self._post.open(key, begin)

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        self._post.pump(inbox, timeout_s)

    def reply(self, key: Key, value: Any) -> None:
        self._post.reply(key, value)

    def cancel(self, key: Key) -> None:
        line = self._post.cancel(key)  # first: the loop may stand still in a request of this work
        if line is not None:
            self._call(self._cancel, line)

    def close(self) -> None:
        self._post.close()
        if self._thread is not None:
            self._call(self._stop)
            self._thread.join(GRACE_S)
            self._thread = None

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        if self._thread is not None:
            self._loop.result().call_soon_threadsafe(function, *args)

    # in the loop's thread

    def _serve(self) -> None:
        with asyncio.Runner() as runner:  # on leaving, it cancels what is left and waits for it
            loop = runner.get_loop()
            loop.call_soon(self._loop.set_result, loop)
            loop.run_forever()

    def _stop(self) -> None:
        asyncio.get_running_loop().stop()

    def _begin(self, line: Line, work: Work, args: tuple[Any, ...]) -> None:
        loop = asyncio.get_running_loop()
        channel = AsyncChannel(line, loop, threading.get_ident())
        task = self._tasks[line] = loop.create_task(_run(work, line, channel, args))

        def done(task: asyncio.Task[None]) -> None:
            del self._tasks[line]
            if task.cancelled():  # before it began: nothing of `_run` has run
                line.end(Raised.by(Cancelled("the work was cancelled")))

        task.add_done_callback(done)

    def _cancel(self, line: Line) -> None:
        if line in self._tasks:
            self._tasks[line].cancel()


async def _run(work: Work, line: Line, channel: AsyncChannel, args: tuple[Any, ...]) -> None:
    try:
        value = await _called(work, channel, args)
    except BaseException as error:  # noqa: BLE001 - a SystemExit would end the loop
        line.end(Raised.by(error))
    else:
        line.end(Returned(value))


def _called(work: Work, channel: AsyncChannel, args: tuple[Any, ...]) -> Awaitable[Any]:
    value = work(channel, *args)
    if not isawaitable(value):
        raise TypeError(
            f"Coroutines runs async functions, {work!r} returned {type(value).__name__}; "
            "write `async def`, or use Threads"
        )
    return value
