"""What pictures read of a history: columns of all trials, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith._core.words import number
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.plots.scales import decades
from tunesmith.plots.theme import Spec
from tunesmith.records import History, Objective, Record

MARKS = 2000  # that a picture has at most; a browser draws them in a moment


def objective_of(history: History[Any], name: str | None) -> Objective:
    """Return the objective that is meant.

    Raises:
        NotSupported: There are several, and none is named.
        SettingError: There is no such objective.
    """
    objectives = {objective.name: objective for objective in history.problem.objectives}
    listed = ", ".join(objectives)
    if name is None:
        if len(objectives) > 1:
            first = next(iter(objectives))
            raise NotSupported(
                f"this picture shows one objective, the study has {listed}; say which, such as "
                f"objective={first!r}, or see plots.front()"
            )
        return history.problem.objectives[0]
    if name not in objectives:
        raise SettingError(f"the study has no objective {name!r}; it has {listed}")
    return objectives[name]


def toward(objective: Objective) -> str:
    """Return "accuracy (higher is better)"."""
    return f"{objective.name} ({better(objective)} is better)"


def better(objective: Objective) -> str:
    """Return which way it is better: "higher" or "lower"."""
    return "lower" if objective.sign > 0 else "higher"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The trials of a study, and what counts of an objective for each.

    Of configurations that are evaluated repeatedly it is the mean, at the first trial of each.

    Attributes:
        objective: Which.
        records: Of the trials.
        numbers: Theirs (n,).
        values: What counts, of running ones what they reported last (n,); NaN: nothing is known.
        states: Theirs (n,).
        keeps: Whether they keep the limits (n,); true where there are none.
    """

    objective: Objective
    records: Sequence[Record[Any]]
    numbers: Ints
    values: Floats
    states: np.ndarray[Any, np.dtype[np.str_]]
    keeps: Bools

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        """Read a history.

        Raises:
            NoTrials: No trial has completed or been stopped with a value.
        """
        problem, which = history.problem, objective_of(history, objective)
        records = [r for r in history if r.source != "replicate"]
        if len(history.replicates):
            records = [history.averaged(r) for r in records]
        values = np.array([_value(record, which.name) for record in records])
        keeps = np.ones(len(records), dtype=np.bool_)
        if problem.limits:
            keeps = np.array([problem.meets_limits(record.values) for record in records], bool)
        states = np.array([record.state for record in records], dtype=np.str_)
        if not (np.isfinite(values) & (states != "failed")).any():
            raise nothing_yet(history)
        numbers = np.array([record.number for record in records], dtype=np.int64)
        return cls(which, records, numbers, values, states, keeps)

    @property
    def complete(self) -> Bools:
        """Which have completed, with a value, and keep the limits (n,)."""
        return np.asarray((self.states == "complete") & np.isfinite(self.values) & self.keeps)

    def best(self) -> tuple[Ints, Floats]:
        """Return where the best so far changes, and its values (k,), and both once more at the end; empty: none completed."""
        places = np.flatnonzero(self.complete)
        if not len(places):
            return np.empty(0, np.int64), np.empty(0)
        losses = self.losses[places]
        before = np.append(np.inf, np.minimum.accumulate(losses)[:-1])
        better = places[losses < before]
        numbers = np.append(self.numbers[better], self.numbers[-1])
        return numbers, np.append(self.values[better], self.values[better[-1]])

    @property
    def losses(self) -> Floats:
        """The values, smaller is better (n,)."""
        return self.objective.sign * self.values


def nothing_yet(history: History[Any]) -> NoTrials:
    """Return the refusal of a picture for which too few trials have come to their end."""
    running, failed = history.count("running"), history.count("failed")
    return NoTrials(
        f"there is nothing to be seen yet: no trial has completed ({running} running, {failed} failed); "
        "run some first"
    )


def _value(record: Record[Any], name: str) -> float:
    value = record.values.get(name)
    if value is None and record.curve is not None and record.reports:
        column = record.curve.columns.get(name)
        value = None if column is None else column[record.reports - 1]
    return np.nan if value is None else value


def thin(n: int, most: int = MARKS) -> Ints:
    """Return at most `most` places of `n`, evenly spaced, the ends among them."""
    return (
        np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
        if n
        else np.arange(0)
    )


@final
@dataclass(frozen=True, slots=True)
class View:
    """The part of a scale that is shown, so that a few far away do not hide the rest.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        cut: Which end is not that of the data: -1 the lower, 1 the upper, 0 none.
        beyond: How many lie beyond it.
        log: Whether the scale is logarithmic.
    """

    low: float
    high: float
    cut: int
    beyond: int
    log: bool

    @classmethod
    def of(cls, values: Floats, sign: float, core: Floats | None = None) -> Self:
        """Return what to show of finite values (n,), of which those with a smaller `sign * value` are better.

        The bad end is cut where it is further from the upper quartile than twice the best is. Positive values whose
        median is thirty times the best have a logarithmic scale.

        Args:
            values: All that are drawn.
            sign: 1 if smaller is better, else -1.
            core: Those among them that say where the quartile is; by default all.
        """
        losses = sign * values
        best, worst = float(losses.min()), float(losses.max())
        ranked = losses if core is None or not len(core) else sign * core
        middle, quartile = np.quantile(ranked, (0.5, 0.75)).tolist()
        if sign > 0 and best > 0 and middle > 30 * best:
            return cls(best / 1.2, worst * 1.2, 0, 0, log=True)
        edge = quartile + 2 * (quartile - best)
        beyond = int((losses > edge).sum()) if quartile > best else 0
        worst = edge if beyond else worst
        pad = 0.06 * (worst - best) or 0.05 * abs(best) or 0.5
        ends = sorted((sign * (best - pad), sign * (worst + pad)))
        return cls(ends[0], ends[1], int(sign) * bool(beyond), beyond, log=False)

    def clip(self, values: Floats) -> Floats:
        """Return values (n,) with those that are beyond near the edge."""
        inner = 0.025 * (self.high - self.low) if self.cut else 0.0
        return np.asarray(np.clip(values, self.low + inner, self.high - inner), dtype=np.float64)

    def past(self, values: Floats) -> Bools:
        """Return which values (n,) lie beyond."""
        return (values < self.low) | (values > self.high)

    @property
    def range(self) -> list[float]:
        """The range of the axis as Plotly wants it."""
        return np.log10([self.low, self.high]).tolist() if self.log else [self.low, self.high]

    @property
    def axis(self) -> Spec:
        """The axis as Plotly wants it; where it is logarithmic with few round numbers, which have room."""
        if not self.log:
            return {"range": self.range, "type": "linear"}
        ticks = decades(self.low, self.high)
        texts = [number(tick) for tick in ticks]
        return {"range": self.range, "type": "log", "tickvals": ticks, "ticktext": texts}

    @property
    def said(self) -> str:
        """What the axis says of the cut; empty: there is none."""
        if not self.beyond:
            return ""
        sign, edge = ("▲", self.high) if self.cut > 0 else ("▼", self.low)
        return f"; {sign} {self.beyond:,} beyond {edge:.3g}"
