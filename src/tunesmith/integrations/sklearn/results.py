"""`cv_results_` as a fold of the log: a row for each candidate, with scikit-learn's own columns."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.integrations.sklearn.folds import FAILED, SCORE, UNSCORED
from tunesmith.integrations.sklearn.spaces import Searched
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Record


def cv_results(
    records: Sequence[Record[Any]], searched: Searched, n_splits: int, error_score: float
) -> dict[str, Any]:
    """Return what the reports of some trials say, by column.

    A fold that was not run is NaN, so that its candidate ranks behind the whole ones.

    Args:
        records: The candidates, finished, in order.
        searched: How params become settings.
        n_splits: How many folds there are.
        error_score: The score of a fold whose fit raised.
    """
    params = [searched.settings(record.params) for record in records]
    results: dict[str, Any] = {}
    for name in ("fit_time", "score_time"):
        table = _folds(records, name, n_splits)
        results |= {f"mean_{name}": table.mean(axis=1), f"std_{name}": table.std(axis=1)}
    results |= {f"param_{name}": column for name, column in _columns(params)}
    results["params"] = params
    failed = _folds(records, FAILED, n_splits) == 1.0
    failed |= _folds(records, UNSCORED, n_splits) == 1.0
    for name in metric_names(records):
        for kind in ("test", "train"):
            column = f"{kind}_{name}"
            if kind == "train" and not any(_has(record, column) for record in records):
                continue
            table = _folds(records, column, n_splits)
            table[failed] = error_score
            results |= {f"split{i}_{column}": table[:, i].copy() for i in range(n_splits)}
            with np.errstate(invalid="ignore"):
                means = table.mean(axis=1)
                results |= {f"mean_{column}": means, f"std_{column}": table.std(axis=1)}
            if kind == "test":
                results[f"rank_{column}"] = _ranks(means)
    return results


def metric_names(records: Sequence[Record[Any]]) -> list[str]:
    """Return the names of the scores, in the order in which the scorer gave them.

    Raises:
        ValueError: It gave other names to one candidate than to another.
    """
    found: list[str] = []
    for record in records:
        columns = () if record.curve is None else record.curve.columns
        names = [name.removeprefix("test_") for name in columns if name.startswith("test_")]
        found = found or names
        if names and set(names) != set(found):
            raise ValueError(
                f"scoring returned {', '.join(found)} for one candidate and {', '.join(names)} for "
                "another; it has to return the same names each time"
            )
    return found or [SCORE]


def scored_whole(records: Sequence[Record[Any]], n_splits: int) -> list[bool]:
    """Return whether each candidate was fitted on all folds, or tried to be."""
    run = np.isfinite(_folds(records, "fit_time", n_splits)).sum(axis=1)
    return [int(folds) == n_splits for folds in run]


def seconds(record: Record[Any]) -> float:
    """Return how long the fits and scores of a candidate took."""
    return sum(float(record.reported(name)[1].sum()) for name in ("fit_time", "score_time"))


def failed_folds(records: Sequence[Record[Any]], n_splits: int) -> tuple[int, int]:
    """Return of how many folds the fit raised, and how many were run."""
    failed = _folds(records, FAILED, n_splits) == 1.0
    return int(failed.sum()), int(np.isfinite(_folds(records, "fit_time", n_splits)).sum())


def _has(record: Record[Any], column: str) -> bool:
    return record.curve is not None and column in record.curve.columns


def _folds(records: Sequence[Record[Any]], name: str, n_splits: int) -> Floats:
    """A metric by candidate and fold (n, n_splits); NaN where it was not reported."""
    table = np.full((len(records), n_splits), math.nan)
    for row, record in zip(table, records, strict=True):
        steps, values = record.reported(name)
        row[steps - 1] = values
    return table


def _ranks(means: Floats) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return ranks from 1, the best first, equal ones by the smallest (n,); NaN ranks last."""
    if np.isnan(means).all():
        return np.ones(len(means), dtype=np.int32)
    losses = -np.where(np.isnan(means), np.nanmin(means) - 1, means)
    return (np.searchsorted(np.sort(losses), losses) + 1).astype(np.int32)


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
