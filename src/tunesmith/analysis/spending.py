"""`spending`: where a study's time went: to which trials, lost attempts, waiting, and finding suggestions."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core.amounts import together
from tunesmith._core.errors import NoTrials
from tunesmith.analysis.forecast import lasting
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record

BREAK_S = 60.0  # without anything running, from which on the study counts as interrupted
WORDS = {
    "complete": "completed",
    "stopped": "was stopped early",
    "failed": "failed",
    "running": "is running",
    "paused": "is paused",
    "lost": "was lost",
}


@final
@dataclass(frozen=True, slots=True)
class Portion:
    """What trials of one kind took.

    Attributes:
        kind: Their state: complete, stopped, failed, running or paused; or "lost": attempts whose process died.
        trials: How many; of lost attempts, how many of these.
        seconds: Of work, pauses left out.
        share: Of all work.
        steps: Of the resource, which they have done.
    """

    kind: str
    trials: int
    seconds: float
    share: float
    steps: int


@final
@dataclass(frozen=True, slots=True)
class Spending:
    """Where a study's time went, as far as its log tells.

    Attributes:
        by_state: What trials took, by how they stand, and lost attempts; where most went first.
        work_s: Seconds of work of all trials together, up to the last sign of life of what runs.
        wall_s: Seconds in which something ran, or was about to within a minute.
        breaks: How often nothing ran for longer.
        workers: How many trials ran at once at most.
        utilisation: The share of the time of so many workers, as many as ran at once at most between two breaks, in
            which they worked.
        asking_s: Seconds that finding suggestions took.
        again_s: Seconds of work in further evaluations of configurations.
        best_s: Seconds of work that had been done when the best trial ended; None: there is no single best.
        steps: Of the resource, that all trials did; 0 without one.
        resource: What a step is; empty: nothing.
        cost: What trials used, by name, summed; of what is called `peak_…`, the highest.
    """

    by_state: tuple[Portion, ...]
    work_s: float
    wall_s: float
    breaks: int
    workers: int
    utilisation: float
    asking_s: float
    again_s: float
    best_s: float | None
    steps: int
    resource: str
    cost: dict[str, float]

    def __str__(self) -> str:
        if not self.work_s:
            return "the log tells of no time that was spent"
        head = f"{lasting(self.work_s)} of work in {lasting(self.wall_s)}"
        if self.workers > 1:
            head += f", at most {self.workers} trials at once: workers were busy {self.utilisation:.0%} of it"
        else:
            head += f": the worker was busy {self.utilisation:.0%} of it"
        if self.breaks:
            head += f", with {self.breaks} break{'s' * (self.breaks > 1)}"
        lines = [
            head,
            ", ".join(f"{one.share:.0%} for what {WORDS[one.kind]}" for one in self.by_state),
        ]
        if self.again_s:
            lines.append(
                f"{self.again_s / self.work_s:.0%} in further evaluations of configurations"
            )
        share = self.asking_s / self.work_s
        part = f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"
        of = f"{part} of the work" if share < 1 else f"{share:.2g} times as long as the work"
        lines.append(f"finding suggestions took {lasting(self.asking_s)}, {of}")
        if self.best_s is not None and self.best_s < self.work_s:
            rest = 1 - self.best_s / self.work_s
            lines.append(f"{rest:.0%} of the work came after the best trial had ended")
        return "\n".join(lines)


def spending(history: History[Any]) -> Spending:
    """Say where a study's time went.

    A trial works from its begin to its end, pauses left out. An attempt whose process died counts up to its last report. How
    many workers there were the log does not say: there count as many as ran at once at most, between two breaks of
    more than a minute.

    Args:
        history: Of a study.

    Raises:
        NoTrials: None has begun.
    """
    if not len(history):
        raise NoTrials("no trial has begun yet; run some first")
    records = list(history)
    now = max(record.seen_at for record in records)
    now = max([now, *(end for record in records for _, end, _ in record.spells)])
    work: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = Counter(record.state for record in records)
    steps: Counter[str] = Counter()
    spans: list[tuple[float, float]] = []
    for record in records:
        steps[record.state] += record.step - record.fork_step
        for begin, end, why in stretches(record, now):
            spans.append((begin, end))
            work["lost" if why == "lost" else record.state] += max(0.0, end - begin)
    lost = sum(record.lost > 0 for record in records)
    total = sum(work.values())
    if lost:
        counts["lost"] = lost
    by_state = [
        Portion(kind, n, work[kind], work[kind] / total if total else 0.0, steps[kind])
        for kind, n in counts.items()
    ]
    by_state.sort(key=lambda one: (-one.seconds, -one.trials, one.kind))
    wall, offered, breaks, workers = _sessions(np.array(spans))
    return Spending(
        by_state=tuple(by_state),
        work_s=total,
        wall_s=wall,
        breaks=breaks,
        workers=workers,
        utilisation=min(1.0, total / offered) if offered else 0.0,
        asking_s=sum(record.ask_s for record in records),
        again_s=sum(
            max(0.0, end - begin)
            for record in records
            if record.source == "replicate"
            for begin, end, _ in stretches(record, now)
        ),
        best_s=_until_best(history, spans),
        steps=history.spent,
        resource="" if history.problem.resource is None else history.problem.resource.name,
        cost=together(record.cost for record in records),
    )


def stretches(record: Record[Any], now: float) -> Iterator[tuple[float, float, str]]:
    """Yield when a trial worked, by `now`: begin, end, and why it ended, if that was not its end."""
    yield from record.spells
    if record.state != "paused":
        yield record.begun_at, now if record.ended is None else record.ended, ""


def _sessions(spans: Floats) -> tuple[float, float, int, int]:
    """Of spans (n, 2): how long they last together, times as many as there are at once, breaks, and as many at most."""
    events = np.concatenate([spans[:, 0], spans[:, 1]])
    steps = np.repeat([1, -1], len(spans))
    order = np.lexsort((steps, events))  # at the same moment ends come first
    times, running = events[order], np.cumsum(steps[order])
    cut = np.flatnonzero((np.diff(times) > BREAK_S) & (running[:-1] <= 0)) + 1
    wall = offered = 0.0
    for moments, counts in zip(np.split(times, cut), np.split(running, cut), strict=True):
        length = float(moments[-1] - moments[0])
        wall += length
        offered += length * max(1, int(counts.max()))
    return wall, offered, len(cut), max(1, int(running.max()))


def _until_best(history: History[Any], spans: list[tuple[float, float]]) -> float | None:
    if len(history.problem.objectives) > 1:
        return None
    try:
        ended = history.best.ended
    except NoTrials:
        return None
    if ended is None:
        return None
    return sum(max(0.0, min(end, ended) - begin) for begin, end in spans)
