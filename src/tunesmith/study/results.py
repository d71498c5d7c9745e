"""What objectives return and report, turned into metrics; what they raise, into failures."""

import math
import traceback
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from tunesmith._core.codec import clean, to_float
from tunesmith._core.errors import Infeasible, ResultError, SettingError, TrialFailed
from tunesmith.executors.memory import out_of_memory
from tunesmith.records import Failure, Problem
from tunesmith.records.events import FailureKind


def metrics_of(result: Any, more: Mapping[str, Any], objectives: Sequence[str]) -> dict[str, float]:
    """Return a result as metrics by name.

    Args:
        result: A number, if there is one objective; a mapping of metrics; or None.
        more: Further metrics by name.
        objectives: Their names.

    Raises:
        ResultError: It is none of these.
    """
    if result is None:
        given: dict[str, Any] = {}
    elif isinstance(result, Mapping):
        given = dict(result)
    elif isinstance(result, tuple | list):
        example = ", ".join(f'"{name}": ...' for name in objectives)
        raise ResultError(
            f"an objective returns a number or a mapping of metrics, got the "
            f"{type(result).__name__} {result!r}; return {{{example}}}"
        )
    elif len(objectives) > 1:
        example = ", ".join(f'"{name}": ...' for name in objectives)
        raise ResultError(
            f"this study has the objectives {', '.join(objectives)}, got the single value {result!r}; "
            f"return {{{example}}}"
        )
    else:
        given = {objectives[0]: result}
    given |= more
    for name in given:
        if not isinstance(name, str):
            raise ResultError(f"metrics are named by strings, got {name!r}")
    return {
        name: value if type(value) is float else to_float(value, f"metric {name!r}")
        for name, value in given.items()
    }


def check_objectives(values: Mapping[str, float], problem: Problem[Any]) -> None:
    """Refuse metrics that lack an objective.

    Raises:
        ResultError: One is missing; says which, and what there is.
    """
    missing = [o.name for o in problem.objectives if o.name not in values]
    if missing:
        got = ", ".join(values) or "nothing was returned or reported"
        raise ResultError(
            f"the objective {missing[0]!r} is missing in the result ({got}); return a number, "
            f'return {{"{missing[0]}": ...}}, or report it'
        )
    for limit in problem.limits:
        if limit.name not in values:
            got = ", ".join(values)
            raise ResultError(
                f"the limit {limit.text!r} needs the metric {limit.name!r}, the result has {got}"
            )


def diverged(values: Mapping[str, float], problem: Problem[Any]) -> Failure | None:
    """Return the failure if an objective is not finite, else None."""
    for objective in problem.objectives:
        value = values.get(objective.name, 0.0)
        if not math.isfinite(value):
            return Failure("diverged", f"{objective.name} is {value}")
    return None


def own_traceback(error: BaseException) -> TracebackType | None:
    """Return an exception's traceback from the first frame that is not ours."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__package__") != __package__:
            return trace
        trace = trace.tb_next
    return error.__traceback__


def failure_of(error: BaseException | str) -> Failure:
    """Return what a failure's record shall say of an exception or a text.

    Raises:
        SettingError: It is neither.
    """
    if isinstance(error, str):
        return Failure("error", clean(error))
    if not isinstance(error, BaseException):
        raise SettingError(f"fail takes an exception or a text, got {error!r}")
    if isinstance(error, Infeasible):
        return Failure("infeasible", clean(str(error)))
    if isinstance(error, TrialFailed):
        return Failure(_kind(error), clean(str(error)))
    lines = traceback.format_exception(type(error), error, own_traceback(error))
    text = clean("".join(lines).rstrip())
    return Failure(_kind(error), text)


def _kind(error: BaseException) -> FailureKind:
    return "out of memory" if out_of_memory(error) else "error"
