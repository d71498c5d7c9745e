"""What `ask` hands out, and in which order: orphans, the queue, who may go on, then the sampler.

A draft is made from what was read; it is appended only if nothing was appended since. If
something was, numbers and seeds are computed again and the suggestions stand, unless one of them
has been started by somebody else, or there is no room for it any more: then a new draft is made.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Generic, TypeAlias, final

from msgspec.structs import replace

from tunesmith._core.errors import Conflict, SettingError, SpaceError
from tunesmith._core.random import Keyed, seed_of
from tunesmith._core.types import P
from tunesmith.executors import Key, Place
from tunesmith.records import Failure, Fold, History, Record
from tunesmith.records.events import Enqueued, Finished, Resumed, ResumeReason, Source, Started
from tunesmith.replication import Replication
from tunesmith.samplers import Sampler, Suggestion
from tunesmith.schedulers import Fork
from tunesmith.space import Params, Space
from tunesmith.study.ledger import Ledger
from tunesmith.study.ordered import Ordered
from tunesmith.study.owner import this_process
from tunesmith.study.proposer import Proposer

# How many trials more a budget allows; below 0: nor may those go on that a scheduler has paused.
Room: TypeAlias = Callable[[History[Any]], int]

CLOSING = "closing"  # in the memo of a trial that goes on because no new one will begin
_IN_BETWEEN = -1  # in place of a generation, while the sampler hears


@dataclass(frozen=True, slots=True)
class _Again(Generic[P]):
    """The next attempt of a trial."""

    record: Record[P]
    basis: int
    batch: tuple[int, int] = (0, 1)
    memo: dict[str, Any] | None = None
    ask_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Start:
    """A new trial, not numbered yet."""

    params: Params
    basis: int
    source: Source = "sampler"
    item: str = ""
    parent: str = ""
    fork_step: int = 0
    key: str = ""
    replicate: tuple[str, int] | None = None
    batch: tuple[int, int] = (0, 1)
    memo: dict[str, Any] | None = None
    ask_s: float = 0.0


def seed_for(study_seed: int, number: int, replicate: tuple[str, int] | None) -> int:
    """Return the seed of a trial: its own, or that of its place among the evaluations."""
    if replicate is None:
        return seed_of(study_seed, "trial", number)
    return seed_of(study_seed, "replicate", replicate[1])


def repeats(
    replication: Replication | None, history: History[Any], n: int
) -> list[tuple[str, int]]:
    """Return what is to be evaluated again, at most `n`: the first trial of each, and the index."""
    table = history.replicates
    if replication is None or not len(table):
        return []
    begun = table.started.tolist()
    found: list[tuple[str, int]] = []
    for row in replication.due(table, n):
        found.append((table.firsts[row], begun[row]))
        begun[row] += 1
    return found


def complete(
    fold: Fold[P], item: Enqueued, suggestion: Suggestion | None, key: tuple[int, int], index: int
) -> Params:
    """Return a queued item's params, completed; depends on the log up to now, key and index."""
    rng = Keyed().at(fold.created.seed, *key, "complete", index)
    given = None if suggestion is None else suggestion.params
    return fold.history.problem.space.complete(item.params, given, rng)


def next_attempt(
    record: Record[Any], now: float, owner: str, basis: int, configured: int
) -> Resumed:
    """Return the event that begins the next attempt of a trial, from its latest checkpoint."""
    why: ResumeReason = "handed back" if record.state == "paused" else "lost"
    if record.scheduled:
        why = "scheduler"
    return Resumed(
        time=now,
        uid=record.uid,
        attempt=record.attempt + 1,
        owner=owner,
        key=record.key,
        why=why,
        basis=basis,
        configured=configured,
    )


def _is_whole(space: Space[Any], params: Params) -> bool:
    try:
        space.check(params)
    except SpaceError:
        return False
    return True


def _source(item: Enqueued) -> Source:
    return "default" if item.by == "default" else "queue"


@final
class Asker(Generic[P]):
    """Hands out trials of one study.

    Args:
        ledger: The study's log.
        sampler: Who proposes.
        replication: Who says what is evaluated again; None: nothing is.
        configured: Position of the `Created` or `Configured` that names them.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(
        self,
        ledger: Ledger[P],
        sampler: Sampler[Any],
        replication: Replication | None,
        configured: int,
    ) -> None:
        self._ledger = ledger
        self._sampler = sampler
        self._replication = replication
        self._configured = configured
        self._renew()

    def _renew(self) -> None:
        """Begin anew with a sampler that has heard nothing."""
        fold = self._ledger.fold
        self._proposer = Proposer(fold.history.problem, self._sampler, fold.created.seed)
        self._ordered = Ordered.of(fold)
        self._heard_of = self._ledger.generation  # last: an interrupt before leaves all to do

    @property
    def decided(self) -> History[P]:
        """The trials as far as decisions may use them: all, unless the study is deterministic."""
        return self._ledger.fold.history if self._ordered is None else self._ordered.history

    @property
    def awaited(self) -> Record[P] | None:
        """The trial that must finish before the next may start, in a deterministic study."""
        return None if self._ordered is None else self._ordered.awaited(self._ledger.fold.history)

    def ask(
        self, places: Sequence[Place], room: Room, *, lease: bool, retries: int, begun: set[Key]
    ) -> list[Record[P]]:
        """Start or resume at most a trial for each place.

        Args:
            places: Where they will run, in their order.
            room: How many trials more the budget allows, orphans of running trials apart.
            lease: Whether the death of this process shall orphan them.
            retries: How often a trial is begun again whose process died; then it has failed.
            begun: Takes uid and attempt of each, before it is begun.

        Returns:
            Their records; fewer than places if the budget or the space is exhausted, a trial is
            `awaited`, or the study is paused.
        """
        self._ledger.sync()
        if self._ledger.fold.paused:
            return []
        self._give_up(retries)
        owner = this_process() if lease else ""
        served: list[Record[P]] = []
        while left := places[len(served) :]:
            # one kind at a time, so that the sampler has heard of all that was started before
            more = self._serve(left if self._ordered is None else left[:1], room, owner, begun)
            if not more:
                break
            served += more
            if more[-1].alone:  # what is free beside it, its executor says
                break
        return served

    def _serve(
        self, places: Sequence[Place], room: Room, owner: str, begun: set[Key]
    ) -> list[Record[P]]:
        ledger = self._ledger
        while True:
            handle = ledger.join()
            draft = self._draft(len(places), room, handle)
            if not draft:
                return []
            started = len(ledger.fold.history)
            for tries in ledger.tries():
                if tries and not self._stands(draft, started, room, handle):
                    break
                started = len(ledger.fold.history)
                events = self._events(draft, places, handle, owner)
                keys = {(e.uid, e.attempt if isinstance(e, Resumed) else 1) for e in events}
                begun |= keys
                try:
                    entries = ledger.append(*events, expect=True)
                except Conflict:
                    begun -= keys
                else:
                    return [entry for entry in entries if entry is not None]

    def _draft(self, n: int, room: Room, handle: int) -> list[_Again[P] | _Start]:
        """What is next in the order of service, all of one kind: at most `n`."""
        fold = self._ledger.fold
        if self._ordered is not None and self.awaited is None:
            self._hear()  # before `room` looks at what may be used
        left = room(fold.history)
        orphans = self._orphans(n, left)
        if orphans or left < 0 or self.awaited is not None:
            return [_Again(record, fold.length) for record in orphans]
        space = fold.history.problem.space
        items = list(islice(fold.queue.values(), min(n, left)))
        if not items:
            again = self._repeats(n)
            if again:
                return [*again]
            revived = self._revived(n, handle, closing=left == 0)
            if revived or left == 0:
                return [*revived]
            taken = None if self._ledger.steering is None else self._ledger.steering.room()
            n = min(n, left) if taken is None else min(n, left, taken)
            if n == 0:
                return []
        whole = [_is_whole(space, item.params) for item in items]
        same = list(takewhile(lambda kind: kind == whole[0], whole))
        items = items[: len(same)]
        if items and whole[0]:
            return [
                _Start(item.params, fold.length, _source(item), item.id, item.parent)
                for item in items
            ]
        self._hear()
        size = len(items) or n
        key = (fold.decisions, handle) if self._ordered is None else (len(fold.history), 0)
        suggestions, ask_s = self._proposer.timed(key, size)
        if items:
            slots = [*suggestions, *[None] * (size - len(suggestions))]
            return [
                _Start(
                    complete(fold, item, suggestion, key, index), fold.length, _source(item),
                    item.id, item.parent, batch=(index, size),
                    memo=None if suggestion is None else suggestion.memo, ask_s=ask_s,
                )
                for index, (item, suggestion) in enumerate(zip(items, slots, strict=True))
            ]  # fmt: skip
        if not suggestions:
            return [*self._revived(n, handle, closing=True)]
        return [
            _Start(
                suggestion.params, fold.length, batch=(index, size), memo=suggestion.memo,
                ask_s=ask_s,
            )
            for index, suggestion in enumerate(suggestions)
        ]  # fmt: skip

    def _repeats(self, n: int) -> list[_Start]:
        """Configurations that are evaluated once more."""
        found = repeats(self._replication, self.decided, n)
        history, basis = self._ledger.fold.history, self._ledger.fold.length
        drafts: list[_Start] = []
        for index, (group, place) in enumerate(found):
            first = self.decided.find(group)
            if first is not None:
                own = history[first.number]  # whose uid a deterministic study does not let be heard
                drafts.append(
                    _Start(
                        own.logged, basis, "replicate", replicate=(own.uid, place), batch=(index, n)
                    )
                )  # fmt: skip
        return drafts

    def _revived(self, n: int, handle: int, *, closing: bool) -> list[_Again[P] | _Start]:
        """Trials that the scheduler lets go on, or forks."""
        fold, steering = self._ledger.fold, self._ledger.steering
        if steering is None:
            return []
        begun = time.perf_counter()
        revived = steering.revive((fold.decisions, handle), n, closing=closing)
        ask_s = (time.perf_counter() - begun) / max(1, len(revived))
        name = type(steering.scheduler).__name__
        found: list[_Again[P] | _Start] = []
        for index, one in enumerate(revived):
            memo = {**one.memo, CLOSING: True} if closing else one.memo
            if isinstance(one, Fork):
                if (one.parent, one.step) not in steering.keeps():
                    raise SettingError(
                        f"{name}.revive forks {one.parent!r} at step {one.step}, which {name}.keeps leaves out"
                    )
                key = fold.checkpoint(one.parent, one.step)
                if key is None:  # it is being saved, or could not be
                    continue
                found.append(
                    _Start(
                        one.params, fold.length, "fork", parent=one.parent, fork_step=one.step,
                        key=key, batch=(index, n), memo=memo, ask_s=ask_s,
                    )
                )  # fmt: skip
                continue
            record = fold.history.find(one.uid)
            if record is None or not record.scheduled:
                raise SettingError(f"{name}.revive resumes {one.uid!r}, which it has not paused")
            found.append(_Again(record, fold.length, (index, n), memo, ask_s))
        return found

    def _hear(self) -> None:
        """Let the sampler hear what happened; after an interrupt in here, all of it anew."""
        ledger = self._ledger
        if self._heard_of == _IN_BETWEEN:
            ledger.refold()
        if self._heard_of != ledger.generation:
            self._renew()
        generation, self._heard_of = self._heard_of, _IN_BETWEEN
        heard = ledger.take_heard()
        if self._ordered is not None:
            heard = self._ordered.hear(ledger.fold.history)
        self._proposer.hear(heard)
        self._heard_of = generation

    def _orphans(self, n: int, room: int) -> list[Record[P]]:
        """Trials that were handed back, or whose process is gone, by number."""
        found: list[Record[P]] = []
        is_lost = self._is_lost()
        for record in self._ledger.fold.history.open:
            if len(found) == n:
                break
            if record.state == "paused" and room > 0:
                found.append(record)
                room -= 1
            elif is_lost(record):
                found.append(record)
            if found and found[-1].alone:
                break
        return found

    def _is_lost(self) -> Callable[[Record[P]], bool]:
        """Whether a trial's process is gone; each process is looked for once."""
        lives = {"": True, this_process(): True}

        def is_lost(record: Record[P]) -> bool:
            owner = record.owner
            if owner not in lives:
                lives[owner] = self._ledger.lives(owner)
            return record.state == "running" and not lives[owner]

        return is_lost

    def _give_up(self, retries: int) -> None:
        """End the trials that were lost once more than they may be."""
        ledger, is_lost = self._ledger, self._is_lost()
        for record in ledger.fold.history.open:
            if record.lost >= retries and is_lost(record):
                text = f"the process that ran attempt {record.attempt} is gone ({record.owner})"
                ended = Finished(
                    time=ledger.clock(), uid=record.uid, attempt=record.attempt, step=record.step,
                    state="failed", why="lost", failure=Failure("lost", text),
                )  # fmt: skip
                ledger.append(ended)

    def _events(
        self, draft: list[_Again[P] | _Start], places: Sequence[Place], handle: int, owner: str
    ) -> list[Started | Resumed]:
        ledger = self._ledger
        fold = ledger.fold
        now = ledger.clock()
        seed = fold.created.seed
        number = len(fold.history)
        uids = fold.next_uids(handle)
        events: list[Started | Resumed] = []
        for part, place in zip(draft, places, strict=False):
            if isinstance(part, _Again):
                again = next_attempt(part.record, now, owner, part.basis, self._configured)
                events.append(
                    replace(
                        again, batch=part.batch, memo=part.memo or {}, ask_s=part.ask_s,
                        worker=place.worker, device=place.device,
                    )
                )  # fmt: skip
                continue
            uid, replicate = next(uids), part.replicate
            if self._replication is not None and part.source != "fork":
                replicate = replicate or (uid, 0)
            events.append(
                Started(
                    time=now,
                    uid=uid,
                    owner=owner,
                    params=part.params,
                    basis=part.basis,
                    batch=part.batch,
                    source=part.source,
                    item=part.item,
                    parent=part.parent,
                    fork_step=part.fork_step,
                    key=part.key,
                    configured=self._configured,
                    memo=part.memo or {},
                    seed=seed_for(seed, number, replicate),
                    replicate=replicate,
                    ask_s=part.ask_s,
                    worker=place.worker,
                    device=place.device,
                )
            )
            number += 1
        return events

    def _stands(
        self, draft: list[_Again[P] | _Start], started: int, room: Room, handle: int
    ) -> bool:
        """Whether the draft holds although the log has grown since `started` trials."""
        fold = self._ledger.fold
        history = fold.history
        if fold.handles.get(handle) != this_process():
            return False
        if self._ordered is not None and len(history) != started:
            return False  # the numbers are taken: whoever has the next one asks anew
        key = history.problem.space.key
        new = {key(r.logged) for r in history[started:] if r.source != "replicate"}
        needed = 0
        for part in draft:
            if isinstance(part, _Again):
                now = fold.current(part.record.uid, part.record.attempt)
                if now is None or (now.state, now.key) != (part.record.state, part.record.key):
                    return False
                needed += now.state == "paused" and not now.scheduled
                continue
            if part.source == "replicate":
                if any(r.replicate == part.replicate for r in history[started:]):
                    return False
                continue
            if part.source == "fork":
                if len(history) != started:  # another process may have begun the same one
                    return False
                steering = self._ledger.steering
                if steering is None or (part.parent, part.fork_step) not in steering.keeps():
                    return False  # its checkpoint may be gone
                continue
            needed += 1
            if key(part.params) in new or (part.item and part.item not in fold.queue):
                return False
        return needed <= room(history)
