"""`tunesmith resume`: a study that was paused goes on."""

import click

from tunesmith.cli.shared import emit, json_option, opened, storage_option


@click.command()
@click.argument("name", required=False)
@storage_option
@json_option
def command(name: str | None, storage: str | None, as_json: bool) -> None:
    """Let a paused study go on.

    NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    study.resume()
    if as_json:
        emit({"name": study.name, "paused": False})
    else:
        click.echo(f"{study.name}: trials may begin again; runs that wait go on by themselves")
