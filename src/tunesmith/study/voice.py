"""What a run tells people: on standard error, live if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, final

from tunesmith._core.words import plural
from tunesmith.executors import Executor
from tunesmith.records import History, Record
from tunesmith.storage import Memory
from tunesmith.study import notebook
from tunesmith.study.ledger import Ledger
from tunesmith.study.owner import this_process
from tunesmith.study.progress import best_so_far, ending_of, say, shown_place

Shown: TypeAlias = bool | Literal["lines"]  # "lines": of each trial, where there is no terminal


@final
class Voice:
    """Speaks for the runs of a study.

    Args:
        ledger: The study's log.
        shown: Whether to speak.
    """

    def __init__(self, ledger: Ledger[Any], shown: Shown) -> None:
        self._ledger = ledger
        self._shown = shown
        self._live = bool(shown) and sys.stderr.isatty()
        self._said_paused = False
        self._said_unsaved = False
        self._said_saving = False
        self._said_crowded = False
        self._awaits = ""

    @property
    def _history(self) -> History[Any]:
        return self._ledger.fold.history

    @contextmanager
    def live(self, executor: Executor, budget: int | None) -> Iterator[Callable[[], None]]:
        """Show how far it is, if somebody looks; gives the function that brings it up to date.

        What workers print stands above it; in a notebook, where the cell prints.
        """
        in_notebook = sys.stdout is not sys.__stdout__
        if in_notebook:
            executor.output = print
        show = notebook.display() if self._shown else None
        if show is not None:
            name, place = self._ledger.name, shown_place(self._ledger.storage.url)
            with notebook.Cell(
                show, lambda: notebook.page(self._history, name, place, budget)
            ) as cell:
                yield cell.refresh
            return
        if not self._live:
            yield lambda: None
            return
        from tunesmith.study.live import View  # noqa: PLC0415 - rich is loaded only to be seen

        with View(self._history, budget) as view:
            if sys.stdout.isatty():
                executor.output = view.above
            yield view.refresh

    def ended(self, record: Record[Any]) -> None:
        """Say how a trial ended, for who reads lines."""
        if self._shown == "lines" and not self._live:
            words = (ending_of(record, self._history), best_so_far(self._history))
            say(" · ".join(word for word in words if word))

    def paused(self) -> None:
        """Say, once, that nothing happens since the study is paused."""
        if self._shown and not self._said_paused:
            say("the study is paused; `study.resume()` or `tunesmith resume` lets it go on")
        self._said_paused = True

    def awaits(self, what: str) -> None:
        """Say what nothing can begin without, once."""
        if self._shown and what != self._awaits:
            say(f"{self._ledger.name}: {what}")
        self._awaits = what

    def unsaved(self, number: int, text: str) -> None:
        """Say of the first trial that could not be saved that it could not."""
        if self._shown and not self._said_unsaved:
            say(f"trial {number} {text}; it goes on unsaved, see study.notes")
        self._said_unsaved = True

    def crowded(self, number: int) -> None:
        """Say of the first trial that ran out of memory beside others what becomes of it."""
        if self._shown and not self._said_crowded:
            say(f"trial {number} ran out of memory beside others, and is tried again alone")
        self._said_crowded = True

    def saving(self) -> None:
        """Say, once, that a run that was interrupted waits for what can be saved."""
        if self._shown and not self._said_saving:
            say("interrupted: what runs is saved at its next report; Ctrl-C again leaves at once")
        self._said_saving = True

    def left(self, how: str, trials: int | None) -> None:
        """Say that a run has left before its end."""
        done = sum(
            r.state in ("complete", "stopped") and r.source != "replicate" for r in self._history
        )
        of = plural(done, "trial") if trials is None else f"{done} of {plural(trials, 'trial')}"
        kept = not isinstance(self._ledger.storage, Memory)
        onward = "the same line goes on" if kept else 'name="..." would keep it in a file'
        self._say(f"{how} after {of}", onward)

    def done(self, reason: str, *, end: bool) -> None:
        """Say why a run has ended, and unless that is the end of it, how it goes on."""
        self._say(reason, "" if end else "with more trials it goes on")

    def _say(self, reason: str, onward: str) -> None:
        if not self._shown:
            return
        history = self._history
        failed = history.count("failed")
        running = [r.owner for r in history.unfinished if r.state == "running"]
        by_hand = sum(owner in ("", this_process()) for owner in running)
        elsewhere = len(running) - by_hand
        memory = isinstance(self._ledger.storage, Memory)
        place = shown_place(self._ledger.storage.url)
        words = [
            best_so_far(history),
            reason,
            f"{failed} failed" if failed else "",
            f"{by_hand} asked by hand still open" if by_hand else "",
            f"{elsewhere} still running in other processes" if elsewhere else "",
            "in memory only" if memory else f"kept in {place}",
            onward,
        ]
        say(" · ".join(word for word in words if word))
