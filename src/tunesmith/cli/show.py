"""`tunesmith show`: how a study stands."""

import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from tunesmith._core.errors import SettingError, StudyError
from tunesmith._core.words import plural
from tunesmith.cli.shared import (
    best_records,
    emit,
    json_option,
    opened,
    params_of,
    show_table,
    storage_option,
    study_data,
    trial_data,
)
from tunesmith.cli.standing import heading, running, trails, weights
from tunesmith.records import Record
from tunesmith.report.sections import last_line
from tunesmith.report.words import ran_on, ran_with
from tunesmith.storage.blobs import file_name
from tunesmith.study import Study
from tunesmith.study.progress import baseline_name, baseline_of, plain
from tunesmith.study.table import cell, trials_table

FRONT = 8  # trials of those that no other beats


@click.command()
@click.argument("name", required=False)
@click.argument("number", type=int, required=False)
@click.option("--last", default=10, show_default=True, metavar="N", help="Trials to show.")
@click.option(
    "--save", type=click.Path(file_okay=False), metavar="FOLDER",
    help="With NUMBER: copy what was attached to the trial there.",
)  # fmt: skip
@storage_option
@json_option
def command(
    name: str | None,
    number: int | None,
    last: int,
    save: str | None,
    storage: str | None,
    as_json: bool,
) -> None:
    """Show how a study stands: best, default, what runs, last trials, failures.

    Under the counts, how the best value came about; under the best, which parameters matter most.
    NAME may be left out if there is only one study. With NUMBER, that trial alone, and what it was run
    with: code, packages, machine.
    """
    study = opened(storage, name)
    if number is not None:
        _trial(study, number, save, as_json=as_json)
        return
    if save is not None:
        raise SettingError(
            f"--save copies what was attached to one trial: show {study.name} 7 --save ..."
        )
    if as_json:
        emit(
            study_data(study, storage)
            | {
                "running": [trial_data(r) for r in study.history.open if r.state == "running"],
                "last": [trial_data(r) for r in _last(study, last)],
            }
        )
        return
    _heading(study, storage)
    _best(study)
    _running(study)
    _trials(study, last)
    _failures(study)


def _trial(study: Study[Any], number: int, save: str | None, *, as_json: bool) -> None:
    history = study.history
    if not 0 <= number < len(history):
        raise StudyError(f"there is no trial {number}; the study has {len(history)}")
    record = history[number]
    if save is not None:
        _save(record, Path(save))
    if as_json:
        more = {
            "attachments": list(record.attachments),
            "provenance": msgspec.to_builtins(record.provenance),
        }
        emit(trial_data(record) | more)
        return
    failure = record.failure
    facts = {
        "seed": record.seed,
        "source": record.source,
        "step": record.step or "",
        "attempt": record.attempt if record.attempt > 1 else "",
        **ran_on(record),
        "note": record.note,
        "attached": ", ".join(record.attachments),
        "failure": "" if failure is None else f"{failure.kind}: {failure.text}",
    }
    click.echo(f"{plain(study.name)}, trial {number}: {record.state}")
    for title, rows in (
        ("values", record.values),
        ("params", params_of(record)),
        ("trial", facts),
        ("run with", ran_with(record.provenance)),
    ):
        shown = {name: value for name, value in rows.items() if value not in ("", [], None)}
        if shown:
            click.echo(f"\n{title}")
        for name, value in shown.items():
            click.echo(plain(f"  {name}: {value}"))


def _save(record: Record[Any], folder: Path) -> None:
    """Copy what was attached to a trial, each under its name, and say so."""
    n = len(record.attachments)
    what = f"{plural(n, 'attachment')} copied to {folder}" if n else "nothing was attached"
    for name, path in record.attachments.items():
        harmless = Path(name).name == name and name.isprintable() and not name.startswith(".")
        target = folder / (name if harmless else file_name(name)[:255])
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)
    click.echo(plain(f"trial {record.number}: {what}"), err=True)


def _last(study: Study[Any], n: int) -> list[Record[Any]]:
    return study.history[-n:] if n > 0 else []


def _heading(study: Study[Any], storage: str | None) -> None:
    for line in [*heading(study, storage), *trails(study.history)]:
        click.echo(line)


def _best(study: Study[Any]) -> None:
    """The best trial's params and values beside those of the default; of several objectives some of the front."""
    found = best_records(study)
    if not found:
        click.echo("no trial has completed yet")
        return
    click.echo()
    if len(study.problem.objectives) > 1:
        _front(study, found)
    else:
        _beside(study, found[0])
    for line in weights(study.history):
        click.echo(plain(line))


def _front(study: Study[Any], found: list[Record[Any]]) -> None:
    first, *_ = metrics = [objective.name for objective in study.problem.objectives]
    line = sorted(found, key=lambda record: record.values[first])
    n = min(len(line), FRONT)
    some = [line[round(i * (len(line) - 1) / max(1, n - 1))] for i in range(n)]
    of = f", {n} of them" * (n < len(line))
    click.echo(f"{plural(len(line), 'trial')} that no other beats{of}")
    show_table(trials_table(some, metrics, cut=sys.stdout.isatty()))


def _beside(study: Study[Any], best: Record[Any]) -> None:
    shown = {f"best (trial {best.number})": best}
    baseline = baseline_of(study.history)
    if baseline is not None:
        shown[f"{baseline_name(baseline)} (trial {baseline.number})"] = baseline
    table = _table("", *shown)
    for metric in dict.fromkeys(name for r in shown.values() for name in r.values):
        table.add_row(Text(plain(metric)), *(cell(r.values.get(metric)) for r in shown.values()))
    table.add_section()
    columns = [params_of(record) for record in shown.values()]
    for name in dict.fromkeys(name for params in columns for name in params):
        table.add_row(
            Text(plain(name)),
            *(cell(params[name]) if name in params else Text("·") for params in columns),
        )
    show_table(table)
    found = study.recommend()
    click.echo(f"recommended: trial {found.record.number}: {plain(str(found))}")
    confirmation = study.confirmation
    if confirmation is not None:
        head, *rest = str(confirmation).splitlines()
        click.echo("\n".join([f"confirmed: {head}", *(f"  {line}" for line in rest)]))


def _running(study: Study[Any]) -> None:
    table = running(study.history, cut=sys.stdout.isatty())
    if table is not None:
        click.echo()
        show_table(table)


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
    lines = Counter(last_line(record) for record in failed)
    if failed:
        click.echo(f"\n{len(failed)} failed:")
    for line, count in lines.most_common(5):
        example = next(r.number for r in reversed(failed) if last_line(r) == line)
        click.echo(plain(f"  {count} x {line} (trial {example})"))


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(Text(plain(head)), no_wrap=True)
    return table
