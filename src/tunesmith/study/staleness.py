"""Which trials ran with other code, packages or data than this process has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, final

from tunesmith._core.words import plural
from tunesmith.records import Change, History, Provenance, changes

_NAMED = 3  # names in a line for people


@final
@dataclass(frozen=True, slots=True)
class Stale:
    """What changed since trials ran; false if nothing did that matters.

    Attributes:
        trials: By the number of each such trial: what is otherwise now.
        total: How many trials there are.
        revisions: Commits that they ran at, and the one now; empty: unknown.
    """

    trials: dict[int, tuple[Change, ...]] = field(default_factory=dict)
    total: int = 0
    revisions: tuple[frozenset[str], str] = (frozenset(), "")

    def __bool__(self) -> bool:
        return bool(self.trials)

    def __str__(self) -> str:
        if not self:
            return "all trials ran with what is here now, as far as is known"
        counts = Counter(change for some in self.trials.values() for change in some)
        code: Counter[str] = Counter()
        for change, n in counts.items():
            if change.kind == "code":
                code[change.name] += n
        rest = {c: n for c, n in counts.items() if c.kind != "code"}
        words = [f"{c.name} {c.before} (now {c.now}){self._share(n)}" for c, n in rest.items()]
        if code:
            before, now = self.revisions
            at = f" at {_some(sorted(before))} (now {now})" if now and before - {now} else ""
            names = _some(f"{name}{self._share(n)}" for name, n in code.most_common())
            words.insert(0, f"another {names}{at}")
        ran = f"{len(self.trials)} of {plural(self.total, 'trial')}"
        return f"{ran} ran with {_some(words)}"

    def _share(self, n: int) -> str:
        return "" if n >= len(self.trials) else f" ({n} of them)"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def stale(history: History[Any], now: Provenance) -> Stale:
    """Return which trials ran with something else than `now`, be it in part."""
    joined = history.problem.joined
    differing = {place: _that_matter(joined[place], now) for place in joined}
    differing = {place: found for place, found in differing.items() if found}
    if not differing:  # as nearly always: no trial is looked at
        return Stale(total=len(history))
    trials: dict[int, tuple[Change, ...]] = {}
    places: set[int] = set()
    for record in history:
        others = [place for place in record.ran if place in differing]
        if others:
            places.update(others)
            every = (change for place in others for change in differing[place])
            trials[record.number] = tuple(dict.fromkeys(every))
    before = frozenset(joined[place].revision for place in places) - {""}
    return Stale(trials, len(history), (before, now.revision))


def _that_matter(before: Provenance, now: Provenance) -> list[Change]:
    return [change for change in changes(before, now) if change.matters]
