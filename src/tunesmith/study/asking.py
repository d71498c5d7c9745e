"""What `ask` hands out, and in which order: orphans, the queue, then the sampler.

A draft is made from what was read; it is appended only if nothing was appended since. If
something was, numbers and seeds are computed again and the suggestions stand, unless one of them
has been started by somebody else, or there is no room for it any more: then a new draft is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeAlias, TypeVar, final

from tunesmith._core.errors import Conflict, SpaceError
from tunesmith._core.random import Keyed, seed_of
from tunesmith.records import Fold, History, Record
from tunesmith.records.events import Enqueued, Resumed, Source, Started
from tunesmith.samplers import Sampler, Suggestion
from tunesmith.space import Params, Space
from tunesmith.study.ledger import Ledger
from tunesmith.study.owner import this_process
from tunesmith.study.proposer import Proposer

P = TypeVar("P")
Room: TypeAlias = Callable[[History[Any]], int]  # how many trials more a budget allows


@dataclass(frozen=True, slots=True)
class _Start:
    """A new trial, not numbered yet."""

    params: Params
    basis: int
    source: Source
    item: str = ""
    batch: tuple[int, int] = (0, 1)
    memo: dict[str, Any] | None = None
    ask_s: float = 0.0


def complete(
    fold: Fold[P], item: Enqueued, suggestion: Suggestion | None, handle: int, index: int
) -> Params:
    """Return a queued item's params, completed; depends on the log up to now, handle and index."""
    rng = Keyed().at(fold.created.seed, fold.decisions, handle, "complete", index)
    given = None if suggestion is None else suggestion.params
    return fold.history.problem.space.complete(item.params, given, rng)


def _is_whole(space: Space[Any], params: Params) -> bool:
    try:
        space.check(params)
    except SpaceError:
        return False
    return True


@final
class Asker(Generic[P]):
    """Hands out trials of one study.

    Args:
        ledger: The study's log.
        sampler: Who proposes.
        configured: Position of the `Created` or `Configured` that names the sampler.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(self, ledger: Ledger[P], sampler: Sampler[Any], configured: int) -> None:
        self._ledger = ledger
        self._configured = configured
        fold = ledger.fold
        self._proposer = Proposer(fold.history.problem, sampler, fold.created.seed)

    def ask(self, n: int, room: Room, *, lease: bool) -> list[Record[P]]:
        """Start or resume at most `n` trials.

        Args:
            n: How many at most.
            room: How many trials more the budget allows, orphans of running trials apart.
            lease: Whether the death of this process shall orphan them.

        Returns:
            Their records; fewer than `n` if the budget or the space is exhausted.
        """
        ledger = self._ledger
        fold = ledger.fold
        ledger.sync()
        while True:
            handle = ledger.join()
            draft = self._draft(n, room, handle)
            while True:
                started = len(fold.history)
                events = self._events(draft, handle, this_process() if lease else "")
                if not events:
                    return []
                try:
                    entries = ledger.append(*events, expect=True)
                except Conflict:
                    ledger.sync()
                    if not self._stands(draft, started, room, handle):
                        break
                else:
                    return [entry for entry in entries if entry is not None]

    def _draft(self, n: int, room: Room, handle: int) -> list[Record[P] | _Start]:
        fold = self._ledger.fold
        history = fold.history
        self._proposer.hear(self._ledger.take_heard())
        orphans = self._orphans(n, room(history))
        left = min(n - len(orphans), room(history) - sum(r.state == "paused" for r in orphans))
        items = list(islice(fold.queue.values(), max(0, left)))
        whole = [_is_whole(history.problem.space, item.params) for item in items]
        size = left - sum(whole)
        suggestions, ask_s = (
            self._proposer.timed(fold.decisions, handle, size) if size > 0 else ([], 0.0)
        )
        draft: list[Record[P] | _Start] = [*orphans]
        slots = iter([*enumerate(suggestions), *((i, None) for i in range(len(suggestions), size))])
        for item, ready in zip(items, whole, strict=True):
            source: Source = "default" if item.by == "default" else "queue"
            if ready:
                draft.append(_Start(item.params, fold.length, source, item.id))
                continue
            index, suggestion = next(slots)
            params = complete(fold, item, suggestion, handle, index)
            memo = None if suggestion is None else suggestion.memo
            batch = (index, size)
            draft.append(_Start(params, fold.length, source, item.id, batch, memo, ask_s))
        draft += [
            _Start(
                suggestion.params, fold.length, "sampler", "", (index, size), suggestion.memo, ask_s
            )
            for index, suggestion in slots
            if suggestion is not None
        ]
        return draft

    def _orphans(self, n: int, room: int) -> list[Record[P]]:
        """Trials that were handed back, or whose process is gone, by number."""
        history = self._ledger.fold.history
        if not history.count("running", "paused"):
            return []
        found: list[Record[P]] = []
        for record in history.unfinished:
            if len(found) == n:
                break
            if record.state == "paused":
                if record.why != "scheduler" and room > 0:
                    found.append(record)
                    room -= 1
            elif record.owner and not self._ledger.lives(record.owner):
                found.append(record)
        return found

    def _events(
        self, draft: list[Record[P] | _Start], handle: int, owner: str
    ) -> list[Started | Resumed]:
        ledger = self._ledger
        fold = ledger.fold
        now = ledger.clock()
        seed = fold.created.seed
        number = len(fold.history)
        uids = fold.next_uids(handle)
        events: list[Started | Resumed] = []
        for part in draft:
            if isinstance(part, Record):
                events.append(
                    Resumed(
                        time=now,
                        uid=part.uid,
                        attempt=part.attempt + 1,
                        owner=owner,
                        key=part.checkpoint,
                        why="handed back" if part.state == "paused" else "lost",
                        basis=fold.length,
                        configured=self._configured,
                    )
                )
                continue
            events.append(
                Started(
                    time=now,
                    uid=next(uids),
                    owner=owner,
                    params=part.params,
                    basis=part.basis,
                    batch=part.batch,
                    source=part.source,
                    item=part.item,
                    configured=self._configured,
                    memo=part.memo or {},
                    seed=seed_of(seed, "trial", number),
                    ask_s=part.ask_s,
                )
            )
            number += 1
        return events

    def _stands(
        self, draft: list[Record[P] | _Start], started: int, room: Room, handle: int
    ) -> bool:
        """Whether the draft holds although the log has grown since `started` trials."""
        fold = self._ledger.fold
        history = fold.history
        if fold.handles.get(handle) != this_process():
            return False
        key = history.problem.space.key
        new = {key(r.logged) for r in history[started:] if r.replicate is None}
        needed = 0
        for part in draft:
            if isinstance(part, Record):
                if fold.current(part.uid, part.attempt) is None:
                    return False
                needed += part.state == "paused"
                continue
            needed += 1
            if key(part.params) in new or (part.item and part.item not in fold.queue):
                return False
        return needed <= room(history)
