"""`tunesmith explain`: what a parameter does, its signs, ranges and sources."""

from typing import Any

import click
import msgspec

from tunesmith.cli.shared import emit, json_option
from tunesmith.knowledge import Explanation, described, explanations
from tunesmith.knowledge.schema import Entry, Estimator

_WIDTH = 100


@click.command()
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Say what a parameter does, and what is known of its range.

    NAME is a parameter (max_depth) or the class of an estimator (SVC), of which the parameters are
    listed. Sources that disagree stand side by side, each with what of it was read. In ranges n are rows,
    p columns, balance the rows of the rarest class as a part of an equal share, spread the targets'
    standard deviation.

    \b
    tunesmith explain max_depth
    tunesmith explain HistGradientBoostingClassifier
    """  # noqa: D301 - \b keeps click from filling the paragraph
    estimator = described(name)
    if estimator is not None:
        _show_estimator(estimator, as_json)
        return
    found = explanations(name)
    if as_json:
        emit([_data(one) for one in found])
        return
    for number, one in enumerate(found):
        if number:
            click.echo()
        _show(one)


def _show_estimator(estimator: Estimator, as_json: bool) -> None:
    if as_json:
        entries = {name: msgspec.to_builtins(one) for name, one in estimator.entries.items()}
        emit({"estimator": estimator.name, "family": estimator.family, "parameters": entries})
        return
    click.echo(estimator.name)
    for name, entry in estimator.entries.items():
        _line(f"  {name}", f"{_range(entry)}. {entry.does}")
    if not estimator.entries:
        click.echo("  nothing that is usually tuned")


def _show(one: Explanation) -> None:
    first, *_ = one.entries.values()
    _line(f"{one.parameter} ({one.family})", first.does)
    _line("  on one hand" if first.choices else "  too low", first.too_low)
    _line("  on the other" if first.choices else "  too high", first.too_high)
    for typical in dict.fromkeys(entry.typical for entry in one.entries.values()):
        _line("  typical", typical)
    ranges: dict[str, list[str]] = {}
    for name, entry in one.entries.items():
        ranges.setdefault(_range(entry), []).append(name)
    for text, names in ranges.items():
        _line("  range", f"{text}: {', '.join(names)}")
    click.echo("  sources")
    for source, text in one.sources.items():
        read = f"read: {one.read[source]}" if one.read[source] else "from memory"
        _line(f"    {source} ({read})", text)


def _line(head: str, text: str) -> None:
    """Print what has a head, unless there is nothing to say."""
    if text:
        indent = " " * (len(head) - len(head.lstrip()) + 4)
        click.echo(click.wrap_text(f"{head.lstrip()}: {text}", _WIDTH, indent[4:], indent))


def _range(entry: Entry) -> str:
    """Return the values in words."""
    if entry.type == "Fixed":
        return "left as it is"
    when = "".join(f", if {name} is {_either(values)}" for name, values in entry.when.items())
    when += f", where {entry.where}" if entry.where else ""
    if entry.type == "Choice":
        return _either(entry.choices) + when
    also = f", or {_either(list(entry.special))}" if entry.special else ""
    kind = "whole numbers " if entry.type == "Int" else ""
    return f"{kind}{entry.low} to {entry.high}{', log' if entry.log else ''}{also}{when}"


def _either(values: list[Any]) -> str:
    return " or ".join(map(str, values))


def _data(one: Explanation) -> dict[str, Any]:
    return {
        "parameter": one.parameter,
        "family": one.family,
        "estimators": {name: msgspec.to_builtins(entry) for name, entry in one.entries.items()},
        "sources": one.sources,
        "read": one.read,
    }
