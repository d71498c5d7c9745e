"""What a run tells people, in words.

Everything goes to standard error, so that a program's own output stays its own.
"""

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.records import History, Record

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return a text for a terminal: what would move its cursor, or command it, stands there as an escape."""
    return _COMMANDS.sub(lambda found: repr(found[0])[1:-1], text)


def ending_of(record: Record[Any], history: History[Any]) -> str:
    """Return "trial 7: loss 0.31", with what went wrong if it failed, or of which trial it is a repetition."""
    values = ", ".join(f"{name} {number(value)}" for name, value in record.values.items())
    if record.failure is not None:
        values = f"failed ({record.failure.kind}) {record.failure.last}".rstrip()
    elif record.state == "stopped":
        values = f"stopped after step {record.step}, {values}"
    again = ""
    if record.source == "replicate" and record.replicate is not None:
        first = history.find(record.replicate[0])
        again = "" if first is None else f" (trial {first.number} on seed {record.replicate[1]})"
    return f"trial {record.number}{again}: {values}"


def best_so_far(history: History[Any]) -> str:
    """Return "best 0.981 (default 0.942)", or how many trials no other beats; empty: none yet."""
    objectives = history.problem.objectives
    try:
        if len(objectives) > 1:
            return f"{plural(len(history.front), 'trial')} that no other beats"
        best = history.best.value
    except NoTrials as error:
        return str(error) if history.count("complete") else ""
    text = f"best {number(best)}"
    baseline = baseline_of(history)
    if baseline is not None and baseline.state == "complete":
        text += f" ({baseline_name(baseline)} {number(baseline.value)})"
    return text


def shown_place(url: str) -> str:
    """Return where a study is kept as people would type it: relative to the working directory."""
    try:
        return f"./{Path(url).relative_to(Path.cwd())}"
    except ValueError:
        return url


def baseline_of(history: History[Any]) -> Record[Any] | None:
    """Return the baseline's record, with the means over its evaluations, if the study has one."""
    first = history[:1]
    return history.averaged(first[0]) if first and first[0].source == "default" else None


def baseline_name(record: Record[Any]) -> str:
    """Return what the baseline is called: the default configuration, or the centre of the space."""
    return record.note


def say(message: str) -> None:
    """Print one line for people."""
    with suppress(OSError):  # a terminal that is gone
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - this is what it is for
