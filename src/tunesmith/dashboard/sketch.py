"""Small lines drawn on the server: how the best value came about, and how a training went.

Plain SVG without style attributes or scripts, so that a page shows something before any script has run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from markupsafe import Markup, escape

from tunesmith._core.errors import NoTrials
from tunesmith.dashboard.table import STATES, Columns, key
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.reading import Outcomes
from tunesmith.records import History, Problem, Record

MOST = 240  # points of a line
HUGE = 1e300  # what is beyond means "infinitely bad", and floats have no room around it


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        name: What it shows.
        x: Where (n,).
        y: Its values (n,), NaN where there is none.
        steps: Whether it keeps its value until the next point.
    """

    name: str
    x: Floats
    y: Floats
    steps: bool = False


def across(problem: Problem[Any]) -> str:
    """Return what a step of a training is."""
    return "step" if problem.resource is None else problem.resource.name


def curve(record: Record[Any], metric: str, name: str) -> Line:
    """Return how a metric went in a trial.

    Args:
        record: The trial.
        metric: The metric.
        name: What the line is called.
    """
    steps, values = record.reported(metric)
    return Line(name, steps.astype(float), values)


def incumbents(history: History[Any], columns: Columns) -> Line | None:
    """Return the best value of the first objective after each completed trial; None: there is none.

    Of configurations that are evaluated repeatedly means count, and only what keeps the limits.
    """
    objective = history.problem.objectives[0]
    name = f"best {objective.name}"
    if len(history.replicates) or history.problem.limits:
        try:
            where, best = Outcomes.of(history, objective.name).best()
        except NoTrials:
            return None
        return Line(name, where.astype(float), best, steps=True) if len(where) else None
    column = columns[key(columns, "metric", objective.name)]
    state = columns[key(columns, "trial", "state")]
    done = np.flatnonzero((state.values == STATES.index("complete")) & np.isfinite(column.values))
    if not len(done):
        return None
    losses = np.minimum.accumulate(objective.sign * column.values[done])
    moves = np.flatnonzero(np.diff(losses, prepend=np.inf))
    some = np.unique(
        np.r_[moves if len(moves) <= MOST else moves[:: len(moves) // MOST + 1], len(losses) - 1]
    )
    return Line(
        name,
        done[some].astype(float),
        objective.sign * losses[some],
        steps=True,
    )


def _thinned(line: Line) -> Line:
    keep = (np.abs(line.y) < HUGE) & np.isfinite(line.x)
    x, y = line.x[keep], line.y[keep]
    if len(x) > MOST:
        some = np.unique(np.linspace(0, len(x) - 1, MOST).astype(int))
        x, y = x[some], y[some]
    return Line(line.name, x, y, line.steps)


def _ends(parts: Sequence[Floats]) -> tuple[float, float]:
    everything = np.concatenate(parts)
    low, high = float(everything.min()), float(everything.max())
    pad = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _path(line: Line, x: tuple[float, float], y: tuple[float, float], box: Sequence[float]) -> str:
    left, top, right, bottom = box
    px = left + (line.x - x[0]) / ((x[1] - x[0]) or 1.0) * (right - left)
    py = bottom - (line.y - y[0]) / ((y[1] - y[0]) or 1.0) * (bottom - top)
    text = f"M{px[0]:.1f} {py[0]:.1f}"
    for a, b in zip(px[1:].tolist(), py[1:].tolist(), strict=True):
        text += f"H{a:.1f}V{b:.1f}" if line.steps else f"L{a:.1f} {b:.1f}"
    return text


def spark(line: Line | None) -> Markup:
    """Return a line without axes, as it stands in a table."""
    line = None if line is None else _thinned(line)
    if line is None or not len(line.x):
        return Markup("")
    x = float(line.x.min()), float(line.x.max())
    path = _path(line, x, _ends([line.y]), (1, 2, 119, 26))
    if len(line.x) == 1:
        path += "h118"
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="spark" viewBox="0 0 120 28" width="120" height="28" aria-hidden="true"><path d="{path}"/></svg>'
    )


def _ticks(low: float, high: float, n: int, *, whole: bool) -> list[float]:
    """Round numbers between two ends."""
    raw = (high - low) / n
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next((m * power for m in (1, 2, 5) if m * power >= raw), 10 * power)
    if whole:
        step = max(1.0, round(step))
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def drawn(lines: Sequence[Line], across: str, up: str) -> Markup:
    """Return lines with axes.

    Args:
        lines: At most eight; those without points are left out.
        across: What the x axis is.
        up: What the y axis is.
    """
    known = [line for line in map(_thinned, lines) if len(line.x)]
    if not known:
        return Markup("")
    width, height = 720, 260
    box = (78, 24, width - 16, height - 46)
    x0 = min(float(line.x.min()) for line in known)
    x1 = max(float(line.x.max()) for line in known)
    x = (x0, x1) if x1 > x0 else (x0 - 0.5, x1 + 0.5)
    y = _ends([line.y for line in known])
    said = f"{', '.join(line.name for line in known[:8])}, by {across}"
    out = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(said)}">'
    ]
    for tick in _ticks(*y, 5, whole=False):
        at = box[3] - (tick - y[0]) / (y[1] - y[0]) * (box[3] - box[1])
        out.append(
            f'<path class="grid" d="M{box[0]} {at:.1f}H{box[2]}"/><text x="{box[0] - 8}" y="{at + 4:.1f}" '
            f'text-anchor="end">{tick:.6g}</text>'
        )
    for tick in _ticks(*x, 7, whole=True):
        at = box[0] + (tick - x[0]) / (x[1] - x[0]) * (box[2] - box[0])
        out.append(f'<text x="{at:.1f}" y="{box[3] + 22}" text-anchor="middle">{tick:,.6g}</text>')
    out.append(
        f'<text class="axis" x="{box[2]}" y="{height - 4}" text-anchor="end">{escape(across)}</text>'
        f'<text class="axis" x="{box[0]}" y="14" text-anchor="start">{escape(up)}</text>'
    )
    for place, line in enumerate(known[:8]):
        path = _path(line, x, y, box)
        if line.steps:
            path += f"H{box[2]}"
        elif len(line.x) == 1:
            left, top = path[1:].split()
            out.append(f'<circle class="c{place}" cx="{left}" cy="{top}" r="4"/>')
        out.append(f'<path class="line c{place}" d="{path}"/>')
    out.append("</svg>")
    legend = (
        "".join(
            f'<span class="key"><span class="swatch c{i}"></span>{escape(line.name)}</span>'
            for i, line in enumerate(known[:8])
        )
        if len(known) > 1
        else ""
    )
    return Markup(  # noqa: S704 - numbers and escaped text
        "".join(out) + (f'<p class="legend">{legend}</p>' if legend else "")
    )
