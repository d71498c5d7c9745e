"""How an objective is called: by rule, decided once per run and never by trial.

With a space given, it takes one `Trial`. A study whose space is a function's signature calls such
a function by keyword.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from tunesmith._core.errors import SettingError, SpaceError
from tunesmith.space import Space, signature_space
from tunesmith.study.trial import Trial

P = TypeVar("P")
Called: TypeAlias = Callable[[Trial[Any]], Any]


def caller(objective: Callable[..., Any], space: Space[Any]) -> Called:
    """Return a function of a trial that calls `objective` as its kind demands.

    Raises:
        SettingError: It cannot be called.
        SpaceError: It is to be called by keyword and has another signature than the space.
    """
    if not callable(objective):
        raise SettingError(f"an objective is a function, got {objective!r}")
    if not space.called:
        return objective
    own, receives = signature_space(objective)
    if difference := own.difference(space):
        raise SpaceError(
            "this study's space is the signature of its function, and this one has another: "
            + "; ".join(difference)
        )
    if receives is None:
        return lambda trial: objective(**trial.params)
    return lambda trial: objective(**trial.params, **{receives: trial})
