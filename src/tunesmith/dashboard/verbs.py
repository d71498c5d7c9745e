"""What people do here: each becomes an event of the log, with who did it and when."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tunesmith._core.errors import SettingError, SpaceError
from tunesmith.dashboard.live import Live, View
from tunesmith.records import Record
from tunesmith.space.choices import Labelled
from tunesmith.space.parameters import Parameter

LONGEST = {"text": 20_000, "who": 100, "note": 1_000, "tag": 50}
TAGS = 20
DIGITS = 100  # of a number in a form


def short(what: str, text: str) -> str:
    """Return a text without space around it.

    Raises:
        SettingError: It is too long, or holds what nobody can read.
    """
    text = text.strip().replace("\r\n", "\n")
    if len(text) > LONGEST[what]:
        raise SettingError(f"{what} has at most {LONGEST[what]:,} characters, got {len(text):,}")
    if any(not c.isprintable() and c not in "\n\t" for c in text):
        raise SettingError(f"{what} holds a character that cannot be printed; leave it out")
    return text


def note(live: Live, record: Record[Any] | None, text: str, tags: Sequence[str], who: str) -> None:
    """Keep a remark on a trial, or on the study.

    Raises:
        SettingError: There is nothing in it, or too much.
    """
    text, who = short("text", text), short("who", who)
    named = [one for one in dict.fromkeys(short("tag", tag) for tag in tags) if one]
    if not text and not named:
        raise SettingError("a note has a text or a tag; write one")
    if len(named) > TAGS:
        raise SettingError(f"a note has at most {TAGS} tags, got {len(named)}")
    live.desk.note("" if record is None else record.uid, text, named, {}, who)


def command(
    live: Live, what: Literal["stop", "pause", "go on"], record: Record[Any] | None, who: str
) -> None:
    """Tell whoever runs the study, or one trial, what to do.

    Raises:
        SettingError: The trial has finished.
    """
    if record is not None and record.finished:
        raise SettingError(f"trial {record.number} has finished already ({record.state})")
    if record is not None and what != "stop":
        raise SettingError("a trial is stopped; what is paused, or goes on, is the study")
    live.desk.command(what, "" if record is None else record.uid, short("who", who))


def enqueue(
    live: Live,
    view: View,
    params: Mapping[str, Any],
    note: str,
    parent: Record[Any] | None,
    who: str,
) -> None:
    """Have a configuration tried next.

    Raises:
        SpaceError: It is not in the space.
        StudyError: The study is deterministic, and running.
    """
    given = view.history.problem.space.store(params, partial=True)
    uid = "" if parent is None else parent.uid
    live.desk.enqueue(given, short("note", note), uid, short("who", who) or "user")


def typed(parameters: Mapping[str, Parameter], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the params that a form holds; what is left empty is left open.

    Args:
        parameters: The space's, by path.
        form: Texts by path; of what has labels, the place of one.

    Raises:
        SpaceError: A text is no number, or stands for no label.
    """
    params: dict[str, Any] = {}
    for path, text in form.items():
        parameter = parameters.get(path)
        if parameter is None:
            raise SpaceError(f"there is no parameter {path!r}")
        if not text.strip():
            continue
        if isinstance(parameter, Labelled):
            labels = tuple(parameter.labels or ())
            place = int(text) if text.isdecimal() and len(text) <= DIGITS else len(labels)
            if place >= len(labels):
                raise SpaceError(f"{path} is one of {len(labels)} labels, got {text[:40]!r}")
            params[path] = labels[place]
            continue
        params[path] = _number(path, text.strip())
    return params


def _number(path: str, text: str) -> float:
    try:
        number: object = json.loads(text) if len(text) <= DIGITS else None
    except ValueError:
        number = None
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise SpaceError(f"{path} is a number, got {text[:40]!r}")
    return number
