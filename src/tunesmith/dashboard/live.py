"""The studies that the server has open: one fold each, which reads on, and views of it that stay as they are."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

from tunesmith._core.errors import NoTrials, StudyNotFound, TunesmithError
from tunesmith.analysis import Confirmation
from tunesmith.dashboard.changes import Changes
from tunesmith.dashboard.table import Columns, Rows
from tunesmith.records import Fold, History, Record
from tunesmith.records.events import Enqueued, Noted
from tunesmith.storage import Storage
from tunesmith.storage.bundle import BASELINE, CONFIRMS
from tunesmith.study.beside import beside, searches
from tunesmith.study.confirming import outcome
from tunesmith.study.desk import Desk
from tunesmith.study.ledger import Ledger
from tunesmith.study.parts import Parts, shown

MOST: Final = 32  # studies that are kept open although no page shows them


@final
@dataclass(frozen=True)
class View:
    """A study as it was at one length of its log: what comes later does not change it.

    Attributes:
        name: The study's.
        position: Lines of the log that it stands for.
        created: When the study was made.
        seed: Of everything random in it.
        history: Its trials.
        columns: The same as columns of numbers.
        children: The trials that come from a trial, by its uid.
        notes: Remarks, in order.
        queue: What waits to be tried.
        paused: Whether nothing may begin.
        stopping: Trials, by uid, that were commanded to stop.
        settings: What it is run with, in words.
    """

    name: str
    position: int
    created: float
    seed: int
    history: History[Any]
    columns: Columns
    children: dict[str, list[int]]
    notes: tuple[Noted, ...]
    queue: tuple[Enqueued, ...]
    paused: bool
    stopping: frozenset[str]
    settings: dict[str, Any]

    @classmethod
    def of(cls, name: str, fold: Fold[Any], rows: Rows) -> "View":
        """Return the view of a fold as it is now."""
        parts = {
            "sampler": fold.sampler,
            "scheduler": fold.scheduler,
            "replicates": fold.replicates,
        }
        settings: dict[str, Any] = {
            what: None if part is None else shown(part) for what, part in parts.items()
        }
        return cls(
            name=name,
            position=fold.length,
            created=fold.created.time,
            seed=fold.created.seed,
            history=fold.history.copy(),
            columns=rows.update(fold.history),
            children=rows.children,
            notes=tuple(fold.notes),
            queue=tuple(fold.queue.values()),
            paused=fold.paused,
            stopping=frozenset(fold.stopping),
            settings={
                "seed": fold.created.seed,
                **settings,
                "deterministic": fold.created.deterministic,
            },
        )

    @cached_property
    def tagged(self) -> dict[str, set[int]]:
        """The numbers of the trials that have a tag, by tag."""
        found: dict[str, set[int]] = {}
        for note in self.notes:
            record = self.history.find(note.target) if note.target else None
            for tag in note.tags if record is not None else ():
                found.setdefault(tag, set()).add(record.number if record is not None else 0)
        return found

    @cached_property
    def _by_trial(self) -> dict[str, list[Noted]]:
        found: dict[str, list[Noted]] = {}
        for note in self.notes:
            found.setdefault(note.target, []).append(note)
        return found

    def notes_of(self, record: Record[Any] | None) -> Sequence[Noted]:
        """Return the remarks on a trial, or on the study itself."""
        return self._by_trial.get("" if record is None else record.uid, ())

    @property
    def best(self) -> list[Record[Any]]:
        """The best trial; with several objectives those that no other beats; none yet: []."""
        several = len(self.history.problem.objectives) > 1
        try:
            return self.history.front if several else [self.history.best]
        except NoTrials:
            return []


@final
class Live:
    """One open study.

    Args:
        storage: Where it is kept.
        name: Its name.

    Attributes:
        desk: Where what people do becomes events.
        changes: Tells pages that it has changed.

    Raises:
        StudyNotFound: There is none.
    """

    def __init__(self, storage: Storage, name: str) -> None:
        ledger: Ledger[Any] = Ledger(storage, name)
        self.name = name
        self.desk: Desk[Any] = Desk(ledger, Parts(None, None, None, 0))
        self.changes = Changes(self._look)
        self._storage = storage
        self._rows = Rows(ledger.fold.history.problem)
        self._generation = ledger.generation
        self._view: View | None = None

    def _look(self, position: int) -> int:
        return self._storage.wait(self.name, position, 1.0)

    def view(self) -> View:
        """Return the study as it is now.

        Raises:
            StudyNotFound: It was deleted.
        """
        with self.desk.lock:
            if not self._storage.read(self.name, 0, 1):
                raise StudyNotFound(f"the study {self.name!r} was deleted")
            fold = self.desk.read()
            if self.desk.ledger.generation != self._generation:
                self._generation = self.desk.ledger.generation
                self._rows = Rows(fold.history.problem)
            if self._view is None or self._view.position != fold.length:
                self._view = View.of(self.name, fold, self._rows)
            return self._view


@final
class Hub:
    """The studies of one storage.

    Args:
        storage: Where they are kept.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.changes = Changes(self._look)
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}
        self._lives: OrderedDict[str, Live] = OrderedDict()
        self._lengths: dict[str, int] = {}
        self._seen = 0
        self._idle = threading.Event()

    def names(self) -> list[str]:
        """Return the names of all studies, sorted; those that confirm another are shown with it."""
        return searches(self.storage)

    def live(self, name: str) -> Live:
        """Return an open study, opening it if need be.

        Raises:
            StudyNotFound: There is none of this name.
        """
        with self._lock:
            one = self._opening.setdefault(name, threading.Lock())
        with one:
            with self._lock:
                found = self._lives.get(name)
                if found is not None:
                    self._lives.move_to_end(name)
                    return found
            try:
                found = Live(self.storage, name)
            except TunesmithError:
                with self._lock:
                    self._opening.pop(name, None)
                raise
            with self._lock:
                self._lives[name] = found
                self._make_room()
            return found

    def _make_room(self) -> None:
        """Close those that were not looked at for the longest time."""
        for name in [name for name, live in self._lives.items() if not len(live.changes)]:
            if len(self._lives) <= MOST:
                return
            del self._lives[name]

    def view(self, name: str) -> View:
        """Return a study as it is now.

        Raises:
            StudyNotFound: There is none of this name (any more).
        """
        try:
            return self.live(name).view()
        except StudyNotFound:
            with self._lock:
                stale = self._lives.pop(name, None)
            if stale is None:
                raise
            return self.live(name).view()  # another one was made under its name

    def length(self, name: str) -> int:
        """Return how many lines a study's log has."""
        return self.storage.wait(name, -1, 0.0)

    def confirmation(self, view: View) -> Confirmation[Any] | None:
        """Return what was found when the best of a study was confirmed; None: it was not."""
        known = {
            ending: self.view(f"{view.name}{ending}").history
            for ending in beside(self.storage, view.name)
        }
        if CONFIRMS not in known:
            return None
        try:
            return outcome(view.history, known[CONFIRMS], known.get(BASELINE))
        except NoTrials:
            return None

    def listing(self) -> int:
        """Look at the list of studies; return how often it, or the length of a log, was seen to change."""
        lengths = {name: self.length(name) for name in self.names()}
        with self._lock:
            if lengths != self._lengths:
                self._lengths = lengths
                self._seen += 1
            return self._seen

    def _look(self, seen: int) -> int:
        now = self.listing()
        if now == seen:
            self._idle.wait(0.5)
        return now
