"""Texts in pictures: data never becomes markup, and lines end before a phone does."""

import re
import textwrap
from typing import Any

from tunesmith._core.words import number

LABEL = 22  # characters of a label on an axis

# what Plotly reads as tags, as entities, as a formula, and in a hover text as the name of a column
_MEANT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%{": "&#37;{"}
_SPACE = re.compile(r"[\x00-\x20\x7f\u2028\u2029]+")
_TOGETHER = re.compile(r" (?=±|\d)")


def text(value: Any) -> str:
    """Return a text that Plotly shows as it is.

    Example:
        >>> text("<b>R&D</b>")
        '&lt;b&gt;R&amp;D&lt;/b&gt;'
    """
    said = _SPACE.sub(" ", str(value))
    for sign, entity in _MEANT.items():
        said = said.replace(sign, entity)
    return said


def short(value: Any, width: int = LABEL) -> str:
    """Return a text of at most `width` characters, cut in its middle; still plain."""
    said = _SPACE.sub(" ", str(value))
    if len(said) > width:
        half = (width - 1) // 2
        said = f"{said[: width - 1 - half]}…{said[-half:]}"
    return said


def label(value: Any) -> str:
    """Return the value of a parameter as people read it."""
    return number(value) if isinstance(value, float) else str(value)


def listed(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def joined(parts: list[str], width: int) -> str:
    """Return parts in one line of about `width` characters, and how many more there are.

    Example:
        >>> joined(["lr 0.1", "depth 3", "width 256"], 16)
        'lr 0.1, depth 3 and 1 more'
    """
    kept = 1
    while kept < len(parts) and len(", ".join(parts[: kept + 1])) <= width:
        kept += 1
    rest = len(parts) - kept
    return ", ".join(parts[:kept]) + (f" and {rest} more" if rest else "")


def lines(said: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` characters, as `text` does; a line never begins with a number."""
    said = _TOGETHER.sub("\u00a0", said).replace("± ", "±\u00a0")
    return [text(line) for line in textwrap.wrap(said, width, break_on_hyphens=False)]
