"""Which parameters matter only together."""

from dataclasses import dataclass
from typing import Any, Self, final

from tunesmith._core.errors import NotSupported
from tunesmith._core.words import plural
from tunesmith.analysis import Importance, importance
from tunesmith.plots.bars import Bar, bars
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, Spec
from tunesmith.plots.words import short
from tunesmith.records import History

ROWS = 12


@final
@dataclass(frozen=True, slots=True)
class Pairs(Picture):
    """What is drawn.

    Attributes:
        told: The analysis.
    """

    told: Importance

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        told = importance(history, objective)
        if not told.interactions:
            raise NotSupported(
                "interactions need two parameters that vary together; see plots.importance()"
            )
        return cls(told)

    def draw(self) -> Spec:
        told, first = self.told, self.told.interactions[0]
        low, high = first.interval
        one, other = (short(name, 26) for name in first.parameters)
        head = f"{one} and {other} work together most: {first.share:.0%} ({low:.0%} to {high:.0%})"
        if first.share < 0.01:
            head = f"each parameter works by itself: no pair has 1 % of the variance of {told.objective}"
        rows = [
            Bar(
                " × ".join(short(name, 21) for name in pair.parameters),
                pair.share,
                pair.interval,
                "pair",
            )
            for pair in told.interactions[:ROWS]
        ]
        top = (
            max(0.02, *(row.interval[1] for row in rows), *(row.value for row in rows))
            if rows
            else 0.02
        )
        note = f"What two do beyond what each does, by {plural(told.trials, 'configuration')}; lines are 90 % intervals."
        title = f"share of the variance of {told.objective}"
        return bars(
            head,
            note,
            rows,
            {"pair": (BLUE, "")},
            title,
            tickformat=".0%",
            range=[0, 1.05 * top],
            nticks=6,
        )
