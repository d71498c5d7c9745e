"""`tunesmith tunability`: what tuning gains over the default, parameter by parameter."""

import click

from tunesmith.cli.shared import json_option, objective_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@objective_option
@storage_option
@json_option
def command(name: str | None, objective: str | None, storage: str | None, as_json: bool) -> None:
    """Say what tuning gains over the default.

    Of each parameter alone, of two together, and of all. NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    tell(study, study.tunability(objective), as_json=as_json)
