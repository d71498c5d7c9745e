"""What all pictures have around them: a title that says what is seen, axes, a legend below."""

from collections.abc import Sequence
from typing import Any

from tunesmith.plots.theme import Spec
from tunesmith.plots.words import lines, text

HEAD = 42  # characters of a line of the title: a phone shows as many
NOTE = 58
_HEAD_PX, _NOTE_PX, _ROW_PX = 21, 16, 19


def figure(
    headline: str,
    note: str,
    data: Sequence[Spec],
    *,
    height: int = 340,
    below: int = 48,
    **layout: Any,
) -> Spec:
    """Return a figure with everything around it.

    Args:
        headline: What is seen, as a sentence; plain text.
        note: How to read it, or what else is known; likewise.
        data: The traces; those with a name stand in the legend, unless they say otherwise.
        height: Of the middle part, in pixels.
        below: How far below it the legend begins.
        layout: More of it, as Plotly's JSON.
    """
    heads, notes = lines(headline, HEAD), lines(note, NOTE)
    top = 20 + _HEAD_PX * len(heads) + _NOTE_PX * len(notes)
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
            "margin": {"l": 48, "r": 14, "t": top, "b": bottom},
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
