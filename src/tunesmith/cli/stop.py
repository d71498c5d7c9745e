"""`tunesmith stop`: the runs of a study, or one of its trials, told to end."""

import click

from tunesmith.cli.shared import emit, json_option, opened, storage_option


@click.command()
@click.argument("name", required=False)
@click.option("--trial", type=int, metavar="N", help="End this trial only, at its next report.")
@storage_option
@json_option
def command(name: str | None, trial: int | None, storage: str | None, as_json: bool) -> None:
    """End the runs of a study, or one of its trials.

    What runs is handed back, in whatever process: a later run goes on with it. NAME may be left out if there is only one
    study.
    """
    study = opened(storage, name)
    running = study.history.count("running")
    study.stop(trial)
    if as_json:
        emit({"name": study.name, "trial": trial, "running": running})
    elif trial is not None:
        click.echo(f"{study.name}: trial {trial} ends at its next report")
    elif not running:
        click.echo(f"{study.name}: nothing is running")
    else:
        ones = "trial is" if running == 1 else "trials are"
        click.echo(f"{study.name}: {running} running {ones} handed back")
