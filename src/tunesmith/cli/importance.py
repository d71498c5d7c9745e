"""`tunesmith importance`: which parameters matter, and which only together."""

import click

from tunesmith.analysis.importance import Method
from tunesmith.cli.shared import json_option, objective_option, opened, storage_option, tell


@click.command()
@click.argument("name", required=False)
@objective_option
@click.option(
    "--method", type=click.Choice(["anova", "density"]), default="anova", show_default=True,
    help="By the variance over the space, or by what tells the best tenth from the others.",
)  # fmt: skip
@storage_option
@json_option
def command(
    name: str | None, objective: str | None, method: Method, storage: str | None, as_json: bool
) -> None:
    """Say which parameters matter, and which only together.

    Each with its share of the variance of the objective, and where that lies with a probability of 90 %. NAME may
    be left out if there is only one study.
    """
    study = opened(storage, name)
    tell(study, study.importance(objective, method=method), as_json=as_json)
