"""A study of several objectives, seen by one of them."""

from dataclasses import replace
from typing import Any

import msgspec

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.types import P
from tunesmith.records import History


def judged(history: History[P], objective: str | None) -> History[P]:
    """Return the same trials, judged by one objective alone.

    Args:
        history: A study's.
        objective: Which; None: the only one.

    Raises:
        NotSupported: There are several, and none is named.
        SettingError: There is none of this name.
    """
    names = [one.name for one in history.problem.objectives]
    if objective is None and len(names) > 1:
        raise NotSupported(
            f"this is about one objective, the study has {', '.join(names)}; say which: objective={names[0]!r}"
        )
    if objective not in (None, *names):
        raise SettingError(
            f"the study has no objective {objective!r}; it has {', '.join(names)}"
        )
    if len(names) == 1:
        return history
    only = tuple(one for one in history.problem.objectives if one.name == objective)
    problem: Any = replace(history.problem, objectives=only)
    seen: History[P] = History(problem)
    for record in history:
        seen.put(msgspec.structs.replace(record, problem=problem))
    return seen
