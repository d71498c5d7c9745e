"""Worker processes as an executor: whatever a work does to itself, it does to no other."""

import math
import os
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pickle import dumps as plain_dumps
from typing import Any, final

from tunesmith._core.amounts import together
from tunesmith._core.checks import is_whole
from tunesmith._core.errors import SettingError
from tunesmith.executors import nvml
from tunesmith.executors.arrivals import Arrivals
from tunesmith.executors.child import Child
from tunesmith.executors.devices import Devices, GPUs, devices_of
from tunesmith.executors.executor import (
    Died,
    Ended,
    Executor,
    Inbox,
    Key,
    Place,
    Raised,
    Work,
)
from tunesmith.executors.frames import Frame, Kind, dumps
from tunesmith.executors.memory import GPU_MEMORY, out_of_memory
from tunesmith.executors.seats import Seats
from tunesmith.executors.travel import Functions, inside, opened
from tunesmith.executors.usage import memory_bytes as memory_of
from tunesmith.executors.usage import sessions
from tunesmith.executors.worker import Setup

LOOK_S = 0.15  # how often memory is looked at
GPU_LOOK_S = 1.0  # and that of GPUs
THREADS = (  # what libraries read when they are loaded
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
_CANCELLED = Died("cancelled", "the work was cancelled")


@final
class Processes(Executor):
    """Runs works in worker processes, which live on from one work to the next.

    A work travels by value where another process could not import it: closures, lambdas, what a
    script or a notebook defines. Each worker gets each function once: what changes later in
    its globals does not reach it. Workers have the parent's working directory, environment and
    `sys.path`, and read nothing. They end with the parent, however it ends, by SIGKILL: exit
    handlers are not called.

    A worker that crashes, leaves or is killed ends its work only (`Died`); another takes its place.
    So do the limits, which hold for each work and what it forks.

    Args:
        n: How many works run at once; None: one for each of the GPUs.
        fresh: Whether each work gets a new process.
        lease_s: After how many seconds without a sign of life, nor any computing, a worker is
            taken for dead: "silent".
        timeout_s: How many seconds a work may take, its process's start included: "timed out".
        memory_bytes: How much memory a work may have in use; looked at while `pump` waits: "out of
            memory".
        gpus: "all", those that this process may use, or a list of numbers as `nvidia-smi` shows them and of
            ids, shared out evenly: with more places than GPUs several works share one, with fewer each has
            several. A worker sees its own alone, numbered from 0; they are set before anything is imported.
            One that ran out of memory is renewed. None: all see what this process sees.
        threads: How many threads a numerical library may use in each worker; None: its share of
            the cores, unless the environment sets such a number, as OMP_NUM_THREADS.
        output: Gets each line that a worker prints on standard output or error, in `pump`, those
            of a work before its last message; None: it goes where this process's goes.

    Attributes:
        output: The same; to be set while no work runs.

    Raises:
        SettingError: A setting is out of its range, or the GPUs do not go evenly into the places.
        MissingExtra: `gpus="all"` needs a package.
    """

    def __init__(
        self,
        n: int | None,
        *,
        gpus: GPUs | None = None,
        fresh: bool = False,
        lease_s: float = 60,
        timeout_s: float | None = None,
        memory_bytes: int | None = None,
        threads: int | None = None,
        output: Callable[[str], object] | None = None,
    ) -> None:
        self._seats = Seats("Processes", n, () if gpus is None else devices_of(gpus))
        for name, value in (
            ("lease_s", lease_s),
            ("timeout_s", timeout_s),
            ("memory_bytes", memory_bytes),
        ):
            if value is not None and not 0 < value < math.inf:
                raise SettingError(f"Processes({name}=...) is a number above 0, got {value!r}")
        if threads is not None and (not is_whole(threads) or threads < 1):
            raise SettingError(f"Processes(threads=...) is a whole number above 0, got {threads!r}")
        if threads is None and not any(name in os.environ for name in THREADS):
            threads = max(1, len(os.sched_getaffinity(0)) // len(self._seats))
        self._fresh = fresh
        self._lease_s = float(lease_s)
        self._timeout_s = math.inf if timeout_s is None else timeout_s
        self._memory_bytes = memory_bytes
        self._threads = threads
        self.output = output
        self._idle: list[Child] = []
        self._later: dict[Key, tuple[Frame, bytes]] = {}  # those whose turn has not come
        self._running: dict[Key, Child] = {}
        self._dying: set[Child] = set()
        self._arrived = Arrivals()
        self._lines: deque[str] = deque()
        self._functions = Functions()
        self._works = 0
        self._selector = selectors.DefaultSelector()
        self._has_gpus = gpus is not None
        self._look_s = min(
            self._lease_s / 4,
            GPU_LOOK_S if self._has_gpus else math.inf,
            math.inf if memory_bytes is None else LOOK_S,
        )
        self._looked = time.monotonic()
        self._closed = False

    def free(self) -> list[Place]:
        return self._seats.free()

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        self._seats.take(key, alone=alone)
        try:
            function = self._functions.of(work)
            call = dumps((function.number, args), "an argument", inside("the work"))
        except BaseException:
            self._seats.leave(key)
            raise
        self._later[key] = function, call
        self._begin_due()

    def _begin_due(self) -> None:
        """Begin the works whose turn it is."""
        for key in self._seats.due() if self._later else ():
            devices = self._seats.devices(key)
            if self._seats.is_alone(key):
                self._clear(devices)
            child = self._idle_child(devices) or self._start(devices)
            function, call = self._later.pop(key)
            self._works += 1
            self._running[key] = child
            child.begin(key, self._works, function, call)
            self._expect(child)

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        if self._closed:
            return
        until = time.monotonic() + timeout_s
        self._collect(0)
        while self._running and not self._arrived and (now := time.monotonic()) < until:
            self._collect(max(0.0, min(until, self._next_look()) - now))
        self._arrived.deliver(inbox, self.reply)

    def reply(self, key: Key, value: Any) -> None:
        child = self._running.get(key)
        if child is not None and child.asks:
            answer = dumps(value, "an answer", inside("the work"))
            child.asks = False
            child.write(Frame(Kind.REPLY, child.number, answer))
            self._expect(child)

    def cancel(self, key: Key) -> None:
        self._arrived.silence(key)
        child = self._running.get(key)
        if child is not None:
            child.kill(_CANCELLED)
        elif self._later.pop(key, None) is not None:
            self._say_last(key, _CANCELLED, {})

    def close(self) -> None:
        self._closed = True  # what a second Ctrl-C interrupts, closing again finishes
        self._arrived.clear()
        self._dying.update(self._idle, self._running.values())
        self._idle.clear()
        self._running.clear()
        self._later.clear()
        self._seats.close()
        for child in self._dying:
            child.kill(Died("cancelled", "the executor was closed"))
        while self._dying:
            child = next(iter(self._dying))
            self._bury(child)
            self._dying.remove(child)
        self._lines.clear()
        self._selector.close()

    # the processes

    def _start(self, devices: Devices) -> Child:
        overheard = self.output is not None
        setup = Setup(list(sys.argv), os.getpid(), self._lease_s / 4, self._threads, overheard)
        limits = {} if self._threads is None else dict.fromkeys(THREADS, str(self._threads))
        frame = Frame(Kind.SETUP, 0, plain_dumps(setup))
        child = Child(frame, os.environ | limits, devices, overheard=overheard)
        self._selector.register(child.pidfd, selectors.EVENT_READ, (child, self._has_ended))
        self._selector.register(child.outward, selectors.EVENT_READ, (child, self._heard))
        if child.printed is not None:
            self._selector.register(child.printed, selectors.EVENT_READ, (child, self._has_printed))
        return child

    def _idle_child(self, devices: Devices) -> Child | None:
        for child in reversed(self._idle):
            if child.devices != devices:
                continue
            self._idle.remove(child)
            if child.alive and (child.printed is not None) is (self.output is not None):
                return child
            self._bury(child)
        return None

    def _clear(self, devices: Devices) -> None:
        """End all processes that may still hold memory of a device on which nothing runs."""
        for child in [*self._idle, *self._dying]:
            if child.devices == devices:
                self._bury(child)
                self._dying.discard(child)
        self._idle = [child for child in self._idle if child.devices != devices]

    def _bury(self, child: Child) -> Died:
        self._lines += child.read_lines(to_the_end=True)
        for descriptor in (child.pidfd, child.outward, child.inward, child.printed):
            if descriptor is not None and descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        return child.bury()

    def _expect(self, child: Child) -> None:
        """Go on telling it what is too much for its pipe as soon as there is room."""
        if child.backlog and child.inward not in self._selector.get_map():
            self._selector.register(child.inward, selectors.EVENT_WRITE, (child, self._has_room))

    # what comes from them

    def _collect(self, timeout_s: float) -> None:
        buried: set[Child] = set()
        for event, _ in self._selector.select(timeout_s):
            child, happened = event.data
            if child not in buried and happened(child):
                buried.add(child)
        self._begin_due()
        self._look()
        output = _print if self.output is None else self.output
        while self._lines:
            output(self._lines.popleft())

    def _heard(self, child: Child) -> bool:
        self._take(child, child.read())
        return False

    def _has_printed(self, child: Child) -> bool:
        self._lines += child.read_lines()
        if child.mute and child.printed is not None:
            self._selector.unregister(child.printed)
        return False

    def _has_room(self, child: Child) -> bool:
        child.flush()
        if not child.backlog:
            self._selector.unregister(child.inward)
        return False

    def _has_ended(self, child: Child) -> bool:
        self._take(child, child.read(all_of_it=True))
        died = self._bury(child)
        if child.key is not None:
            self._end(child, died)
        elif child in self._idle:
            self._idle.remove(child)
        self._dying.discard(child)
        return True

    def _take(self, child: Child, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.kind is Kind.BEAT:
                child.note_cpu()
            elif child.key is None or child.verdict is not None or frame.number != child.number:
                continue  # of a thread that a work has left behind, or of a work that was killed
            elif isinstance(said := opened(frame), Ended):
                self._end(child, said, spoilt=frame.kind in (Kind.SEND, Kind.REQUEST))
            else:
                asks = frame.kind is Kind.REQUEST
                self._arrived.add(child.key, said, child if asks else None)

    def _end(self, child: Child, ended: Ended, *, spoilt: bool = False) -> None:
        """Free the place of a work that has ended, and keep its process if it can be used again."""
        key, child.key, child.asks = child.key, None, False
        if key is None:
            return
        del self._running[key]
        self._lines += child.read_lines(to_the_end=True)  # what it said before it said this
        self._say_last(key, ended, together([ended.used, child.used]))
        if not isinstance(ended, Died):
            full = isinstance(ended, Raised) and out_of_memory(ended.error)
            if self._fresh or spoilt or full:
                child.kill(Died("cancelled", "the process is not used again"))
                self._dying.add(child)
            else:
                self._idle.append(child)

    def _say_last(self, key: Key, ended: Ended, used: Mapping[str, float]) -> None:
        """Free the place of a work that has ended; let it be heard how."""
        ended = replace(ended, used=used, shared=self._seats.leave(key))
        self._arrived.add(key, ended)

    # the limits

    def _next_look(self) -> float:
        due = self._looked + self._look_s
        if math.isfinite(self._timeout_s):
            begun = [child.begun for child in self._running.values() if child.verdict is None]
            due = min([due, *(at + self._timeout_s for at in begun)])
        return due

    def _look(self) -> None:
        now = time.monotonic()
        living = [child for child in self._running.values() if child.verdict is None]
        for child in living:
            if now - child.begun >= self._timeout_s:
                text = f"the work took longer than {self._timeout_s:g} s"
                child.kill(Died("timed out", text))
        if now - self._looked < self._look_s:
            return
        self._looked = now
        if self._has_gpus or self._memory_bytes is not None:
            self._look_at_memory(living)
        for child in living:
            self._look_for_life(child, now)

    def _look_at_memory(self, living: list[Child]) -> None:
        members, limit = sessions(), self._memory_bytes
        gpus = nvml.memory() if self._has_gpus else {}
        for child in living:
            pids = members.get(child.pid, [])
            if gpus:
                now = {GPU_MEMORY: float(sum(gpus.get(pid, 0) for pid in pids))}
                child.used = together([child.used, now])
            if limit is not None and (used := memory_of(pids, limit)) > limit:
                text = f"the work had {used / 1e6:.0f} MB in use, {limit / 1e6:.0f} MB are allowed"
                child.kill(Died("out of memory", text))

    def _look_for_life(self, child: Child, now: float) -> None:
        if now - child.heard < self._lease_s / 2:
            return
        if child.note_cpu():  # it computes, in code that lets no other thread of Python run
            child.heard = now
        elif now - child.heard >= self._lease_s:
            text = f"the worker process gave no sign of life for {self._lease_s:g} s"
            child.kill(Died("silent", text))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
