"""Which parameters the objective depends on."""

from dataclasses import dataclass
from typing import Any, Self, final

from tunesmith._core.words import plural
from tunesmith.analysis import Importance, importance
from tunesmith.analysis.importance import LITTLE, Method
from tunesmith.plots.bars import Bar, bars
from tunesmith.plots.picture import Picture
from tunesmith.plots.theme import BLUE, GREEN, Spec
from tunesmith.plots.words import short
from tunesmith.records import History

ROWS = 20
STYLES = {"how it is trained": (BLUE, ""), "the model": (GREEN, "/")}
_ROLES = {"algorithm": "how it is trained", "model": "the model"}


@final
@dataclass(frozen=True, slots=True)
class Shares(Picture):
    """What is drawn.

    Attributes:
        told: The analysis.
    """

    told: Importance

    @classmethod
    def of(
        cls,
        history: History[Any],
        objective: str | None = None,
        method: Method = "anova",
        within: float = 1.0,
    ) -> Self:
        return cls(importance(history, objective, method=method, within=within))

    def draw(self) -> Spec:
        told = self.told
        rows = [
            Bar(one.parameter, one.share, one.interval, _ROLES[one.role])
            for one in told.effects[:ROWS]
        ]
        if not rows:
            rows = [Bar("no parameter has several values", 0.0, (0.0, 0.0), "how it is trained")]
        what = f"share of the variance of {told.objective}" if told.method == "anova" else "share of what tells the best tenth from the others"  # fmt: skip
        top = max([0.05, *(row.interval[1] for row in rows), *(row.value for row in rows)])
        return bars(self._headline(), self._note(), rows, STYLES, what, tickformat=".0%", range=[0, 1.05 * top], nticks=6)  # fmt: skip

    def _headline(self) -> str:
        told = self.told
        if not told.effects or not told.effects[0].share:
            return f"no parameter shows an effect on {told.objective}"
        first = told.effects[0]
        low, high = first.interval
        return f"{short(first.parameter, 30)} matters most for {told.objective}: {first.share:.0%} ({low:.0%} to {high:.0%})"

    def _note(self) -> str:
        told = self.told
        said = [f"By {plural(told.trials, 'configuration')}; lines are 90 % intervals."]
        if told.within < 1:
            said.append(f"Within the best {told.within:.0%}.")
        differ = any(effect.share for effect in told.effects)
        if told.method == "anova" and told.explained < LITTLE and differ:
            said.append(
                f"A model foresees {told.explained:.0%} of the differences between trials: do not rely on this."
            )
        if len(told.effects) > ROWS:
            said.append(f"{plural(len(told.effects) - ROWS, 'parameter')} with less are left out.")
        return " ".join(said)
