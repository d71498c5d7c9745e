"""A Ray cluster as an executor: Ray finds the places, starts and watches the workers, sets their GPUs.

Each place is an actor, which lives on from work to work (`executors.actor`). A place is there when
its actor is up: until then nothing is begun for it.
"""

import atexit
import math
import os
import re
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, final

from tunesmith._core.checks import number, seconds, whole
from tunesmith._core.errors import SettingError
from tunesmith._core.optional import need
from tunesmith.executors.actor import Actor
from tunesmith.executors.arrivals import Arrivals
from tunesmith.executors.executor import (
    Died,
    Ended,
    Executor,
    Inbox,
    Key,
    Place,
    Raised,
    Work,
    check_submit,
)
from tunesmith.executors.frames import Frame, Kind, dumps
from tunesmith.executors.memory import out_of_memory
from tunesmith.executors.travel import Functions, inside, opened
from tunesmith.executors.worker import KNOWN

CALL_S = 5.0  # after which nobody answers
LOOK_S = 2.0  # how often the nodes of the cluster are looked at
STARTS = 5  # actors that may end in a row before one of them is up


@final
class _Hand:
    """An actor as this side sees it.

    Attributes:
        actor: Its handle.
        place: Where it is; None: it is not up yet.
        key: Whose work it is busy with, or None.
        number: The number of its latest work.
        begun: When that began, in seconds of the monotonic clock.
        asks: Whether its work waits for an answer.
        knows: The latest functions that it was told.
    """

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.place: Place | None = None
        self.key: Key | None = None
        self.number = 0
        self.begun = 0.0
        self.asks = False
        self.knows: deque[int] = deque(maxlen=KNOWN)


@final
class Ray(Executor):
    """Runs works in actors of a Ray cluster, which live on from one work to the next.

    It joins the cluster to which this process is connected already; else that of `address`, of
    `$RAY_ADDRESS`, or one that runs on this machine; else it starts one here. It stays connected
    until the process ends, or calls `ray.shutdown()`.

    Functions travel by value where the workers could not import them; the packages that they import,
    this one among them, must be installed there. A node or an actor that is lost ends its work only
    (`Died`), and Ray finds another place. GPUs are Ray's: a work sees those that its actor was given.

    Args:
        n: How many works run at once, if there is room for them, for which a cluster may grow; None:
            as many as its nodes have room for, and more when nodes join.
        most: How many of these, at most; None: all.
        address: Of the cluster, such as "ray://head:10001".
        resources: What each place takes: "cpu", "gpu" (also a part of one), "memory" in bytes, which Ray
            reserves, or what nodes are said to have; one CPU if that does not say it.
        timeout_s: How many seconds a work may take: "timed out".
        output: Gets each line that works print, in `pump`; None: it goes where this process's goes.

    Raises:
        SettingError: A setting is out of its range; later: no node has such resources, or the
            workers do not start.
        MissingExtra: Ray is not installed.
    """

    def __init__(
        self,
        n: int | None = None,
        *,
        most: int | None = None,
        address: str | None = None,
        resources: Mapping[str, float] | None = None,
        timeout_s: float | None = None,
        output: Callable[[str], object] | None = None,
    ) -> None:
        self._ray = need("ray", "ray")
        self._n = None if n is None else whole("Ray(n)", n, 1)
        self._most = math.inf if most is None else whole("Ray(most=...)", most, 1)
        self._address = address
        self._asked = _resources(resources)
        if self._n is None and not any(self._asked.values()):
            raise SettingError("places that take nothing are without number; give workers= or cpu")
        self._timeout_s = math.inf if timeout_s is None else seconds("timeout_s", timeout_s)
        self.output = output
        self._hands: set[_Hand] = set()
        self._idle: list[_Hand] = []
        self._running: dict[Key, _Hand] = {}
        self._letters: SimpleQueue[tuple[_Hand, Future[Any]]] = SimpleQueue()
        self._arrived = Arrivals()
        self._functions = Functions()
        self._bodies: dict[int, Any] = {}  # functions in the cluster's memory
        self._works = 0
        self._looks = -math.inf  # when the nodes are looked at again
        self._came = False  # whether a place has become free in this `pump`
        self._ever = False  # whether any actor was ever up
        self._failed = 0
        self._closed = False

    def free(self) -> list[Place]:
        self._grow()
        self._sort()
        return [hand.place for hand in self._idle if hand.place is not None]

    def awaits(self) -> str:
        self._grow()
        if all(hand.place is not None for hand in self._hands):
            return ""
        return f"waits for a place in the Ray cluster with {_words(self._asked)}: " + (
            "others have the room, or nodes are still to come" if self._ever else "workers start"
        )

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        n = len(self._running) + len(self._idle)
        check_submit("Ray", key, self._running, n, closed=self._closed)
        function = self._functions.of(work)
        call = dumps((function.number, args), "an argument", inside("the work"))
        hand = self._idle.pop(0)
        self._works += 1
        self._running[key] = hand
        hand.key, hand.number, hand.asks = key, self._works, False
        hand.begun = time.monotonic()
        frame = Frame(Kind.WORK, hand.number, call)
        if function.number in hand.knows:
            hand.actor.tell.remote(frame)
        else:
            hand.knows.append(function.number)  # it forgets the oldest, as the actor does
            hand.actor.tell.remote(frame, function.number, self._put(function))

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        self._came = False
        self._grow()
        self._sort()
        while not self._arrived and not self._came and (self._running or self.awaits()):
            now = time.monotonic()
            if now >= until:
                break
            with suppress(Empty):
                self._take(*self._letters.get(timeout=max(0.0, min(until, self._next()) - now)))
            self._sort()
            self._look_for_late()
            self._grow()
        self._arrived.deliver(inbox, self.reply)

    def reply(self, key: Key, value: Any) -> None:
        hand = self._running.get(key)
        if hand is not None and hand.asks:
            answer = dumps(value, "an answer", inside("the work"))
            hand.asks = False
            hand.actor.tell.remote(Frame(Kind.REPLY, hand.number, answer))

    def cancel(self, key: Key) -> None:
        self._arrived.silence(key)
        if key in self._running:
            self._kill(self._running[key], Died("cancelled", "the work was cancelled"))

    def close(self) -> None:
        self._closed = True
        self._arrived.clear()
        self._idle.clear()
        self._running.clear()
        while self._hands:
            self._end_actor(self._hands.pop())
        self._bodies.clear()

    # the actors

    def _grow(self) -> None:
        """Have Ray make as many actors as there shall be."""
        now = time.monotonic()
        if self._closed or now < self._looks:
            return
        self._looks = now + LOOK_S
        if not self._ray.is_initialized():
            self._connect()
        nodes = [_plain(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]
        room = sum(_times(node, self._asked) for node in nodes)
        if not room and not self._ever:
            have = {_words({name: node.get(name, 0) for name in self._asked}) for node in nodes}
            raise SettingError(
                f"a trial shall have {_words(self._asked)}, and no node of the Ray cluster has as much; "
                f"there are nodes with {', or '.join(sorted(have))}"
            )
        # one, where all that had room are lost: others may come
        wanted = min(max(1, room), self._most) if self._n is None else self._n
        while len(self._hands) < wanted:
            self._make()

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        with _own_signals():
            try:
                self._ray.init(
                    _reached(self._address),
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="ERROR",
                )
            except (ConnectionError, ValueError, RuntimeError) as error:
                place = self._address or os.environ.get("RAY_ADDRESS") or "this machine"
                raise SettingError(f"there is no Ray cluster at {place}: {error}") from error
        # Ctrl-C while Ray ends its cluster, which the process's end does as well
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)

    def _make(self) -> None:
        """Ask Ray for an actor; it comes when there is room for it."""
        asked = dict(self._asked)
        options = {
            "num_cpus": asked.pop("cpu"),
            "num_gpus": asked.pop("gpu", 0),
            "memory": asked.pop("memory", None),
            "resources": asked or None,
            "max_concurrency": 4,  # `listen`, and `tell` beside it
        }
        hand = _Hand(self._ray.remote(Actor).options(**options).remote())
        self._hands.add(hand)
        self._hear(hand, hand.actor.where.remote())

    def _hear(self, hand: _Hand, ref: Any) -> None:
        """Have the answer of an actor, or its end, put among the letters."""
        ref.future().add_done_callback(lambda future: self._letters.put((hand, future)))

    def _end_actor(self, hand: _Hand) -> None:
        with suppress(Exception):  # the connection may be gone, and the actor with it
            self._ray.kill(hand.actor)

    def _kill(self, hand: _Hand, ended: Ended) -> None:
        """Let go of an actor and what it runs, and have another made."""
        self._end_actor(hand)
        self._hands.discard(hand)
        if hand in self._idle:
            self._idle.remove(hand)
        self._looks = -math.inf
        if hand.key is not None:
            del self._running[hand.key]
            self._arrived.add(hand.key, ended)

    def _put(self, function: Frame) -> Any:
        """A function in the cluster's memory, from where each node gets it once."""
        if function.number not in self._bodies:
            self._bodies[function.number] = self._ray.put(function.body)
            if len(self._bodies) > KNOWN:
                del self._bodies[next(iter(self._bodies))]
        return self._bodies[function.number]

    # what comes from them

    def _sort(self) -> None:
        """Take all letters that have come."""
        for _ in range(self._letters.qsize()):
            self._take(*self._letters.get())

    def _take(self, hand: _Hand, future: Future[Any]) -> None:
        if hand not in self._hands:
            return  # it was killed
        error = future.exception()
        if error is not None:
            self._has_ended(hand, error)
            return
        if hand.place is None:
            hand.place = future.result()
            self._idle.append(hand)
            self._came = self._ever = True
            self._failed = 0
        else:
            for said in future.result():
                if isinstance(said, str):
                    (_print if self.output is None else self.output)(said)
                else:
                    self._read(hand, said)
        self._hear(hand, hand.actor.listen.remote())

    def _read(self, hand: _Hand, frame: Frame) -> None:
        if hand.key is None or frame.number != hand.number:
            return  # of a thread that a work has left behind
        said = opened(frame)
        if not isinstance(said, Ended):
            asks = frame.kind is Kind.REQUEST
            self._arrived.add(hand.key, said, hand if asks else None)
        elif frame.kind not in (Kind.RETURNED, Kind.RAISED) or _ran_out(said):
            self._kill(hand, said)
        else:
            del self._running[hand.key]
            self._arrived.add(hand.key, said)
            hand.key, hand.asks = None, False
            self._idle.append(hand)

    def _has_ended(self, hand: _Hand, error: BaseException) -> None:
        errors = self._ray.exceptions
        if isinstance(error, errors.OutOfMemoryError):
            died = Died("out of memory", _first_line(error))
        else:
            where = "" if hand.place is None else f" on {hand.place.worker}"
            died = Died("lost", f"the worker{where} was lost: {_first_line(error)}")
        if hand.place is None:
            self._failed += 1
            spoilt = isinstance(error, errors.RuntimeEnvSetupError) or (
                isinstance(error, errors.RayActorError) and error.actor_init_failed
            )
            if spoilt or self._failed >= STARTS:
                raise SettingError(f"Ray cannot start workers: {error}")
        self._kill(hand, died)  # it may be there still, and out of reach

    # the limit

    def _next(self) -> float:
        begun = [hand.begun for hand in self._running.values()]
        return min([self._looks, *(at + self._timeout_s for at in begun)])

    def _look_for_late(self) -> None:
        if math.isinf(self._timeout_s):
            return
        late = time.monotonic() - self._timeout_s
        for hand in [hand for hand in self._running.values() if hand.begun <= late]:
            text = f"the work took longer than {self._timeout_s:g} s"
            self._kill(hand, Died("timed out", text))


_OURS = {"CPU": "cpu", "GPU": "gpu"}  # Ray's names of what nodes have


def _resources(resources: Any) -> dict[str, float]:
    """What a place takes, checked."""
    try:
        asked: dict[str, float] = {"cpu": 1.0}
        for name, amount in dict(resources or {}).items():
            asked[_OURS.get(name, str(name))] = number(f"resources= {name}", amount)
        if all(0 <= amount < math.inf for amount in asked.values()):
            return asked
    except (TypeError, ValueError):
        pass
    raise SettingError(
        f'resources= says how much a trial takes, such as {{"cpu": 2, "gpu": 0.5}}; got {resources!r}'
    )


def _plain(node: Mapping[str, float]) -> dict[str, float]:
    """What a node has, named as people ask for it."""
    return {_OURS.get(name, name): amount for name, amount in node.items()}


def _times(node: Mapping[str, float], asked: Mapping[str, float]) -> int:
    """How often a node has what is asked for, if nobody else uses it; of nothing: once."""
    times = (node.get(name, 0) / amount for name, amount in asked.items() if amount)
    return int(min(times, default=1))


def _words(amounts: Mapping[str, float]) -> str:
    return " and ".join(f"{amount:g} {name}" for name, amount in amounts.items())


def _ran_out(ended: Ended) -> bool:
    """Whether a work has left its process without memory; it is not used again."""
    return isinstance(ended, Raised) and out_of_memory(ended.error)


def _first_line(error: BaseException) -> str:
    """What Ray says, without its identifiers."""
    return str(error).strip().splitlines()[0]


def _reached(address: str | None) -> str | None:
    """The address to connect to, tried before: Ray itself tries a cluster that is gone for many minutes.

    Raises:
        ConnectionError: Nothing answers at the address that was given.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        _call(address)
        return address
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # as Ray has it
    with suppress(FileNotFoundError):
        latest = Path(folder, "ray", "ray_current_cluster").read_text().strip()
        try:
            _call(latest)
        except ConnectionError:
            return "local"  # a new one
    return None


def _call(address: str) -> None:
    """Raise ConnectionError if nothing answers there; whether it is a cluster, Ray says."""
    named = re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d+)", address)
    if named:
        try:
            socket.create_connection((named[1], int(named[2])), timeout=CALL_S).close()
        except OSError as error:
            raise ConnectionError(f"nothing answers ({error})") from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what this process does at SIGTERM: Ray, which is told to connect, would leave at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
