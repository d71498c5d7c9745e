"""Recomputing every decision of a study from its log, to see that it came from the log alone."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from msgspec import UNSET

from tunesmith._core.random import seed_of
from tunesmith._core.types import P
from tunesmith.records import Fold, Record
from tunesmith.records.events import Configured, Created, Enqueued, Part, from_lines
from tunesmith.samplers import Sampler, Suggestion
from tunesmith.study.asking import complete
from tunesmith.study.ledger import Ledger
from tunesmith.study.ordered import Ordered
from tunesmith.study.parts import sampler_of, versions
from tunesmith.study.proposer import Proposer

CLOSE = 1e-9


@final
@dataclass(frozen=True, slots=True)
class Verification:
    """What `Study.verify` found; true if nothing differs.

    Attributes:
        checked: Decisions that were recomputed.
        close: Those of them that agree within a relative 1e-9 only.
        skipped: Those of samplers that are not at hand.
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
        notes += [f"{self.skipped} skipped: pass their sampler"] * bool(self.skipped)
        return f"{self.checked} decisions agree{''.join(f', {note}' for note in notes)}"


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


def _parts(events: Iterable[Any]) -> dict[int, Part]:
    """The samplers of a log, by the position of the event that put them in force."""
    parts: dict[int, Part] = {}
    latest = None
    for position, event in enumerate(events):
        if isinstance(event, Created | Configured):
            latest = latest if event.sampler is UNSET else event.sampler
            if latest is not None:
                parts[position] = latest
    return parts


def verify(ledger: Ledger[P], samplers: Iterable[Sampler[Any]]) -> Verification:
    """Recompute params and memo of every suggestion, in order of basis.

    Args:
        ledger: The study's log.
        samplers: Those that are not registered, if their suggestions shall be checked.
    """
    events = from_lines(ledger.storage.read(ledger.name))
    created = ledger.fold.created
    queued = {event.id: event for event in events if isinstance(event, Enqueued)}
    calls: dict[tuple[int, int, int, int], list[Record[P]]] = defaultdict(list)
    found = _Found(created)
    for record in ledger.fold.history:
        own = seed_of(created.seed, "trial", record.number)
        if record.replicate is None and record.seed != own:
            return found.differs(record, f"its seed is {record.seed}")
        item = queued.get(record.item)
        if record.item and item is None:
            return found.differs(record, f"it comes from {record.item!r}, which was never enqueued")
        if item is not None and item.params == record.logged:  # nothing was computed
            found.checked += 1
            continue
        calls[record.basis, record.configured, record.handle, record.batch[1]].append(record)

    fold: Fold[P] = Fold(created, ledger.fold.history.problem.space)
    problem = fold.history.problem
    ordered = Ordered.of(fold)
    parts = _parts(events)
    proposers: dict[int, Proposer[P] | None] = {}
    for position, part in parts.items():
        sampler = sampler_of(part, samplers)
        proposers[position] = None if sampler is None else Proposer(problem, sampler, created.seed)

    for (basis, configured, handle, size), records in sorted(calls.items()):
        if configured not in parts or not fold.length <= basis < len(events):
            return found.differs(records[0], f"basis {basis} or configuration {configured} is none")
        while fold.length < basis:
            heard = fold.apply(events[fold.length])
            if heard is not None and ordered is None:
                _hear(proposers, [heard.begun() if heard.event == "started" else heard])
        key = fold.decisions, handle
        if ordered is not None:
            if ordered.awaited(fold.history) is not None or records[0].number != len(fold.history):
                return found.differs(records[0], "its turn had not come")
            _hear(proposers, ordered.hear(fold.history))
            key = len(fold.history), 0
        proposer = proposers[configured]
        if proposer is None:
            found.skipped += len(records)
            continue
        suggestions = proposer.propose(key, size)
        for record in records:
            index = record.batch[0]
            if not 0 <= index < size or fold.history.find(record.uid) is not None:
                return found.differs(record, f"it is number {index} of {size} from basis {basis}")
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
    return Verification(found.checked, found.close, found.skipped, "")


def _hear(proposers: Mapping[int, Proposer[P] | None], records: list[Record[P]]) -> None:
    for proposer in proposers.values():
        if proposer is not None:
            proposer.hear(records)


@dataclass(slots=True)
class _Found:
    """What was found so far."""

    created: Created
    checked: int = 0
    close: int = 0
    skipped: int = 0

    def differs(self, record: Record[Any], how: str) -> Verification:
        """The end, at the first difference."""
        theirs, ours = (
            ", ".join(f"{name} {version}" for name, version in some.items())
            for some in (self.created.versions, versions())
        )
        text = f"trial {record.number} differs: {how} (written with {theirs}; here {ours})"
        return Verification(self.checked, self.close, self.skipped, text)
