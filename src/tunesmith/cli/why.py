"""`tunesmith why`: why a configuration is what it is."""

import click

from tunesmith.cli.shared import json_option, objective_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@click.argument("number", type=int, required=False)
@objective_option
@storage_option
@json_option
def command(
    name: str | None,
    number: int | None,
    objective: str | None,
    storage: str | None,
    as_json: bool,
) -> None:
    """Say why the recommended configuration is what it is, or that of trial NUMBER.

    What it gains over the default, which few changes make that gain, and what moving each parameter would cost.
    NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    tell(study, study.why(number, objective), as_json=as_json)
