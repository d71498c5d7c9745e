"""`tunesmith spending`: where the time went."""

import click

from tunesmith.cli.shared import json_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@storage_option
@json_option
def command(name: str | None, storage: str | None, as_json: bool) -> None:
    """Say where the time went.

    To which trials, to lost attempts, to waiting, and to finding suggestions. NAME may be left out if there is only
    one study.
    """
    study = opened(storage, name)
    tell(study, study.spending(), as_json=as_json)
