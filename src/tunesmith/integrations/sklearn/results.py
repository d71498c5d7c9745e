"""`cv_results_` as a fold of the log: a row for each candidate, with scikit-learn's own columns."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.integrations.sklearn.folds import FAILED, SCORE, UNSCORED
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.records import Record


@final
@dataclass(frozen=True, slots=True)
class Row:
    """What one candidate had in each fold.

    Attributes:
        record: Its trial.
        settings: What the estimator was set to.
        folds: Metrics by name (n_splits,), NaN in folds that were not run.
        resource: How much of a resource it had there; 0: that is no matter.
    """

    record: Record[Any]
    settings: Mapping[str, Any]
    folds: Mapping[str, Floats]
    resource: int = 0

    @classmethod
    def of(cls, record: Record[Any], settings: Mapping[str, Any], n_splits: int) -> "Row":
        """Return the row of a trial whose steps are its folds."""
        folds = {}
        for name in () if record.curve is None else record.curve.columns:
            folds[name] = np.full(n_splits, math.nan)
            steps, values = record.reported(name)
            folds[name][steps - 1] = values
        return cls(record, settings, folds)

    @classmethod
    def at(
        cls, record: Record[Any], settings: Mapping[str, Any], step: int, n_splits: int
    ) -> "Row":
        """Return the row of a trial at one of its steps, where it has "split0_<metric>" and so on."""
        folds: dict[str, Floats] = {}
        place = record.steps.index(step)
        for column, values in () if record.curve is None else record.curve.columns.items():
            split, _, name = column.partition("_")
            if split.startswith("split") and split[5:].isdecimal():
                folds.setdefault(name, np.full(n_splits, math.nan))[int(split[5:])] = values[place]
        return cls(record, settings, folds, step)

    def fold(self, name: str, n_splits: int) -> Floats:
        """Return a metric by fold (n_splits,)."""
        return self.folds[name] if name in self.folds else np.full(n_splits, math.nan)


def cv_results(rows: Sequence[Row], n_splits: int, error_score: float) -> dict[str, Any]:
    """Return what candidates had, by column.

    A fold that was not run is NaN, so that its candidate ranks behind the whole ones.

    Args:
        rows: The candidates, in order.
        n_splits: How many folds there are.
        error_score: The score of a fold whose fit raised.
    """
    params = [dict(row.settings) for row in rows]
    results: dict[str, Any] = {}
    for name in ("fit_time", "score_time"):
        table = _folds(rows, name, n_splits)
        results |= {f"mean_{name}": table.mean(axis=1), f"std_{name}": table.std(axis=1)}
    results |= {f"param_{name}": column for name, column in _columns(params)}
    results["params"] = params
    failed = _folds(rows, FAILED, n_splits) == 1.0
    failed |= _folds(rows, UNSCORED, n_splits) == 1.0
    resources = np.array([row.resource for row in rows])
    for name in metric_names(rows):
        for kind in ("test", "train"):
            column = f"{kind}_{name}"
            if kind == "train" and not any(column in row.folds for row in rows):
                continue
            table = _folds(rows, column, n_splits)
            table[failed] = error_score
            results |= {f"split{i}_{column}": table[:, i].copy() for i in range(n_splits)}
            with np.errstate(invalid="ignore"):
                means = table.mean(axis=1)
                results |= {f"mean_{column}": means, f"std_{column}": table.std(axis=1)}
            if kind == "test":
                results[f"rank_{column}"] = _ranks(means, resources)
    return results


def metric_names(rows: Sequence[Row]) -> list[str]:
    """Return the names of the scores, in the order in which the scorer gave them.

    Raises:
        ValueError: It gave other names to one candidate than to another.
    """
    found: list[str] = []
    for row in rows:
        names = [name.removeprefix("test_") for name in row.folds if name.startswith("test_")]
        found = found or names
        if names and set(names) != set(found):
            raise ValueError(
                f"scoring returned {', '.join(found)} for one candidate and {', '.join(names)} for "
                "another; it has to return the same names each time"
            )
    return found or [SCORE]


def scored_whole(rows: Sequence[Row], n_splits: int) -> list[bool]:
    """Return whether each candidate was fitted on all folds, or tried to be."""
    run = np.isfinite(_folds(rows, "fit_time", n_splits)).sum(axis=1)
    return [int(folds) == n_splits for folds in run]


def seconds(record: Record[Any]) -> float:
    """Return how long the fits and scores of a candidate took."""
    return sum(
        float(np.nansum(record.reported(name)[1]))
        for name in (() if record.curve is None else record.curve.columns)
        if name.endswith(("fit_time", "score_time"))
    )


def failed_folds(rows: Sequence[Row], n_splits: int) -> tuple[int, int]:
    """Return of how many folds the fit raised, and how many were run."""
    failed = _folds(rows, FAILED, n_splits) == 1.0
    return int(failed.sum()), int(np.isfinite(_folds(rows, "fit_time", n_splits)).sum())


def _folds(rows: Sequence[Row], name: str, n_splits: int) -> Floats:
    """A metric by candidate and fold (n, n_splits)."""
    return np.array([row.fold(name, n_splits) for row in rows]).reshape(len(rows), n_splits)


def _ranks(means: Floats, resources: Ints) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return ranks from 1, the best first, equal ones by the smallest (n,).

    Who had more of the resource ranks before whoever had less, and NaN last of all.
    """
    if np.isnan(means).all():
        return np.ones(len(means), dtype=np.int32)
    merits = list(zip(np.isnan(means), -resources, -np.nan_to_num(means), strict=True))
    order = sorted(merits)
    return np.array([bisect_left(order, merit) + 1 for merit in merits], dtype=np.int32)


def _columns(
    params: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, np.ma.MaskedArray[Any, Any]]]:
    """Yield a column of each parameter, masked where a candidate does not have it."""
    for name in dict.fromkeys(name for one in params for name in one):
        values = {row: one[name] for row, one in enumerate(params) if name in one}
        try:
            found = np.array(list(values.values()))
        except ValueError:  # lists of different lengths
            kind = np.dtype(object)
        else:
            kind = found.dtype if found.ndim == 1 and found.dtype.kind != "U" else np.dtype(object)
        column = np.ma.MaskedArray(np.empty(len(params), dtype=kind), mask=True)
        for row, value in values.items():
            column[row] = value
        yield name, column
