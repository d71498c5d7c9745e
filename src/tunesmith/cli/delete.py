"""`tunesmith delete`: a study removed, with everything kept of it."""

import sys

import click

from tunesmith._core.errors import SettingError
from tunesmith.cli.shared import emit, json_option, place_of, storage_option
from tunesmith.study import delete, load


@click.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@storage_option
@json_option
def command(name: str, yes: bool, storage: str | None, as_json: bool) -> None:
    """Remove a study and everything kept of it."""
    n_trials = len(load(storage, name).history)
    if not yes:
        if not sys.stdin.isatty():
            raise SettingError(f"nobody is there to be asked; delete {name} --yes does not ask")
        question = f"Remove {name!r} with {n_trials} trials from {place_of(storage)}?"
        if not click.confirm(question, err=True):
            click.echo("nothing was removed", err=True)
            sys.exit(1)
    delete(storage, name)
    if as_json:
        emit({"name": name, "deleted": True, "trials": n_trials})
    else:
        click.echo(f"removed {name!r} with {n_trials} trials")
