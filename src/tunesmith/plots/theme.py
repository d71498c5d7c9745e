"""How pictures look: one template for light and one for dark grounds, and colours that both bear.

Colours are those of Okabe and Ito, which the colour-blind tell apart; each of those that stand for something has a
contrast of 3 to 1 with both grounds, so that a picture changes its ground without being made anew. A mark or a dash
says the same as the colour.
"""

from typing import Any, TypeAlias

Spec: TypeAlias = dict[str, Any]
"""A figure, or a part of one, as Plotly's JSON."""

BLUE = "#1B85C8"  # between their blue and their sky blue, which are too dark, or too light, for one ground
RED = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
GREY = "#808080"
"""What they stand for: what was measured; what is recommended or best; the default; failures; the rest."""

COLORWAY = [BLUE, RED, GREEN, PURPLE, "#56B4E9", "#E69F00", GREY]
DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"]
SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down"]
SCALE = "Cividis"

CONFIG: Spec = {"displaylogo": False, "responsive": True, "displayModeBar": "hover"}
"""For pages that show figures: what they give Plotly beside data and layout."""


def template(dark: bool = False) -> Spec:
    """Return the template, as Plotly's JSON.

    A page that changes between light and dark by itself gives the same figure the other template.

    Args:
        dark: For a dark ground.
    """
    ink, faint, line, ground = (
        ("#e8eaed", "#a9b0b8", "#3a4048", "#14171c")
        if dark
        else ("#1c1f23", "#5a626b", "#dfe3e8", "#ffffff")
    )
    axis = {
        "automargin": True,
        "gridcolor": line,
        "zerolinecolor": line,
        "linecolor": faint,
        "tickcolor": faint,
        "tickfont": {"color": faint, "size": 11},
        "title": {"font": {"color": ink, "size": 12}, "standoff": 8},
    }
    return {
        "layout": {
            "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif", "size": 12, "color": ink},
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "colorway": COLORWAY,
            "colorscale": {"sequential": SCALE, "sequentialminus": SCALE},
            "xaxis": axis,
            "yaxis": axis,
            "title": {"font": {"size": 16, "color": ink, "weight": 600}, "subtitle": {"font": {"size": 12, "color": faint}}},
            "legend": {"font": {"size": 12, "color": ink}, "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {"align": "left", "bgcolor": ground, "bordercolor": faint, "font": {"color": ink, "size": 12}},
            "annotationdefaults": {"bgcolor": ground, "borderpad": 1, "font": {"color": faint, "size": 11}, "showarrow": False},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": faint, "activecolor": ink},
            "hovermode": "closest",
        },
        "data": {"heatmap": [{"colorbar": {"outlinewidth": 0, "thickness": 12}}]},
    }  # fmt: skip


def clear(color: str, alpha: float) -> str:
    """Return a colour with so much of the ground showing through."""
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{alpha:g})"
