"""`minimize` and `maximize`: a study made and run in one line."""

from collections.abc import Callable, Mapping
from typing import Any, Unpack, overload

from tunesmith._core.errors import SettingError
from tunesmith._core.hints import hint_keywords
from tunesmith._core.types import P
from tunesmith.space import Space
from tunesmith.study.options import MakingAndRunning, Running
from tunesmith.study.study import Study
from tunesmith.study.trial import Trial

_SEVERAL = (
    'metric="loss" names what is tuned; for several directions: ts.Study(space, minimize=...)'
)
_keywords = hint_keywords(
    MakingAndRunning.__annotations__, {"minimize": _SEVERAL, "maximize": _SEVERAL}
)


@overload
def minimize(
    objective: Callable[[Trial[dict[str, Any]]], Any],
    space: Mapping[str, Any],
    **options: Unpack[MakingAndRunning],
) -> Study[dict[str, Any]]: ...
@overload
def minimize(
    objective: Callable[[Trial[P]], Any],
    space: type[P] | Space[P],
    **options: Unpack[MakingAndRunning],
) -> Study[P]: ...
@overload
def minimize(
    objective: Callable[[Trial[P]], Any], **options: Unpack[MakingAndRunning]
) -> Study[P]: ...
@overload
def minimize(
    objective: Callable[..., Any], **options: Unpack[MakingAndRunning]
) -> Study[dict[str, Any]]: ...
@_keywords
def minimize(objective: Callable[..., Any], space: Any = None, **options: Any) -> Study[Any]:
    """Make a study that minimises what `objective` returns, run it, and return it.

    Args:
        objective: A function of a `Trial`; or, without `space`, one whose signature or
            `Trial[Params]` annotation gives the space.
        space: A dict of parameters, a `Space`, or a dataclass.
        options: `metric`, the name of what is minimised ("value"), and what `Study` and
            `Study.run` take.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.minimize(
        ...     lambda t: (t["x"] - 2) ** 2, {"x": ts.Float(-10, 10)}, trials=5, progress=False
        ... )
        >>> len(study.history)
        5
    """
    return _run("minimize", objective, space, options)


@overload
def maximize(
    objective: Callable[[Trial[dict[str, Any]]], Any],
    space: Mapping[str, Any],
    **options: Unpack[MakingAndRunning],
) -> Study[dict[str, Any]]: ...
@overload
def maximize(
    objective: Callable[[Trial[P]], Any],
    space: type[P] | Space[P],
    **options: Unpack[MakingAndRunning],
) -> Study[P]: ...
@overload
def maximize(
    objective: Callable[[Trial[P]], Any], **options: Unpack[MakingAndRunning]
) -> Study[P]: ...
@overload
def maximize(
    objective: Callable[..., Any], **options: Unpack[MakingAndRunning]
) -> Study[dict[str, Any]]: ...
@_keywords
def maximize(objective: Callable[..., Any], space: Any = None, **options: Any) -> Study[Any]:
    """Make a study that maximises what `objective` returns, run it, and return it.

    Takes what `minimize` takes.
    """
    return _run("maximize", objective, space, options)


def _run(
    direction: str, objective: Callable[..., Any], space: Any, options: dict[str, Any]
) -> Study[Any]:
    if isinstance(objective, Mapping | Space | type):
        raise SettingError(f"the objective comes first, then the space; got {objective!r} first")
    running = {name: options.pop(name) for name in Running.__annotations__ if name in options}
    metric = options.pop("metric", "value")
    study: Study[Any] = Study(
        objective if space is None else space, **{direction: metric}, **options
    )
    return study.run(objective, **running)
