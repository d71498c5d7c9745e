"""`study.plots`: one method for each picture."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

from tunesmith._core.optional import need
from tunesmith.analysis.importance import Method
from tunesmith.plots.registry import registry
from tunesmith.plots.theme import template
from tunesmith.records import History, Record

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

    def slices(
        self, parameters: Sequence[str] | None = None, objective: str | None = None
    ) -> "Figure":
        """Show the values of all trials by each parameter, with their running median.

        Args:
            parameters: Which; by default the first twelve that may vary.
            objective: Which, where there are several.
        """
        return self._make("slices", parameters, objective)

    def parallel(
        self, parameters: Sequence[str] | None = None, objective: str | None = None
    ) -> "Figure":
        """Show each configuration as a line through all parameters, the best in front.

        Where a parameter is not active the line passes left of its axis.

        Args:
            parameters: Which; by default the first twelve that may vary.
            objective: Which, where there are several.
        """
        return self._make("parallel", parameters, objective)

    def curves(self, metric: str | None = None) -> "Figure":
        """Show what trials reported step by step: at most 200 of them, and bands of all.

        Thin grey lines were stopped early; the thick one is the best.

        Args:
            metric: Which; by default the objective, the first of several.
        """
        return self._make("curves", metric)

    def front(self, x: str | None = None, y: str | None = None) -> "Figure":
        """Show two of several objectives against one another, and the trials that no other beats.

        Args:
            x: The objective that goes across; by default the first.
            y: The one that goes up; by default the next.
        """
        return self._make("front", x, y)

    def overtuning(self, test: str | None = None) -> "Figure":
        """Show the best so far on validation and on test samples; see `ts.analysis.overtuning`.

        Where the lines part, what was gained is luck with the validation samples.

        Args:
            test: The metric of the test samples; by default the one with "test" in its name.
        """
        return self._make("overtuning", test)

    def rungs(self, objective: str | None = None) -> "Figure":
        """Show at which steps trials ended, how they stood there, and who went on.

        A line joins what a trial had at two rungs; where lines cross a lot, the lower rung says little of the next.

        Args:
            objective: Which, where there are several.
        """
        return self._make("rungs", objective)

    def timeline(self) -> "Figure":
        """Show when trials ran, side by side; if they are many, how many at once.

        White places are time in which somebody could have worked. Long breaks between runs are left out.
        """
        return self._make("timeline")

    def lineage(self, objective: str | None = None) -> "Figure":
        """Show who was copied from whom under population-based training, and the line that led to the best.

        Args:
            objective: Which, where there are several.
        """
        return self._make("lineage", objective)

    def schedules(self, parameters: Sequence[str] | None = None) -> "Figure":
        """Show how params changed while a population trained, those of the best in front.

        Args:
            parameters: Which; by default those that changed.
        """
        return self._make("schedules", parameters)

    def importance(
        self, objective: str | None = None, *, method: Method = "anova", within: float = 1.0
    ) -> "Figure":
        """Show which parameters the objective depends on, with 90 % intervals; see `ts.analysis.importance`.

        Args:
            objective: Which, where there are several.
            method: "anova", the share of the variance, or "density", of what tells the best tenth from the others.
            within: The share of the best trials that is looked into; 1 is all.
        """
        return self._make("importance", objective, method=method, within=within)

    def interactions(self, objective: str | None = None) -> "Figure":
        """Show which parameters matter only together; see `ts.analysis.importance`.

        Args:
            objective: Which, where there are several.
        """
        return self._make("interactions", objective)

    def tunability(self, objective: str | None = None) -> "Figure":
        """Show what it gains over the default to tune each parameter alone, and all; see `ts.analysis.tunability`.

        Args:
            objective: Which, where there are several.
        """
        return self._make("tunability", objective)

    def ablation(
        self, to: Record[Any] | int | None = None, objective: str | None = None
    ) -> "Figure":
        """Show the way from the default to the recommended configuration, change by change; see `ts.analysis.ablation`.

        Args:
            to: Another trial at its end, or its number.
            objective: Which, where there are several.
        """
        return self._make("ablation", to, objective)

    def effects(
        self, parameters: Sequence[str] | None = None, objective: str | None = None
    ) -> "Figure":
        """Show how the expected objective goes with each parameter, with 90 % intervals; see `ts.analysis.effects`.

        Args:
            parameters: Which; by default the first twelve that may vary.
            objective: Which, where there are several.
        """
        return self._make("effects", parameters, objective)

    def contours(
        self, x: str | None = None, y: str | None = None, objective: str | None = None
    ) -> "Figure":
        """Show the expected objective over two parameters, and where trials were; see `ts.analysis.surface`.

        Args:
            x: The parameter that goes across; by default the one that moves the objective most.
            y: The one that goes up; by default the next.
            objective: Which, where there are several.
        """
        return self._make("contours", x, y, objective)

    def hypervolume(self, reference: dict[str, float] | None = None) -> "Figure":
        """Show how much of what several objectives could reach they have, trial by trial; see `ts.analysis.hypervolume`.

        Args:
            reference: The worst value of each objective that still counts.
        """
        return self._make("hypervolume", reference)
