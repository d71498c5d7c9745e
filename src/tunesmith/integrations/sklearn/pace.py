"""When a search has its candidates, and how long the rest of them will take."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, final

from tunesmith._core.words import plural
from tunesmith.integrations.sklearn.results import seconds
from tunesmith.records import History, Record
from tunesmith.stop import StopRule
from tunesmith.study.progress import say

LONG_S = 3600.0  # from how much work on a grid is told what would be cheaper
CHEAPER = 50  # candidates, the number that a search has if nobody says otherwise


@final
@dataclass(frozen=True)
class Pace(StopRule):
    """Ends a search at its number of candidates, failed ones included, and estimates its time.

    Args:
        candidates: How many there shall be in all; None: the sampler ends by itself.
        expected: How many will be tried; None: nothing is said of the time.
        workers: How many run at once.
        errors_before: How many candidates have raised in earlier runs; one more ends the search.
        earlier: Candidates of earlier runs, by uid.
        rungs: Whether candidates wait for one another, so that the budget of trials ends the search.
        line: What to say of each candidate of this run; None: nothing.
    """

    candidates: int | None
    expected: int | None
    workers: int
    errors_before: int
    earlier: frozenset[str] = frozenset()
    rungs: bool = False
    line: Callable[[Record[Any]], str] | None = None
    _shown: set[str] = field(default_factory=set)
    _said: list[bool] = field(default_factory=list)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        done = history.count("complete", "stopped", "failed")
        self._estimate(history, done)
        self._show(history)
        if len(errors(history)) > self.errors_before:
            return "a candidate raised"
        if self.candidates is None:
            return ""
        if self.rungs:
            failed = history.count("failed") >= self.candidates
            return f"{plural(self.candidates, 'candidate')} failed" if failed else ""
        if done + history.count("running") >= self.candidates:
            return plural(self.candidates, "candidate")
        return ""

    def _estimate(self, history: History[Any], done: int) -> None:
        """Say once, after the first candidate of the run, how long the others will take."""
        if self.expected is None or self._said:
            return
        times = [seconds(r) for r in self._new(history) if r.state == "complete"]
        if not times:
            return
        self._said.append(True)
        left = self.expected - done
        if left > 0:
            all_s = sum(times) / len(times) * left / self.workers
            end = time.strftime("%H:%M", time.localtime(time.time() + all_s))
            say(f"about {_spoken(all_s)} for the {plural(left, 'candidate')} left, until {end}")
            if self.candidates is None and all_s > LONG_S and left > CHEAPER:
                cheaper = _spoken(all_s / left * CHEAPER)
                say(
                    f"without sampler=Grid(), n_iter={CHEAPER} candidates that learn from one another "
                    f"take about {cheaper}"
                )

    def _new(self, history: History[Any]) -> Iterator[Record[Any]]:
        """The candidates that this run has finished."""
        return (r for r in history if r.finished and r.uid not in self.earlier)

    def _show(self, history: History[Any]) -> None:
        """Say how the candidates were that have finished since the last time."""
        if self.line is not None:
            for record in self._new(history):
                if record.uid not in self._shown:
                    self._shown.add(record.uid)
                    say(self.line(record))


def errors(history: History[Any]) -> list[Record[Any]]:
    """Return the candidates that raised, in spite of `error_score`; a lost worker is no error."""
    if not history.count("failed"):
        return []
    kinds = ("diverged", "lost")
    return [r for r in history if r.failure is not None and r.failure.kind not in kinds]


def _spoken(seconds: float) -> str:
    """Return a time with the precision that an estimate has."""
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
