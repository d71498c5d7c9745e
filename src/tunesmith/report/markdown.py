"""A report as Markdown, short enough for the description of a pull request."""

import re
from collections.abc import Iterator
from functools import partial

from tunesmith.plots.words import short
from tunesmith.report.answers import Answers, asked
from tunesmith.report.sections import Section, Table, heading, sections
from tunesmith.report.sparkline import trail

MOST = 60_000  # characters; GitHub takes 65,536
ROWS = 40  # of a table
CELL = 60  # characters of a cell

_SPACE = re.compile(r"\s+")
_MEANT = re.compile(r"([\\`*_\[\]<>|~$&]|^[#+=-]|(?<=^\d)[.)](?= ))")


def markdown(a: Answers) -> str:
    """Return a report, under 60,000 characters."""
    parts = [f"# Tuning report: {escaped(short(a.facts.name, CELL))}", escaped(heading(a))]
    for objective in a.objectives:
        line = asked(partial(trail, a.history, objective))
        if line:
            parts.append(f"Best {escaped(short(objective))} so far: `{line}`")
    for section in sections(a):
        parts += _written(section)
    parts.append("## How it was done")
    parts.append("\n\n".join(escaped(p) for p in a.facts.methods.split("\n\n")[:1]))
    text = ""
    for part in parts:
        if len(text) + len(part) > MOST - 200:
            return f"{text}More stands in the report as HTML.\n"
        text += f"{part}\n\n"
    return text.rstrip() + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line; nobody is mentioned by it."""
    return _MEANT.sub(r"\\\1", _SPACE.sub(" ", text).strip()).replace("@", "@\u200b")


def _written(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    for one in section.said:
        yield escaped(one)
    if section.items:
        yield "\n".join(f"- {escaped(short(one, 400))}" for one in section.items)
    for table in section.tables:
        yield _table(table)


def _table(table: Table) -> str:
    lines = [_row(table.heads), _row(["---"] * len(table.heads), plain=True)]
    lines += [_row(row) for row in table.rows[:ROWS]]
    more = len(table.rows) - ROWS
    about = escaped(table.about) + (f" ({more} more rows are left out)" if more > 0 else "")
    return f"{about}:\n\n" + "\n".join(lines)


def _row(cells: tuple[str, ...] | list[str], *, plain: bool = False) -> str:
    return "| " + " | ".join(one if plain else escaped(short(one, CELL)) for one in cells) + " |"
