"""The live line of a run in a terminal."""

import sys
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunesmith.records import History
from tunesmith.study.progress import best_so_far, plural


def live_line(history: History[Any], budget: int | None) -> Live:
    """Return a context manager that shows how far a run is, in one line of standard error.

    Args:
        history: The study's trials, growing.
        budget: Trials that the study shall have, if that is bounded.
    """
    begun, before = time.monotonic(), history.count("complete", "stopped")

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

    return Live(
        console=Console(stderr=True),
        get_renderable=line,
        transient=True,
        auto_refresh=False,  # `Run` refreshes between trials: a debugger's prompt stays alone
        redirect_stdout=sys.stdout.isatty(),  # what an objective prints stands above the line
    )
