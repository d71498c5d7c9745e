"""`tunesmith diff`: what two studies, or two trials of one, do not have in common."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from tunesmith._core.errors import StudyError
from tunesmith.analysis import Difference, compare_studies, compare_trials
from tunesmith.cli.shared import emit, json_option, opened, show_table, storage_option, study_of


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--study", "name", metavar="NAME", help="Whose trials, if there is more than one study."
)
@storage_option
@json_option
def command(a: str, b: str, name: str | None, storage: str | None, as_json: bool) -> None:
    """Say what two studies, or two trials of one, do not have in common.

    \b
    tunesmith diff first second          two studies of a storage
    tunesmith diff a.db b.tunesmith      the only studies of two files
    tunesmith diff a.db:first b.db:one
    tunesmith diff 3 17 --study first    two trials

    Shown is what differs: space, settings, counts and best, or params and values; and code, packages,
    machine and data of those that ran them.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    if a.isdecimal() and b.isdecimal():
        history = opened(storage, name).history
        for number in map(int, (a, b)):
            if number >= len(history):
                raise StudyError(f"there is no trial {number}; the study has {len(history)}")
        found = compare_trials(history[int(a)], history[int(b)])
        heads = f"trial {a}", f"trial {b}"
    else:
        one, other = study_of(a, storage), study_of(b, storage)
        found = compare_studies(one.history, other.history, (one.settings, other.settings))
        heads = a, b
    if as_json:
        emit([asdict(difference) for difference in found])
    elif found:
        show_table(_table(found, heads))
    else:
        click.echo(f"{heads[0]} and {heads[1]} differ in nothing that is kept")


def _table(found: list[Difference], heads: tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("", "", *heads):
        table.add_column(Text(head))
    before = ""
    for one in found:
        part = one.part if one.part != before else ""
        before = one.part
        table.add_row(part, Text(one.name), _cell(one.a), _cell(one.b))
    return table


def _cell(value: Any) -> Text:
    """With all digits: what differs shall be seen."""
    return Text("·" if value is None else str(value))
