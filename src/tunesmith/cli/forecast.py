"""`tunesmith forecast`: what more trials would gain, and whether what was gained holds on test samples."""

from dataclasses import replace

import click

from tunesmith.cli.shared import json_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@click.option("--trials", default=50, show_default=True, metavar="N", help="How many more.")
@click.option("--test", metavar="METRIC", help="The metric of the test samples.")
@storage_option
@json_option
def command(
    name: str | None, trials: int, test: str | None, storage: str | None, as_json: bool
) -> None:
    """Say what more trials would gain, and whether the gain holds.

    Whether it holds is told by a metric of test samples that trials return beside the objective, such as
    test_accuracy. NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    found = replace(study.overtuning(test), forecast=study.forecast(trials))
    tell(study, found, as_json=as_json)
