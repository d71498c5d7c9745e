"""How much several objectives have reached, trial by trial."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from tunesmith._core.words import plural
from tunesmith.analysis import hypervolume
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.plots.frame import axis, figure, line
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, Spec, clear
from tunesmith.plots.words import listed
from tunesmith.records import History


@final
@dataclass(frozen=True, slots=True, eq=False)
class Volume(Picture):
    """What is drawn.

    Attributes:
        objectives: Their names.
        done: How many trials have completed, where the share changes, and at the end (k,).
        shares: What they dominate (k,).
        error: Half the interval of that (k,).
        paid: The number of the last trial that made it larger.
        since: How many have completed after it.
        front: How many trials no other beats.
    """

    objectives: tuple[str, ...]
    done: Ints
    shares: Floats
    error: Floats
    paid: int
    since: int
    front: int

    @classmethod
    def of(cls, history: History[Any], reference: dict[str, float] | None = None) -> Self:
        told = hypervolume(history, reference)
        grown = np.flatnonzero(np.diff(told.values, prepend=-1.0) > 0)
        kept = np.unique(np.append(grown, len(told.values) - 1))
        since = len(told.values) - 1 - int(np.flatnonzero(told.trials == told.paid)[0])
        return cls(
            told.objectives,
            kept + 1,
            told.values[kept],
            told.error[kept],
            told.paid,
            since,
            told.front,
        )

    def draw(self) -> Spec:
        data = []
        if self.error.any():
            x = np.repeat(self.done, 2)[1:]  # as steps
            low, high = (
                np.repeat(self.shares + side, 2)[:-1] for side in (-self.error, self.error)
            )
            data.append(line(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]), BLUE, width=0, name="90 % interval", fill="toself", fillcolor=clear(BLUE, 0.25), hoverinfo="skip"))  # fmt: skip
        data.append(line(self.done, self.shares, BLUE, width=2.5, shape="hv", name="share", showlegend=bool(data), hovertemplate="after %{x} trials: %{y:.1%}<extra></extra>"))  # fmt: skip
        head = f"{plural(self.front, 'trial')} on the front; the last to add to it was trial {self.paid}"
        head += f", {plural(self.since, 'trial')} ago" if self.since else ""
        note = f"The share of what lies between the best of {listed(list(self.objectives))} and the worst that still counts."
        return figure(
            head, note, data, xaxis=axis("completed trials"),
            yaxis=axis("dominated share (hypervolume)", tickformat=".0%", rangemode="tozero"),
        )  # fmt: skip
