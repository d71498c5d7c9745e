"""What trials reported step by step, and where they were stopped."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith._core.words import number, plural
from tunesmith.numerics.arrays import Floats
from tunesmith.plots.frame import axis, figure, line, strung
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import View, better, thin
from tunesmith.plots.theme import BLUE, GREEN, GREY, PURPLE, RED, Spec, clear
from tunesmith.plots.words import text
from tunesmith.records import History, Record

LINES = 200  # that are drawn one by one
POINTS = 120  # of a line
SAMPLE = 3000  # curves of which bands are taken


@final
@dataclass(frozen=True, slots=True, eq=False)
class Curves(Picture):
    """What is drawn.

    Attributes:
        metric: What was reported.
        toward: "higher" or "lower" is better; empty: it is not an objective.
        unit: What a step is.
        trials: How many have reported.
        stopped: How many of them were stopped early, or wait paused.
        last: The last step of all.
        came: How many came so far.
        view: The part of the metric's scale that is shown.
        lines: Steps, values and the trial's number, (k,) each, by what became of the trial; many in one, separated by NaN.
        band: Steps (k,) and the 5, 25, 50, 75 and 95 % quantiles (k, 5) at each of those that came so far; empty if all curves are drawn.
        best: The best trial's number; -1: none has completed.
        end: Its value.
    """

    metric: str
    toward: str
    unit: str
    trials: int
    stopped: int
    last: int
    came: int
    view: View
    lines: dict[str, tuple[Floats, Floats, Floats]]
    band: tuple[Floats, Floats]
    best: int
    end: float

    @classmethod
    def of(cls, history: History[Any], metric: str | None = None) -> Self:
        objectives = {o.name: o for o in history.problem.objectives}
        name = history.problem.objectives[0].name if metric is None else metric
        reporting = [r for r in history if r.reports and r.curve is not None]
        records = [r for r in reporting if r.curve is not None and name in r.curve.columns]
        if not records:
            raise _refusal(history, reporting, name)
        sign = objectives[name].sign if name in objectives else 1.0
        complete = [i for i, r in enumerate(records) if r.state == "complete"]
        ends = np.array([_end(record, name) for record in records])
        known = [i for i in complete if np.isfinite(ends[i])] if name in objectives else []
        best = min(known, key=lambda i: sign * ends[i]) if known else -1
        drawn = set(thin(len(records), LINES).tolist()) | ({best} if best >= 0 else set())
        parts: dict[str, list[tuple[Floats, Floats, Floats]]] = {}
        for i in sorted(drawn):
            kind = "best" if i == best else _KINDS[records[i].state]
            parts.setdefault(kind, []).append(_points(records[i], name))
        lines = {kind: strung(several) for kind, several in parts.items()}
        band = (np.empty(0), np.empty((0, 5)))
        if len(records) > LINES:
            band = _bands([records[i] for i in thin(len(records), SAMPLE)], name)
        values = np.concatenate([columns[1] for columns in lines.values()])
        finite = values[np.isfinite(values)]
        if not len(finite):
            raise NoTrials(f"no finite value of {name!r} has been reported yet")
        resource = history.problem.resource
        last = max(r.step for r in records)
        return cls(
            name, better(objectives[name]) if name in objectives else "", resource.name if resource else "step", len(records),
            sum(r.state in ("stopped", "paused") for r in records), last, sum(r.step == last for r in records),
            View.of(finite, sign, ends[np.isfinite(ends)]),
            {kind: (x, y, n) for kind, (x, y, n) in lines.items()}, band,
            records[best].number if best >= 0 else -1, float(ends[best]) if best >= 0 else np.nan,
        )  # fmt: skip

    def draw(self) -> Spec:
        title = f"{self.metric} ({self.toward} is better)" if self.toward else self.metric
        return figure(
            self._headline(), self._note(), self._data(),
            xaxis=axis(self.unit), yaxis=axis(title, **self.view.axis),
        )  # fmt: skip

    def _headline(self) -> str:
        if self.stopped:
            return f"{self.stopped:,} of {plural(self.trials, 'trial')} ended early, {self.came:,} came to {self.unit} {self.last}"
        return f"{self.metric} of {plural(self.trials, 'trial')} up to {self.unit} {self.last}"

    def _note(self) -> str:
        said = []
        if self.best >= 0:
            said.append(f"The best, trial {self.best}, ends at {number(self.end)}.")
        if len(self.band[0]):
            said.append(
                f"Bands: half and nine tenths of those that came so far; {LINES} curves are drawn."
            )
        if self.view.cut:
            said.append("What lies far off is cut.")
        return " ".join(said)

    def _data(self) -> list[Spec]:
        data: list[Spec] = []
        x, q = self.band
        if len(x):
            around = np.concatenate([x, x[::-1]])
            for name, low, high, alpha in (("nine tenths", 0, 4, 0.2), ("half", 1, 3, 0.35)):
                y = np.concatenate([q[:, high], q[::-1, low]])
                data.append(line(around, y, BLUE, width=0, name=name, fill="toself", fillcolor=clear(BLUE, alpha), hoverinfo="skip"))  # fmt: skip
        for kind, (color, width, dash, opacity) in _STYLES.items():
            if kind in self.lines:
                steps, values, numbers = self.lines[kind]
                several = np.isnan(steps).sum() > 60
                few = np.bincount(numbers[~np.isnan(numbers)].astype(int)).max() < 2
                data.append(
                    line(
                        steps, values, color, width=width, dash=dash, name=kind, mode="lines+markers" if few else "lines",
                        opacity=opacity * (0.5 if several else 1), customdata=numbers, marker={"size": 4},
                        hovertemplate=f"trial %{{customdata}}, {kind}<br>{text(self.unit)} %{{x}}<br>{text(self.metric)} %{{y:.5g}}<extra></extra>",
                    )
                )  # fmt: skip
        if len(x):
            data.append(line(x, q[:, 2], BLUE, width=2, dash="dash", name="median"))
        return data


_KINDS = {
    "complete": "completed",
    "stopped": "stopped early",
    "paused": "stopped early",
    "running": "running",
    "failed": "failed",
}
_STYLES = {
    "stopped early": (GREY, 1.0, "solid", 0.9),
    "failed": (PURPLE, 1.2, "dot", 0.9),
    "completed": (BLUE, 1.6, "solid", 0.7),
    "running": (GREEN, 1.6, "dash", 0.9),
    "best": (RED, 3.0, "solid", 1.0),
}


def _refusal(history: History[Any], reporting: list[Record[Any]], name: str) -> Exception:
    """Why there is no curve of a metric."""
    if reporting:
        known = dict.fromkeys(n for r in reporting if r.curve is not None for n in r.curve.columns)
        return SettingError(f"no trial has reported {name!r}; they have {', '.join(known)}")
    if len(history) - history.count("running"):
        return NotSupported(
            "no trial reports step by step, so there are no curves; call trial.report(step, ...), or see plots.history()"
        )
    return NoTrials("no trial has reported anything yet; run some first")


def _end(record: Record[Any], name: str) -> float:
    column = [] if record.curve is None else record.curve.columns[name]
    return float(column[record.reports - 1]) if len(column) >= record.reports else np.nan


def _points(record: Record[Any], name: str) -> tuple[Floats, Floats, Floats]:
    """Steps, values and the trial's number at each, (k,)."""
    steps, values = record.reported(name)
    kept = np.isfinite(values)
    steps, values = steps[kept].astype(np.float64), values[kept]
    some = thin(len(steps), POINTS)
    return steps[some], values[some], np.full(len(some), float(record.number))


def _bands(records: list[Record[Any]], name: str) -> tuple[Floats, Floats]:
    """Steps (k,), and quantiles (k, 5) of the values of those that reported there."""
    reported = [record.reported(name) for record in records]
    steps = np.concatenate([x for x, _ in reported])
    values = np.concatenate([y for _, y in reported])
    steps, values = steps[np.isfinite(values)], values[np.isfinite(values)]
    some = np.unique(steps)
    some = some[thin(len(some), POINTS)]
    order = np.argsort(steps, kind="stable")
    steps, values = steps[order], values[order]
    starts, stops = np.searchsorted(steps, some, "left"), np.searchsorted(steps, some, "right")
    rows = [
        np.quantile(values[a:b], (0.05, 0.25, 0.5, 0.75, 0.95))
        for a, b in zip(starts, stops, strict=True)
    ]
    return some.astype(np.float64), np.array(rows)
