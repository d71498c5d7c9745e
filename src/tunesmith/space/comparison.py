"""Spaces compared as the log knows them, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.space.parameters import shown

_PLAIN = ("low", "high", "choices")  # settings that go without their name


def _said(leaf: Mapping[str, Any] | None) -> str:
    if leaf is None:
        return "missing"
    named = {key: value for key, value in leaf.items() if key not in ("type", "fixed", *_PLAIN)}
    said = shown(leaf["type"], *(leaf[key] for key in _PLAIN if key in leaf), **named)
    return f"{said}.fix({leaf['fixed']!r})" if "fixed" in leaf else said


def differences(
    here: tuple[Mapping[str, Mapping[str, Any]], Sequence[str]],
    there: tuple[Mapping[str, Mapping[str, Any]], Sequence[str]],
) -> list[str]:
    """Return one line for each thing that differs.

    Args:
        here: What the log keeps of each parameter, by path in the space's order, and the
            constraints.
        there: The same of the other space.
    """
    (mine, own), (theirs, others) = here, there
    lines = []
    for name in dict.fromkeys([*mine, *theirs]):
        ours, other = _said(mine.get(name)), _said(theirs.get(name))
        if ours != other:
            lines.append(f"{name}: {ours} here, {other} there")
    lines += [f"constraint {text!r}: only here" for text in own if text not in others]
    lines += [f"constraint {text!r}: only there" for text in others if text not in own]
    if not lines and list(mine) != list(theirs):
        lines.append(f"order: {', '.join(mine)} here, {', '.join(theirs)} there")
    return lines
