"""How the expected objective goes with each parameter: one small picture for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith.analysis import EffectCurve, effects
from tunesmith.plots.frame import axis, figure, line, panels
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import better, objective_of
from tunesmith.plots.scales import PANELS, Scale, scales
from tunesmith.plots.theme import BLUE, GREEN, RED, Spec, clear
from tunesmith.plots.words import label, short, text
from tunesmith.records import History


@final
@dataclass(frozen=True, slots=True, eq=False)
class Effects(Picture):
    """What is drawn.

    Attributes:
        name: The objective.
        toward: "higher" or "lower" is better.
        curves: One for each parameter, the one that does most first.
        scales: Likewise, their axes.
    """

    name: str
    toward: str
    curves: tuple[EffectCurve, ...]
    scales: tuple[Scale, ...]

    @classmethod
    def of(
        cls,
        history: History[Any],
        parameters: Sequence[str] | None = None,
        objective: str | None = None,
    ) -> Self:
        which = objective_of(history, objective)
        shown = None if parameters is None else scales(history.problem, parameters)
        names = None if shown is None else [scale.name for scale in shown]
        told = effects(history, names, which.name)
        if not told:
            raise NotSupported("this picture shows parameters, the space has none that may vary")
        ranked = tuple(sorted(told, key=reach, reverse=True))[: PANELS if shown is None else None]
        axes = tuple(Scale.of(history.problem, curve.parameter) for curve in ranked)
        return cls(which.name, better(which), ranked, axes)

    def draw(self) -> Spec:
        grid, height = panels(len(self.curves))
        data: list[Spec] = []
        layout: Spec = {}
        ends = self._ends()
        for panel, curve, scale in zip(grid, self.curves, self.scales, strict=True):
            for trace in self._traces(curve, scale):
                seen = trace["name"] in {one["name"] for one in data if one.get("showlegend")}
                data.append(
                    {**trace, **panel.on, "legendgroup": trace["name"], "showlegend": not seen}
                )
            layout |= panel.axes(
                scale.axis(),
                axis(short(self.name, 20) if panel.first else "", range=ends, nticks=5, showticklabels=panel.first),
            )  # fmt: skip
        return figure(self._headline(), self._note(), data, height=height, **layout)

    def _ends(self) -> list[float]:
        """What all panels show: the means, and as much of the bands as leaves them readable."""
        means = np.concatenate([curve.mean for curve in self.curves])
        low, high = float(np.nanmin(means)), float(np.nanmax(means))
        least = float(np.nanmin(np.concatenate([curve.low for curve in self.curves])))
        most = float(np.nanmax(np.concatenate([curve.high for curve in self.curves])))
        room = 0.7 * (high - low) or 0.05 * abs(low) or 0.5
        low, high = max(least, low - room), min(most, high + room)
        pad = 0.06 * (high - low) or room
        return [low - pad, high + pad]

    def _headline(self) -> str:
        first = self.curves[0]
        if not reach(first):
            return f"no parameter moves the expected {self.name}"
        return f"{short(first.parameter, 30)} moves {self.name} most; it is best at {short(label(first.best), 20)}"

    def _note(self) -> str:
        said = [
            f"Expected {self.name} ({self.toward} is better) over good configurations; bands are 90 % intervals."
        ]
        parts = [curve.parameter for curve in self.curves if curve.active < 1]
        if parts:
            some = ", ".join(short(name, 24) for name in parts[:3]) + " …" * (len(parts) > 3)
            said.append(f"Not always active: {some}.")
        return " ".join(said)

    def _traces(self, curve: EffectCurve, scale: Scale) -> list[Spec]:
        x = scale.places(list(curve.values))
        hover = f"{text(short(scale.name, 40))} %{{text}}<br>{text(self.name)} %{{y:.5g}} (%{{customdata[0]:.4g}} to %{{customdata[1]:.4g}})<extra></extra>"
        common: Spec = {"text": [text(short(label(v), 40)) for v in curve.values], "customdata": np.column_stack([curve.low, curve.high]), "hovertemplate": hover}  # fmt: skip
        traces: list[Spec] = []
        if scale.labels or len(x) < 2:
            error = {"type": "data", "array": curve.high - curve.mean, "arrayminus": curve.mean - curve.low, "color": BLUE, "thickness": 1.5, "width": 4}  # fmt: skip
            traces.append({"type": "scatter", "mode": "markers", "name": "expected", "x": x, "y": curve.mean, "marker": {"color": BLUE, "size": 8}, "error_y": error, **common})  # fmt: skip
        else:
            around, sides = (
                np.concatenate([x, x[::-1]]),
                np.concatenate([curve.high, curve.low[::-1]]),
            )
            traces.append(line(around, sides, BLUE, width=0, name="90 % interval", fill="toself", fillcolor=clear(BLUE, 0.25), hoverinfo="skip"))  # fmt: skip
            traces.append(line(x, curve.mean, BLUE, width=2.5, name="expected", **common))
        at = curve.values.index(curve.best)
        traces.append({"type": "scatter", "mode": "markers", "name": "best", "x": x[[at]], "y": curve.mean[[at]], "marker": {"color": RED, "symbol": "star", "size": 12}, "hoverinfo": "skip"})  # fmt: skip
        if curve.default is not None:
            place = scale.places([curve.default])
            known = np.isfinite(curve.mean)
            if scale.labels:
                value = curve.mean[x == place]
            else:
                value = np.interp(scale.shares(place), scale.shares(x)[known], curve.mean[known])
            traces.append({"type": "scatter", "mode": "markers", "name": "default", "x": place, "y": value, "marker": {"color": GREEN, "symbol": "diamond-open", "size": 11, "line": {"width": 2.5}}, "hoverinfo": "skip"})  # fmt: skip
        return traces


def reach(curve: EffectCurve) -> float:
    """Return by how much the expected objective differs over the values, where the parameter is active."""
    return float(np.nanmax(curve.mean) - np.nanmin(curve.mean)) * curve.active
