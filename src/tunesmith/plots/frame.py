"""What all pictures have around them: a title that says what is seen, axes, a legend below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.plots.theme import Spec
from tunesmith.plots.words import lines, text

HEAD = 38  # characters of a line of the title: a phone shows as many
NOTE = 58
_HEAD_PX, _NOTE_PX, _ROW_PX = 21, 16, 19


def figure(
    headline: str,
    note: str,
    data: Sequence[Spec],
    *,
    height: int = 340,
    below: int = 48,
    margin_left: int = 48,
    **layout: Any,
) -> Spec:
    """Return a figure with everything around it.

    Args:
        headline: What is seen, as a sentence; plain text.
        note: How to read it, or what else is known; likewise.
        data: The traces; those with a name stand in the legend, unless they say otherwise.
        height: Of the middle part, in pixels.
        below: How far below it the legend begins.
        margin_left: At least, in pixels.
        layout: More of it, as Plotly's JSON.
    """
    heads, notes = lines(headline, HEAD), lines(note, NOTE)
    top = 28 + _HEAD_PX * len(heads) + _NOTE_PX * len(notes)
    names = sum("name" in trace and trace.get("showlegend", True) for trace in data)
    bottom = below + (_ROW_PX if names else 0)
    # on a phone the legend takes a row for each name, and that much of the middle
    height += _ROW_PX * max(0, names - 1) // 2
    return {
        "data": list(data),
        "layout": {
            "title": {
                "text": "<br>".join(heads),
                "subtitle": {"text": "<br>".join(notes)},
                "x": 0, "xref": "container", "xanchor": "left",
                "y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 14, "t": 24},
            },
            "margin": {"l": margin_left, "r": 14, "t": top, "b": bottom},
            "height": top + height + bottom,
            "showlegend": bool(names),
            "legend": {
                "orientation": "h", "x": 0, "xref": "paper", "xanchor": "left",
                "y": -below / height, "yref": "paper", "yanchor": "top",
            },
        }
        | layout,
    }  # fmt: skip


def axis(title: str, **more: Any) -> Spec:
    """Return an axis with a title, which is plain text."""
    return {"title": {"text": text(title)}, **more}


@final
@dataclass(frozen=True, slots=True)
class Panel:
    """A place in a grid of small pictures.

    Attributes:
        x: What its traces have as `xaxis`.
        y: Likewise.
        xdomain: From where to where it goes, from 0 to 1.
        ydomain: Likewise.
        first: Whether it is the leftmost of its row.
    """

    x: str
    y: str
    xdomain: tuple[float, float]
    ydomain: tuple[float, float]
    first: bool

    @property
    def on(self) -> Spec:
        """What its traces have."""
        return {"xaxis": self.x, "yaxis": self.y}

    def axes(self, x: Spec, y: Spec) -> Spec:
        """Return its axes, as parts of a layout."""
        return {
            f"xaxis{self.x[1:]}": x | {"domain": list(self.xdomain), "anchor": self.y},
            f"yaxis{self.y[1:]}": y | {"domain": list(self.ydomain), "anchor": self.x},
        }


PANEL, GAP = 150, 64  # pixels of a panel's height, and of what is between two


def panels(n: int, share: float = 0.46) -> tuple[list[Panel], int]:
    """Return a grid of `n` panels, two beside one another, and its height in pixels.

    Args:
        n: How many.
        share: Of the width, that one of two has.
    """
    columns = min(n, 2)
    rows = -(-n // columns)
    height = rows * PANEL + (rows - 1) * GAP
    found = []
    for i in range(n):
        row, column = divmod(i, columns)
        top = 1 - row * (PANEL + GAP) / height
        width = 1.0 if columns == 1 else share
        suffix = "" if i == 0 else str(i + 1)
        left = column * (1 - width)
        found.append(
            Panel(
                f"x{suffix}", f"y{suffix}", (left, left + width),
                (max(0.0, top - PANEL / height), min(1.0, top)), column == 0,
            )
        )  # fmt: skip
    return found, height


def line(
    x: Any,
    y: Any,
    color: str,
    *,
    width: float = 2,
    dash: str = "solid",
    shape: str = "linear",
    **more: Any,
) -> Spec:
    """Return a line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": color, "width": width, "dash": dash, "shape": shape},
        **more,
    }


def strung(parts: Sequence[Sequence[Floats]]) -> list[Floats]:
    """Return several lines as one with gaps: columns, the parts of which are separated by a NaN.

    Args:
        parts: Of each line its columns, each (k,).
    """
    gap = np.array([np.nan])
    columns = zip(*parts, strict=True)
    return [np.concatenate([piece for one in column for piece in (one, gap)]) for column in columns]
