"""A process's view of one study's log: reads on, appends, and folds what it sees.

Nothing else in the study layer touches the storage for events.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from itertools import count
from random import SystemRandom
from typing import Any, Generic, final

from tunesmith._core.errors import Conflict, LogError, StorageError, StudyNotFound
from tunesmith._core.types import P
from tunesmith.records import Fold, Provenance, Record, Told, freeze, thaw
from tunesmith.records.events import AnyEvent, Created, Joined, from_lines, to_line
from tunesmith.schedulers import Scheduler
from tunesmith.space import Space
from tunesmith.storage import Blobs, Memory, Storage
from tunesmith.study.files import files_of
from tunesmith.study.origin import origin
from tunesmith.study.owner import living, this_process
from tunesmith.study.pulse import Pulse
from tunesmith.study.steering import Steering

CHUNK = 4_000  # lines read at a time, so that a long log never lies in memory twice
KEEP = 400_000  # lines read at opening that make it worth keeping their fold
LEASE_S = 60.0
PAUSE_S, LONGEST_S = 0.002, 0.1  # after a conflict, and after many in a row
_random = SystemRandom()  # luck that nothing in the log comes from


def _absence(storage: Storage, name: str) -> str:
    """The sentence for a study that is not in a storage."""
    known = storage.names()
    if not known:
        return (
            f"there is no study in {storage.url}; is that the right place? "
            "load and delete take the path first, then the name"
        )
    close = get_close_matches(name, known, 1)
    listed = f"did you mean {close[0]!r}?" if close else f"it holds {', '.join(map(repr, known))}"
    return f"there is no study {name!r} in {storage.url}; {listed}"


@final
class Ledger(Generic[P]):
    """The log of `name` in `storage`, folded as far as this process has read.

    Args:
        storage: Where it is kept.
        name: The study.
        space: The space that gives params their form; by default the log's own.
        clock: Seconds since 1970; the only source of time.

    Attributes:
        fold: The fold of what was read.
        files: Where the study's checkpoints are; None: nowhere.
        generation: Goes up whenever the fold is made anew.
        data: Fingerprint of the data that this process has; empty: it was not given.
        origin: What this process says of itself when it joins; None: what it is by then.
        lease_s: After how many seconds without a sign of life this process is taken for dead.
        steering: The scheduler that follows the log, if there is one; see `steer`.

    Raises:
        StudyNotFound: There is no such study.
        LogError: Its log cannot be understood.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        space: Space[P] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        first = storage.read(name, 0, 1)
        if not first:
            raise StudyNotFound(_absence(storage, name))
        (created,) = from_lines(first)
        if not isinstance(created, Created):
            raise LogError(f"the log of {name!r} in {storage.url} does not begin with Created")
        self.storage = storage
        self.name = name
        self.files: Blobs | None = files_of(created, storage, name)
        self._locate = None if self.files is None else self.files.get
        self.clock = clock
        self.generation = 0
        self.steering: Steering[P] | None = None
        self.data = ""
        self.origin: Provenance | None = None
        self.lease_s = LEASE_S
        self._first = first[0]
        self._space = space
        self._created = created
        self._handle = -1
        self._pulse: Pulse | None = None
        self._scheduler: Scheduler[Any] | None = None
        kept = storage.kept_fold(name)
        thawed = None if kept is None else thaw(kept[1], created, space, self._locate)
        self.fold: Fold[P]
        self._heard: Told[P]
        self.fold, self._heard = thawed or (Fold(created, space, self._locate), [])
        self._torn = False
        self._behind = False
        already = self.fold.length
        self.sync()
        if self.fold.length - already > KEEP:
            with suppress(StorageError):  # it only saves time
                storage.keep_fold(name, self.fold.length, freeze(self.fold, self._heard))

    def elsewhere(self, storage: Storage, name: str, space: Space[Any] | None) -> "Ledger[Any]":
        """Return another copy of the log, or the same with params of another form, for this process."""
        other: Ledger[Any] = Ledger(storage, name, space, self.clock)
        other.data, other.origin = self.data, self.origin
        return other

    def steer(self, scheduler: Scheduler[Any] | None) -> None:
        """Let a scheduler follow the log, from its beginning."""
        self._scheduler = scheduler
        if scheduler is not None or self.steering is not None:
            self.refold()

    def refold(self) -> None:
        """Fold the log anew: whoever followed it must do so, too (see `generation`)."""
        self.generation += 1
        self.fold, self._heard = Fold(self._created, self._space, self._locate), []
        self.steering = None
        if self._scheduler is not None:
            problem = self.fold.history.problem
            self.steering = Steering(problem, self._scheduler, self._created.seed)
        self._torn = False
        self.sync()

    def sync(self, start: int = 0, n: int = 0) -> list[Record[P] | None]:
        """Read and fold what has been appended since.

        Returns:
            What was heard of the `n` lines from position `start` on, a None for each without
            effect on a trial.

        Raises:
            StudyNotFound: The study was deleted, and another one of its name made.
        """
        if self._torn:
            self.refold()
        asked: list[Record[P] | None] = []
        while lines := self.storage.read(self.name, self.fold.length, CHUNK, self._first):
            begin = self.fold.length
            entries = self._fold_in(from_lines(lines, begin))
            asked += entries[max(0, start - begin) : max(0, start + n - begin)]
            if len(lines) < CHUNK:
                break
        self._behind = False
        return asked

    def catch_up(self) -> None:
        """Read on if own events are not folded yet."""
        if self._behind or self._torn:
            self.sync()

    def append(
        self, *events: AnyEvent, expect: bool = False, read: bool = True
    ) -> list[Record[P] | None]:
        """Append events and, with `read`, fold up to and including them.

        Args:
            events: What happened.
            expect: Only if nothing was appended that is not yet folded here.
            read: Also if others appended in between; else that waits for `sync` or `catch_up`.

        Returns:
            What was heard of each event, None for one without effect on a trial; nothing if they
            are not folded yet.

        Raises:
            Conflict: With `expect`: the log has grown; nothing was appended.
            StudyNotFound: The study was deleted; nothing was appended.
        """
        if expect or self._torn:  # else own events may wait for others to be read
            self.catch_up()
        fold = self.fold
        lines = [to_line(event) for event in events]
        written = from_lines(lines, fold.length)  # what cannot be read is not written
        length = self.storage.append(
            self.name, lines, fold.length if expect else None, first=self._first
        )
        if length == fold.length + len(lines):
            return self._fold_in(written)
        self._behind = True
        return self.sync(length - len(lines), len(lines)) if read else []

    def tries(self) -> Iterator[int]:
        """Count the tries to append with `expect`; before the next one all is read.

        A pause keeps those apart who would meet again, the longer the more they are.
        """
        longest_s = PAUSE_S
        for tries in count():
            yield tries
            time.sleep(_random.uniform(0, longest_s))
            longest_s = min(2 * longest_s, LONGEST_S)
            self.sync()

    def _fold_in(self, events: Sequence[AnyEvent]) -> list[Record[P] | None]:
        self._torn = True  # until all is done: an interrupt in between must not go unnoticed
        entries: list[Record[P] | None] = []
        for event in events:
            heard = entry = self.fold.apply(event)
            if self.steering is not None:
                heard = self.steering.follow(self.fold, event, entry)
            if heard is not None:
                self._heard.append(heard.number if heard.event == "started" else heard)
            entries.append(entry)
        self._torn = False
        return entries

    def take_heard(self) -> list[Record[P]]:
        """Return what was heard since the last call: the record after each event, in order."""
        heard, self._heard = self._heard, []
        history = self.fold.history
        return [history[one].begun() if isinstance(one, int) else one for one in heard]

    def wait(self, timeout_s: float) -> None:
        """Wait until the log has grown, or `timeout_s` is over."""
        self.storage.wait(self.name, self.fold.length, timeout_s)

    def lives(self, owner: str) -> bool:
        """Return whether an owner is alive now."""
        return living(owner, lambda: self.storage.alive(self.name))

    def _live(self) -> None:
        """Have it said from now on that this process lives; in memory there is nobody to hear it."""
        if isinstance(self.storage, Memory):
            return
        if self._pulse is None or not self._pulse.here or self._pulse.lease_s != self.lease_s:
            self._pulse = Pulse(self.storage, self.name, self.lease_s)

    def join(self) -> int:
        """Return the handle of this process, joining if it has none (any more), or is not what it was."""
        owner = this_process()
        self._live()
        lives = cache(self.lives)  # several hundred may join at the same moment
        for _ in self.tries():
            with suppress(Conflict):
                if self._has_joined(owner):
                    break
                taken = self.fold.handles
                if owner not in taken.values():
                    self._handle = next(n for n in count() if n not in taken or not lives(taken[n]))
                if self.origin is None:
                    self.origin = origin(data=self.data)
                event = Joined(
                    time=self.clock(), owner=owner, handle=self._handle, provenance=self.origin
                )
                self.append(event, expect=True)
                break
        return self._handle

    def _has_joined(self, owner: str) -> bool:
        """Whether this process has a handle and is what it said when it joined."""
        mine = [handle for handle, who in self.fold.handles.items() if who == owner]
        if mine and self._handle not in mine:  # another Study object of this process has joined
            self._handle = min(mine)
        joined = self.fold.history.problem.joined
        return bool(mine) and self.origin in (None, joined[self.fold.joined[owner]])
