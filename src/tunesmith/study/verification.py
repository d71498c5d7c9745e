"""Recomputing every decision of a study from its log, to see that it came from the log alone."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, final

from msgspec import UNSET

from tunesmith._core.types import P
from tunesmith.records import Fold, Record
from tunesmith.records.events import (
    AnyEvent,
    Configured,
    Created,
    Enqueued,
    Finished,
    Joined,
    Part,
    Paused,
    Resumed,
    from_lines,
)
from tunesmith.samplers import Sampler, Suggestion
from tunesmith.schedulers import Fork, Resume, Scheduler
from tunesmith.study.asking import CLOSING, complete, repeats, seed_for
from tunesmith.study.ledger import Ledger
from tunesmith.study.ordered import Ordered
from tunesmith.study.parts import replication_of, sampler_of, scheduler_of, versions
from tunesmith.study.proposer import Proposer
from tunesmith.study.steering import Steering

CLOSE = 1e-9
Kind: TypeAlias = Literal["ask", "replicate", "revive"]


@final
@dataclass(frozen=True, slots=True)
class Verification:
    """What `Study.verify` found; true if nothing differs.

    Attributes:
        checked: Decisions that were recomputed.
        close: Those of them that agree within a relative 1e-9 only.
        skipped: Those of samplers and schedulers that are not at hand.
        difference: The first decision that differs, in words; empty if none does.
    """

    checked: int
    close: int
    skipped: int
    difference: str

    def __bool__(self) -> bool:
        return not self.difference

    def __str__(self) -> str:
        if self.difference:
            return self.difference
        notes = [f"{self.close} of them within {CLOSE:g}"] * bool(self.close)
        notes += [f"{self.skipped} skipped: pass their sampler or scheduler"] * bool(self.skipped)
        agree = "1 decision agrees" if self.checked == 1 else f"{self.checked} decisions agree"
        return f"{agree}{''.join(f', {note}' for note in notes)}"


def _agree(a: Any, b: Any) -> float:
    """0 if equal, the relative difference of numbers, infinity if they are something else."""
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return 0.0 if a is b or (type(a) is type(b) and a == b) else math.inf
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return math.inf
        return max((_agree(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return math.inf
        return max((_agree(x, y) for x, y in zip(a, b, strict=True)), default=0.0)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))
    return 0.0 if a == b else math.inf


class _Call(NamedTuple):
    """A call of a sampler's `ask`, or of a scheduler's `revive`: when, by which parts, and for how many."""

    basis: int
    configured: int
    handle: int
    size: int
    kind: Kind


def _revived(events: Sequence[AnyEvent]) -> Iterator[tuple[Resumed, int]]:
    """What a scheduler let go on, with the handle of the process that asked it."""
    handles: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    for event in events:
        if isinstance(event, Joined):
            handles[event.owner] = event.handle
        elif isinstance(event, Resumed) and (event.uid, event.attempt) not in seen:
            seen.add((event.uid, event.attempt))  # the first one counts
            if event.why == "scheduler":
                yield event, handles.get(event.owner, 0)


@final
class _Replay(Generic[P]):
    """A study's log, folded once more, with whoever decided in it following."""

    def __init__(self, ledger: Ledger[P], known: Sequence[Sampler[Any] | Scheduler[Any]]) -> None:
        self.events = from_lines(ledger.storage.read(ledger.name))
        created = ledger.fold.created
        self.fold: Fold[P] = Fold(created, ledger.fold.history.problem.space)
        self.ordered = Ordered.of(self.fold)
        self.proposers: dict[int, Proposer[P] | None] = {}
        self.steerings: dict[int, Steering[P] | None] = {}
        self.replications: dict[int, Part | None] = {}
        problem = self.fold.history.problem
        sampler: Part = created.sampler
        scheduler, replicates = created.scheduler, created.replicates
        for position, event in enumerate(self.events):
            if isinstance(event, Configured):
                sampler = sampler if event.sampler is UNSET else event.sampler
                scheduler = scheduler if event.scheduler is UNSET else event.scheduler
                replicates = replicates if event.replicates is UNSET else event.replicates
            elif not isinstance(event, Created):
                continue
            self.replications[position] = replicates
            proposes = sampler_of(sampler, known)
            decides = None if scheduler is None else scheduler_of(scheduler, known)
            at_hand = proposes is not None and (scheduler is None or decides is not None)
            seed = created.seed
            self.proposers[position] = (
                Proposer(problem, proposes, seed) if proposes is not None and at_hand else None
            )
            self.steerings[position] = None if decides is None else Steering(problem, decides, seed)

    def until(self, basis: int, found: "_Found") -> str:
        """Fold up to a position; return the first decision of a scheduler that differs, in words."""
        while self.fold.length < basis:
            event = self.events[self.fold.length]
            if isinstance(event, Paused | Finished) and event.why == "scheduler":
                differs = self._decided(event, found)
                if differs:
                    return differs
            entry = self.fold.apply(event)
            for position, proposer in self.proposers.items():
                steering = self.steerings[position]
                heard = entry
                if steering is not None:
                    heard = steering.follow(self.fold, event, entry)
                if heard is not None and proposer is not None and self.ordered is None:
                    proposer.hear([heard.begun() if heard.event == "started" else heard])
        return ""

    def hear(self) -> None:
        """Let the samplers hear what the order of a deterministic study lets them."""
        heard = [] if self.ordered is None else self.ordered.hear(self.fold.history)
        for proposer in self.proposers.values():
            if proposer is not None:
                proposer.hear(heard)

    def revived(
        self,
        call: "_Call",
        key: tuple[int, int],
        made: Sequence[Record[P] | Resumed],
        found: "_Found",
    ) -> str:
        """Compare what the scheduler revives now with what the log says; the difference in words."""
        steering = self.steerings[call.configured]
        if steering is None:
            found.skipped += len(made)
            return ""
        closing = any(CLOSING in one.memo for one in made)
        revived = steering.revive(key, call.size, closing=closing)
        for one in made:
            index = one.batch[0]
            given = revived[index] if 0 <= index < len(revived) else None
            extra = {CLOSING: True} if closing else {}
            if isinstance(one, Resumed):
                agrees = isinstance(given, Resume) and given.uid == one.uid
                what = f"the attempt {one.attempt} of {one.uid}"
            else:
                agrees = (
                    isinstance(given, Fork)
                    and (given.parent, given.step) == (one.parent, one.fork_step)
                    and _agree(given.params, one.logged) <= CLOSE
                )
                what = f"trial {one.number}"
            if given is None or not agrees or _agree({**given.memo, **extra}, one.memo) > CLOSE:
                return f"{what} differs: the scheduler revives {given} there"
            found.checked += 1
        return ""

    def repeated(self, call: "_Call", made: Sequence[Record[P]], found: "_Found") -> str:
        """Compare what is evaluated again with what the log says; the difference in words."""
        decided = self.fold.history if self.ordered is None else self.ordered.history
        part = self.replications[call.configured]
        replication = replication_of(part)
        if replication is None and part is not None:
            found.skipped += len(made)
            return ""
        due = repeats(replication, decided, call.size)
        for record in made:
            index = record.batch[0]
            given, place = due[index] if 0 <= index < len(due) else ("", 0)
            first = decided.find(given)
            if (
                first is None
                or record.replicate != (self.fold.history[first.number].uid, place)
                or record.logged != first.logged
            ):
                return f"trial {record.number} differs: it is evaluation {record.replicate}, recomputed {due}"
            found.checked += 1
        return ""

    def _decided(self, event: Paused | Finished, found: "_Found") -> str:
        """Whether a trial's stop or pause was what the scheduler decided."""
        record = self.fold.current(event.uid, event.attempt)
        if record is None:
            return ""
        steering = self.steerings.get(event.configured)
        if steering is None:
            found.skipped += 1
            return ""
        found.checked += 1
        did = "pause" if isinstance(event, Paused) else "stop"
        decision = steering.decision(event.uid)
        if record.state == "paused" and event.uid in steering.drops():
            decision = "stop"
        if decision == did:
            return ""
        return (
            f"trial {record.number} differs: at step {record.step} the scheduler did {did!r}, recomputed "
            f"{decision!r}"
        )


def verify(ledger: Ledger[P], known: Sequence[Sampler[Any] | Scheduler[Any]]) -> Verification:
    """Recompute every suggestion, with its memo, and every decision of a scheduler, in log order.

    Args:
        ledger: The study's log.
        known: Samplers and schedulers that are not registered, if their decisions shall be checked.
    """
    replay = _Replay(ledger, known)
    events, fold, ordered = replay.events, replay.fold, replay.ordered
    created = fold.created
    queued = {event.id: event for event in events if isinstance(event, Enqueued)}
    calls: dict[_Call, list[Record[P] | Resumed]] = defaultdict(list)
    found = _Found(created)
    for record in ledger.fold.history:
        if record.seed != seed_for(created.seed, record.number, record.replicate):
            return found.differs(record, f"its seed is {record.seed}")
        item = queued.get(record.item)
        if record.item and item is None:
            return found.differs(record, f"it comes from {record.item!r}, which was never enqueued")
        if item is not None and item.params == record.logged:  # nothing was computed
            found.checked += 1
            continue
        kind: Kind = "revive" if record.source == "fork" else "ask"
        if record.source == "replicate":
            kind = "replicate"
        call = _Call(record.basis, record.configured, record.handle, record.batch[1], kind)
        calls[call].append(record)
    for resumed, handle in _revived(events):
        call = _Call(resumed.basis, resumed.configured, handle, resumed.batch[1], "revive")
        calls[call].append(resumed)

    for call in sorted(calls):
        first = next((one for one in calls[call] if isinstance(one, Record)), None)
        if call.configured not in replay.proposers or not fold.length <= call.basis < len(events):
            return found.ends(
                f"{'a revival' if first is None else f'trial {first.number}'} differs: basis "
                f"{call.basis} or configuration {call.configured} is none"
            )
        if differs := replay.until(call.basis, found):
            return found.ends(differs)
        key = fold.decisions, call.handle
        if call.kind == "revive":
            if differs := replay.revived(call, key, calls[call], found):
                return found.ends(differs)
            continue
        records = [one for one in calls[call] if isinstance(one, Record)]
        if ordered is not None:
            if ordered.awaited(fold.history) is not None or records[0].number != len(fold.history):
                return found.differs(records[0], "its turn had not come")
            replay.hear()
            key = len(fold.history), 0
        if call.kind == "replicate":
            if differs := replay.repeated(call, records, found):
                return found.ends(differs)
            continue
        proposer = replay.proposers[call.configured]
        if proposer is None:
            found.skipped += len(records)
            continue
        size = call.size
        suggestions = proposer.propose(key, size)
        for record in records:
            index = record.batch[0]
            if not 0 <= index < size or fold.history.find(record.uid) is not None:
                return found.differs(
                    record, f"it is number {index} of {size} from basis {call.basis}"
                )
            given = suggestions[index] if index < len(suggestions) else None
            expected = given
            if record.item:
                params = complete(fold, queued[record.item], given, key, index)
                expected = Suggestion(params, {} if given is None else given.memo)
            if expected is None:
                return found.differs(record, "the sampler has nothing left there")
            apart = _agree([expected.params, expected.memo], [record.logged, record.memo])
            if apart > CLOSE:
                return found.differs(
                    record,
                    f"the log has {record.logged} {record.memo or ''}, "
                    f"recomputed {expected.params} {expected.memo or ''}",
                )
            found.checked += 1
            found.close += apart > 0
    if differs := replay.until(len(events), found):
        return found.ends(differs)
    return Verification(found.checked, found.close, found.skipped, "")


@dataclass(slots=True)
class _Found:
    """What was found so far."""

    created: Created
    checked: int = 0
    close: int = 0
    skipped: int = 0

    def differs(self, record: Record[Any], how: str) -> Verification:
        """The end, at the first difference."""
        return self.ends(f"trial {record.number} differs: {how}")

    def ends(self, text: str) -> Verification:
        """The end, at what is said in words."""
        theirs, ours = (
            ", ".join(f"{name} {version}" for name, version in some.items())
            for some in (self.created.versions, versions())
        )
        text = f"{text} (written with {theirs}; here {ours})"
        return Verification(self.checked, self.close, self.skipped, text)
