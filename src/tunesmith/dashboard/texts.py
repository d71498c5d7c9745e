"""Values as people read them, for templates."""

import math
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from tunesmith._core.words import number, plural
from tunesmith.analysis.forecast import lasting


def value(given: Any) -> str:
    """Return a value of a parameter or a metric: numbers with four digits.

    Example:
        >>> [value(one) for one in (0.123456, 12, None, "adam", float("nan"))]
        ['0.1235', '12', '·', 'adam', '–']
    """
    if given is None:
        return "·"
    return number(given) if isinstance(given, float) else str(given)


def duration(seconds: float | None) -> str:
    """Return a length of time in words; nothing where it is not known."""
    return "" if seconds is None or not math.isfinite(seconds) else lasting(seconds)


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
