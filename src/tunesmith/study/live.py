"""The live view of a run in a terminal: its latest trials, and how far it is."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self, final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunesmith._core.words import plural
from tunesmith.records import History, Record
from tunesmith.study.progress import best_so_far
from tunesmith.study.table import trials_table

ROWS = 8
REFRESH_S = 0.1  # it is drawn at most so often


@final
class View:
    """Shows the latest trials and how far a run is, on standard error, while it is entered.

    A terminal that is closed meanwhile is no reason for a run to end.

    Args:
        history: The study's trials, growing.
        budget: Trials that the study shall have, if that is bounded.
    """

    def __init__(self, history: History[Any], budget: int | None) -> None:
        self._history = history
        self._budget = budget
        self._begun = time.monotonic()
        self._before = history.count("complete", "stopped")
        self._latest = -math.inf
        self._live = Live(
            console=Console(stderr=True),
            get_renderable=self._view,
            transient=True,
            auto_refresh=False,  # `Run` refreshes between trials: a debugger's prompt stays alone
            redirect_stdout=sys.stdout.isatty(),  # what an objective prints stands above the view
        )

    def __enter__(self) -> Self:
        with suppress(OSError):
            self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._live.stop()

    def refresh(self) -> None:
        """Bring it up to date, unless that was done just now."""
        if time.monotonic() - self._latest > REFRESH_S:
            self._latest = time.monotonic()
            with suppress(OSError):
                self._live.refresh()

    def above(self, line: str) -> None:
        """Print a line above it."""
        with suppress(OSError):
            self._live.console.print(Text.from_ansi(line), highlight=False, soft_wrap=True)

    def _view(self) -> Group:
        metrics = [objective.name for objective in self._history.problem.objectives]
        return Group(trials_table(_shown(self._history), metrics, cut=True), self._line())

    def _line(self) -> Table:
        history, budget = self._history, self._budget
        done = history.count("complete", "stopped")
        cells: list[Text | ProgressBar] = [Text(f"{plural(done, 'trial')} ·")]
        left = ""
        if budget is not None:
            bar = ProgressBar(total=budget, completed=done, width=20)
            cells = [bar, Text(f"{done}/{budget}")]
            rate = (done - self._before) / max(1e-9, time.monotonic() - self._begun)
            if rate > 0 and done < budget:
                seconds = round((budget - done) / rate)
                left = f"{seconds // 60}:{seconds % 60:02d} left"
        failed = history.count("failed")
        words = [best_so_far(history), f"{failed} failed" if failed else "", left]
        grid = Table.grid(padding=(0, 1))
        said = " · ".join(word for word in words if word)
        grid.add_row(*cells, Text(said, no_wrap=True, overflow="ellipsis"))
        return grid


def _shown(history: History[Any]) -> Sequence[Record[Any]]:
    """The latest trials; before them those that still run, so that none is out of sight."""
    latest = history[-ROWS:]
    first = latest[0].number if latest else 0
    running = [r for r in history.unfinished if r.state == "running" and r.number < first]
    return [*running[-ROWS:], *latest[min(len(running), ROWS) :]]
