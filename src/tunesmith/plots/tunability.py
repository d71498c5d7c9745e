"""What it gains over the default to tune each parameter alone, and all of them."""

from dataclasses import dataclass
from typing import Any, Self, final

from tunesmith._core.words import number
from tunesmith.analysis import Tunability, tunability
from tunesmith.analysis.recommendation import within
from tunesmith.analysis.tunability import Gain
from tunesmith.plots.bars import Bar, bars
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, GREY, RED, Spec
from tunesmith.plots.words import joined, label, short
from tunesmith.records import History

ROWS = 15
STYLES = {
    "all parameters": (RED, ""),
    "alone, for certain": (BLUE, ""),
    "alone, perhaps": (GREY, "/"),
}


@final
@dataclass(frozen=True, slots=True)
class Gains(Picture):
    """What is drawn.

    Attributes:
        told: The analysis.
    """

    told: Tunability

    @classmethod
    def of(cls, history: History[Any], objective: str | None = None) -> Self:
        return cls(tunability(history, objective))

    def draw(self) -> Spec:
        told = self.told
        rows = [Bar("everything", told.total.gain, told.total.interval, "all parameters")]
        for gain in told.single[:ROWS]:
            parts = [
                f"{short(name, 30)} = {short(label(gain.to[name]), 14)}" for name in _ordered(gain)
            ]
            group = "alone, for certain" if gain.sure else "alone, perhaps"
            rows.append(
                Bar(
                    joined(parts, 40) if parts else f"{gain.parameters[0]} as by default",
                    gain.gain,
                    gain.interval,
                    group,
                )
            )
        head = f"tuning everything gains {number(told.total.gain, 3)} over the {told.called}"
        if not told.total.sure:
            head = f"nothing that tuning gains over the {told.called} is certain"
        elif told.single and told.single[0].sure:
            first = told.single[0]
            head += f"; {short(first.parameters[0], 24)} alone {number(first.gain, 3)}"
        elif told.single:
            head += "; no parameter alone does for certain"
        total = within(told.total.gain, told.total.interval)
        note = f"The {told.called} has {told.default}; everything gains {total}, with 90 % in brackets. Others stay at their defaults."
        return bars(head, note, rows, STYLES, f"gain in {told.objective}", nticks=6)


def _ordered(gain: Gain) -> list[str]:
    """The names of what is set, the parameter itself before those that it hangs on."""
    return sorted(gain.to, key=lambda name: name not in gain.parameters)
