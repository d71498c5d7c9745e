"""The reports of one attempt of a trial, as columns that grow and are never copied per report."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, final

import numpy as np


@final
class Curve:
    """Steps, times and values of reports, in order of strictly increasing steps.

    Records share it and remember how many reports they saw: it only ever grows.

    Attributes:
        steps: Of the reports.
        times: Likewise, in seconds since 1970.
        columns: Values by metric, NaN where it was left out.
        resumable: Whether the trial could save itself at the last of them.
    """

    __slots__ = ("columns", "resumable", "steps", "times")

    def __init__(self) -> None:
        self.steps = array("q")
        self.times = array("d")
        self.columns: dict[str, array[float]] = {}
        self.resumable = False

    def __len__(self) -> int:
        return len(self.steps)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Curve):
            return NotImplemented
        return (
            self.steps == other.steps
            and self.resumable == other.resumable
            and self.times == other.times
            and self.columns.keys() == other.columns.keys()
            and all(
                np.array_equal(column, other.columns[name], equal_nan=True)
                for name, column in self.columns.items()
            )
        )

    __hash__ = None  # type: ignore[assignment]  # it grows

    def append(
        self, step: int, time: float, values: Mapping[str, float], *, resumable: bool = False
    ) -> None:
        """Add one report; a metric that is missing in it, or was in earlier ones, is NaN there."""
        columns = self.columns
        for name, value in values.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = array("d", [math.nan]) * len(self.steps)
            column.append(value)
        self.resumable = resumable
        self.steps.append(step)
        self.times.append(time)
        if len(values) < len(columns):
            for column in columns.values():
                if len(column) < len(self.steps):
                    column.append(math.nan)

    def until(self, step: int) -> "Curve":
        """Return a new curve of the reports up to `step`."""
        n = sum(1 for s in self.steps if s <= step)
        cut = Curve()
        cut.steps, cut.times = self.steps[:n], self.times[:n]
        cut.columns = {name: column[:n] for name, column in self.columns.items()}
        cut.resumable = self.resumable
        return cut

    def timeless(self) -> "Curve":
        """Return a new curve of the same reports, all at time 0."""
        same = Curve()
        same.steps, same.columns = self.steps[:], {n: c[:] for n, c in self.columns.items()}
        same.times = array("d", bytes(8 * len(self.times)))
        same.resumable = self.resumable
        return same

    def values_at(self, index: int) -> dict[str, float]:
        """Return the metrics of report `index` that were reported in it."""
        row = {name: column[index] for name, column in self.columns.items()}
        return {name: value for name, value in row.items() if not math.isnan(value)}

    def counted(self, name: str, step: int, rule: str, sign: float) -> float:
        """Return what counts of a metric up to a step: its last value, its best, or the mean of all.

        Args:
            name: The metric.
            step: The step.
            rule: "last", "best" or "mean".
            sign: 1 if smaller is better, else -1.
        """
        n = bisect_right(self.steps, step)
        column = self.columns.get(name)
        if column is None or not n:
            return math.nan
        if rule == "last":
            return next(
                (value for value in reversed(column[:n]) if not math.isnan(value)), math.nan
            )
        values = [value for value in column[:n] if math.isfinite(value)]
        if not values:
            return math.nan
        return sign * min(sign * v for v in values) if rule == "best" else sum(values) / len(values)

    def arrays(self, name: str, n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return steps (n,) and values (n,) of the metric `name` in the first `n` reports."""
        column = self.columns.get(name)
        values = np.full(n, math.nan) if column is None else np.array(column[:n])
        return np.array(self.steps[:n]), values
