"""`tunesmith sensitivity`: how much is luck, and what it costs to move a parameter of the best trial."""

import click

from tunesmith.cli.shared import emit, json_option, opened, plain, storage_option


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
    found = study.sensitivity()
    if as_json:
        emit({"name": study.name, **plain(found)})
    else:
        click.echo(found)
