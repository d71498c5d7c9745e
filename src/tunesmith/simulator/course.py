"""A course: all that a training would report if nobody stopped it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Course:
    """What a training reports, and when.

    Attributes:
        values: By metric, one for each report (n,); NaN in an objective: the training has diverged,
            in another metric: that report does not have it.
        steps: Of the reports (n,), rising; by default 1, 2, ….
        seconds: What each step takes, or how long after the one before each report comes (n,).
        result: What it returns at its end; None: its reports are the result.
        failure: How it ends, in words, if it fails.
        cut: Whether it went on, and it is not known how.
    """

    values: Mapping[str, Sequence[float]]
    steps: Sequence[int] | None = None
    seconds: float | Sequence[float] = 1.0
    result: Mapping[str, float] | None = None
    failure: str | None = None
    cut: bool = False
