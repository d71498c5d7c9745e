"""Spaces compared as the log knows them, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core.errors import SpaceError


@final
@dataclass(frozen=True)
class Saying:
    """A space in words, labels in place of objects.

    Attributes:
        parameters: What each parameter is, by path, in the space's order.
        constraints: The constraints.
    """

    parameters: Mapping[str, str]
    constraints: Sequence[str]


def differences(here: Saying, there: Saying) -> list[str]:
    """Return one line for each thing that differs."""
    mine, theirs = here.parameters, there.parameters
    lines = []
    for name in dict.fromkeys([*mine, *theirs]):
        ours, others = mine.get(name, "missing"), theirs.get(name, "missing")
        if ours != others:
            lines.append(f"{name}: {ours} here, {others} there")
    for text in dict.fromkeys([*here.constraints, *there.constraints]):
        if text not in here.constraints or text not in there.constraints:
            where = "here" if text in here.constraints else "there"
            lines.append(f"constraint {text!r}: only {where}")
    if not lines and list(mine) != list(theirs):
        lines.append(f"order: {', '.join(mine)} here, {', '.join(theirs)} there")
    return lines


def refuse_clash(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Refuse to unite two spaces, given as JSON, that define a name differently.

    Raises:
        SpaceError: They do.
    """
    for part in ("parameters", "defaults", "fixed"):
        ours, others = mine.get(part, {}), theirs.get(part, {})
        for name in ours:
            if name in others and ours[name] != others[name]:
                raise SpaceError(
                    f"both spaces define {name}, as {ours[name]} and {others[name]}; rename one"
                )
