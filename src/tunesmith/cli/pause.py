"""`tunesmith pause`: no trial of a study begins, in whatever process."""

import click

from tunesmith.cli.shared import emit, json_option, opened, storage_option


@click.command()
@click.argument("name", required=False)
@storage_option
@json_option
def command(name: str | None, storage: str | None, as_json: bool) -> None:
    """Let no trial of a study begin, until it is resumed.

    Runs wait; what reports is handed back at its next report. NAME may be left out if there is only
    one study.
    """
    study = opened(storage, name)
    study.pause()
    if as_json:
        emit({"name": study.name, "paused": True})
    else:
        click.echo(f"{study.name}: no trial begins until `tunesmith resume {study.name}`")
