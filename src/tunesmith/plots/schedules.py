"""The params that changed while a population trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith._core.words import plural
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.frame import axis, figure, line, panels, strung
from tunesmith.plots.lineage import members
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import objective_of, thin
from tunesmith.plots.scales import PANELS, Scale, scales
from tunesmith.plots.theme import BLUE, RED, Spec
from tunesmith.plots.words import short, text
from tunesmith.records import History, Record

LINES = 120


@final
@dataclass(frozen=True, slots=True, eq=False)
class Schedules(Picture):
    """What is drawn.

    Attributes:
        unit: What a step is.
        trials: How many lines there are.
        scales: The parameters.
        others: Steps and values of each parameter, of all that were not copied on.
        best: Likewise, of the best.
        number: The best trial's.
    """

    unit: str
    trials: int
    scales: tuple[Scale, ...]
    others: tuple[tuple[Floats, Floats], ...]
    best: tuple[tuple[Floats, Floats], ...]
    number: int

    @classmethod
    def of(cls, history: History[Any], parameters: Sequence[str] | None = None) -> Self:
        which = (
            history.problem.objectives[0]
            if len(history.problem.objectives) > 1
            else objective_of(history, None)
        )
        records, winner = members(history, which.name, which.sign)
        parents = {record.parent for record in history}
        leaves = [r for r in records if r.uid not in parents]
        if parameters is None:
            several = {
                n
                for r in records
                for _, p in r.before
                for n, v in p.items()
                if v != r.logged.get(n)
            }
            shown = [
                s
                for s in scales(history.problem, list(history.problem.space.names))
                if s.name in several
            ][:PANELS]
            if not shown:
                raise NotSupported("no parameter has changed in a copy; see plots.lineage()")
        else:
            shown = scales(history.problem, parameters)
        drawn = [leaves[i] for i in thin(len(leaves), LINES)]
        others, best = [], []
        for scale in shown:
            x, y = strung([_schedule(r, scale) for r in drawn] or [_schedule(winner, scale)])
            others.append((x, y))
            best.append(_schedule(winner, scale))
        resource = history.problem.resource
        return cls(
            resource.name if resource else "step",
            len(leaves),
            tuple(shown),
            tuple(others),
            tuple(best),
            winner.number,
        )

    def draw(self) -> Spec:
        grid, height = panels(len(self.scales), 0.42)
        data: list[Spec] = []
        layout: Spec = {}
        for panel, scale, (x, y), (bx, by) in zip(
            grid, self.scales, self.others, self.best, strict=True
        ):
            first = panel.on | {"showlegend": panel.x == "x"}
            data.append(line(x, y, BLUE, width=1, shape="hv", name="others", legendgroup="others", opacity=0.6, hoverinfo="skip", **first))  # fmt: skip
            data.append(line(bx, by, RED, width=3, shape="hv", name="the best", legendgroup="best", hovertemplate=f"{text(self.unit)} %{{x}}<br>{text(short(scale.name, 40))} %{{y:.4g}}<extra></extra>", **first))  # fmt: skip
            layout |= panel.axes(
                axis(f"{short(scale.name, 24)} by {self.unit}", nticks=5),
                scale.axis(60) | {"title": {"text": ""}},
            )
        changes = len(self.best[0][0]) - 1
        return figure(
            f"the best, trial {self.number}, was trained under {plural(changes, 'setting')}" + (" in turn" if changes > 1 else ""),
            f"Each line is what one of {plural(self.trials, 'trial')} was trained under, its parents' part included.",
            data, height=height, **layout,
        )  # fmt: skip


def _schedule(record: Record[Any], scale: Scale) -> tuple[Floats, Floats]:
    """The first step of each part, and the last step, and the value of the parameter from there on."""
    line_ = [*record.before, (record.fork_step + 1, record.logged)]
    steps = [float(first) for first, _ in line_] + [float(max(record.step, record.fork_step + 1))]
    values = scale.places([params.get(scale.name) for _, params in line_])
    return np.array(steps), np.append(values, values[-1])
