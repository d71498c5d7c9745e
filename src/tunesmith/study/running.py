"""A run: ask, call the objective, tell; until the budget is taken or a rule says stop."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, final

from tunesmith._core import checks
from tunesmith._core.errors import (
    Infeasible,
    Interrupted,
    ResultError,
    SettingError,
    Stopped,
    StorageError,
    StudyError,
    Superseded,
)
from tunesmith._core.types import P
from tunesmith.records import History
from tunesmith.stop import StopRule
from tunesmith.storage import Memory
from tunesmith.study.desk import Desk
from tunesmith.study.objectives import Called
from tunesmith.study.owner import this_process
from tunesmith.study.progress import best_so_far, plural, say
from tunesmith.study.results import own_traceback
from tunesmith.study.trial import Trial

REFRESH_S = 0.1  # the live line is drawn at most so often


@final
@dataclass(frozen=True, slots=True)
class Bounds:
    """When a run ends.

    Attributes:
        trials: Trials that the study shall have in all.
        timeout: Seconds after which no further trial is begun.
        until: A rule that is asked before every trial.
        max_failures: Trials that may fail in this run.
    """

    trials: int | None
    timeout: float | None
    until: StopRule | None
    max_failures: int

    @classmethod
    def of(
        cls,
        history: History[Any],
        trials: int | None,
        more: int | None,
        timeout: float | None,
        until: StopRule | None,
        max_failures: int | None,
        *,
        ends: bool,
    ) -> "Bounds":
        """Return the bounds that the arguments of `Study.run` mean.

        `ends` says whether the sampler comes to an end by itself.

        Raises:
            SettingError: They contradict one another, or are none.
        """
        trials, more, max_failures = (
            None if value is None else checks.whole(f"{name}=", value)
            for name, value in (("trials", trials), ("more", more), ("max_failures", max_failures))
        )
        timeout = None if timeout is None else checks.seconds("timeout=", timeout)
        if until is not None and not isinstance(until, StopRule):
            raise SettingError(f"until= takes a rule such as ts.stop.Target(0.99), got {until!r}")
        if until is not None:
            until.reason(history, 0.0)
        if trials is not None and more is not None:
            raise SettingError(
                f"trials={trials} is the number of trials the study shall have, more={more} how "
                "many to add; give one of them"
            )
        if more is not None:
            trials = history.taken + more
        endless = trials is None and timeout is None and until is None
        if endless and history.problem.space.cardinality is None and not ends:
            raise SettingError(
                "a run needs an end: trials=100 (in all), more=50, timeout=3600 (seconds), or "
                "until=ts.stop.NoImprovement(30)"
            )
        added = 0 if trials is None else max(0, trials - history.taken)
        allowed = max(10, added // 4) if max_failures is None else max_failures
        return cls(trials, timeout, until, allowed)

    def room(self, history: History[Any]) -> int:
        """Return how many trials more the budget allows."""
        return 1 << 60 if self.trials is None else self.trials - history.taken


@final
class Run(Generic[P]):
    """One run of an objective.

    Args:
        desk: Where trials are asked for and told.
        call: The objective, as a function of a trial.
        bounds: When to end.
        kept: Where the study is kept, in words.
        shown: Whether to tell people.
    """

    def __init__(
        self, desk: Desk[P], call: Called, bounds: Bounds, kept: str, *, shown: bool
    ) -> None:
        self._desk = desk
        self._call = call
        self._bounds = bounds
        self._kept = kept
        self._shown = shown
        self._failed_before = desk.history.count("failed")
        self._open_before = {(r.uid, r.attempt) for r in desk.history.unfinished}

    def __call__(self) -> None:
        """Run to the end.

        Raises:
            Interrupted: Ctrl-C; everything is kept.
            StudyError: Too many trials failed.
            Exception: That of the objective, if no trial of the study has succeeded yet.
        """
        desk, bounds = self._desk, self._bounds
        begun = time.monotonic()
        tried = 0
        exhausted = False
        try:
            with _live(desk.history, bounds.trials, shown=self._shown) as refresh:
                while not (reason := self._reason(time.monotonic() - begun)):
                    asked = desk.ask(1, bounds.room, lease=True)
                    exhausted = not asked
                    if exhausted:
                        reason = self._exhausted()
                        break
                    self._try(asked[0])
                    tried += 1
                    refresh()
        except KeyboardInterrupt:
            self._hand_back()
            done = desk.history.count("complete", "stopped")
            of = (
                plural(done, "trial")
                if bounds.trials is None
                else f"{done} of {bounds.trials} trials"
            )
            kept = not isinstance(desk.ledger.storage, Memory)
            onward = "the same line goes on" if kept else 'name="..." would keep it in a file'
            self._say(f"interrupted after {of}", onward)
            raise Interrupted from None
        onward = "" if exhausted and self._at_end() else "more=50 goes on"
        self._say(reason if tried else f"nothing to do: {reason}", onward)

    def _hand_back(self) -> None:
        """Leave no trial behind that this run began and the interrupt caught between two lines."""
        desk = self._desk
        desk.ledger.sync()
        for record in desk.history.unfinished:
            known = (record.uid, record.attempt) in self._open_before
            mine = record.owner == this_process() and not known
            if mine and record.state == "running":
                desk.pause(record, "interrupted")

    def _reason(self, elapsed_s: float) -> str:
        history, bounds = self._desk.history, self._bounds
        failed = history.count("failed") - self._failed_before
        if failed > bounds.max_failures:
            last = next(r for r in reversed(history) if r.state == "failed")
            text = last.failure.text.splitlines()[-1:] if last.failure else []
            raise StudyError(
                f"{failed} trials failed in this run, {bounds.max_failures} may; the last, trial "
                f"{last.number}, with: {''.join(text)}. Everything is kept; max_failures= allows "
                "more"
            )
        if bounds.timeout is not None and elapsed_s >= bounds.timeout:
            return f"the timeout of {bounds.timeout:g} s has passed"
        return "" if bounds.until is None else bounds.until.reason(history, elapsed_s)

    def _exhausted(self) -> str:
        history, trials = self._desk.history, self._bounds.trials
        if self._at_end():
            return f"{plural(history.taken, 'configuration')}, and there are no more"
        done = f"{min(history.taken, trials or 0)} of {plural(trials or 0, 'trial')}"
        return (
            done if history.taken == trials else f"{done} and {history.taken - (trials or 0)} more"
        )

    def _at_end(self) -> bool:
        """Whether the sampler has nothing left, rather than the budget."""
        trials = self._bounds.trials
        return trials is None or self._desk.history.taken < trials

    def _say(self, reason: str, onward: str) -> None:
        if not self._shown:
            return
        history = self._desk.history
        failed = history.count("failed")
        running = [r.owner for r in history.unfinished if r.state == "running"]
        by_hand = sum(owner in ("", this_process()) for owner in running)
        elsewhere = len(running) - by_hand
        words = [
            best_so_far(history),
            reason,
            f"{failed} failed" if failed else "",
            f"{by_hand} asked by hand still open" if by_hand else "",
            f"{elsewhere} still running in other processes" if elsewhere else "",
            self._kept,
            onward,
        ]
        say(" · ".join(word for word in words if word))

    def _try(self, trial: Trial[P]) -> None:
        desk = self._desk
        try:
            result = self._call(trial)
        except Stopped:
            desk.stopped(trial)
        except Superseded:
            pass  # another attempt goes on with this trial
        except Infeasible as error:
            desk.fail(trial, error)
        except StorageError:
            raise  # of a report: nothing is known to be wrong with the objective
        except Exception as error:  # noqa: BLE001 - whatever an objective may raise
            self._fail(trial, error)
        except BaseException:
            desk.pause(trial, "interrupted")
            raise
        else:
            try:
                desk.tell(trial, result, {})
            except ResultError as error:
                self._fail(trial, error)
            except Superseded:
                pass  # likewise

    def _fail(self, trial: Trial[P], error: Exception) -> None:
        """Record a failure; but until one trial has succeeded, an exception is a bug."""
        desk = self._desk
        if desk.history.count("complete", "stopped"):
            desk.fail(trial, error)
            return
        desk.pause(trial, "error")
        raise error.with_traceback(own_traceback(error))


@contextmanager
def _live(
    history: History[Any], budget: int | None, *, shown: bool
) -> Iterator[Callable[[], None]]:
    """A live line if standard error is a terminal; gives the function that brings it up to date."""
    if not (shown and sys.stderr.isatty()):
        yield lambda: None
        return
    from tunesmith.study.live import live_line  # noqa: PLC0415 - rich is loaded only to be seen

    latest = -math.inf

    def refresh() -> None:
        nonlocal latest
        if time.monotonic() - latest > REFRESH_S:
            latest = time.monotonic()
            live.refresh()

    with live_line(history, budget) as live:
        refresh()
        yield refresh
