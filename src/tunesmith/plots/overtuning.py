"""Whether what got better in validation got better on test samples."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.words import number
from tunesmith.analysis import overtuning
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure, line
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import text
from tunesmith.records import History


@final
@dataclass(frozen=True, slots=True, eq=False)
class Holdout(Picture):
    """What is drawn.

    Attributes:
        metric: The objective.
        test: The metric of the test samples; empty: none was measured.
        trials: Numbers at which the incumbent changes, and the last (k,).
        validation: Its value (k,).
        tested: Its value on the test samples (k,).
        paid: The last trial that made it better by more than noise.
        said: The finding, and the rest of what is known.
    """

    metric: str
    test: str
    trials: Ints
    validation: Floats
    tested: Floats
    paid: int
    said: tuple[str, str]

    @classmethod
    def of(cls, history: History[Any], test: str | None = None) -> Self:
        told = overtuning(history, test)
        change = np.flatnonzero(np.append(True, np.diff(told.validation) != 0))
        kept = np.unique(np.append(change, len(told.trials) - 1))
        first, *rest = str(told).splitlines()
        finding = (
            rest[0]
            if told.test
            else f"no test samples were measured; {told.metric} in validation alone"
        )
        note = [first, *(rest[1:2] if told.test else [])]
        return cls(
            told.metric, told.test, told.trials[kept], told.validation[kept], told.tested[kept], told.paid,
            (finding, "; ".join(note)),
        )  # fmt: skip

    def draw(self) -> Spec:
        hover = "trial %{x}<br>%{y:.5g}<extra></extra>"
        data = [line(self.trials, self.validation, BLUE, width=2.5, shape="hv", name=f"{text(self.metric)} of the best so far", hovertemplate=hover)]  # fmt: skip
        if self.test:
            data.append(line(self.trials, self.tested, RED, width=2.5, dash="dash", shape="hv", mode="lines+markers", marker={"symbol": "diamond", "size": 7}, name=f"{text(self.test)} of the same", hovertemplate=hover))  # fmt: skip
        both = " and ".join(dict.fromkeys(n for n in (self.metric, self.test) if n))
        at = {"type": "line", "x0": self.paid, "x1": self.paid, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY, "dash": "dot", "width": 1}}  # fmt: skip
        label = {"x": self.paid, "y": 1, "yref": "paper", "yanchor": "top", "text": f"paid until trial {number(self.paid)}", "xanchor": "left" if self.paid < self.trials[-1] / 2 else "right"}  # fmt: skip
        return figure(
            *self.said, data, xaxis=axis("trial"), yaxis=axis(both), shapes=[at], annotations=[label],
        )  # fmt: skip
