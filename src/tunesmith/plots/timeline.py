"""When trials ran: side by side, or, if they are many, how many at once."""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import plural
from tunesmith.analysis.forecast import lasting
from tunesmith.analysis.spending import BREAK_S, stretches
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, GREEN, GREY, PURPLE, RED, Spec, clear
from tunesmith.records import History

BARS = 600  # that are drawn one by one
ROWS = 40
BINS = 200
BREAK = 0.05  # of the time spent; where nothing ran for longer, and for a minute, the picture has a seam

STATES = ("completed", "stopped early or paused", "failed", "running", "lost with its process")
_OF = {"complete": 0, "stopped": 1, "paused": 1, "failed": 2, "running": 3, "lost": 4}
_STYLES = ((BLUE, ""), (GREY, "/"), (PURPLE, "x"), (GREEN, "."), (RED, "-"))


@final
@dataclass(frozen=True, slots=True, eq=False)
class Timeline(Picture):
    """What is drawn.

    Attributes:
        trials: How many have run.
        rows: How many ran at once, at most.
        busy: What share of the time in which anything ran as many ran.
        seconds: How long anything ran.
        seams: Where breaks were left out (k,), in seconds since the first start.
        left_out: How long those were together, in seconds.
        bars: Row, start, end, kind and number of the trial of each stretch (n, 5); empty if they are too many.
        shares: Bins' starts (k,) and how many ran in each on average, by kind (k, 5); likewise empty.
    """

    trials: int
    rows: int
    busy: float
    seconds: float
    seams: Floats
    left_out: float
    bars: Floats
    shares: tuple[Floats, Floats]

    @classmethod
    def of(cls, history: History[Any]) -> Self:
        records = list(history)
        if not records:
            raise NoTrials("no trial has begun yet; run some first")
        now = max(record.seen_at for record in records)
        spans = np.array(
            [
                (begin, max(begin, end), _OF["lost" if why == "lost" else r.state], r.number)
                for r in records
                for begin, end, why in stretches(r, now)
            ]
        )  # (n, 4)
        spans[:, :2] -= spans[:, 0].min()
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        spans, seams, left_out = _without_breaks(spans)
        row = _rows(spans)
        rows = int(row.max()) + 1
        seconds = float(spans[:, 1].max())
        spent = float((spans[:, 1] - spans[:, 0]).sum())
        busy = spent / (rows * seconds) if seconds > 0 else 1.0
        few = len(spans) <= BARS and rows <= ROWS
        bars = np.column_stack([row, spans]) if few else np.empty((0, 5))
        shares = (np.empty(0), np.empty((0, len(STATES)))) if few else _shares(spans, seconds)
        return cls(len(records), rows, busy, seconds, seams, left_out, bars, shares)

    def draw(self) -> Spec:
        size, unit = next((s, u) for s, u in ((86400, "days"), (3600, "h"), (60, "min"), (1, "s")) if self.seconds >= 3 * s or s == 1)  # fmt: skip
        seams = [
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": {"color": RED, "width": 1, "dash": "dot"}}
            for x in (self.seams / size).tolist()
        ]  # fmt: skip
        many = not len(self.bars)
        up = axis("trials at once", rangemode="tozero") if many else axis(
            "trials at once", tickvals=list(range(self.rows)) if self.rows <= 12 else None,
            ticktext=[str(i + 1) for i in range(self.rows)], range=[self.rows - 0.4, -0.6], showgrid=False,
        )  # fmt: skip
        height = 320 if many else max(160, min(440, 30 * self.rows + 40))
        return figure(
            self._headline(), self._note(), self._areas(size) if many else self._bars(size, unit),
            height=height, xaxis=axis(f"time since the first start ({unit})", rangemode="tozero"), yaxis=up,
            shapes=seams, bargap=0.15, barmode="overlay",
        )  # fmt: skip

    def _headline(self) -> str:
        if self.rows == 1:
            return f"{plural(self.trials, 'trial')} in {lasting(self.seconds)}, one after another; {self.busy:.0%} of the time one ran"
        return f"{plural(self.trials, 'trial')} in {lasting(self.seconds)}, at most {self.rows:,} at once; {self.busy:.0%} of their places were taken"

    def _note(self) -> str:
        said = []
        if not len(self.bars):
            said.append("How many trials ran, by what became of them.")
        if len(self.seams):
            said.append(
                f"Dotted: {plural(len(self.seams), 'break')} of {lasting(self.left_out)} in all, left out."
            )
        return " ".join(said)

    def _bars(self, size: int, unit: str) -> list[Spec]:
        data = []
        for kind, (name, (color, pattern)) in enumerate(zip(STATES, _STYLES, strict=True)):
            mine = self.bars[self.bars[:, 3] == kind]
            if len(mine):
                data.append({
                    "type": "bar", "orientation": "h", "name": name, "width": 0.84, "y": mine[:, 0], "base": mine[:, 1] / size,
                    "x": (mine[:, 2] - mine[:, 1]) / size, "customdata": mine[:, 4],
                    "marker": {"color": color, "pattern": {"shape": pattern, "size": 5, "solidity": 0.4, "fgcolor": "#ffffff"}, "line": {"width": 0}},
                    "hovertemplate": f"trial %{{customdata}}, {name}<br>%{{x:.3g}} {unit}<extra></extra>",
                })  # fmt: skip
        return data

    def _areas(self, size: int) -> list[Spec]:
        starts, shares = self.shares
        return [
            {
                "type": "scatter", "mode": "lines", "name": name, "stackgroup": "all", "x": starts / size, "y": shares[:, kind],
                "line": {"width": 1, "color": color, "shape": "hv"}, "fillcolor": clear(color, 0.6), "fillpattern": {"shape": pattern, "size": 6, "fgcolor": color, "bgcolor": clear(color, 0.45)},
                "hovertemplate": f"{name}: %{{y:.3g}}<extra></extra>",
            }
            for kind, (name, (color, pattern)) in enumerate(zip(STATES, _STYLES, strict=True))
            if shares[:, kind].any()
        ]  # fmt: skip


def _without_breaks(spans: Floats) -> tuple[Floats, Floats, float]:
    """Stretches (n, 4), in order of their starts, without the long times in which nothing ran, where those were, and how long."""
    until = np.maximum.accumulate(spans[:, 1])
    gaps = np.maximum(0.0, spans[1:, 0] - until[:-1])
    spent = float(until[-1] - gaps.sum())
    long = np.where(gaps > max(BREAK * spent, BREAK_S), gaps, 0.0)
    shift = np.concatenate([[0.0], np.cumsum(long)])
    moved = spans.copy()
    moved[:, :2] -= shift[:, None]
    return moved, moved[1:, 0][long > 0], float(long.sum())


def _rows(spans: Floats) -> Ints:
    """A row for each stretch (n, 4), in order of their starts: the first that is free then."""
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    found = np.zeros(len(spans), np.int64)
    for i, (start, end) in enumerate(spans[:, :2].tolist()):
        while busy and busy[0][0] <= start + 1e-9:
            heappush(free, heappop(busy)[1])
        row = heappop(free) if free else len(busy)
        heappush(busy, (end, row))
        found[i] = row
    return found


def _shares(spans: Floats, seconds: float) -> tuple[Floats, Floats]:
    """Bins' starts (k,), and how many ran in each on average, by kind (k, 5)."""
    edges = np.linspace(0, max(seconds, 1e-9), BINS + 1)
    found = np.zeros((BINS, len(STATES)))
    for kind in range(len(STATES)):
        mine = spans[spans[:, 2] == kind]
        # the time before each edge that lies within stretches: sum of min(edge, end) - min(edge, start)
        before = [_sum_below(mine[:, j], edges) for j in (1, 0)]
        found[:, kind] = np.diff(before[0] - before[1]) / np.diff(edges)
    return edges[:-1], found


def _sum_below(moments: Floats, edges: Floats) -> Floats:
    """The sum of min(edge, moment) over moments (n,), for each edge (k,)."""
    ranked = np.sort(moments)
    n = np.searchsorted(ranked, edges)
    sums = np.concatenate([[0.0], np.cumsum(ranked)])
    return np.asarray(sums[n] + (len(ranked) - n) * edges)
