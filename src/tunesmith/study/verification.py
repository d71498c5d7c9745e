"""Recomputing every decision of a study from its log, to see that it came from the log alone."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, final

from tunesmith.records import Fold, Record
from tunesmith.records.events import Configured, Created, Enqueued, Part, from_lines
from tunesmith.samplers import Sampler, Suggestion
from tunesmith.study.asking import complete
from tunesmith.study.ledger import Ledger
from tunesmith.study.parts import sampler_of
from tunesmith.study.proposer import Proposer

P = TypeVar("P")

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
            latest = event.sampler or latest
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
    queued = {event.id: event for event in events if isinstance(event, Enqueued)}
    calls: dict[tuple[int, int, int, int], list[Record[P]]] = defaultdict(list)
    checked = close = skipped = 0
    for record in ledger.fold.history:
        if record.item and record.batch == (0, 1) and record.item in queued:
            item = queued[record.item]
            if item.params == record.logged:  # a whole configuration: nothing was computed
                checked += 1
                continue
        calls[record.basis, record.configured, record.handle, record.batch[1]].append(record)

    created = events[0]
    if not isinstance(created, Created):
        raise TypeError(created)
    fold: Fold[P] = Fold(created, ledger.fold.history.problem.space)
    problem = fold.history.problem
    proposers: dict[int, Proposer[P] | None] = {}
    for position, part in _parts(events).items():
        sampler = sampler_of(part, samplers)
        proposers[position] = None if sampler is None else Proposer(problem, sampler, created.seed)

    for (basis, configured, handle, size), records in sorted(calls.items()):
        while fold.length < basis:
            heard = fold.apply(events[fold.length])
            if heard is not None:
                heard = heard.begun() if heard.event == "started" else heard
                for proposer in proposers.values():
                    if proposer is not None:
                        proposer.hear([heard])
        proposer = proposers.get(configured)
        if proposer is None:
            skipped += len(records)
            continue
        suggestions = proposer.propose(fold.decisions, handle, size)
        for record in records:
            index = record.batch[0]
            given = suggestions[index] if index < len(suggestions) else None
            expected = given
            if record.item:
                params = complete(fold, queued[record.item], given, handle, index)
                expected = Suggestion(params, {} if given is None else given.memo)
            checked += 1
            apart = (
                math.inf
                if expected is None
                else _agree([expected.params, expected.memo], [record.logged, record.memo])
            )
            close += 0 < apart <= CLOSE
            if apart > CLOSE:
                versions = ", ".join(f"{k} {v}" for k, v in created.versions.items())
                return Verification(
                    checked,
                    close,
                    skipped,
                    f"trial {record.number} differs: the log has {record.logged} {record.memo}, "
                    f"recomputed {expected and expected.params} {expected and expected.memo} "
                    f"(the log was written with {versions})",
                )
    return Verification(checked, close, skipped, "")
