"""`tunesmith list`: the studies of a storage."""

import click
from rich.table import Table

from tunesmith.cli.shared import (
    emit,
    json_option,
    place_of,
    show_table,
    storage_option,
    study_data,
)
from tunesmith.study import load, studies
from tunesmith.study.progress import best_so_far
from tunesmith.study.table import cell


@click.command()
@storage_option
@json_option
def command(storage: str | None, as_json: bool) -> None:
    """List the studies of a storage."""
    found = [load(storage, name) for name in studies(storage)]
    if as_json:
        emit([study_data(study, storage) for study in found])
        return
    if not found:
        click.echo(f"no study in {place_of(storage)}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("name", "objective", "trials", "failed", "best"):
        table.add_column(head, justify="right" if head in ("trials", "failed") else "left")
    for study in found:
        history = study.history
        table.add_row(
            cell(study.name),
            cell(", ".join(f"{o.direction} {o.name}" for o in study.problem.objectives)),
            str(len(history)),
            str(history.count("failed")),
            best_so_far(history).removeprefix("best "),
        )
    show_table(table)
