"""One worker process as its parent sees it: its pipes, its life, and what it is busy with."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import final

from tunesmith.executors.devices import Devices, variables
from tunesmith.executors.executor import Died, Key
from tunesmith.executors.frames import CHUNK_BYTES, Frame, Kind, Reassembly
from tunesmith.executors.lines import Lines
from tunesmith.executors.usage import cpu_s
from tunesmith.executors.worker import KNOWN

# not `-m`: the parent may have found this package where a new interpreter would not look
_BEGIN = (
    "import sys; inward, outward, life, *sys.path[:] = sys.argv[1:]; "
    "from tunesmith.executors.worker import main; main(int(inward), int(outward), int(life))"
)
_CHUNKS = 16  # read at once, so that none that says much keeps the others waiting


@final
class Child:
    """A worker process, in a session and group of its own so that Ctrl-C reaches its parent only.

    Args:
        setup: What it is told first.
        environ: Its environment.
        devices: The GPUs that it sees; empty: those of this process.
        overheard: Whether what it prints comes to this side.

    Attributes:
        devices: The same, for as long as it lives.
        pidfd: Becomes readable when the process ends.
        outward: Becomes readable when it has said something; a file descriptor of this side.
        printed: Becomes readable when it has printed something; None: that comes elsewhere.
        inward: Becomes writable when it can be told something.
        key: Whose work it is busy with, or None.
        number: The number of its latest work.
        begun: When that began, in seconds of the monotonic clock.
        heard: When there was the last sign of life.
        asks: Whether its work waits for an answer.
        verdict: Why it was killed, if it was.
        mute: Whether it can print no more, nor anyone in its place.
        used: What its work was seen to use.
    """

    def __init__(
        self, setup: Frame, environ: Mapping[str, str], devices: Devices, *, overheard: bool
    ) -> None:
        self.devices = devices
        its_inward, self.inward = os.pipe()
        self.outward, its_outward = os.pipe()
        its_life, life = os.pipe()  # nothing is ever written: it closes when this side ends
        theirs = [its_inward, its_outward, its_life]
        self._open = [self.inward, self.outward, life]
        self.printed: int | None = None
        its_streams: int | None = None
        if overheard:
            self.printed, its_streams = os.pipe()
            theirs.append(its_streams)
            self._open.append(self.printed)
            self._room_bytes = fcntl.fcntl(self.printed, fcntl.F_GETPIPE_SZ)
            os.set_blocking(self.printed, False)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", _BEGIN, *map(str, theirs[:3]), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=its_streams,
                stderr=its_streams,
                env={**environ, **variables(devices)},
                pass_fds=theirs[:3],
                start_new_session=True,
            )
            self.pidfd = os.pidfd_open(self._process.pid)
        except BaseException:
            self._release()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._open.append(self.pidfd)
        os.set_blocking(self.inward, False)
        os.set_blocking(self.outward, False)
        self.key: Key | None = None
        self.number = 0
        self.begun = self.heard = time.monotonic()
        self.asks = False
        self.verdict: Died | None = None
        self.mute = False
        self.used: dict[str, float] = {}
        self._cpu_s = 0.0
        self._knows: deque[int] = deque(maxlen=KNOWN)
        self._frames = Reassembly()
        self._lines = Lines()
        self._backlog = bytearray()
        self.write(setup)

    @property
    def pid(self) -> int:
        """Its process id, which is that of its session and group, too."""
        return self._process.pid

    @property
    def backlog(self) -> bool:
        """Whether there was no room in the pipe for all that it is to be told."""
        return bool(self._backlog)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        poll = select.poll()  # not `Popen.poll`: until `bury`, nobody else shall get its number
        poll.register(self.pidfd, select.POLLIN)
        return not poll.poll(0)

    def begin(self, key: Key, number: int, function: Frame, work: bytes) -> None:
        """Give it work number `number`, and the function if it does not know it."""
        self.key, self.number, self.asks, self.used = key, number, False, {}
        self.begun = self.heard = time.monotonic()
        if function.number not in self._knows:
            self._knows.append(function.number)  # it forgets the oldest, as the worker does
            self.write(function)
        self.write(Frame(Kind.WORK, number, work))

    def write(self, frame: Frame) -> None:
        """Tell it something; what does not fit into the pipe waits for `flush`."""
        self._backlog += frame.pack()
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as there is room."""
        try:
            while self._backlog:
                with memoryview(self._backlog) as view:
                    written = os.write(self.inward, view[:CHUNK_BYTES])
                del self._backlog[:written]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it is gone, as `pidfd` says
            self._backlog.clear()

    def read(self, *, all_of_it: bool = False) -> list[Frame]:
        """Return what it has said; much may need more than one call, or `all_of_it`."""
        frames: list[Frame] = []
        count = 0
        with suppress(BlockingIOError):
            while (all_of_it or count < _CHUNKS) and (piece := os.read(self.outward, CHUNK_BYTES)):
                self.heard = time.monotonic()
                frames += self._frames.feed(piece)
                count += 1
        return frames

    def read_lines(self, *, to_the_end: bool = False) -> list[str]:
        """Return the lines that it has printed; `to_the_end`: the one it has begun, too."""
        lines: list[str] = []
        if self.printed is not None:
            with suppress(BlockingIOError):
                # once: all that the pipe holds, and no more of what others go on writing
                piece = os.read(self.printed, self._room_bytes)
                self.mute = not piece
                if piece:
                    self.heard = (
                        time.monotonic()
                    )  # it may have waited for room, letting no thread run
                    lines = self._lines.feed(piece)
        return lines + self._lines.end() if to_the_end else lines

    def note_cpu(self) -> bool:
        """Note how much it has computed; return whether that is more than the last time."""
        before, self._cpu_s = self._cpu_s, cpu_s(self.pid)
        return self._cpu_s > before

    def kill(self, verdict: Died) -> None:
        """Kill it with what it has forked, unless that was done already."""
        if self.verdict is None:
            self.verdict = verdict
            self._kill_group()

    def bury(self) -> Died:
        """End it for good, release everything; return how it ended.

        Calling it again goes on where an exception has left it.
        """
        self._kill_group()
        code = self._process.wait()
        self._release()
        if self.verdict is not None:
            return self.verdict
        if code >= 0:
            return Died("lost", f"the worker process left with exit code {code}")
        text = f"the worker process was killed by {_signal_name(-code)}"
        if -code == signal.SIGKILL:
            text += "; if nobody did that, the system has run out of memory"
        return Died("lost", text)

    def _release(self) -> None:
        self.printed = None
        while self._open:
            os.close(self._open.pop())

    def _kill_group(self) -> None:
        if self._process.returncode is not None:
            return  # its number may be another's by now
        with suppress(ProcessLookupError, PermissionError):  # nothing is left of it
            os.killpg(self.pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
