"""Values as people read them, for templates."""

import math
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from tunesmith.study.progress import number, plural


def value(given: Any) -> str:
    """Return a value of a parameter or a metric: numbers with four digits.

    Example:
        >>> [value(one) for one in (0.123456, 12, None, "adam", float("nan"))]
        ['0.1235', '12', '·', 'adam', 'nan']
    """
    if given is None:
        return "·"
    return number(given) if isinstance(given, float) else str(given)


def duration(seconds: float | None) -> str:
    """Return a duration in words.

    Example:
        >>> [duration(one) for one in (0.01234, 12.3, 200, 7500, 200_000)]
        ['0.012 s', '12 s', '3 min 20 s', '2 h 5 min', '2 d 8 h']
    """
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    place = next(i for i, (_, size) in enumerate(units) if whole >= size)
    (big, size), (small, unit) = units[place : place + 2]
    rest = whole % size // unit
    return f"{whole // size} {big}" + (f" {rest} {small}" if rest else "")


def moment(time: float | None) -> Markup:
    """Return a moment as HTML; the page's script puts it into the reader's own time zone."""
    if time is None or not 0 <= time < 1e11:
        return Markup("")
    at = datetime.fromtimestamp(time, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M UTC")
    )


def tag_filter(tag: str) -> str:
    """Return the filter that keeps trials with a tag."""
    return f"tags[{tag!r}]"


FILTERS = {
    "value": value,
    "duration": duration,
    "moment": moment,
    "tag_filter": tag_filter,
    "plural": plural,
    "escape": escape,
}
