"""One running program: the lines of its output as they come, and its end."""

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import IO, final
from weakref import finalize

from tunesmith.executors.life import end_with

POLL_S = 0.1
LINGER_S = 0.5  # how long output is read on that a grandchild holds open after the program's end
MOST = 65_536  # characters of a line; a longer one is cut into several
AHEAD = 1_000  # lines read ahead of us; then the program waits


@final
class Process:
    """A program in a process group of its own, so that it ends with all that it started.

    It ends with this process, too, even if that is killed.

    Args:
        command: The program and its arguments.
        environment: Variables beside those of this process.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        theirs, ours = os.pipe()  # nothing is ever written: it closes when this process ends
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's program is the purpose
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **environment},
                start_new_session=True,
                pass_fds=(theirs,),
            )
            end_with(theirs, self._process.pid)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        finalize(self, os.close, ours)
        self._lines: Queue[tuple[bool, str] | None] = Queue(AHEAD)
        self._open = 2
        for stream, out in ((self._process.stdout, True), (self._process.stderr, False)):
            Thread(target=self._read, args=(stream, out), daemon=True).start()

    def _read(self, stream: IO[str], out: bool) -> None:
        with stream:
            while line := stream.readline(MOST):
                self._lines.put((out, line.rstrip("\r\n")))
        self._lines.put(None)

    def lines(self, until: float = float("inf")) -> Iterator[tuple[bool, str]]:
        """Yield each line, and whether it is standard output, until the program has ended.

        Args:
            until: Value of the monotonic clock at which to leave off.
        """
        ended = float("inf")
        while self._open and time.monotonic() < until:
            try:
                item = self._lines.get(timeout=POLL_S)
            except Empty:
                if self._process.poll() is not None:
                    ended = min(ended, time.monotonic())
                    if time.monotonic() - ended > LINGER_S:
                        return
                continue
            if item is None:
                self._open -= 1
            else:
                yield item
        timeout_s = None if until == float("inf") else max(0.0, until - time.monotonic())
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    @property
    def code(self) -> int | None:
        """The exit code; negative: the signal that ended it; None: it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and all that it started, as far as that has not ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()


def end(processes: Collection[Process], grace_s: float) -> None:
    """End programs and all that they started, at once: SIGTERM, and after `grace_s` seconds SIGKILL."""
    until = time.monotonic() + grace_s
    try:
        for process in processes:
            process.signal(signal.SIGTERM)
        for process in processes:
            for _ in process.lines(until):
                pass
    finally:  # also if the user cannot wait
        for process in processes:
            process.signal(signal.SIGKILL)
        for process in processes:
            process.wait()
