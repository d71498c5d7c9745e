"""The way from the default to the recommended configuration, change by change."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.words import number, plural
from tunesmith.analysis import Ablation, Estimate, ablation
from tunesmith.analysis.ablation import AblationStep
from tunesmith.plots.bars import Bar, bars
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import objective_of
from tunesmith.plots.theme import BLUE, GREEN, PURPLE, RED, Spec
from tunesmith.plots.words import joined, label, short
from tunesmith.records import History, Record

ROWS = 16
STYLES = {
    "where it begins": (GREEN, ""),
    "better": (BLUE, ""),
    "worse": (PURPLE, "x"),
    "where it ends": (RED, ""),
}


@final
@dataclass(frozen=True, slots=True)
class Way(Picture):
    """What is drawn.

    Attributes:
        told: The analysis.
    """

    told: Ablation

    @classmethod
    def of(
        cls,
        history: History[Any],
        to: Record[Any] | int | None = None,
        objective: str | None = None,
    ) -> Self:
        objective_of(history, objective)
        return cls(ablation(history, to, objective))

    def draw(self) -> Spec:
        told = self.told
        rest = told.steps[ROWS:]
        values = [told.start.mean, *(step.value for step in told.steps), told.end.mean]
        pad = 0.08 * (max(values) - min(values)) or 0.05 * abs(values[0]) or 0.5
        floor, ceiling = min(values) - pad, max(values) + pad
        rows = [
            Bar(
                f"the {told.called}: {told.start}",
                told.start.mean,
                _interval(told.start),
                "where it begins",
                floor,
            )
        ]
        before = told.start.mean
        for step in told.steps[:ROWS]:
            group = "better" if step.gain >= 0 else "worse"
            rows.append(Bar(joined(_change(step), 40), step.value, (np.nan, np.nan), group, before))
            before = step.value
        if rest:
            rows.append(
                Bar(
                    f"{plural(len(rest), 'further change')}",
                    rest[-1].value,
                    (np.nan, np.nan),
                    "better",
                    before,
                )
            )
        rows.append(
            Bar(
                f"trial {told.trial}: {told.end}",
                told.end.mean,
                _interval(told.end),
                "where it ends",
                floor,
            )
        )
        ends = [end for row in rows for end in row.interval if np.isfinite(end)]
        span = [min([floor, *ends]) - pad / 3, max([ceiling, *ends]) + pad / 3]
        if not told.steps:
            return bars(
                f"trial {told.trial} is the {told.called}",
                "",
                rows,
                STYLES,
                told.objective,
                range=span,
            )
        head = f"{_change(told.steps[0])[0]} gains most: {number(abs(told.steps[0].gain), 3)}"
        note = f"From the {told.called} to trial {told.trial}: each next change is the one that then gains most."
        return bars(head, note, rows, STYLES, f"expected {told.objective}", range=span, nticks=6)


def _interval(estimate: Estimate) -> tuple[float, float]:
    return estimate.interval


def _change(step: AblationStep) -> list[str]:
    """What changes: "lr 0.1 → 0.003", what the step is about first."""
    said = []
    for name in sorted(step.after, key=lambda name: name not in step.parameters):
        to = short(label(step.after[name]), 14)
        was = f"{short(label(step.before[name]), 14)} → " if name in step.before else ""
        if was != f"{to} → ":
            said.append(f"{short(name, 30)} {was}{to}")
    return (
        said
        or [f"without {name}" for name in step.before if name not in step.after]
        or ["as before"]
    )
