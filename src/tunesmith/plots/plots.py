"""`study.plots`: one method for each picture."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from tunesmith._core.optional import need
from tunesmith.plots.registry import registry
from tunesmith.plots.theme import template
from tunesmith.records import History

if TYPE_CHECKING:  # of an optional package, imported only when a picture is made
    from plotly.graph_objects import Figure


@final
class Plots:
    """Pictures of a study, as figures of Plotly; needs the extra `plots`.

    Each says in its title what is seen. They stay readable, and small, with hundreds of thousands of trials. A figure
    is shown by itself at the end of a notebook's cell; elsewhere there are `.show()` and `.write_html("history.html")`.

    Args:
        history: The study's trials.
        dark: Whether for a dark ground.

    Raises:
        MissingExtra: (each picture) Plotly is not installed.
        NoTrials: (each picture) There is nothing to be seen yet.
        NotSupported: (each picture) The study is not one of which there is such a picture; the sentence says which there is.
        SettingError: (each picture) An objective or a parameter is named that the study does not have.
    """

    def __init__(self, history: History[Any], *, dark: bool = False) -> None:
        self._history = history
        self._dark = dark

    @property
    def dark(self) -> "Plots":
        """The same pictures for a dark ground: `study.plots.dark.history()`."""
        return Plots(self._history, dark=True)

    def _make(self, name: str, *args: Any, **settings: Any) -> "Figure":
        go = need("plotly", "plots").graph_objects
        figure = go.Figure(registry.get(name).of(self._history, *args, **settings).draw())
        return figure.update_layout(template=template(self._dark))

    def __getattr__(self, name: str) -> Callable[..., "Figure"]:
        """Return the method for a picture of another package."""
        if name.startswith("_") or name not in registry:
            known = ", ".join(registry)
            raise AttributeError(f"there is no picture {name!r}; there are {known}")

        def make(*args: Any, **settings: Any) -> "Figure":
            return self._make(name, *args, **settings)

        return make

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *registry})

    def __repr__(self) -> str:
        return f"<Plots of {len(self._history)} trials: {', '.join(registry)}>"

    def history(self, objective: str | None = None) -> "Figure":
        """Show every trial's value, the best so far, and what is recommended with its 90 % interval.

        The dashed line is what the recommended configuration is expected to have in truth, the dotted one the default.
        The line of the best so far lies beyond the dashed one as far as it was luck.

        Args:
            objective: Which, where there are several.
        """
        return self._make("history", objective)
