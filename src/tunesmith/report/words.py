"""Words of reports: ranges, times, and what a process was."""

import re
import shlex
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from tunesmith.records import Provenance, Record
from tunesmith.space import Float, Int
from tunesmith.space.choices import Labelled
from tunesmith.space.parameters import Parameter, Ranged


def ranged(parameter: Parameter) -> str:
    """Return a parameter's range in words.

    Example:
        >>> ranged(Float(1e-4, 0.1, log=True))
        'real, 0.0001 to 0.1, logarithmic'
    """
    if isinstance(parameter, Labelled):
        return f"one of {', '.join(map(str, parameter.labels or ()))}"
    if not isinstance(parameter, Ranged):
        return repr(parameter)
    kind = {Float: "real", Int: "whole"}.get(type(parameter), "number")
    text = f"{kind}, {parameter.low:g} to {parameter.high:g}"
    text += ", logarithmic" * parameter.log
    step = None if kind == "whole" and parameter.step == 1 else parameter.step
    return text + (f", in steps of {step:g}" if step else "")


def period(begin: float, end: float) -> str:
    """Return two times, in seconds since 1970, as people read them.

    Example:
        >>> period(0, 60), period(0, 86400)
        ('1970-01-01 00:00 to 00:01 UTC', '1970-01-01 00:00 to 1970-01-02 00:00 UTC')
    """
    first, last = (datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M") for t in (begin, end))
    if first == last:
        return f"{first} UTC"
    return f"{first} to {last.removeprefix(first[:11])} UTC"


def sentence(text: str, names: Collection[str] = ()) -> str:
    """Return a text with a capital, unless it begins with one of `names`, and with a full stop, as far as it has none.

    Example:
        >>> sentence("no certain cost: lr"), sentence("lr = 0.1 is best", ["lr"])
        ('No certain cost: lr.', 'lr = 0.1 is best.')
    """
    first = (
        text
        if any(re.match(rf"{re.escape(name)}(?!\w)", text) for name in names)
        else text[:1].upper() + text[1:]
    )
    return first + "." * (bool(text) and text[-1] not in ".!?:")


def amount(name: str, value: float) -> str:
    """Return what something used as people read it; names say the unit.

    Example:
        >>> amount("peak_memory_bytes", 2.5e8), amount("usd", 0.25)
        ('250 MB', '0.25')
    """
    if not name.endswith("_bytes"):
        return f"{value:.4g}"
    return f"{value / 1e9:.3g} GB" if value >= 1e9 else f"{value / 1e6:.3g} MB"


def ran_on(record: Record[Any]) -> dict[str, str]:
    """Return where a trial ran and what it used, by name; empty values are not known."""
    used = {
        name.removesuffix("_bytes").replace("_", " "): amount(name, value)
        for name, value in record.cost.items()
    }
    return {"machine": record.worker, "device": record.device, **used}


def ran_with(said: Provenance) -> dict[str, Any]:
    """Return what is known of a process, by name; empty values are not known."""
    return {
        "objective": said.objective,
        "code": said.revision and f"git {said.revision}",
        "files": ", ".join(f"{name} {version}" for name, version in said.files.items()),
        "packages": ", ".join(f"{name} {version}" for name, version in said.packages.items()),
        "python": said.python,
        "platform": said.platform,
        "cpu": said.cpu and f"{said.cpu}, {said.cores} cores, {said.memory_bytes / 1e9:.0f} GB",
        "gpus": ", ".join(said.gpus),
        "command": shlex.join(said.command),
        "data": said.data,
    }
