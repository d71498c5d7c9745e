"""Rows of bars with intervals, each under its own name, so that long names have room on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.plots.frame import axis, figure
from tunesmith.plots.theme import Spec
from tunesmith.plots.words import short, text

ROW_PX = 42
NAME = 46  # characters of a name


@final
@dataclass(frozen=True, slots=True)
class Bar:
    """One row.

    Attributes:
        name: What stands above it.
        value: Where it ends.
        interval: Of that; NaN: none is known.
        group: What the legend calls it.
        start: Where it begins.
    """

    name: str
    value: float
    interval: tuple[float, float]
    group: str
    start: float = 0.0


def bars(
    headline: str,
    note: str,
    rows: Sequence[Bar],
    styles: dict[str, tuple[str, str]],
    title: str,
    **xaxis: Any,
) -> Spec:
    """Return a figure of rows, the first on top.

    Args:
        headline: See `figure`.
        note: Likewise.
        rows: At least one.
        styles: Colour and pattern of each group.
        title: Of the axis.
        xaxis: More of it.
    """
    groups = list(dict.fromkeys(row.group for row in rows))
    data = []
    for group in groups:
        mine = [i for i, row in enumerate(rows) if row.group == group]
        color, pattern = styles[group]
        ends = np.array([rows[i].value for i in mine])
        low, high = np.array([rows[i].interval for i in mine], dtype=np.float64).T
        starts = np.array([rows[i].start for i in mine])
        data.append({
            "type": "bar", "orientation": "h", "name": text(group), "y": [-i for i in mine], "base": starts,
            "x": ends - starts, "width": 0.36, "showlegend": len(groups) > 1,
            "marker": {"color": color, "pattern": {"shape": pattern, "size": 5, "solidity": 0.25, "fgcolor": "#ffffff"}},
            "text": [_hover(rows[i]) for i in mine], "textposition": "none", "hovertemplate": "%{text}<extra></extra>",
        })  # fmt: skip
        known = np.isfinite(low) & np.isfinite(high)
        if known.any():
            data.append({
                "type": "scatter", "mode": "markers", "x": ends[known], "y": -np.array(mine)[known], "showlegend": False,
                "hoverinfo": "skip", "marker": {"size": 5, "color": _INTERVAL},
                "error_x": {"type": "data", "array": (high - ends)[known], "arrayminus": (ends - low)[known], "color": _INTERVAL,
                            "thickness": 1.6, "width": 5},
            })  # fmt: skip
    names = [
        {"x": 0, "xref": "paper", "xanchor": "left", "y": -i, "yanchor": "bottom", "yshift": 7,
         "text": text(short(row.name, NAME)), "font": {"size": 12}, "bgcolor": "rgba(0,0,0,0)"}
        for i, row in enumerate(rows)
    ]  # fmt: skip
    return figure(
        headline, note, data, height=ROW_PX * len(rows) + 10, annotations=names, barmode="overlay",
        xaxis=axis(title, **xaxis),
        yaxis={"range": [-len(rows) + 0.55, 0.85], "visible": False, "fixedrange": True},
        margin_left=14,
    )  # fmt: skip


_INTERVAL = "#8c8c8c"  # seen on both grounds, and on the bars


def _hover(row: Bar) -> str:
    low, high = row.interval
    told = f" (90 %: {low:.3g} to {high:.3g})" if np.isfinite([low, high]).all() else ""
    return f"{text(row.name)}: {row.value:.4g}{told}"
