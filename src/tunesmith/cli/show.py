"""`tunesmith show`: how a study stands."""

import shlex
import sys
from collections import Counter
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from tunesmith._core.errors import StudyError
from tunesmith.cli.shared import (
    STATES,
    best_records,
    emit,
    json_option,
    opened,
    params_of,
    place_of,
    show_table,
    storage_option,
    study_data,
    trial_data,
)
from tunesmith.records import Provenance, Record
from tunesmith.study import Study
from tunesmith.study.progress import baseline_name, baseline_of
from tunesmith.study.table import cell, trials_table


@click.command()
@click.argument("name", required=False)
@click.argument("number", type=int, required=False)
@click.option("--last", default=10, show_default=True, metavar="N", help="Trials to show.")
@storage_option
@json_option
def command(
    name: str | None, number: int | None, last: int, storage: str | None, as_json: bool
) -> None:
    """Show how a study stands: best, default, last trials, failures.

    NAME may be left out if there is only one study. With NUMBER, that trial alone, and what it was run
    with: code, packages, machine.
    """
    study = opened(storage, name)
    if number is not None:
        _trial(study, number, as_json=as_json)
        return
    if as_json:
        emit(study_data(study, storage) | {"last": [trial_data(r) for r in _last(study, last)]})
        return
    _heading(study, storage)
    _best(study)
    _trials(study, last)
    _failures(study)


def _trial(study: Study[Any], number: int, *, as_json: bool) -> None:
    history = study.history
    if not 0 <= number < len(history):
        raise StudyError(f"there is no trial {number}; the study has {len(history)}")
    record = history[number]
    if as_json:
        emit(trial_data(record) | {"provenance": msgspec.to_builtins(record.provenance)})
        return
    failure = record.failure
    facts = {
        "seed": record.seed,
        "source": record.source,
        "step": record.step or "",
        "attempt": record.attempt if record.attempt > 1 else "",
        "note": record.note,
        "failure": "" if failure is None else f"{failure.kind}: {failure.text}",
    }
    click.echo(f"{study.name}, trial {number}: {record.state}")
    for title, rows in (
        ("values", record.values),
        ("params", params_of(record)),
        ("trial", facts),
        ("run with", _lines(record.provenance)),
    ):
        shown = {name: value for name, value in rows.items() if value not in ("", [], None)}
        if shown:
            click.echo(f"\n{title}")
        for name, value in shown.items():
            click.echo(f"  {name}: {value}")


def _lines(said: Provenance) -> dict[str, Any]:
    """What is known of a process, for people."""
    return {
        "objective": said.objective,
        "code": said.revision and f"git {said.revision}",
        "files": ", ".join(f"{name} {version}" for name, version in said.files.items()),
        "packages": ", ".join(f"{name} {version}" for name, version in said.packages.items()),
        "python": said.python,
        "platform": said.platform,
        "cpu": said.cpu and f"{said.cpu}, {said.cores} cores, {said.memory_bytes / 1e9:.0f} GB",
        "gpus": ", ".join(said.gpus),
        "command": shlex.join(said.command),
        "data": said.data,
    }


def _last(study: Study[Any], n: int) -> list[Record[Any]]:
    return study.history[-n:] if n > 0 else []


def _heading(study: Study[Any], storage: str | None) -> None:
    history = study.history
    objectives = ", ".join(f"{o.direction} {o.name}" for o in study.problem.objectives)
    counts = ", ".join(f"{n} {state}" for state in STATES if (n := history.count(state)))
    click.echo(f"{study.name}: {objectives}, kept in {place_of(storage)}, seed {study.seed}")
    paused = "; paused, `tunesmith resume` lets it go on" if study.paused else ""
    click.echo(f"{len(history)} trials" + (f": {counts}" if counts else "") + paused)


def _best(study: Study[Any]) -> None:
    """The best trial's params and values beside those of the default."""
    shown = {
        f"trial {r.number}" if len(study.problem.objectives) > 1 else f"best (trial {r.number})": r
        for r in best_records(study)
    }
    baseline = baseline_of(study.history)
    if baseline is not None:
        shown[f"{baseline_name(baseline)} (trial {baseline.number})"] = baseline
    if not best_records(study):
        click.echo("no trial has completed yet")
        return
    table = _table("", *shown)
    for metric in dict.fromkeys(name for r in shown.values() for name in r.values):
        table.add_row(metric, *(cell(r.values.get(metric)) for r in shown.values()))
    table.add_section()
    columns = [params_of(record) for record in shown.values()]
    for name in dict.fromkeys(name for params in columns for name in params):
        table.add_row(
            Text(name),
            *(cell(params[name]) if name in params else Text("·") for params in columns),
        )
    click.echo()
    show_table(table)
    if len(study.problem.objectives) == 1:
        found = study.recommend()
        click.echo(f"recommended: trial {found.record.number}: {found}")
    confirmation = study.confirmation
    if confirmation is not None:
        head, *rest = str(confirmation).splitlines()
        click.echo("\n".join([f"confirmed: {head}", *(f"  {line}" for line in rest)]))


def _trials(study: Study[Any], last: int) -> None:
    records = _last(study, last)
    if not records:
        return
    metrics = [objective.name for objective in study.problem.objectives]
    click.echo()
    show_table(trials_table(records, metrics, cut=sys.stdout.isatty()))


def _failures(study: Study[Any]) -> None:
    """How often each last line of a failure came."""
    failed = [r for r in study.history if r.failure is not None]
    lines = Counter(_last_line(record) for record in failed)
    if failed:
        click.echo(f"\n{len(failed)} failed:")
    for line, count in lines.most_common(5):
        example = next(r.number for r in reversed(failed) if _last_line(r) == line)
        click.echo(f"  {count} x {line} (trial {example})")


def _last_line(record: Record[Any]) -> str:
    failure = record.failure
    lines = failure.text.strip().splitlines() if failure else []
    kind = failure.kind if failure else ""
    return f"{kind}: {lines[-1]}" if lines else kind


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(Text(head), no_wrap=True)
    return table
