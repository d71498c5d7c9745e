"""Who was copied from whom in population-based training."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith._core.words import number, plural
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.frame import axis, figure, line, strung
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import View, objective_of, thin, toward
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import text
from tunesmith.records import History, Record

LINES = 200


@final
@dataclass(frozen=True, slots=True, eq=False)
class Lineage(Picture):
    """What is drawn.

    Attributes:
        title: The objective, and which way it is better.
        name: The objective.
        unit: What a step is.
        forks: How many trials are copies.
        trials: How many there are.
        view: The part of the objective's scale that is shown.
        lines: Steps, values and the trial's number of those that went on, of those that gave way, and of the line of the best.
        copies: Steps and values of the copies' beginnings, from their parents' reports to their own first ones.
        best: The numbers of the line of the best.
        end: Its value.
    """

    title: str
    name: str
    unit: str
    forks: int
    trials: int
    view: View
    lines: dict[str, tuple[Floats, Floats, Floats]]
    copies: tuple[Floats, Floats]
    best: tuple[int, ...]
    end: float

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        which = objective_of(history, objective)
        records, winner = members(history, which.name, which.sign)
        forks = [r for r in history if r.source == "fork"]
        line_of_best = history.lineage(winner)
        before = {r.uid for r in line_of_best}
        kept = {records[i].uid for i in thin(len(records), LINES)} | before
        drawn = [r for r in records if r.uid in kept]
        parts: dict[str, list[tuple[Floats, Floats, Floats]]] = {}
        copies = []
        points = {r.uid: _points(r, which.name) for r in drawn}
        for record in drawn:
            x, y, n = points[record.uid]
            kind = "others" if record.state != "stopped" else "gave way"
            if record.uid in before:
                kind = "line of the best"
            parent = points.get(record.parent)
            if record.source == "fork" and parent is not None and len(x):
                at = np.searchsorted(parent[0], record.fork_step, "right") - 1
                if at >= 0:
                    copies.append(
                        (np.array([parent[0][at], x[0]]), np.array([parent[1][at], y[0]]))
                    )
            if record.uid in before:
                after = [r.fork_step for r in line_of_best if r.parent == record.uid]
                upto = x <= (after[0] if after else np.inf)
                parts.setdefault(kind, []).append((x[upto], y[upto], n[upto]))
                x, y, n = x[~upto], y[~upto], n[~upto]
                kind = "gave way" if record.state == "stopped" else "others"
            parts.setdefault(kind, []).append((x, y, n))
        lines = {kind: strung(several) for kind, several in parts.items()}
        values = np.concatenate([y for _, y, _ in lines.values()])
        joined = strung(copies) if copies else [np.empty(0), np.empty(0)]
        resource = history.problem.resource
        return cls(
            toward(which), which.name, resource.name if resource else "step", len(forks), len(history),
            View.of(values[np.isfinite(values)], which.sign), {k: (x, y, n) for k, (x, y, n) in lines.items()},
            (joined[0], joined[1]), tuple(r.number for r in line_of_best), winner.values.get(which.name, np.nan),
        )  # fmt: skip

    def draw(self) -> Spec:
        data = []
        styles = {
            "gave way": (GREY, 1.2, "dot"),
            "others": (BLUE, 1.6, "solid"),
            "line of the best": (RED, 3.5, "solid"),
        }
        for kind, (color, width, dash) in styles.items():
            if kind in self.lines:
                x, y, n = self.lines[kind]
                data.append(line(x, y, color, width=width, dash=dash, name=kind, customdata=n, opacity=0.9, hovertemplate=f"trial %{{customdata}}<br>{text(self.unit)} %{{x}}<br>{text(self.name)} %{{y:.5g}}<extra></extra>"))  # fmt: skip
        x, y = self.copies
        data.insert(0, line(x, y, GREY, width=1, dash="dash", name="copied", hoverinfo="skip"))
        return figure(
            self._headline(), "Dashed: a copy begins where its parent stood, with other params. Red: the line that led to the best.",
            data, xaxis=axis(self.unit), yaxis=axis(self.title, **self.view.axis),
        )  # fmt: skip

    def _headline(self) -> str:
        line_ = " → ".join(map(str, self.best[-5:]))
        dots = "… → " * (len(self.best) > 5)
        return f"{plural(self.forks, 'copy').replace('copys', 'copies')}; the best {self.name}, {number(self.end)}, came by trials {dots}{line_}"


def members(
    history: History[Any], objective: str, sign: float
) -> tuple[list[Record[Any]], Record[Any]]:
    """Return the trials that have reported an objective, and the one that leads among those that came furthest.

    Raises:
        NotSupported: No trial was copied from another.
        NoTrials: Nothing has been reported yet.
    """
    if not any(record.source == "fork" for record in history):
        if not len(history):
            raise NoTrials("no trial has begun yet; run some first")
        raise NotSupported(
            "no trial of this study is a copy of another, as under scheduler=ts.schedulers.PBT(); see plots.curves()"
        )
    records = [
        r for r in history if r.curve is not None and r.reports and objective in r.curve.columns
    ]
    valued = [r for r in records if np.isfinite(r.values.get(objective, np.nan))]
    if not valued:
        raise NoTrials("no trial has a value yet; run some first")
    top = max(record.step for record in valued)
    return records, min(
        (r for r in valued if r.step == top), key=lambda r: sign * r.values[objective]
    )


def _points(record: Record[Any], name: str) -> tuple[Floats, Floats, Floats]:
    steps, values = record.reported(name)
    kept = np.isfinite(values)
    return (
        steps[kept].astype(np.float64),
        values[kept],
        np.full(int(kept.sum()), float(record.number)),
    )
