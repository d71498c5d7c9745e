"""`tunesmith verify`: whether the log alone gives every suggestion."""

import sys
from dataclasses import asdict

import click

from tunesmith.cli.shared import emit, json_option, opened, storage_option


@click.command()
@click.argument("name", required=False)
@storage_option
@json_option
def command(name: str | None, storage: str | None, as_json: bool) -> None:
    """Recompute every suggestion from the log.

    The exit code is 1 if one differs. NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    found = study.verify()
    if as_json:
        emit({"name": study.name, "agrees": bool(found), **asdict(found)})
    else:
        click.echo(f"{study.name}: {found}")
    if not found:
        sys.exit(1)
