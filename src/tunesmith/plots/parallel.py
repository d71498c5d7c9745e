"""Every configuration as a line through all parameters, one below the other.

Axes lie, so that names can be read and a phone has room for any number of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import figure
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import Outcomes, View, thin
from tunesmith.plots.scales import Scale, apart, scales
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import short, text
from tunesmith.records import History

LINES = 240
LEAST = 5  # of the best tenth, to say on what they agree
ROW_PX = 52
ASIDE = -0.14  # where lines are at which a parameter is not active
SPREAD = 0.35  # of the distance between two labels, over which lines of one label are spread


@final
@dataclass(frozen=True, slots=True, eq=False)
class Parallel(Picture):
    """What is drawn.

    Attributes:
        name: The objective.
        trials: How many have completed.
        view: The part of its scale that is shown.
        sign: 1 if smaller is better, else -1.
        numbers: Of the trials that are drawn, the worst first (n,).
        values: Theirs (n,).
        group: 0: of the rest; 1: of the better half; 2: of the best tenth; 3: the best (n,).
        scales: The parameters.
        places: Where each trial lies on each of them (n, d); NaN where it is not active.
        agreed: The parameter on which the best tenth agree most, against all others, and from where to where
            half of them lie; None: they are too few.
    """

    name: str
    trials: int
    view: View
    sign: float
    numbers: Ints
    values: Floats
    group: Ints
    scales: tuple[Scale, ...]
    places: Floats
    agreed: tuple[Scale, float, float] | None

    @classmethod
    def of(
        cls,
        history: History[Any],
        parameters: Sequence[str] | None = None,
        objective: str | None = None,
    ) -> Self:
        seen = Outcomes.of(history, objective)
        shown = scales(history.problem, parameters)
        complete = np.flatnonzero(seen.complete)
        if not len(complete):
            raise NoTrials("no trial has completed yet; run some first")
        ranked = complete[np.argsort(-seen.losses[complete], kind="stable")]  # the worst first
        n = len(ranked)
        group = np.zeros(n, np.int64)
        group[n // 2 :] = 1
        group[n - max(1, n // 10) :] = 2
        group[-1] = 3
        drawn = np.concatenate(
            [
                np.flatnonzero(group == g)[thin(int((group == g).sum()), LINES // 3)]
                for g in range(4)
            ]
        )
        records = [seen.records[i] for i in ranked[drawn]]
        places = np.column_stack([scale.numbers(records) for scale in shown])
        view = View.of(seen.values[complete], seen.objective.sign)
        return cls(
            seen.objective.name, n, view, seen.objective.sign, seen.numbers[ranked[drawn]],
            seen.values[ranked[drawn]], group[drawn], tuple(shown), places, _agreed(shown, places, group[drawn]),
        )  # fmt: skip

    def draw(self) -> Spec:
        rows = len(self.scales)
        names = [self.name, *(scale.name for scale in self.scales)]
        shapes = [
            {"type": "line", "layer": "below", "x0": 0, "x1": 1, "y0": -i, "y1": -i, "line": {"color": GREY, "width": 1}}
            for i in range(rows + 1)
        ]  # fmt: skip
        inactive = np.isnan(self.places).any()
        return figure(
            self._headline(),
            self._note(inactive=bool(inactive)),
            self._data(),
            height=ROW_PX * (rows + 1),
            below=14,
            shapes=shapes,
            annotations=self._ticks(),
            xaxis={"range": [ASIDE - 0.05 if inactive else -0.04, 1.04], "visible": False, "fixedrange": True},
            yaxis={
                "range": [-rows - 0.55, 0.3], "fixedrange": True, "showgrid": False, "zeroline": False,
                "tickvals": [-i for i in range(rows + 1)], "ticktext": [text(short(name, 20)) for name in names],
            },
        )  # fmt: skip

    def _headline(self) -> str:
        if self.agreed is None:
            return (
                f"the best of {plural(self.trials, 'trial')}: {self.name} {number(self.values[-1])}"
            )
        scale, low, high = self.agreed
        low_, high_ = (short(scale.said(end), 20) for end in (low, high))
        where = low_ if low_ == high_ else f"{low_} to {high_}"
        return f"the best tenth of {plural(self.trials, 'trial')} agree most on {short(scale.name, 40)}: {where}"

    def _note(self, *, inactive: bool) -> str:
        said = ["Each line is a configuration; the better, the further right it begins."]
        if inactive:
            said.append("Left of an axis: the parameter is not active.")
        if self.trials > len(self.values):
            said.append(f"{len(self.values):,} of them are drawn.")
        return " ".join(said)

    def _data(self) -> list[Spec]:
        x = self._shares()  # (n, 1 + d)
        rows = -np.arange(x.shape[1], dtype=np.float64)
        styles = (
            ("the worse half", GREY, 0.8, 0.35),
            ("the better half", BLUE, 1.0, 0.5),
            ("the best tenth", BLUE, 1.6, 0.8),
            ("the best", RED, 3.5, 1.0),
        )
        traces = []
        for g, (name, color, width, opacity) in enumerate(styles):
            mine = np.flatnonzero(self.group == g)
            if not len(mine):
                continue
            gap = np.full((len(mine), 1), np.nan)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "x": np.hstack([x[mine], gap]).ravel(),
                    "y": np.tile(np.append(rows, np.nan), len(mine)),
                    "text": [t for i in mine.tolist() for t in self._hover(i)],
                    "hovertemplate": "%{text}<extra></extra>",
                    "line": {"color": color, "width": width},
                    "opacity": opacity,
                }
            )
        return traces

    def _shares(self) -> Floats:
        low, high = self.view.low, self.view.high
        values = np.clip(self.values, low, high)
        if self.view.log:
            low, high, values = np.log(low), np.log(high), np.log(values)
        share = (values - low) / (high - low)
        columns = [1 - share if self.sign > 0 else share]
        order = (
            np.arange(len(values)) / max(1, len(values) - 1) - 0.5
        )  # the better, the further right
        for j, scale in enumerate(self.scales):
            place = scale.shares(self.places[:, j])
            if scale.labels:
                place = place + order * SPREAD / max(1, len(scale.labels) - 1)
            columns.append(np.where(np.isnan(place), ASIDE + 0.05 * order, place))
        return np.column_stack(columns)

    def _hover(self, i: int) -> list[str]:
        number_ = f"trial {self.numbers[i]}<br>"
        said = [f"{number_}{text(self.name)} {number(self.values[i])}"]
        for scale, at in zip(self.scales, self.places[i], strict=True):
            value = "not active" if np.isnan(at) else text(short(scale.said(at), 40))
            said.append(f"{number_}{text(short(scale.name, 30))}: {value}")
        return [*said, ""]

    def _ticks(self) -> list[Spec]:
        """The ends of each axis, or its labels if there is room for all."""
        view = (self.view.high, self.view.low) if self.sign > 0 else (self.view.low, self.view.high)
        ticks = [(0.0, 0, number(view[0], 3)), (1.0, 0, number(view[1], 3))]
        for i, scale in enumerate(self.scales, start=1):
            said = [
                short(one, 14) for one in apart([scale.said(k) for k in range(len(scale.labels))])
            ]
            if scale.labels and sum(map(len, said)) + 3 * len(said) <= 40:
                ticks += [(k / max(1, len(said) - 1), i, one) for k, one in enumerate(said)]
            else:
                ends = (scale.low, scale.high)
                told = [said[0], said[-1]] if said else [scale.said(end) for end in ends]
                ticks += [(float(k), i, one) for k, one in enumerate(told)]
        return [
            {"x": x, "y": -i, "text": text(said), "yanchor": "top", "yshift": -4,
             "xanchor": "left" if x == 0 else "right" if x == 1 else "center"}
            for x, i, said in ticks
        ]  # fmt: skip


def _agreed(
    shown: Sequence[Scale], places: Floats, group: Ints
) -> tuple[Scale, float, float] | None:
    """The parameter on which the best agree most, and the middle half of them."""
    found, least = None, 0.8
    for scale, at in zip(shown, places.T, strict=True):
        best, rest = (at[mask & ~np.isnan(at)] for mask in (group >= 2, group < 2))
        if min(len(best), len(rest)) < LEAST:
            continue
        low, high = np.quantile(best, (0.25, 0.75), method="nearest").tolist()
        if scale.labels:
            ratio = (1 - np.mean(best == np.median(best))) / max(
                1e-9, 1 - np.mean(rest == np.median(best))
            )
        else:
            widths = [np.ptp(np.quantile(scale.shares(x), (0.25, 0.75))) for x in (best, rest)]
            ratio = widths[0] / max(1e-9, widths[1])
        if ratio < least:
            found, least = (scale, low, high), ratio
    return found
