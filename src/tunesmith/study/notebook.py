"""What a study is in a notebook: tables and one line, as HTML; live while it runs there.

No extra is needed: the line is inline SVG, which takes the page's colours, so that light and dark are the same. All text of
a study is escaped.
"""

import sys
import time
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, Protocol, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.reading import Outcomes, View, thin
from tunesmith.plots.theme import BLUE, RED
from tunesmith.records import History, Record
from tunesmith.study.progress import best_so_far

ROWS = 6
DOTS = 300
WIDTH, HEIGHT = 600, 110
REFRESH_S = 1.0  # it is shown anew at most so often,
SHARE = 20.0  # and waits so many times as long as it took


def page(history: History[Any], name: str, place: str, budget: int | None = None) -> str:
    """Return a study as HTML.

    Args:
        history: Its trials.
        name: Its name.
        place: Where it is kept.
        budget: Trials that it shall have, if that is bounded.
    """
    done, failed, running = (
        history.count("complete", "stopped"),
        history.count("failed"),
        history.count("running"),
    )
    words = [
        f"{done:,} of {plural(budget, 'trial')}" if budget is not None else plural(done, "trial"),
        f"{failed:,} failed" * bool(failed),
        f"{running:,} running" * bool(running),
        best_so_far(history) if len(history) else "",
    ]
    said = " · ".join(escape(word) for word in words if word)
    latest = history[-ROWS:][::-1]
    return (
        f"<div><b>{escape(name)}</b> <small>{escape(place)}</small><br>{said}"
        f"{_line(history)}{_table(_first(history), latest)}</div>"
    )


def _first(history: History[Any]) -> list[tuple[str, Record[Any]]]:
    """The best trial, if there is one, and what it is called."""
    try:
        if len(history.problem.objectives) == 1:
            return [("best", history.best)]
    except NoTrials:
        pass
    return []


def _table(named: list[tuple[str, Record[Any]]], records: Iterable[Record[Any]]) -> str:
    """The trials as a table: number, state, metrics, params."""
    rows = [*named, *(("", record) for record in records)]
    if not rows:
        return "<div>no trial has begun yet</div>"
    metrics = list(dict.fromkeys(metric for _, record in rows for metric in record.values))[:ROWS]
    heads = ["trial", "state", *metrics, "params"]
    lines = [f"<tr>{''.join(_cell(head, 'th') for head in heads)}</tr>"]
    for word, record in rows:
        values = [_number(record.values.get(metric)) for metric in metrics]
        params = ", ".join(f"{name}={_number(value)}" for name, value in record.logged.items())
        state = record.failure.kind if record.failure else record.state
        cells = [f"{word} {record.number}".strip(), state, *values, params]
        lines.append(f"<tr>{''.join(_cell(cell) for cell in cells)}</tr>")
    return f'<table style="color:inherit">{"".join(lines)}</table>'


def _cell(said: str, tag: str = "td") -> str:
    cut = said if len(said) < 160 else f"{said[:157]}…"
    return f'<{tag} style="text-align:left">{escape(cut)}</{tag}>'


def _number(value: Any) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)


def _line(history: History[Any]) -> str:
    """The values of all trials, and the best so far, as inline SVG; of several objectives none."""
    if len(history.problem.objectives) > 1:
        return ""
    try:
        seen = Outcomes.of(history)
    except NoTrials:
        return ""
    known = np.flatnonzero(np.isfinite(seen.values) & (seen.states != "failed"))
    view = View.of(seen.values[known], seen.objective.sign, seen.values[seen.complete])
    last = max(1.0, float(seen.numbers[-1]))

    def at(numbers: Any, values: Floats) -> tuple[Floats, Floats]:
        low, high, y = view.low, view.high, view.clip(values)
        if view.log:
            low, high, y = np.log(low), np.log(high), np.log(y)
        up = (y - low) / (high - low)
        return 4 + numbers / last * (WIDTH - 8), HEIGHT - 4 - up * (HEIGHT - 8)

    few = known[thin(len(known), DOTS)]
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>'
        for x, y in zip(*at(seen.numbers[few], seen.values[few]), strict=True)
    )
    numbers, values = seen.best()
    steps = ""
    if len(numbers):
        xs, ys = at(numbers, values)
        path = "".join(f"H{x:.1f}V{y:.1f}" for x, y in zip(xs[1:], ys[1:], strict=True))
        steps = f'<path d="M{xs[0]:.1f} {ys[0]:.1f}{path}" fill="none" stroke="{RED}" stroke-width="2"/>'
    name = escape(seen.objective.name)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" style="display:block;width:100%;max-width:{WIDTH}px" role="img" '
        f'aria-label="{name} of each trial, and the best so far"><g fill="{BLUE}" fill-opacity="0.6">{dots}</g>{steps}</svg>'
        f'<small style="color:{RED}">best {name} so far</small>'
    )


class Handle(Protocol):
    """A place in a notebook that can be shown anew."""

    def update(self, thing: Any) -> None:
        """Show something else there."""


@final
class Shown:
    """Something that notebooks show as HTML."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html


def display() -> Callable[[Any], Handle] | None:
    """Return what shows something in the cell that runs; None: this is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display as show  # noqa: PLC0415 - only where a notebook has loaded it

    return lambda thing: show(thing, display_id=True)


@final
class Cell:
    """Shows a study in a notebook's cell while it is entered.

    Args:
        show: Shows something, and returns its place.
        make: Makes the study's HTML.
    """

    def __init__(self, show: Callable[[Any], Handle], make: Callable[[], str]) -> None:
        self._show = show
        self._make = make
        self._handle: Handle | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        self._handle = self._show(Shown(self._make()))
        return self

    def __exit__(self, *_: object) -> None:
        self._next = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Bring it up to date, unless that was done just now."""
        begun = time.monotonic()
        if self._handle is not None and begun >= self._next:
            self._handle.update(Shown(self._make()))
            took = time.monotonic() - begun
            self._next = begun + max(REFRESH_S, SHARE * took)
