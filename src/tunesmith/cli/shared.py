"""What the commands share: which study is meant, JSON on standard output, tables for people."""

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from tunesmith._core.errors import NoTrials, StudyNotFound
from tunesmith.records import Record, State
from tunesmith.space import Space
from tunesmith.study import Study, load
from tunesmith.study.beside import searches
from tunesmith.study.opening import kept_at
from tunesmith.study.progress import plain, shown_place

F = TypeVar("F", bound=Callable[..., Any])

STATES: tuple[State, ...] = ("complete", "stopped", "failed", "running", "paused")
WIDE = 10_000  # columns for tables that no terminal shows: nothing is cut


def storage_option(function: F) -> F:
    """Add `--storage`."""
    return click.option(
        "--storage",
        metavar="PATH|URL",
        help="Where studies are kept; by default $TUNESMITH_STORAGE, or ./tunesmith.db.",
    )(function)


def json_option(function: F) -> F:
    """Add `--json`, called `as_json` in Python."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output."
    )(function)


def objective_option(function: F) -> F:
    """Add `--objective`."""
    return click.option(
        "--objective", metavar="METRIC", help="Which, if the study has several objectives."
    )(function)


def place_of(storage: str | None) -> str:
    """Return where studies are kept, as people would type it."""
    return shown_place(kept_at(storage).url)


def meant(storage: str | None, name: str | None) -> str:
    """Return the name of the study that is meant: without a name, the only one there is.

    Raises:
        StudyNotFound: There is none, or more than one.
    """
    if name is not None:
        return name
    names = searches(kept_at(storage))
    if len(names) == 1:
        return names[0]
    if not names:
        raise StudyNotFound(
            f"there is no study in {place_of(storage)}; --storage or $TUNESMITH_STORAGE names "
            "another place, `tunesmith run` makes one"
        )
    raise StudyNotFound(
        f"{place_of(storage)} holds {len(names)} studies; name one of {', '.join(names)}"
    )


def opened(storage: str | None, name: str | None) -> Study[Any]:
    """Return the study that is meant.

    Raises:
        StudyNotFound: There is none of this name; or without a name none, or more than one.
    """
    return load(storage, meant(storage, name))


def json_text(data: Any) -> str:
    """Return JSON for programs and people; numbers that are not finite are null."""
    return json.dumps(finite(data), allow_nan=False, indent=2, default=str)


def emit(data: Any) -> None:
    """Print JSON on standard output."""
    click.echo(json_text(data))


def tell(study: Study[Any], found: Any, *, as_json: bool) -> None:
    """Print what an analysis says of a study: its words, or its data beside the study's name."""
    if as_json:
        emit({"name": study.name, **dataclasses.asdict(found)})
    else:
        click.echo(plain(str(found)))


def study_of(word: str, storage: str | None) -> Study[Any]:
    """Return the study that a word means: PATH, PATH:NAME, or NAME.

    Raises:
        StudyNotFound: There is none, or PATH holds more than one.
    """
    path, _, name = word.rpartition(":")
    if path and Path(path).is_file():
        return opened(path, name)
    return opened(word, None) if Path(word).is_file() else opened(storage, word)


def finite(data: Any) -> Any:
    """Return data as JSON can have it: lists for arrays, null for numbers that are not finite."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, np.ndarray | np.generic):
        return finite(data.tolist())
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return data


def show_table(table: Table) -> None:
    """Print a table on standard output, uncut if that is no terminal."""
    width = None if sys.stdout.isatty() else WIDE
    Console(width=width, highlight=False).print(table)


def best_records(study: Study[Any]) -> list[Record[Any]]:
    """Return the best trial; with several objectives those that no other beats; none yet: []."""
    try:
        return study.front if len(study.problem.objectives) > 1 else [study.best]
    except NoTrials:
        return []


def flat(space: Space[Any], params: Any) -> dict[str, Any]:
    """Return a configuration by path, as command lines have it: lists whole, options by name."""
    by_path = isinstance(params, Mapping) and not space.called
    return dict(params) if by_path else dict(space.store(params))


def params_of(record: Record[Any]) -> dict[str, Any]:
    """Return the params of a record by path; see `flat`."""
    return flat(record.problem.space, record.params)


def trial_data(record: Record[Any]) -> dict[str, Any]:
    """Return what JSON says of a trial."""
    failure = record.failure
    return {
        "number": record.number,
        "state": record.state,
        "params": params_of(record),
        "values": record.values,
        "why": record.why,
        "failure": None if failure is None else {"kind": failure.kind, "text": failure.text},
        "started": record.started,
        "duration_s": record.duration_s,
        "step": record.step,
        "attempt": record.attempt,
        "seed": record.seed,
        "source": record.source,
        "worker": record.worker,
        "device": record.device,
        "cost": record.cost,
        "replicate": None if record.replicate is None else record.replicate[1],
    }


def study_data(study: Study[Any], storage: str | None) -> dict[str, Any]:
    """Return what JSON says of a study; `best` has one trial, or with several objectives more."""
    history = study.history
    return {
        "name": study.name,
        "storage": kept_at(storage).url,
        "objectives": {o.name: o.direction for o in study.problem.objectives},
        "seed": study.seed,
        "trials": len(history),
        **{state: history.count(state) for state in STATES},
        "best": [trial_data(record) for record in best_records(study)],
        "confirmation": _confirmation(study),
    }


def _confirmation(study: Study[Any]) -> dict[str, Any] | None:
    """What JSON says of a confirmation, if there was one."""
    found = study.confirmation
    if found is None:
        return None
    return {
        "number": found.choice.number,
        "params": params_of(found.choice.record),
        "estimate": found.estimate,
        "interval": found.interval,
        "default": None if found.default is None else found.default.mean,
        "chance": found.chance,
        "level": [one.number for one in found.finalists if one.level],
        "evaluations": found.evaluations,
    }
