"""Records as tables: plain columns, and frames of optional packages."""

import csv
import io
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tunesmith._core.optional import need
from tunesmith.records.problem import Problem
from tunesmith.records.record import Record

if TYPE_CHECKING:  # types of optional packages, imported only when used
    import pandas as pd
    import polars as pl


def columns(problem: Problem[Any], records: Iterable[Record[Any]]) -> dict[str, list[Any]]:
    """Return one list per column, a row per record."""
    rows = list(records)
    metrics = list(
        dict.fromkeys(
            [*(o.name for o in problem.objectives), *(name for r in rows for name in r.values)]
        )
    )
    table: dict[str, list[Any]] = {
        "number": [r.number for r in rows],
        "state": [r.state for r in rows],
    }
    for name in problem.space.names:
        table[f"params.{name}"] = [r.logged.get(name) for r in rows]
    for name in metrics:
        table[f"values.{name}"] = [r.values.get(name, math.nan) for r in rows]
    table["started"] = [r.started for r in rows]
    table["duration_s"] = [r.duration_s for r in rows]
    table["step"] = [r.step for r in rows]
    table["attempt"] = [r.attempt for r in rows]
    table["seed"] = [r.seed for r in rows]
    if any(r.device for r in rows):
        table["device"] = [r.device for r in rows]
    for name in dict.fromkeys(name for r in rows for name in r.cost):
        table[f"cost.{name}"] = [r.cost.get(name, math.nan) for r in rows]
    if any(r.replicate for r in rows):
        numbers = {r.uid: r.number for r in rows}
        pairs = [r.replicate or (r.uid, 0) for r in rows]
        table["configuration"] = [numbers.get(group) for group, _ in pairs]
        table["replicate"] = [index for _, index in pairs]
    table["source"] = [r.source for r in rows]
    table["note"] = [r.note for r in rows]
    table["failure"] = [r.failure.kind if r.failure else None for r in rows]
    return table


def to_csv(table: dict[str, list[Any]]) -> str:
    """Return the table as CSV, its columns' names in the first line."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return file.getvalue()


def to_pandas(table: dict[str, list[Any]]) -> "pd.DataFrame":
    """Return the table as a pandas frame."""
    frame: pd.DataFrame = need("pandas", "pandas").DataFrame(table)
    return frame


def to_polars(table: dict[str, list[Any]]) -> "pl.DataFrame":
    """Return the table as a polars frame."""
    frame: pl.DataFrame = need("polars", "polars").DataFrame(table, strict=False)
    return frame
