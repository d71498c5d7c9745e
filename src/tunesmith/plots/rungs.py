"""Which trials came how far, in which order they stood there, and who went on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith._core.words import plural
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import View, objective_of, thin, toward
from tunesmith.plots.theme import BLUE, GREEN, GREY, RED, Spec
from tunesmith.plots.words import text
from tunesmith.records import History, Record

MOST = 8  # rungs
MARKS = 120  # of those that were last at a rung
SAMPLE = 1000  # likewise, of which orders are compared
LINES = 150  # between two rungs
LEAST = 5  # trials at both of two rungs, to compare their orders


@final
@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """A step at which trials ended, or went on.

    Attributes:
        step: The step.
        came: How many came so far.
        went_on: How many of them went on.
        numbers: Of the trials that are drawn (n,).
        values: Theirs at this step (n,).
        fate: 0: ended here; 1: still here; 2: went on (n,).
        agreement: The rank correlation with the next rung over those that are at both; NaN: too few are.
    """

    step: int
    came: int
    went_on: int
    numbers: Ints
    values: Floats
    fate: Ints
    agreement: float


@final
@dataclass(frozen=True, slots=True, eq=False)
class Ladder(Picture):
    """What is drawn.

    Attributes:
        title: The objective, and which way it is better.
        name: The objective.
        unit: What a step is.
        trials: How many have reported.
        rungs: In rising order.
        view: The part of the objective's scale that is shown.
    """

    title: str
    name: str
    unit: str
    trials: int
    rungs: tuple[Rung, ...]
    view: View

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        which = objective_of(history, objective)
        resource = history.problem.resource
        records = [r for r in history if r.reports and r.state != "failed"]
        if not records:
            raise NoTrials("no trial has reported anything yet; run some first")
        ends = Counter(r.step for r in records if r.state == "stopped" or r.scheduled)
        if not ends:
            raise NotSupported(
                "no trial was stopped or paused by a scheduler, so there are no rungs; see plots.curves()"
            )
        last = np.array([record.step for record in records])
        steps = sorted({step for step, _ in ends.most_common(MOST - 1)} | {int(last.max())})
        ended = np.searchsorted(steps, last, "right")  # at which rung each was last
        some = _some(ended, SAMPLE)
        table = np.array([[_at(records[i], which.name, step) for step in steps] for i in some])
        numbers = np.array([records[i].number for i in some])
        finished = np.array([records[i].finished for i in some])
        drawn = np.isin(np.arange(len(some)), _some(ended[some], MARKS))
        rungs = []
        for i, step in enumerate(steps):
            here = drawn & (last[some] >= step) & np.isfinite(table[:, i])
            fate = np.where(last[some] > step, 2, np.where(finished, 0, 1))
            agreement = _agreement(table[:, i], table[:, i + 1]) if i + 1 < len(steps) else np.nan
            rungs.append(
                Rung(
                    step, int((last >= step).sum()), int((last > step).sum()), numbers[here], table[here, i],
                    fate[here], agreement,
                )
            )  # fmt: skip
        every = np.concatenate([rung.values for rung in rungs])
        if not len(every):
            raise NoTrials(f"no finite value of {which.name!r} has been reported yet")
        return cls(
            toward(which), which.name, resource.name if resource else "step", len(records), tuple(rungs),
            View.of(every, which.sign),
        )  # fmt: skip

    def draw(self) -> Spec:
        names = [f"{text(self.unit)} {r.step}<br>{r.came:,}" for r in self.rungs]
        pad = 0.35
        return figure(
            self._headline(), self._note(), self._data(), below=62,
            xaxis=axis(f"{self.unit}, and how many came so far", tickvals=list(range(len(names))), ticktext=names,
                       range=[-pad, len(names) - 1 + pad], showgrid=False, zeroline=False),
            yaxis=axis(self.title + self.view.said, **self.view.axis),
        )  # fmt: skip

    def _headline(self) -> str:
        first, last = self.rungs[0], self.rungs[-1]
        return (
            f"of {plural(self.trials, 'trial')} {first.went_on:,} went past {self.unit} {first.step}, "
            f"{last.came:,} came to {self.unit} {last.step}"
        )

    def _note(self) -> str:
        said = [
            f"{self.unit} {a.step} to {b.step}: {a.agreement:.2f}"
            for a, b in zip(self.rungs, self.rungs[1:], strict=False)
            if np.isfinite(a.agreement)
        ]
        return (
            f"How far the order at a rung tells that at the next (rank correlation): {', '.join(said)}."
            if said
            else ""
        )

    def _data(self) -> list[Spec]:
        data: list[Spec] = []
        x: list[float | None] = []
        y: list[float | None] = []
        for i, (here, following) in enumerate(zip(self.rungs, self.rungs[1:], strict=False)):
            known = dict(
                zip(
                    following.numbers.tolist(),
                    self.view.clip(following.values).tolist(),
                    strict=True,
                )
            )
            pairs = [
                (start, known[number])
                for number, start in zip(
                    here.numbers.tolist(), self.view.clip(here.values).tolist(), strict=True
                )
                if number in known
            ]
            for k in thin(len(pairs), LINES):
                x += [i, i + 1, None]
                y += [*pairs[k], None]
        if x:
            data.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": BLUE, "width": 1}, "opacity": 0.4, "showlegend": False, "hoverinfo": "skip"})  # fmt: skip
        top = len(self.rungs) - 1
        styles = (
            ("ended here", GREY, "circle-open", 6),
            ("still here", GREEN, "diamond-open", 8),
            ("went on", BLUE, "circle", 6),
        )
        for fate, (name, color, symbol, size) in enumerate(styles):
            for i, rung in enumerate(self.rungs):
                mine = rung.fate == fate
                if not mine.any():
                    continue
                end = fate == 0 and i == top
                label = "came to the end" if end else name
                data.append(
                    {
                        "type": "scatter", "mode": "markers", "name": label, "legendgroup": label, "cliponaxis": False,
                        "showlegend": not any(trace.get("name") == label for trace in data),
                        "x": np.full(int(mine.sum()), i) + _spread(rung.values[mine], self.view) * (0.28 if fate != 2 else 0.0),
                        "y": self.view.clip(rung.values[mine]),
                        "customdata": rung.numbers[mine],
                        "marker": {"color": RED if end else color, "symbol": "star" if end else symbol, "size": 9 if end else size},
                        "hovertemplate": f"trial %{{customdata}}, {label}<br>{text(self.name)} %{{y:.5g}}<extra></extra>",
                    }
                )  # fmt: skip
        return data


def _at(record: Record[Any], name: str, step: int) -> float:
    """What a trial last reported up to a step; NaN: it did not come so far."""
    if record.curve is None or record.step < step:
        return np.nan
    return record.curve.counted(name, step, "last", 1.0)


def _some(group: Ints, most: int) -> Ints:
    """At most so many places of each group (n,)."""
    places = [np.flatnonzero(group == one) for one in np.unique(group)]
    return np.sort(np.concatenate([mine[thin(len(mine), most)] for mine in places]))


def _spread(values: Floats, view: View) -> Floats:
    """How far aside marks stand (n,), so that those alike do not hide one another: each the further, the denser."""
    bins = np.floor(40 * (view.clip(values) - view.low) / (view.high - view.low)).astype(int)
    found, turn = np.zeros(len(values)), Counter[int]()
    for i, b in enumerate(bins.tolist()):
        found[i] = turn[b]
        turn[b] += 1
    return np.asarray((found + 1) / max(7.0, found.max(initial=0.0) + 1))


def _agreement(here: Floats, there: Floats) -> float:
    """The rank correlation over the trials that are at both rungs; NaN: they are too few."""
    both = np.isfinite(here) & np.isfinite(there)
    if both.sum() < LEAST:
        return float("nan")
    ranks = [
        x[both].argsort(kind="stable").argsort(kind="stable").astype(np.float64)
        for x in (here, there)
    ]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
