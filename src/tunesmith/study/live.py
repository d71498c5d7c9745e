"""The live view of a run in a terminal: its latest trials, and how far it is."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunesmith.records import History, Record
from tunesmith.study.progress import best_so_far, plural
from tunesmith.study.table import trials_table

ROWS = 8


def live_view(history: History[Any], budget: int | None) -> Live:
    """Return a context manager that shows the latest trials and how far a run is, on standard error.

    Args:
        history: The study's trials, growing.
        budget: Trials that the study shall have, if that is bounded.
    """
    begun, before = time.monotonic(), history.count("complete", "stopped")
    metrics = [objective.name for objective in history.problem.objectives]

    def line() -> Table:
        done = history.count("complete", "stopped")
        cells: list[Text | ProgressBar] = [Text(f"{plural(done, 'trial')} ·")]
        left = ""
        if budget is not None:
            bar = ProgressBar(total=budget, completed=done, width=20)
            cells = [bar, Text(f"{done}/{budget}")]
            rate = (done - before) / max(1e-9, time.monotonic() - begun)
            if rate > 0 and done < budget:
                seconds = round((budget - done) / rate)
                left = f"{seconds // 60}:{seconds % 60:02d} left"
        failed = history.count("failed")
        words = [best_so_far(history), f"{failed} failed" if failed else "", left]
        grid = Table.grid(padding=(0, 1))
        said = " · ".join(word for word in words if word)
        grid.add_row(*cells, Text(said, no_wrap=True, overflow="ellipsis"))
        return grid

    def view() -> Group:
        return Group(trials_table(_shown(history), metrics, cut=True), line())

    return Live(
        console=Console(stderr=True),
        get_renderable=view,
        transient=True,
        auto_refresh=False,  # `Run` refreshes between trials: a debugger's prompt stays alone
        redirect_stdout=sys.stdout.isatty(),  # what an objective prints stands above the view
    )


def _shown(history: History[Any]) -> Sequence[Record[Any]]:
    """The latest trials; before them those that still run, so that none is out of sight."""
    latest = history[-ROWS:]
    first = latest[0].number if latest else 0
    running = [r for r in history.unfinished if r.state == "running" and r.number < first]
    return [*running[-ROWS:], *latest[min(len(running), ROWS) :]]
