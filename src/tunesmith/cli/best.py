"""`tunesmith best`: the best params, for programs and shells."""

import shlex

import click

from tunesmith._core.errors import NoTrials
from tunesmith.cli.shared import (
    best_records,
    emit,
    json_option,
    opened,
    params_of,
    storage_option,
    trial_data,
)
from tunesmith.cli.template import flags


@click.command()
@click.argument("name", required=False)
@click.option("--args", "as_args", is_flag=True, help="Print them as flags: --lr=0.01 --units=64.")
@storage_option
@json_option
def command(name: str | None, as_args: bool, storage: str | None, as_json: bool) -> None:
    """Print the best params, as JSON or as flags.

    With several objectives there is a line of flags, or an item of a JSON list, for each trial
    that no other beats. With --json values and number are there, too. NAME may be left out if there
    is only one study.

    \b
    python train.py $(tunesmith best --args)
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    records = best_records(study)
    several = len(study.problem.objectives) > 1
    if not records:
        raise NoTrials(
            f"no trial of {study.name!r} has completed and keeps the limits; `tunesmith show` says "
            "how it stands"
        )
    if as_args and not as_json:
        for record in records:
            click.echo(shlex.join(flags(params_of(record))))
        return
    found = [trial_data(record) if as_json else params_of(record) for record in records]
    emit(found if several else found[0])
