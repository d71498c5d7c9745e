"""A worker on a Ray cluster: an actor that runs one work after the other and is asked what they say.

Works run in a thread beside those in which Ray calls the actor: `tell` brings what they are told, and
`listen`, of which one call is always on its way, returns when they have said something. So what one
worker says comes in one stream, in order, and the call that fails says that it is gone.
"""

import fcntl
import os
import select
import sys
import threading
from contextlib import suppress
from typing import TypeAlias, final

from tunesmith.executors.executor import Place
from tunesmith.executors.frames import Frame, Kind
from tunesmith.executors.lines import Lines
from tunesmith.executors.worker import Works, print_lines

Said: TypeAlias = list[Frame | str]  # frames, and lines that were printed


@final
class Actor:
    """One place; made by Ray in a process of its own, somewhere in the cluster."""

    def __init__(self) -> None:
        self._said: Said = []
        self._something = threading.Condition()
        self._printed = _Printed()
        self._works = Works(self._write, None)
        threading.Thread(target=self._works.serve, name="tunesmith works", daemon=True).start()
        threading.Thread(target=self._overhear, name="tunesmith output", daemon=True).start()

    def where(self) -> Place:
        """Say where this is, when it is up."""
        import ray  # noqa: PLC0415 - it is here that it runs

        gpus = ray.get_runtime_context().get_accelerator_ids().get("GPU", [])
        return Place(ray.util.get_node_ip_address(), ", ".join(f"GPU {gpu}" for gpu in gpus))

    def tell(self, frame: Frame, function: int = 0, body: bytes = b"") -> None:
        """Take what the executor says, after a function that is to be known from now on."""
        if body:
            self._works.take(Frame(Kind.FUNCTION, function, body))
        self._works.take(frame)

    def listen(self) -> Said:
        """Wait until the works have said something, and return it."""
        with self._something:
            self._something.wait_for(lambda: self._said)
            said, self._said = self._said, []
        return said

    def _write(self, frame: Frame) -> None:
        ends = frame.kind in (Kind.RETURNED, Kind.RAISED)
        with self._something:
            self._said += self._printed.read(to_the_end=ends)  # what it printed before it said this
            self._said.append(frame)
            self._something.notify_all()

    def _overhear(self) -> None:
        while True:
            self._printed.wait()
            with self._something:
                self._said += self._printed.read()
                self._something.notify_all()


@final
class _Printed:
    """What this process prints, from now on: Ray would show it later, and with much around it."""

    def __init__(self) -> None:
        self._pipe, inward = os.pipe()
        os.set_blocking(self._pipe, False)
        self._room_bytes = fcntl.fcntl(inward, fcntl.F_GETPIPE_SZ)
        self._lines = Lines()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(inward, stream.fileno())
        os.close(inward)
        print_lines()

    def wait(self) -> None:
        """Wait until something is printed."""
        select.select([self._pipe], [], [])

    def read(self, *, to_the_end: bool = False) -> list[str]:
        """Return the lines; `to_the_end`: the one that is begun, too."""
        lines: list[str] = []
        with suppress(BlockingIOError):
            # once: all that the pipe holds, and no more of what others go on writing
            lines = self._lines.feed(os.read(self._pipe, self._room_bytes))
        return lines + self._lines.end() if to_the_end else lines
