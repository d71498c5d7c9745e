"""The expected objective over two parameters, and where trials were."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.words import plural
from tunesmith.analysis import Surface, effects, surface
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.effects import reach
from tunesmith.plots.frame import figure
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import Outcomes, better, thin
from tunesmith.plots.scales import Scale
from tunesmith.plots.theme import RED, SCALE, Spec
from tunesmith.plots.words import label, short, text
from tunesmith.records import History

MARKS = 400


@final
@dataclass(frozen=True, slots=True, eq=False)
class Contours(Picture):
    """What is drawn.

    Attributes:
        told: The analysis.
        scales: The two parameters.
        toward: "higher" or "lower" is better.
        trials: How many trials completed in which both are active.
        marks: Numbers, places on both axes (n, 2) and values of those that are drawn; the last one is the best of all that are drawn.
    """

    told: Surface
    scales: tuple[Scale, Scale]
    toward: str
    trials: int
    marks: tuple[Ints, Floats, Floats]

    @classmethod
    def of(
        cls,
        history: History[Any],
        x: str | None = None,
        y: str | None = None,
        objective: str | None = None,
    ) -> Self:
        seen = Outcomes.of(history, objective)
        first, second = _two(history, x, y, seen.objective.name)
        shown = (Scale.of(history.problem, first), Scale.of(history.problem, second))
        told = surface(history, first, second, seen.objective.name)
        places = np.flatnonzero(seen.complete)
        some = places[thin(len(places), 10 * MARKS)]
        if len(places):
            some = np.union1d(some, [places[seen.losses[places].argmin()]])
        at = np.column_stack([scale.numbers([seen.records[i] for i in some]) for scale in shown])
        both = np.isfinite(at[:, 0]) & np.isfinite(at[:, 1])
        some, at = some[both], at[both]
        kept = thin(len(some), MARKS)
        if len(some):
            best = int(seen.losses[some].argmin())
            kept = np.append(kept[kept != best], best)
        marks = (seen.numbers[some[kept]], at[kept], seen.values[some[kept]])
        return cls(
            told,
            shown,
            better(seen.objective),
            round(len(places) * float(both.mean())) if len(both) else 0,
            marks,
        )

    def draw(self) -> Spec:
        told, (across, up) = self.told, self.scales
        x, y = across.places(list(told.x)), up.places(list(told.y))
        z, sd = told.mean.T, told.sd.T
        smooth = not across.labels and not up.labels and min(z.shape) > 2
        names = [text(short(scale.name, 30)) for scale in self.scales]
        said = [[f"{names[0]} {text(short(label(a), 30))}<br>{names[1]} {text(short(label(b), 30))}" for a in told.x] for b in told.y]  # fmt: skip
        field: Spec = {
            "type": "contour" if smooth else "heatmap",
            "x": x, "y": y, "z": z, "text": said, "customdata": sd,
            "colorscale": SCALE, "reversescale": self.toward == "lower",
            "hovertemplate": f"%{{text}}<br>{text(told.objective)} %{{z:.4g}} ± %{{customdata:.2g}}<extra></extra>",
            "colorbar": {"orientation": "h", "y": -0.2, "yanchor": "top", "thickness": 12, "outlinewidth": 0, "len": 0.9,
                         "title": {"text": f"expected {text(told.objective)}", "side": "top"}, "nticks": 6},
        }  # fmt: skip
        if smooth:
            field |= {
                "ncontours": 14,
                "line": {"width": 0.5, "color": "rgba(255,255,255,0.4)"},
                "hoverongaps": False,
            }
        layout: Spec = {"xaxis": across.axis(40), "yaxis": up.axis(60)}
        return figure(
            self._headline(),
            self._note(),
            [field, *self._points()],
            height=420,
            below=130,
            **layout,
        )

    def _headline(self) -> str:
        told = self.told
        sign = 1 if self.toward == "lower" else -1
        if not np.isfinite(told.mean).any():
            return f"{told.objective} over {' and '.join(told.parameters)}: they are never active together"
        if np.nanmin(told.mean) == np.nanmax(told.mean):
            return f"{told.objective} is expected to be the same everywhere"
        i, j = np.unravel_index(np.nanargmin(sign * told.mean), told.mean.shape)
        one, other = (short(name, 24) for name in told.parameters)
        return f"{told.objective} is expected to be best at {one} {short(label(told.x[int(i)]), 14)}, {other} {short(label(told.y[int(j)]), 14)}"

    def _note(self) -> str:
        shown = f"{len(self.marks[0]):,} of " * (len(self.marks[0]) < self.trials)
        return f"Brighter is better. Marks: {shown}{plural(self.trials, 'trial')}. The other parameters are as in good configurations."

    def _points(self) -> list[Spec]:
        numbers, at, values = self.marks
        if not len(numbers):
            return []
        styles = (
            ("trials", slice(None, -1), {"color": "rgba(255,255,255,0.75)", "size": 5, "line": {"color": "rgba(0,0,0,0.8)", "width": 1}}),
            ("the best of them", slice(-1, None), {"color": RED, "symbol": "star", "size": 14, "line": {"color": "#ffffff", "width": 1}}),
        )  # fmt: skip
        spread = _spread(self.scales, at)
        return [
            {
                "type": "scatter", "mode": "markers", "showlegend": False, "x": spread[part, 0], "y": spread[part, 1], "marker": marker,
                "customdata": np.column_stack([numbers, values])[part],
                "hovertemplate": f"trial %{{customdata[0]}}<br>{text(self.told.objective)} %{{customdata[1]:.5g}}<extra></extra>",
            }
            for _, part, marker in styles
            if len(numbers[part])
        ]  # fmt: skip


def _spread(shown: tuple[Scale, Scale], at: Floats) -> Floats:
    """Places (n, 2), with those of one label apart from one another."""
    moved = at.copy()
    for j, scale in enumerate(shown):
        if scale.labels:  # the golden ratio spreads any number of them evenly
            moved[:, j] += 0.6 * ((np.arange(len(at)) * (0.618034 if j else 0.754878)) % 1 - 0.5)
    return moved


def _two(history: History[Any], x: str | None, y: str | None, objective: str) -> tuple[str, str]:
    """The two parameters that are meant: by default those that move the objective most.

    Raises:
        NotSupported: The space has fewer than two that may vary.
        SettingError: They are the same.
    """
    if x is not None and y is not None:
        if x == y:
            raise SettingError(f"contours(x, y) takes two different parameters, got {x!r} twice")
        return x, y
    given = x if x is not None else y
    ranked = sorted(effects(history, None, objective), key=reach, reverse=True)
    best = [curve.parameter for curve in ranked if curve.parameter != given]
    if len(best) < (2 if given is None else 1):
        raise NotSupported(
            "contours show two parameters, the space has fewer that may vary; see plots.slices()"
        )
    return (best[0], best[1]) if given is None else (x or best[0], y or best[0])
