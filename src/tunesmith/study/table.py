"""Trials as a table for a terminal."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from tunesmith._core.words import number
from tunesmith.records import Record
from tunesmith.study.progress import plain


def trials_table(records: Iterable[Record[Any]], metrics: Iterable[str], *, cut: bool) -> Table:
    """Return a table with a row per trial: number, state, seconds, metrics, params.

    Args:
        records: The trials.
        metrics: Names of the metrics to show.
        cut: Whether it is as wide as the terminal, and the params, which alone are cut, end there.
    """
    names = list(metrics)
    table = Table(box=None, padding=(0, 2, 0, 0), expand=cut)
    for head in ("trial", "state", "s", *names):
        table.add_column(Text(plain(head)), no_wrap=True)
    table.add_column("params", overflow="ellipsis", no_wrap=True, ratio=1)
    for record in records:
        params = (f"{plain(name)}={cell(value)}" for name, value in record.logged.items())
        table.add_row(
            str(record.number),
            cell(record.failure.kind if record.failure else record.state),
            number(record.duration_s) if record.finished else "",
            *(cell(latest(record, name)) for name in names),
            Text(" ".join(params)),
        )
    return table


def cell(value: Any) -> Text:
    """Return a value as people read it: numbers with four digits."""
    if value is None:
        return Text("")
    return Text(number(value) if isinstance(value, float) else plain(str(value)))


def latest(record: Record[Any], metric: str) -> float | None:
    """Return what counts for a trial, or while it runs what it reported last."""
    if record.curve is None or not record.reports or metric in record.values:
        return record.values.get(metric)
    return record.curve.values_at(record.reports - 1).get(metric)
