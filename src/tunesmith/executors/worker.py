"""A worker process: reads works from a pipe, runs one after the other, writes what they say to another.

The main thread runs the works, so that whatever must be imported or called there is. A second
thread reads the pipe, and gives a sign of life when there is nothing to read. When the parent ends,
the process ends with all that its works have forked.
"""

import io
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pickle import loads
from queue import SimpleQueue
from typing import Any, NoReturn, final

from tunesmith._core.errors import Cancelled
from tunesmith.executors.executor import Raised
from tunesmith.executors.frames import CHUNK_BYTES, Frame, Kind, Reassembly, dumps
from tunesmith.executors.life import end_with
from tunesmith.executors.memory import Meter, release
from tunesmith.executors.signals import stay

KNOWN = 8  # functions that a worker keeps


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told before anything else.

    Attributes:
        argv: The parent's `sys.argv`.
        parent: Its process id.
        beat_s: Seconds between two signs of life.
        threads: Threads that a library may use at most; None: it is the user's business.
        overheard: Whether the parent reads what it prints.
    """

    argv: list[str]
    parent: int
    beat_s: float
    threads: int | None
    overheard: bool


def main(inward: int, outward: int, life: int) -> None:
    """Serve until the parent is gone.

    Args:
        inward: File descriptor to read frames from.
        outward: File descriptor to write frames to.
        life: File descriptor of a pipe that closes when the parent ends.
    """
    for descriptor in (inward, outward, life):
        os.set_inheritable(descriptor, False)  # programs that the works start are not concerned
    _end_with(life)
    stay()
    frames = Reassembly()
    first: list[Frame] = []
    while not first:
        piece = os.read(inward, CHUNK_BYTES) or _end()
        first = list(frames.feed(piece))
    setup: Setup = loads(first[0].body)  # noqa: S301 - of the parent
    sys.argv = setup.argv
    if setup.overheard:
        print_lines()
    worker = _Worker(setup, inward, outward)
    threading.Thread(
        target=worker.attend, args=(frames, first[1:]), name="tunesmith attendant", daemon=True
    ).start()
    worker.serve()


def print_lines() -> None:
    """Print each line when it is complete, in UTF-8: what follows may be a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _end_with(life: int) -> None:
    """End this process and what it forks when the other end of `life` closes."""
    end_with(life, os.getpgrp())
    poll = select.poll()
    poll.register(life)
    if poll.poll(0):  # it had closed before
        _end()


def _end() -> NoReturn:
    """End this process at once, and whatever its works have left in its group."""
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


@final
class _Worker:
    """The pipes, and what came out of them."""

    def __init__(self, setup: Setup, inward: int, outward: int) -> None:
        self._setup = setup
        self._inward = inward
        self._outward = outward
        self._pid = os.getpid()
        self._writing = threading.Lock()
        self._works = Works(self.write, setup.threads)

    def attend(self, frames: Reassembly, begun: list[Frame]) -> None:
        """Read the pipe, and give signs of life, for ever."""
        for frame in begun:
            self._works.take(frame)
        poll = select.poll()
        poll.register(self._inward, select.POLLIN)
        while True:
            if poll.poll(min(self._setup.beat_s, 3600) * 1000):
                piece = os.read(self._inward, CHUNK_BYTES) or _end()
                for frame in frames.feed(piece):
                    self._works.take(frame)
            elif os.getppid() != self._setup.parent:
                _end()  # some other process holds the pipe open
            elif self._writing.acquire(blocking=False):  # else something is being said anyway
                try:
                    self._write(Frame(Kind.BEAT, 0, b""))
                finally:
                    self._writing.release()

    def serve(self) -> NoReturn:
        """Run works, for ever."""
        self._works.serve()

    def write(self, frame: Frame) -> None:
        """Put a frame into the pipe, waiting for room."""
        if os.getpid() != self._pid:
            raise RuntimeError(
                "a process that the work has forked cannot use its channel; send from the work itself"
            )
        with self._writing:
            self._write(frame)

    def _write(self, frame: Frame) -> None:
        rest = memoryview(frame.pack())
        try:
            while rest:
                rest = rest[os.write(self._outward, rest) :]
        except OSError:
            _end()


@final
class Works:
    """Runs the works that frames tell of, one after the other, and frames what they say.

    Args:
        write: Takes a frame to the executor; from any thread.
        threads: Threads that a library may use at most; None: it is the user's business.
    """

    def __init__(self, write: Callable[[Frame], None], threads: int | None) -> None:
        self._write = write
        self._threads = threads
        self._pid = os.getpid()
        self._frames: SimpleQueue[Frame] = SimpleQueue()
        self._channel = _Channel(0, write)
        self._functions: dict[int, bytes | Callable[..., Any]] = {}
        self._meter = Meter()

    def take(self, frame: Frame) -> None:
        """Take what the executor says, in a thread beside that of `serve`."""
        if frame.kind is Kind.REPLY:
            self._channel.answer(frame)
        else:
            self._frames.put(frame)

    def serve(self) -> NoReturn:
        """Run works, for ever."""
        while True:
            frame = self._frames.get()
            if frame.kind is Kind.FUNCTION:
                self._functions[frame.number] = frame.body
                if len(self._functions) > KNOWN:
                    del self._functions[next(iter(self._functions))]
            else:
                self._channel = _Channel(frame.number, self._write)
                ended = self._run(frame)
                if os.getpid() != self._pid:
                    os._exit(0)  # the work has forked and returned twice
                self._channel.close()
                _flush()
                self._write(ended)
                release()

    def _run(self, frame: Frame) -> Frame:
        try:
            number, args = loads(frame.body)  # noqa: S301 - of the parent
            function = self._function(number)
            self._meter.begin()
            value = function(self._channel, *args)
            body = dumps(
                (self._meter.used(), value),
                f"what the work returned, of type {type(value).__name__},",
                "return numbers, texts, arrays, or mappings of such",
            )
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends this work only
            return Frame(Kind.RAISED, frame.number, pack_error(error, self._meter.used()))
        return Frame(Kind.RETURNED, frame.number, body)

    def _function(self, number: int) -> Callable[..., Any]:
        known = self._functions[number]
        if not isinstance(known, bytes):
            return known
        function: Callable[..., Any] = loads(known)  # noqa: S301 - of the parent
        self._functions[number] = function
        if self._threads is not None:
            limit_threads(self._threads)
        return function


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or replaced
            stream.flush()
    if ctypes := sys.modules.get("ctypes"):  # NumPy loads it: libraries in C may have printed, too
        with suppress(OSError, ValueError, AttributeError):  # it is another C, or half loaded
            libc = ctypes.CDLL(None)
            libc.fflush(ctypes.c_void_p.in_dll(libc, "stdout"))


@final
class _Channel:
    """A work's end of the line."""

    def __init__(self, number: int, write: Callable[[Frame], None]) -> None:
        self._number = number
        self._write = write
        self._answers: SimpleQueue[bytes | None] = SimpleQueue()
        self._asking = threading.Lock()  # threads of one work ask one after the other
        self._closed = False

    def send(self, message: Any) -> None:
        self._say(Kind.SEND, message)

    def request(self, message: Any) -> Any:
        with self._asking:
            self._say(Kind.REQUEST, message)
            answer = self._answers.get()
        if answer is None:
            raise Cancelled("the work has ended")
        value = loads(answer)  # noqa: S301 - of the parent
        if isinstance(value, BaseException):
            raise value
        return value

    def _say(self, kind: Kind, message: Any) -> None:
        if self._closed:
            raise Cancelled("the work has ended")
        what = f"a message of type {type(message).__name__}"
        body = dumps(message, what, "send numbers, texts, arrays, or mappings of such")
        self._write(Frame(kind, self._number, body))

    def answer(self, frame: Frame) -> None:
        """Pass an answer on to whoever waits for it, unless it is another work's."""
        if frame.number == self._number:
            self._answers.put(frame.body)

    def close(self) -> None:
        """Say no more: a thread that the work has left behind must not speak for the next one."""
        self._closed = True
        self._answers.put(None)


def pack_error(error: BaseException, used: Mapping[str, float]) -> bytes:
    """Return an exception with all that is known of it if it cannot be read on the other side."""
    raised = Raised.by(error)
    try:
        pickled = dumps(error, "an exception", "")
    except TypeError:
        pickled = b""
    try:
        message = str(error)
    except Exception as failure:  # noqa: BLE001 - a __str__ may raise anything
        message = f"(its message cannot be shown: {failure!r})"
    name, ordinary = type(error).__name__, isinstance(error, Exception)
    return dumps((pickled, name, message, ordinary, raised.text, used), "an exception", "")


def unpack_error(body: bytes) -> Raised:
    """Return what a work raised; in place of what cannot be read, an exception of the same name."""
    pickled, name, message, ordinary, text, used = loads(body)  # noqa: S301 - of our child
    try:
        error = loads(pickled)  # noqa: S301 - of our child
    except Exception:  # noqa: BLE001 - an exception's constructor may raise anything
        error = None
    if not isinstance(error, BaseException):
        base = Exception if ordinary else BaseException
        error = type(name, (base,), {"__doc__": "Stands for an exception that cannot travel."})(
            message
        )
    return Raised(error, text, used=used)


_HAVE_POOLS = {"numpy", "scipy", "sklearn", "torch"}  # those that threadpoolctl knows


def limit_threads(n: int) -> None:
    """Let the thread pools that are loaded by now use at most `n` threads each.

    The environment has told them so already; this reaches those that were built not to ask it.
    """
    if _HAVE_POOLS & sys.modules.keys():
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - only where there are pools

        for pool in ThreadpoolController().lib_controllers:
            if pool.num_threads > n:
                pool.set_num_threads(n)
