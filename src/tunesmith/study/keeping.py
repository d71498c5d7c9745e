"""Which checkpoints of a study are still needed; the others are removed by whoever runs it.

Nobody asks the other processes. What is removed follows from the log as far as this process has read
it, and what is needless there stays so, however the log goes on: a trial goes on from its latest
checkpoint alone, what has finished changes no more, and a scheduler forks from nothing that it has
once left out of `keeps`. A fork that began in time holds its parent's checkpoint until it has one.
"""

from contextlib import suppress
from typing import Any, Literal, TypeAlias, final

from tunesmith._core.errors import NoTrials
from tunesmith.records import History, Record
from tunesmith.storage import Blobs
from tunesmith.study.ledger import Ledger
from tunesmith.study.saving import origin

# "settled": nothing that others do makes it needless; "open": it may be so one day
_Verdict: TypeAlias = Literal["needless", "settled", "open"]


@final
class Keeping:
    """Removes the checkpoints of one study that nobody needs.

    Args:
        ledger: The study's log.
    """

    def __init__(self, ledger: Ledger[Any]) -> None:
        self._ledger = ledger
        # keys to be looked at again; None: what lies there is unknown
        self._open: set[str] | None = None
        self._removed: set[str] = set()

    def wants(self, record: Record[Any]) -> bool:
        """Return whether a trial that will have finished as `record` says shall be saved."""
        keep = self._ledger.fold.created.keep
        if keep == "best":
            return self._ledger.fold.history.leads(record)
        return keep != "needed"

    def tidy(self, record: Record[Any]) -> None:
        """Remove what is needless after something has happened to a trial."""
        ledger = self._ledger
        files, fold = ledger.files, ledger.fold
        if files is None or fold.created.keep == "all" or not (record.key or self._open):
            return
        if self._open is None:
            self._open = _lying(files)  # of processes that are gone, too
        own = {key for key in fold.saved.get(record.uid, {}) if key}
        if record.finished and record.attempt > 1:  # a lost one may have left what it did not tell
            own |= _lying(files, f"{record.uid}-")
        steering = ledger.steering
        kept = set() if steering is None else steering.keeps()
        held = {r.key for r in fold.history.unfinished}
        best = {r.key for r in leading(fold.history)} if fold.created.keep == "best" else set()
        for key in (self._open | own) - self._removed:
            verdict = self._verdict(key, kept, held, best)
            if verdict == "needless":
                remove(files, key)
                self._removed.add(key)
            if verdict == "open":
                self._open.add(key)
            else:
                self._open.discard(key)

    def _verdict(
        self, key: str, kept: set[tuple[str, int]], held: set[str], best: set[str]
    ) -> _Verdict:
        fold = self._ledger.fold
        uid, attempt = origin(key)
        record = fold.history.find(uid)
        if record is not None and key in fold.history.problem.attached.get(uid, {}).values():
            return "settled"  # files that were attached stay
        # of a trial that began after what was read, or being attached to one that does not run
        if record is None or record.attempt < attempt or not attempt:
            return "open"
        step = fold.saved.get(uid, {}).get(key)
        if step is None:  # put, but not told; nobody will tell it any more if it is of the past
            past = record.finished or attempt < record.attempt
            return "needless" if past else "open"
        if not record.finished and record.key == key:
            return "settled"
        if record.finished and record.key == key and fold.created.keep == "last":
            return "settled"
        return "open" if key in held or key in best or (uid, step) in kept else "needless"


def remove(files: Blobs | None, key: str) -> None:
    """Remove a checkpoint, if the file system lets us: what is left is found by the next process."""
    if files is not None:
        with suppress(Exception):
            files.delete(key)


def _lying(files: Blobs, prefix: str = "") -> set[str]:
    """The keys that lie there, as far as the file system says so now."""
    with suppress(Exception):
        return files.keys(prefix)
    return set()


def leading(history: History[Any]) -> list[Record[Any]]:
    """Return the best trial, or those that none beats; none yet: []."""
    with suppress(NoTrials):
        return [history.best] if len(history.problem.objectives) == 1 else history.front
    return []
