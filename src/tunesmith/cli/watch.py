"""`tunesmith watch`: follow a study while it runs, in whatever process."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tunesmith._core.words import plural
from tunesmith.cli.shared import finite, json_option, opened, storage_option, trial_data
from tunesmith.cli.standing import heading, running, trails
from tunesmith.records import History, Record
from tunesmith.study import Study
from tunesmith.study.opening import kept_at
from tunesmith.study.progress import best_so_far, ending_of, plain
from tunesmith.study.table import trials_table

ROWS = 8
PERIOD_S = 1.0  # between two looks, if nothing happens: times go on
REST_S = 0.1  # between two looks, whatever happens


@click.command()
@click.argument("name", required=False)
@click.option("--until-done", is_flag=True, help="End when no process runs the study any more.")
@storage_option
@json_option
def command(name: str | None, until_done: bool, storage: str | None, as_json: bool) -> None:
    """Follow a study while it runs, in whatever process.

    In a terminal: how it stands, what runs and the last trials, live; elsewhere, and with --json, a line for each
    trial that ends. Ctrl-C ends it, and leaves the study alone. NAME may be left out if there is only one study.
    """
    study = opened(storage, name)
    looks = _looks(study, storage, until_done=until_done)
    try:
        if sys.stdout.isatty() and not as_json:
            _live(study, storage, looks)
        else:
            _lines(study, looks, as_json=as_json)
    except KeyboardInterrupt:
        return


def _looks(study: Study[Any], storage: str | None, *, until_done: bool) -> Iterator[History[Any]]:
    """Yield the history whenever something has happened, and now and then."""
    place, length = kept_at(storage), 0
    while True:
        length = place.wait(study.name, length, PERIOD_S)
        done = until_done and not place.alive(
            study.name
        )  # asked before it is read for the last time
        yield study.history
        if done:
            return
        time.sleep(REST_S)


def _live(study: Study[Any], storage: str | None, looks: Iterator[History[Any]]) -> None:
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        for history in looks:
            live.update(_view(study, storage, history), refresh=True)


def _view(study: Study[Any], storage: str | None, history: History[Any]) -> Group:
    said = [*heading(study, storage), *trails(history), best_so_far(history)]
    parts: list[Any] = [
        Text(plain(line), no_wrap=True, overflow="ellipsis") for line in said if line
    ]
    table = running(history, cut=True)
    if table is not None:
        parts += [Text(), table]
    ended = _latest(history)
    if ended:
        metrics = [objective.name for objective in history.problem.objectives]
        parts += [Text(), trials_table(ended, metrics, cut=True)]
    return Group(*parts)


def _latest(history: History[Any]) -> list[Record[Any]]:
    """The last trials that do not run."""
    found: list[Record[Any]] = []
    for number in range(len(history) - 1, -1, -1):
        if len(found) == ROWS:
            break
        if history[number].state != "running":
            found.insert(0, history[number])
    return found


def _lines(study: Study[Any], looks: Iterator[History[Any]], *, as_json: bool) -> None:
    known, seen = set[int](), 0
    first = True
    for history in looks:
        open_ = known | set(range(seen, len(history)))
        ended = sorted(number for number in open_ if history[number].finished)
        known, seen = open_ - set(ended), len(history)
        if first:  # what was there before is told in one line
            first = False
            if not as_json:
                _line(
                    f"{study.name}: {plural(len(ended), 'trial')} ended before",
                    best_so_far(history),
                )
            continue
        for number in ended:
            if as_json:
                click.echo(json.dumps(finite(trial_data(history[number]))))
            else:
                _line(ending_of(history[number], history), best_so_far(history))


def _line(*words: str) -> None:
    click.echo(plain(" · ".join(word for word in words if word)))
    sys.stdout.flush()
