"""Pictures of a study: `study.plots.history()` and others, as figures of Plotly.

A picture is a small frozen dataclass of what is drawn, made by `of` from the history and the analyses, and `draw`,
which returns the figure as JSON. Only `Plots` imports Plotly. A picture of one's own is one file with one
class, see `Picture`, and one line in pyproject.toml::

    [project.entry-points."tunesmith.plots"]
    mine = "my_package.mine:Mine"

Then `study.plots.mine()` makes it. Whether it keeps the contract is checked by subclassing
`tunesmith.testing.plots.PictureConformance`.
"""

from tunesmith.plots.picture import Picture
from tunesmith.plots.plots import Plots
from tunesmith.plots.registry import registry

__all__ = ["Picture", "Plots", "registry"]
