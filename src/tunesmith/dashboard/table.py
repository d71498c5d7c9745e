"""All trials of a study as columns of numbers, kept up with the log: to sort, to filter, to draw.

A row of a trial that has finished never changes, so that only new and unfinished ones are read again.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np

from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.records import History, Problem, Record
from tunesmith.space import Scalar
from tunesmith.space.choices import Labelled
from tunesmith.space.labels import key_of
from tunesmith.space.parameters import Parameter

Kind: TypeAlias = Literal["trial", "metric", "parameter"]

STATES = ("complete", "stopped", "failed", "running", "paused")
SOURCES = ("sampler", "queue", "default", "replicate", "fork")
_OWN: dict[str, tuple[Scalar, ...] | None] = {
    "number": None,
    "state": STATES,
    "duration_s": None,
    "step": None,
    "attempt": None,
    "source": SOURCES,
    "started": None,
}


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        kind: What it is of.
        name: Of the parameter or metric, or of what every trial has.
        values: The numbers (n,), or places of labels; NaN where there is none.
        labels: What the places stand for; None: these are numbers.
        ordered: Whether labels have an order.
    """

    kind: Kind
    name: str
    values: Floats
    labels: tuple[Scalar, ...] | None = None
    ordered: bool = False


Columns: TypeAlias = dict[str, Column]
"""By key: the name, or `values.<name>` of a metric and `trial.<name>` of the rest where names meet."""


def key(columns: Columns, kind: Kind, name: str) -> str:
    """Return the key of the column of a kind that has a name."""
    return next(k for k, c in columns.items() if (c.kind, c.name) == (kind, name))


def latest(record: Record[Any]) -> dict[str, float]:
    """Return the values that count for a trial; while it runs, those that it reported last."""
    if record.values or record.curve is None or not record.reports:
        return record.values
    return record.curve.values_at(record.reports - 1)


@final
class Rows:
    """Keeps the columns of one study.

    Args:
        problem: What is tuned.

    Attributes:
        children: The trials that come from a trial, by its uid.
    """

    def __init__(self, problem: Problem[Any]) -> None:
        self.children: dict[str, list[int]] = {}
        self._problem = problem
        self._n = 0
        self._open: list[int] = []
        self._arrays: dict[tuple[Kind, str], Floats] = {}
        self._labels: dict[tuple[Kind, str], tuple[Scalar, ...]] = {}
        self._reads: dict[str, Callable[[Iterable[Record[Any]]], list[float]]] = {}
        for name, labels in _OWN.items():
            self._add("trial", name, labels)
        for objective in problem.objectives:
            self._add("metric", objective.name)
        for path, parameter in problem.space.parameters.items():
            self._parameter(path, parameter)

    def _add(self, kind: Kind, name: str, labels: tuple[Scalar, ...] | None = None) -> None:
        capacity = len(next(iter(self._arrays.values()), np.empty(256)))
        self._arrays[kind, name] = np.full(capacity, np.nan)
        if labels is not None:
            self._labels[kind, name] = labels

    def _parameter(self, path: str, parameter: Parameter) -> None:
        labels = tuple(parameter.labels or ()) if isinstance(parameter, Labelled) else None
        if labels is None or all(type(label) in (int, float) for label in labels):
            self._add("parameter", path)

            def read(records: Iterable[Record[Any]]) -> list[float]:
                return [record.logged.get(path, math.nan) for record in records]  # type: ignore[misc]  # numbers

        else:
            self._add("parameter", path, labels)
            places = {key_of(label): float(place) for place, label in enumerate(labels)}

            def read(records: Iterable[Record[Any]]) -> list[float]:
                return [
                    places.get(key_of(record.logged[path]), math.nan)
                    if path in record.logged
                    else math.nan
                    for record in records
                ]

        self._reads[path] = read

    def update(self, history: History[Any]) -> Columns:
        """Take in what has happened; return the columns, a row for each trial."""
        n = len(history)
        capacity = len(self._arrays["trial", "number"])
        if n > capacity:
            for key, array in self._arrays.items():
                grown = np.full(max(n, 2 * capacity), np.nan)
                grown[:capacity] = array
                self._arrays[key] = grown
        numbers = [*self._open, *range(self._n, n)]
        records = [history[number] for number in numbers]
        for record in records[len(self._open) :]:
            if record.parent:
                self.children.setdefault(record.parent, []).append(record.number)
        self._read(np.array(numbers, dtype=np.intp), records)
        self._n = n
        self._open = [record.number for record in records if not record.finished]
        return self._columns()

    def _read(self, rows: Ints, records: list[Record[Any]]) -> None:
        states = {state: float(place) for place, state in enumerate(STATES)}
        sources = {source: float(place) for place, source in enumerate(SOURCES)}
        values = [latest(record) for record in records]
        for name in dict.fromkeys(name for row in values for name in row):
            if ("metric", name) not in self._arrays:
                self._add("metric", name)
        own: dict[str, Any] = {
            "number": rows,
            "state": [states[record.state] for record in records],
            "duration_s": [record.duration_s for record in records],
            "step": [record.step for record in records],
            "attempt": [record.attempt for record in records],
            "source": [sources[record.source] for record in records],
            "started": [record.started for record in records],
        }
        for (kind, name), array in self._arrays.items():
            if kind == "trial":
                array[rows] = own[name]
            elif kind == "metric":
                array[rows] = [row.get(name, math.nan) for row in values]
            else:
                array[rows] = self._reads[name](records)

    def _columns(self) -> Columns:
        columns: Columns = {}
        order: tuple[Kind, ...] = ("parameter", "metric", "trial")
        heads = {"parameter": "params.", "metric": "values.", "trial": "trial."}
        taken = {name for kind, name in self._arrays if kind == "parameter"}
        keyed: dict[tuple[Kind, str], str] = {}
        for kind in order:
            names = [name for k, name in self._arrays if k == kind]
            for name in names:
                keyed[kind, name] = (
                    name if kind == "parameter" or name not in taken else heads[kind] + name
                )
            taken |= set(names)
        parameters = self._problem.space.parameters
        for kind in ("trial", "metric", "parameter"):
            for (k, name), array in self._arrays.items():
                if k == kind:
                    labels = self._labels.get((k, name))
                    ordered = k == "parameter" and type(parameters[name]).__name__ == "Ordinal"
                    columns[keyed[k, name]] = Column(k, name, array[: self._n], labels, ordered)
        return columns


def ordered(columns: Columns, rows: Ints, sort: str) -> Ints:
    """Return rows sorted by a column, `-key` descending; what has no value comes last."""
    column = columns.get(sort.removeprefix("-"))
    if column is None:
        return rows
    values = column.values[rows]
    keys = -values if sort.startswith("-") else values
    sorted_: Ints = rows[np.argsort(keys, kind="stable")]  # NaN is last
    return sorted_
