"""`tunesmith export`: all trials as CSV or JSON."""

from pathlib import Path

import click

from tunesmith.cli.shared import json_option, json_text, opened, storage_option, trial_data
from tunesmith.records.tables import to_csv


@click.command()
@click.argument("name", required=False)
@click.option(
    "--format", "form", type=click.Choice(["csv", "json"]),
    help="By default that of the file's ending, else CSV.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE",
    help="Where to; by default standard output.",
)  # fmt: skip
@storage_option
@json_option
def command(
    name: str | None, form: str | None, output: str | None, storage: str | None, as_json: bool
) -> None:
    """Write all trials as CSV or JSON.

    CSV has a row for each trial, and columns params.NAME and values.NAME. NAME may be left out if
    there is only one study.
    """
    study = opened(storage, name)
    ending = Path(output or "").suffix.lower()
    if form == "json" or (form is None and (as_json or ending == ".json")):
        text = json_text([trial_data(record) for record in study.history]) + "\n"
    else:
        text = to_csv(study.history.to_dict())
    if output is None:
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, "utf-8")
        click.echo(f"{len(study.history)} trials written to {output}", err=True)
