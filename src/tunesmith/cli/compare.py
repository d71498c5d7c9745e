"""`tunesmith compare`: which of several methods is better, and how surely."""

from collections.abc import Mapping
from dataclasses import asdict

import click

from tunesmith._core.errors import SettingError
from tunesmith.analysis import compare
from tunesmith.analysis.comparison import Budget
from tunesmith.cli.shared import emit, json_option, objective_option, storage_option, study_of


@click.command()
@click.argument("studies", nargs=-1, required=True)
@click.option(
    "--budget", type=click.Choice(["trials", "steps", "seconds"]),
    help="What is the same for all; by default steps, where all report some of a resource, else trials.",
)  # fmt: skip
@objective_option
@storage_option
@json_option
def command(
    studies: tuple[str, ...],
    budget: Budget | None,
    objective: str | None,
    storage: str | None,
    as_json: bool,
) -> None:
    """Say which of several methods is better, from studies of each, by a paired test.

    \b
    tunesmith compare first second                      two studies of a storage
    tunesmith compare a.db b.db:one
    tunesmith compare asha=a1,a2,a3 median=b1,b2,b3     several studies of each method

    Studies of the same seed are a pair; where seeds differ, those that stand at the same place.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    groups = _groups(studies)
    found = compare(
        {name: [study_of(word, storage) for word in words] for name, words in groups.items()},
        objective=objective,
        budget=budget,
    )
    if as_json:
        emit(asdict(found))
    else:
        click.echo(found)


def _groups(studies: tuple[str, ...]) -> Mapping[str, list[str]]:
    """The words for the studies of each method, by its name; a study alone is a method of its name."""
    if not all("=" in word for word in studies):
        found = {word: [word] for word in studies}
    else:
        found = {
            name: several.split(",") for name, _, several in (w.partition("=") for w in studies)
        }
    if len(found) < len(studies):
        raise SettingError(f"each method is named once, got {', '.join(studies)}")
    return found
