"""`tunesmith sensitivity`: how much is luck, and what it costs to move a parameter of the best trial."""

import click

from tunesmith.cli.shared import json_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@storage_option
@json_option
def command(name: str | None, storage: str | None, as_json: bool) -> None:
    """Say how much is luck, and what moving a parameter costs.

    How much of the spread between configurations is luck, and what happens to the expected objective if one
    parameter of the best trial moves.

    NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    tell(study, study.sensitivity(), as_json=as_json)
