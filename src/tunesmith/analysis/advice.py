"""`advice`: what to change about the ranges before tuning goes on, where the trials are sure enough."""

from dataclasses import dataclass
from typing import Any, Literal, final

from tunesmith.records import History

Kind = Literal["range too narrow", "no effect", "narrow it", "wrong scale"]


@final
@dataclass(frozen=True, slots=True)
class Advice:
    """What to change about one parameter's range.

    Attributes:
        parameter: Its name.
        kind: What is to be said of it.
        text: What to do, and why, in one sentence.
        low: Where the range should begin; None: as it does.
        high: Where it should end; None: as it does.
    """

    parameter: str
    kind: Kind
    text: str
    low: Any = None
    high: Any = None

    def __str__(self) -> str:
        return f"{self.parameter}: {self.text}"


def advice(history: History[Any], objective: str | None = None) -> tuple[Advice, ...]:
    """Say what to change about the ranges, the strongest advice first; empty: nothing is sure enough."""
    return ()
