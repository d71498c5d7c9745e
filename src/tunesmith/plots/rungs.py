"""Which trials came how far, in which order they stood there, and who went on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.plots.frame import axis, figure
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import View, objective_of, thin, toward
from tunesmith.plots.theme import BLUE, GREEN, GREY, RED, Spec
from tunesmith.plots.words import plural, text
from tunesmith.records import History, Record

MOST = 8  # rungs
MARKS = 250  # of a rung
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
        steps = {step for step, _ in ends.most_common(MOST - 1)} | {max(r.step for r in records)}
        columns: list[tuple[Ints, Floats, Ints]] = []
        for step in sorted(steps):
            here = [r for r in records if r.step >= step]
            values = np.array([_at(record, which.name, step) for record in here])
            known = np.isfinite(values)
            numbers = np.array([record.number for record in here])
            fate = np.array([2 if r.step > step else int(not r.finished) for r in here])
            columns.append((numbers[known], values[known], fate[known]))
        rungs = []
        for i, (step, (numbers, values, fate)) in enumerate(
            zip(sorted(steps), columns, strict=True)
        ):
            agreement = _agreement(columns[i], columns[i + 1]) if i + 1 < len(columns) else np.nan
            some = np.concatenate(
                [np.flatnonzero(fate == f)[thin(int((fate == f).sum()), MARKS)] for f in range(3)]
            )
            rungs.append(
                Rung(
                    step,
                    len(values),
                    int((fate == 2).sum()),
                    numbers[some],
                    values[some],
                    fate[some],
                    agreement,
                )
            )
        every = np.concatenate([rung.values for rung in rungs])
        if not len(every):
            raise NoTrials(f"no finite value of {which.name!r} has been reported yet")
        last = next(rung.values for rung in reversed(rungs) if len(rung.values))
        return cls(
            toward(which), which.name, resource.name if resource else "step", len(records), tuple(rungs),
            View.of(every, which.sign, every if len(last) < LEAST else None),
        )  # fmt: skip

    def draw(self) -> Spec:
        names = [f"{text(self.unit)} {r.step}<br>{r.came:,}" for r in self.rungs]
        pad = 0.35
        return figure(
            self._headline(), self._note(), self._data(), below=62,
            xaxis=axis(f"{self.unit}, and how many came so far", tickvals=list(range(len(names))), ticktext=names,
                       range=[-pad, len(names) - 1 + pad], showgrid=False),
            yaxis=axis(self.title + self.view.said, range=self.view.range, type="log" if self.view.log else "linear"),
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
    """What a trial last reported up to a step."""
    return np.nan if record.curve is None else record.curve.counted(name, step, "last", 1.0)


def _spread(values: Floats, view: View) -> Floats:
    """How far aside marks stand (n,), so that those alike do not hide one another: each the further, the denser."""
    bins = np.floor(40 * (view.clip(values) - view.low) / (view.high - view.low)).astype(int)
    found, turn = np.zeros(len(values)), Counter[int]()
    for i, b in enumerate(bins.tolist()):
        found[i] = turn[b]
        turn[b] += 1
    return np.asarray(found / max(6.0, found.max(initial=0.0)))


def _agreement(here: tuple[Ints, Floats, Ints], there: tuple[Ints, Floats, Ints]) -> float:
    """The rank correlation over the trials that are at both rungs; NaN: they are too few."""
    _, a, b = np.intersect1d(here[0], there[0], assume_unique=True, return_indices=True)
    both: Bools = np.isfinite(here[1][a]) & np.isfinite(there[1][b])
    if both.sum() < LEAST:
        return float("nan")
    ranks = [
        x[both].argsort(kind="stable").argsort(kind="stable") for x in (here[1][a], there[1][b])
    ]
    return float(np.corrcoef(*ranks)[0, 1])
