"""Filters of the table of trials: the language of a space's conditions, over what trials have.

    lr > 0.01 and state == "failed"
    loss < 0.2 and duration_s > 60 or tags.odd

Names are parameters by path, metrics, `number`, `state`, `duration_s`, `step`, `attempt`, `source`, `started`,
and `tags.<tag>`, which is true where somebody gave that tag. What a trial does not have neither holds nor
fails to hold; a label that it does not have is None.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.dashboard.live import View
from tunesmith.dashboard.table import Column, Columns, ordered
from tunesmith.numerics.arrays import Bools, Floats, Ints
from tunesmith.space.compiling import truth_of
from tunesmith.space.expressions import Expression, written
from tunesmith.space.labels import hint
from tunesmith.space.terms import Label, Number

Tagged = Mapping[str, AbstractSet[int]]
"""The numbers of the trials that have a tag."""


def kept(text: str, columns: Columns, tagged: Tagged) -> Bools:
    """Return which trials a filter keeps (n,).

    Args:
        text: The filter; empty: all.
        columns: What trials have.
        tagged: Which have which tags.

    Raises:
        SpaceError: It is no filter, or names what is not there.
    """
    n = len(next(iter(columns.values())).values)
    if not text.strip():
        return np.ones(n, dtype=bool)
    used: list[Floats] = []

    @cache  # a name that stands there a hundred times is one column
    def named(path: str) -> Number | Label:
        if path.startswith("tags.") and path not in columns:
            tag = path.removeprefix("tags.")
            if tag not in tagged:
                raise SpaceError(f"no trial has the tag {tag!r}; {hint(tag, tagged)}")
            marks = np.zeros(n)
            marks[list(tagged[tag])] = 1.0
            used.append(marks)
            return Label(len(used) - 1, (False, True), ordered=False)
        column = columns.get(path) or _by_kind(path, columns)
        if column is None:
            raise SpaceError(
                f"{written(path)} is nothing that trials have; {hint(path, columns, written)}"
            )
        return _term(column, path, columns, used)

    expression = Expression(text)
    truth = truth_of(expression, named)
    numbers = np.column_stack(used) if used else np.empty((n, 0))
    with np.errstate(all="ignore"):
        held: Bools = np.broadcast_to(truth.of(numbers)[0], (n,))
    return held


def rows_of(view: View, where: str, sort: str) -> Ints:
    """Return the numbers of the trials that a filter keeps, sorted.

    Raises:
        SpaceError: It is no filter.
    """
    keep = np.flatnonzero(kept(where, view.columns, view.tagged))
    return ordered(view.columns, keep, sort)


def _by_kind(path: str, columns: Columns) -> Column | None:
    """What `values.loss`, `trial.number` or `params.lr` means, wherever names do not meet."""
    head, _, name = path.partition(".")
    kinds = {"values": "metric", "trial": "trial", "params": "parameter"}
    return next((c for c in columns.values() if c.kind == kinds.get(head) and c.name == name), None)


def _term(column: Column, path: str, columns: Columns, used: list[Floats]) -> Number | Label:
    place = len(used)
    if column.labels is None:
        used.append(column.values)
        is_length = f"{path}.0" in columns
        return Number(lambda x: x[:, place], whole=False, is_length=is_length)
    missing, labels = np.isnan(column.values), column.labels
    if missing.any() and None not in labels:
        labels = (*labels, None)
    used.append(
        np.where(missing, labels.index(None), column.values) if missing.any() else column.values
    )
    return Label(place, labels, column.ordered)
