"""The values of trials by each parameter: one small picture for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.words import number, plural
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure, line, panels
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import MARKS, Outcomes, View, thin, toward
from tunesmith.plots.scales import Scale, scales
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import short, text
from tunesmith.records import History

BINS = 12
LEAST = 40  # trials from which on a running median says something
SAMPLE = 5000  # trials of which it is taken


@final
@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """What one panel has.

    Attributes:
        scale: The parameter.
        x: Where the trials lie (n,); NaN where it is not active.
        medians: Places and medians of the bins (k,), (k,); empty: there are too few trials.
    """

    scale: Scale
    x: Floats
    medians: tuple[Floats, Floats]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Slices(Picture):
    """What is drawn.

    Attributes:
        title: The objective, and which way it is better.
        name: The objective.
        of_all: How many trials have a value.
        view: The part of its scale that is shown.
        numbers: Of the trials that are drawn (n,).
        values: Theirs (n,).
        complete: Which have completed; the others were stopped early, or are running (n,).
        best: The place of the best of those that completed; -1: none has.
        slices: One for each parameter.
        left_out: How many parameters are not shown.
    """

    title: str
    name: str
    of_all: int
    view: View
    numbers: Ints
    values: Floats
    complete: np.ndarray[Any, np.dtype[np.bool_]]
    best: int
    slices: tuple[Slice, ...]
    left_out: int

    @classmethod
    def of(
        cls,
        history: History[Any],
        parameters: Sequence[str] | None = None,
        objective: str | None = None,
    ) -> Self:
        seen = Outcomes.of(history, objective)
        shown = scales(history.problem, parameters)
        known = np.flatnonzero(np.isfinite(seen.values) & (seen.states != "failed"))
        many = known[thin(len(known), SAMPLE)]
        few = known[thin(len(known), MARKS // len(shown))]
        completed = np.flatnonzero(seen.complete)
        best = -1
        if len(completed):
            winner = completed[seen.losses[completed].argmin()]
            few = np.union1d(few, [winner])
            best = int(np.searchsorted(few, winner))
        whole = many[seen.complete[many]]
        slices = tuple(
            Slice(
                scale,
                scale.numbers([seen.records[i] for i in few]),
                _medians(
                    scale, scale.numbers([seen.records[i] for i in whole]), seen.values[whole]
                ),
            )
            for scale in shown
        )
        return cls(
            toward(seen.objective), seen.objective.name, len(known), View.of(seen.values[known], seen.objective.sign, seen.values[completed]),
            seen.numbers[few], seen.values[few], seen.complete[few], best, slices,
            0 if parameters is not None else len(history.problem.space) - len(shown),
        )  # fmt: skip

    def draw(self) -> Spec:
        grid, height = panels(len(self.slices))
        data: list[Spec] = []
        layout: Spec = {}
        for panel, one in zip(grid, self.slices, strict=True):
            legend = panel.x == "x"
            data += [trace | panel.on | {"showlegend": legend} for trace in self._traces(one)]
            title = short(self.name, 20) if panel.first else ""
            layout |= panel.axes(
                one.scale.axis(),
                axis(title, nticks=5, showticklabels=panel.first, **self.view.axis),
            )  # fmt: skip
        return figure(self._headline(), self._note(), data, height=height, **layout)

    def _headline(self) -> str:
        if self.best < 0:
            return f"{self.name} by parameter; no trial has completed yet"
        return f"{self.name} by parameter; the best, trial {self.numbers[self.best]}, has {number(self.values[self.best])}"

    def _note(self) -> str:
        said = [f"{self.title[len(self.name) + 2 : -1].capitalize()}."]
        if self.of_all > len(self.values):
            said.append(f"{len(self.values):,} of {plural(self.of_all, 'trial')} are drawn.")
        if any(len(one.medians[0]) for one in self.slices):
            said.append("The line joins medians of those that completed.")
        if self.view.said:
            said.append(self.view.said.removeprefix("; ") + ".")
        if self.left_out:
            said.append(f"{plural(self.left_out, 'further parameter')}: name them to see them.")
        return " ".join(said)

    def _traces(self, one: Slice) -> list[Spec]:
        traces: list[Spec] = []
        clipped, past = self.view.clip(self.values), self.view.past(self.values)
        arrow = "triangle-up" if self.view.cut > 0 else "triangle-down"
        active = np.isfinite(one.x)
        best = np.arange(len(self.values)) == self.best
        kinds = (
            ("stopped or running", ~self.complete & active & ~past, GREY, "circle-open", 5),
            ("completed", self.complete & active & ~best, BLUE, "circle", 5),
            ("best", best & active, RED, "star", 13),
        )
        dense = 0.35 if len(self.values) > 300 else 0.7
        for name, mask, color, symbol, size in kinds:
            if mask.any() or name == "completed":
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "markers",
                        "name": name,
                        "legendgroup": name,
                        "cliponaxis": False,
                        "x": one.x[mask],
                        "y": clipped[mask],
                        "customdata": np.column_stack([self.numbers[mask], self.values[mask]]),
                        "marker": {
                            "color": color,
                            "size": size,
                            "symbol": np.where(past[mask], arrow, symbol).tolist()
                            if past[mask].any()
                            else symbol,
                            "opacity": 1 if name == "best" else dense,
                        },
                        "text": [text(short(one.scale.said(x), 60)) for x in one.x[mask]],
                        "hovertemplate": f"trial %{{customdata[0]}}, {name}<br>{text(self.name)} %{{customdata[1]:.5g}}<br>"
                        f"{text(one.scale.name)} %{{text}}<extra></extra>",
                    }
                )
        x, y = one.medians
        if len(x):
            traces.append(
                line(x, y, RED, width=2, name="median", legendgroup="median", hoverinfo="skip")
            )
        return traces


def _medians(scale: Scale, x: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Places and medians of bins of equally many trials, or of each label."""
    active = np.isfinite(x)
    x, values = x[active], values[active]
    if len(x) < LEAST:
        return np.empty(0), np.empty(0)
    if scale.labels:
        at = np.unique(x)
        return at, np.array([np.median(values[x == place]) for place in at])
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, BINS)
    return np.array([np.median(x[p]) for p in parts]), np.array(
        [np.median(values[p]) for p in parts]
    )
