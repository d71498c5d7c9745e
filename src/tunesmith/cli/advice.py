"""`tunesmith advice`: what to change about the ranges before tuning goes on."""

from dataclasses import asdict

import click

from tunesmith.cli.shared import emit, json_option, objective_option, opened, storage_option


@click.command()
@click.argument("name", required=False)
@objective_option
@storage_option
@json_option
def command(name: str | None, objective: str | None, storage: str | None, as_json: bool) -> None:
    """Say what to change about the ranges, the surest first.

    Where the best lies at the end of a range, what has no effect, and where a range could be narrower. NAME may be
    left out if there is only one study.
    """
    found = opened(storage, name).advice(objective)
    if as_json:
        emit([asdict(one) for one in found])
    else:
        click.echo(
            "\n".join(map(str, found)) or "nothing is sure enough to be changed about the ranges"
        )
