"""`tunesmith whatif`: a study again from its recorded curves, under other settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from tunesmith._core.errors import NotSupported
from tunesmith._core.words import number, plural
from tunesmith.cli.settings import scheduler_of
from tunesmith.cli.shared import (
    emit,
    json_option,
    opened,
    show_table,
    storage_option,
    trial_data,
)
from tunesmith.schedulers import registry
from tunesmith.simulator import Outcome, Recorded

_SHOWN = 6  # numbers of trials that a sentence names


@click.command()
@click.argument("name", required=False)
@click.option(
    "--scheduler", "schedulers", multiple=True, metavar="NAME[:KEY=VALUE,...]",
    help="Such as asha:factor=4, or none; may be given again. By default each that fits.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
    help="How many trials would have run at once.",
)  # fmt: skip
@click.option(
    "--resumable/--not-resumable", default=None,
    help="Whether trainings can go on later; by default as they could.",
)  # fmt: skip
@storage_option
@json_option
def command(
    name: str | None,
    schedulers: tuple[str, ...],
    workers: int,
    resumable: bool | None,
    storage: str | None,
    as_json: bool,
) -> None:
    """Say what a study would have spent under other schedulers and workers.

    \b
    tunesmith whatif digits --scheduler asha --workers 8

    Its trials are begun again in the order in which they were suggested, each with the curve that it
    reported, by virtual workers and in virtual time. What was stopped early is known up to there only:
    trials that would have gone on are counted. The best answers come from a study that trained all to
    the end. Suggestions stay those that were made.

    NAME, or the file that holds the study, may be left out if there is only one.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    if name is not None and storage is None and Path(name).is_file():
        name, storage = None, name
    study = opened(storage, name)
    recorded = Recorded(study.history)
    outcomes: dict[str, Outcome] = {}
    for text in schedulers or ("none", *registry):
        try:
            outcome = recorded.under(scheduler_of(text), workers, resumable=resumable)
        except NotSupported:
            if schedulers:  # who is named is wanted
                raise
            continue
        outcomes[text] = outcome
    before = recorded.outcome
    unit = recorded.problem.resource.name if recorded.problem.resource else "step"
    if as_json:
        data = {text: _data(outcome, before) for text, outcome in outcomes.items()}
        shown = {"name": study.name, "workers": workers, "unit": unit}
        emit({**shown, "recorded": _data(before, before), "whatif": data})
        return
    goal = f"{recorded.problem.objectives[0].name} {number(study.best.value)}"
    click.echo(f"{study.name}: {goal} (trial {study.best.number}) after {_after(before, unit)}")
    click.echo()
    show_table(_table({"as it was": before, **outcomes}, unit))
    click.echo()
    for text, outcome in outcomes.items():
        click.echo(_sentence(text, outcome, before, workers, unit))


def _data(outcome: Outcome, before: Outcome) -> dict[str, Any]:
    """What JSON says of an outcome; `share` is of the steps that it took as it was."""
    best = outcome.best
    return {
        "best": None if best is None else trial_data(best),
        "complete": outcome.complete,
        "spent": outcome.spent,
        "reached": outcome.reached,
        "reached_s": outcome.reached_s,
        "share": _share(outcome, before),
        "unknown": list(outcome.open),
    }


def _share(outcome: Outcome, before: Outcome) -> float | None:
    return outcome.reached / before.reached if outcome.reached and before.reached else None


def _after(outcome: Outcome, unit: str) -> str:
    return f"{plural(outcome.reached or 0, unit)} of {outcome.spent:,}"


def _table(outcomes: dict[str, Outcome], unit: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("", f"{unit}s until then", "seconds", "complete", f"{unit}s in all", "best"):
        table.add_column(Text(head), no_wrap=True, justify="right" if head else "left")
    for text, outcome in outcomes.items():
        table.add_row(
            text,
            "never" if outcome.reached is None else f"{outcome.reached:,}",
            "" if outcome.reached_s is None else number(outcome.reached_s),
            str(outcome.complete),
            f"{outcome.spent:,}",
            "" if outcome.best is None else number(outcome.best.value),
        )
    return table


def _sentence(text: str, outcome: Outcome, before: Outcome, workers: int, unit: str) -> str:
    """What an outcome means, in words."""
    with_ = f"with {plural(workers, 'worker')} and " + ("no" if text == "none" else text)
    with_ += " scheduler" if text == "none" else ""
    share = _share(outcome, before)
    if share is not None:
        said = f"{with_} it would have reached this with {share:.0%} of the {unit}s"
    elif outcome.best is None:
        said = f"{with_} no trial would have come to the end"
    else:
        spent = outcome.spent / before.spent
        said = (
            f"{with_} the best would have been {number(outcome.best.value)}, with {spent:.0%} of "
            f"the {unit}s in all"
        )
    return said + _unknown(outcome.open)


def _unknown(trials: Sequence[int]) -> str:
    if not trials:
        return ""
    numbers = ", ".join(map(str, trials[:_SHOWN])) + (", …" if len(trials) > _SHOWN else "")
    return (
        f"; {plural(len(trials), 'trial')} ({numbers}) would have gone on where "
        f"{'its' if len(trials) == 1 else 'their'} curve was cut short, so it may have been better"
    )
