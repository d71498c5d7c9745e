"""What several objectives cost one another: the trials that no other beats."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith._core.words import number, plural
from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure, line
from tunesmith.plots.picture import Picture
from tunesmith.plots.reading import MARKS, Outcomes, View, objective_of, thin, toward
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import text
from tunesmith.records import History, Objective


@final
@dataclass(frozen=True, slots=True, eq=False)
class Front(Picture):
    """What is drawn.

    Attributes:
        objectives: Of the study.
        x: The place among them of the one that goes across.
        y: Of the one that goes up.
        trials: How many have completed.
        size: How many are on the front.
        numbers: Of the trials that are drawn (n,).
        values: Their objectives (n, m).
        kinds: 0: beaten by another, 1: breaks a limit, 2: on the front (n,).
        views: What is shown of the scales of x and y.
    """

    objectives: tuple[Objective, ...]
    x: int
    y: int
    trials: int
    size: int
    numbers: Ints
    values: Floats
    kinds: Ints
    views: tuple[View, View]

    @classmethod
    def of(cls, history: History[Any], x: str | None = None, y: str | None = None) -> Self:
        objectives = history.problem.objectives
        names = [objective.name for objective in objectives]
        if len(objectives) < 2:
            raise NotSupported(
                f"the front shows what several objectives cost one another, this study has {names[0]} alone; "
                "see plots.history()"
            )
        first = objective_of(history, names[0] if x is None else x).name
        second = (
            next(n for n in names if n != first) if y is None else objective_of(history, y).name
        )
        if first == second:
            raise SettingError(f"front(x, y) takes two different objectives, got {first!r} twice")
        each = [Outcomes.of(history, name) for name in names]
        seen = each[0]
        values = np.column_stack([one.values for one in each])
        known = np.flatnonzero((seen.states == "complete") & np.isfinite(values).all(axis=1))
        if not len(known):
            raise NoTrials("no trial has completed yet; run some first")
        values, numbers, keeps = values[known], seen.numbers[known], seen.keeps[known]
        signs = np.array([objective.sign for objective in objectives])
        kinds = np.where(keeps, 0, 1)
        on = np.flatnonzero(keeps)[pareto.front(signs * values[keeps])]
        kinds[on] = 2
        rest = np.flatnonzero(kinds < 2)
        drawn = np.concatenate([rest[thin(len(rest), MARKS - 500)], on[thin(len(on), 500)]])
        at = (names.index(first), names.index(second))
        views = tuple(View.of(values[:, j], signs[j]) for j in at)
        return cls(
            objectives, *at, len(known), len(on), numbers[drawn], values[drawn], kinds[drawn], (views[0], views[1]),
        )  # fmt: skip

    def draw(self) -> Spec:
        (across, up), (left, low) = (self.objectives[self.x], self.objectives[self.y]), self.views
        return figure(
            self._headline(), self._note(), self._data(),
            xaxis=axis(toward(across) + left.said.replace("▲", "▶").replace("▼", "◀"), **left.axis),
            yaxis=axis(toward(up) + low.said, **low.axis),
        )  # fmt: skip

    def _headline(self) -> str:
        if not self.size:
            return f"none of {plural(self.trials, 'trial')} keeps the limits"
        return f"{self.size:,} of {plural(self.trials, 'trial')} are beaten by no other"

    def _note(self) -> str:
        on = self.values[self.kinds == 2]
        said = []
        for j, objective in enumerate(self.objectives):
            if len(on):
                ends = sorted(on[:, j] * objective.sign)
                best, worst = (objective.sign * ends[i] for i in (0, -1))
                said.append(f"{objective.name} {number(best)} to {number(worst)}")
        corner = f"{'left' if self.objectives[self.x].sign > 0 else 'right'} and {'down' if self.objectives[self.y].sign > 0 else 'up'}"
        several = (
            " The line joins those that no other beats in these two alone."
            if len(self.objectives) > 2
            else ""
        )
        return (
            f"On the front: {', '.join(said)}. Better is {corner}.{several}"
            if said
            else f"Better is {corner}."
        )

    def _data(self) -> list[Spec]:
        data: list[Spec] = []
        styles = (("beaten", GREY, "circle", 5, 0.5), ("breaks a limit", GREY, "square-open", 6, 0.8), ("on the front", RED, "diamond", 8, 1))  # fmt: skip
        names = [objective.name for objective in self.objectives]
        hover = "".join(
            f"<br>{text(name)} %{{customdata[{j + 1}]:.5g}}" for j, name in enumerate(names)
        )
        line_ = self._line()
        if len(line_):
            (low, up), sign = self.views, self.objectives[self.x].sign
            order = np.argsort(sign * line_[:, 0], kind="stable")
            data.append(line(low.clip(line_[order, 0]), up.clip(line_[order, 1]), RED, width=1.5, shape="hv", showlegend=False, hoverinfo="skip"))  # fmt: skip
        for kind, (name, color, symbol, size, opacity) in enumerate(styles):
            mine = self.kinds == kind
            if mine.any():
                data.append({
                    "type": "scatter", "mode": "markers", "name": name, "cliponaxis": False,
                    "x": self.views[0].clip(self.values[mine, self.x]), "y": self.views[1].clip(self.values[mine, self.y]),
                    "customdata": np.column_stack([self.numbers[mine], self.values[mine]]),
                    "marker": {"color": BLUE if kind == 0 else color, "symbol": symbol, "size": size, "opacity": opacity},
                    "hovertemplate": f"trial %{{customdata[0]}}, {name}{hover}<extra></extra>",
                })  # fmt: skip
        return data

    def _line(self) -> Floats:
        """The corners (k, 2) of the front in the two objectives that are shown."""
        on = self.values[self.kinds == 2][:, [self.x, self.y]]
        signs = np.array([self.objectives[self.x].sign, self.objectives[self.y].sign])
        return np.asarray(on[pareto.front(signs * on)]) if len(on) else on
