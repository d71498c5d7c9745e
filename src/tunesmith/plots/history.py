"""The values of all trials in their order, the best so far, and what is recommended."""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.analysis import Estimate, recommend
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure, line
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import MARKS, Outcomes, View, thin, toward
from tunesmith.plots.theme import BLUE, GREEN, GREY, PURPLE, RED, Spec, clear
from tunesmith.plots.words import text
from tunesmith.records import History

BINS = 120
FEW = 8  # trials, of which each has a mark on the axis


@final
@dataclass(frozen=True, slots=True)
class Marks:
    """Trials that are drawn alike: their numbers and values."""

    numbers: Ints
    values: Floats


@final
@dataclass(frozen=True, slots=True, eq=False)
class Trials(Picture):
    """What is drawn.

    Attributes:
        trials: How many there are.
        since: How many of them began after the best.
        title: The objective, and which way it is better.
        name: The objective.
        view: The part of its scale that is shown.
        marks: Trials by what became of them; few of many.
        band: The places, and the 5, 25, 50, 75 and 95 % quantiles (k, 5) of those that completed, where they are too many
            to be drawn one by one; else empty.
        best: The best so far, at the numbers where it changes, and at the end.
        recommended: What is expected of the recommended configuration; None: there is no such answer.
        trial: Its number.
        default: What is expected of the baseline; None: it has not completed.
        baseline: What that is called.
    """

    trials: int
    since: int
    title: str
    name: str
    view: View
    marks: dict[str, Marks]
    band: tuple[Floats, Floats]
    best: Marks
    recommended: Estimate | None
    trial: int
    default: Estimate | None
    baseline: str

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        seen = Outcomes.of(history, objective)
        which, finite = seen.objective, np.isfinite(seen.values)
        complete = seen.complete
        kinds = {
            "completed": complete,
            "breaks a limit": (seen.states == "complete") & finite & ~seen.keeps,
            "stopped early": np.isin(seen.states, ["stopped", "paused"]) & finite,
            "running": (seen.states == "running") & finite,
            "failed": seen.states == "failed",
        }
        shown = finite & (seen.states != "failed")
        view = View.of(seen.values[shown], which.sign, seen.values[complete])
        bad = view.high if which.sign > 0 else view.low
        values = np.where(kinds["failed"], bad, seen.values)
        marks, band = {}, (np.empty(0), np.empty((0, 5)))
        for kind, mask in kinds.items():
            places = np.flatnonzero(mask)
            if kind == "completed" and len(places) > MARKS // 2:
                band = _quantiles(seen.numbers[places], values[places])
                continue
            places = places[thin(len(places), MARKS // 4 if len(seen.values) > MARKS else MARKS)]
            if len(places):
                marks[kind] = Marks(seen.numbers[places], values[places])
        recommended, trial, default, baseline = None, -1, None, ""
        with suppress(NoTrials):
            if len(history.problem.objectives) == 1:
                told = recommend(history)
                recommended, trial = Estimate(told.mean, told.interval), told.record.number
                default, baseline = told.default, told.baseline
        best = Marks(*seen.best())
        since = int((seen.numbers > best.numbers[-2]).sum()) if len(best.values) else 0
        return cls(
            len(seen.values), since, toward(which), which.name, view, marks, band, best,
            recommended, trial, default, baseline,
        )  # fmt: skip

    def draw(self) -> Spec:
        return figure(
            self._headline(), self._note(), self._data(),
            xaxis=axis("trial", rangemode="nonnegative", dtick=1 if self.trials < FEW else None),
            yaxis=axis(self.title + self.view.said, **self.view.axis),
            shapes=self._lines(),
        )  # fmt: skip

    def _headline(self) -> str:
        best = self.best.values[-1] if len(self.best.values) else math.nan
        if self.recommended is None:
            head = (
                f"best {self.name} {number(best)}"
                if len(self.best.values)
                else "no trial has completed"
            )
        else:
            head = f"{self.name} {self.recommended} recommended, trial {self.trial}"
        if self.trials < 2 or not len(self.best.values):
            return head
        since = self.since
        return head + (
            f"; nothing better in {plural(since, 'trial')} since"
            if since
            else "; the last trial was the best"
        )

    def _note(self) -> str:
        said = []
        if len(self.best.values):
            said.append(
                f"Measured best: {number(self.best.values[-1])}, trial {self.best.numbers[-2]}."
            )
        if self.default is not None:
            said.append(f"The {self.baseline} has {self.default}.")
        if len(self.band[0]):
            said.append("Bands: half and nine tenths of the completed trials.")
        return " ".join(said)

    def _data(self) -> list[Spec]:
        places, q = self.band
        data: list[Spec] = []
        if len(places):
            x = np.concatenate([places, places[::-1]])
            for name, low, high, alpha in (("nine tenths", 0, 4, 0.2), ("half", 1, 3, 0.35)):
                y = self.view.clip(np.concatenate([q[:, high], q[::-1, low]]))
                data.append({"type": "scatter", "x": x, "y": y, "fill": "toself", "fillcolor": clear(BLUE, alpha),
                             "line": {"width": 0}, "mode": "lines", "hoverinfo": "skip", "name": name})  # fmt: skip
            data.append(line(places, q[:, 2], BLUE, width=1.5, name="median"))
        data += [self._marks(kind, marks) for kind, marks in self.marks.items()]
        if len(self.best.values):
            x, y = self.best.numbers, self.best.values
            hover = "trial %{x}<br>best so far %{y:.5g}<extra></extra>"
            data.append(
                line(x, y, RED, width=2.5, shape="hv", name="best so far", hovertemplate=hover)
            )
        if self.recommended is not None:
            data.append(
                line([None], [None], RED, width=1.5, dash="dash", name="recommended, 90 % interval")
            )
        if self.default is not None:
            data.append(line([None], [None], GREEN, width=1.5, dash="dot", name=self.baseline))
        return data

    def _marks(self, kind: str, marks: Marks) -> Spec:
        color, symbol, size = _STYLES[kind]
        past = self.view.past(marks.values) & (kind != "failed")
        arrow = "triangle-up" if self.view.cut > 0 else "triangle-down"
        return {
            "type": "scatter",
            "mode": "markers",
            "cliponaxis": False,
            "name": kind,
            "x": marks.numbers,
            "y": self.view.clip(marks.values),
            "customdata": marks.values,
            "marker": {
                "color": color,
                "symbol": np.where(past, arrow, symbol).tolist() if past.any() else symbol,
                "size": size,
                "opacity": 0.85,
                "line": {"width": 1.5 if symbol.endswith(("open", "thin")) else 0, "color": color},
            },
            "hovertemplate": f"trial %{{x}}, {kind}"
            + ("" if kind == "failed" else f"<br>{text(self.name)} %{{customdata:.5g}}")
            + "<extra></extra>",
        }

    def _lines(self) -> list[Spec]:
        """The recommended value with its band, and that of the default, from side to side."""
        across = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
        shapes: list[Spec] = []
        if self.recommended is not None:
            mean, (low, high) = self.recommended.mean, self.recommended.interval
            if math.isfinite(low) and high > low:
                y0, y1 = self.view.clip(np.array([low, high])).tolist()
                shapes.append(across | {"type": "rect", "y0": y0, "y1": y1, "fillcolor": clear(RED, 0.16), "line": {"width": 0}})  # fmt: skip
            shapes.append(across | {"type": "line", "y0": mean, "y1": mean, "line": {"color": RED, "width": 1.5, "dash": "dash"}})  # fmt: skip
        if self.default is not None:
            at = self.default.mean
            shapes.append(across | {"type": "line", "y0": at, "y1": at, "line": {"color": GREEN, "width": 1.5, "dash": "dot"}})  # fmt: skip
        return shapes


_STYLES = {
    "completed": (BLUE, "circle", 6),
    "breaks a limit": (GREY, "square-open", 6),
    "stopped early": (GREY, "circle-open", 5),
    "running": (GREEN, "diamond-open", 7),
    "failed": (PURPLE, "x-thin", 6),
}


def _quantiles(numbers: Ints, values: Floats) -> tuple[Floats, Floats]:
    """Where bins of equally many trials lie (k,), and the quantiles of each (k, 5)."""
    parts = np.array_split(np.arange(len(values)), BINS)
    at = np.array([numbers[part].mean() for part in parts])
    return at, np.array(
        [np.quantile(values[part], (0.05, 0.25, 0.5, 0.75, 0.95)) for part in parts]
    )
