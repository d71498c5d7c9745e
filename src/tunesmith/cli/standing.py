"""How a study stands, in lines and tables that `show` and `watch` have in common."""

import time
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from tunesmith._core.errors import TunesmithError
from tunesmith._core.words import plural
from tunesmith.analysis import importance
from tunesmith.analysis.forecast import lasting
from tunesmith.cli.shared import STATES, place_of
from tunesmith.records import History, Record
from tunesmith.report import trail
from tunesmith.study import Study
from tunesmith.study.progress import plain
from tunesmith.study.table import cell, latest

MOST = 8  # rows of trials that run
NAMED = 5  # parameters in a line
SMALL, LITTLE = 0.01, 0.3  # share of a parameter that is named; that a model must explain
MANY = 2000  # trials, from which on importance is told by densities


def heading(study: Study[Any], storage: str | None) -> list[str]:
    """Return what is tuned, where it is kept, and how many trials there are."""
    history = study.history
    objectives = ", ".join(f"{o.direction} {o.name}" for o in study.problem.objectives)
    counts = ", ".join(f"{n:,} {state}" for state in STATES if (n := history.count(state)))
    paused = "; paused, `tunesmith resume` lets it go on" if study.paused else ""
    return [
        f"{plain(study.name)}: {plain(objectives)}, kept in {place_of(storage)}, seed {study.seed}",
        plural(len(history), "trial") + (f": {counts}" if counts else "") + paused,
    ]


def trails(history: History[Any]) -> Iterator[str]:
    """Yield how the best of each objective came about, in blocks."""
    several = len(history.problem.objectives) > 1
    for objective in history.problem.objectives:
        try:
            line = trail(history, objective.name)
        except TunesmithError:  # nothing is known yet
            continue
        if line:
            yield f"best {objective.name + ' ' if several else ''}so far: {line}"


def weights(history: History[Any]) -> Iterator[str]:
    """Yield what each objective depends on, as far as enough trials tell."""
    several = len(history.problem.objectives) > 1
    method = "anova" if history.count("complete") <= MANY else "density"
    for objective in history.problem.objectives:
        try:
            told = importance(history, objective.name, method=method)  # type: ignore[arg-type]  # it is one
        except TunesmithError:
            continue
        named = [effect for effect in told.effects if effect.share >= SMALL]
        if not named:
            continue
        said = ", ".join(f"{effect.parameter} {effect.share:.0%}" for effect in named[:NAMED])
        if method == "anova" and told.explained < LITTLE:
            said = f"not known, a model foresees {told.explained:.0%} of the differences"
        of = f" for {objective.name}" if several else ""
        if method == "density":  # which asks another question than `tunesmith importance`
            of = f" for being among the best tenth{f' by {objective.name}' if several else ''}"
        yield f"importance{of}: {said}" + " …" * (len(named) > NAMED)


def running(history: History[Any], *, cut: bool) -> Table | None:
    """Return the trials that run: how far, how long, what they reported last; None: none does.

    Args:
        history: Of a study.
        cut: Whether it is as wide as the terminal, and the params end there.
    """
    records = [record for record in history.open if record.state == "running"]
    if not records:
        return None
    metrics = [objective.name for objective in history.problem.objectives]
    resource = history.problem.resource
    table = Table(box=None, padding=(0, 2, 0, 0), expand=cut)
    on = ["on"] * any(record.device for record in records)
    for head in ("running", "step" if resource is None else resource.name, "for", *on, *metrics):
        table.add_column(Text(plain(head)), no_wrap=True)
    table.add_column("params", overflow="ellipsis", no_wrap=True, ratio=1)
    now = time.time()
    for record in records[:MOST]:
        params = " ".join(f"{plain(name)}={cell(value)}" for name, value in record.logged.items())
        table.add_row(
            str(record.number),
            _far(record),
            lasting(max(0.0, now - record.begun_at)),
            *(Text(plain(record.device)) for _ in on),
            *(cell(latest(record, name)) for name in metrics),
            Text(params),
        )
    if len(records) > MOST:
        table.add_row(f"and {len(records) - MOST} more")
    return table


def _far(record: Record[Any]) -> str:
    resource = record.problem.resource
    if not record.step:
        return ""
    return str(record.step) if resource is None else f"{record.step} of {resource.max}"
