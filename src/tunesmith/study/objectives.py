"""How an objective is called: by rule, decided once per run and never by trial.

With a space given, it takes one `Trial`. A study whose space is a function's signature calls such
a function by keyword.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tunesmith._core.errors import SettingError, SpaceError
from tunesmith.space import Space, signature_space, space_of, trial_params
from tunesmith.study.trial import Trial

Called: TypeAlias = Callable[[Trial[Any]], Any]


def space_meant(given: Any) -> Space[Any]:
    """Return the space that the first argument of a study means.

    Raises:
        SpaceError: It means none.
    """
    if isinstance(given, type | Mapping | Space):
        return space_of(given)
    if not callable(given):
        raise SpaceError(
            "a space is a dict of parameters, a dataclass (the class, not an instance), a ts.Space, "
            f"or a function whose signature is the space, got {given!r}"
        )
    params = trial_params(given)
    return signature_space(given)[0] if params is None else space_of(params)


def caller(objective: Callable[..., Any], space: Space[Any]) -> Called:
    """Return a function of a trial that calls `objective` as its kind demands.

    Raises:
        SettingError: It cannot be called.
        SpaceError: It is to be called by keyword and has another signature than the space.
    """
    if not callable(objective):
        raise SettingError(f"an objective is a function, got {objective!r}")
    name = getattr(objective, "__name__", repr(objective))
    if not space.called:
        _check_takes_trial(objective, name, space)
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


def _check_takes_trial(objective: Callable[..., Any], name: str, space: Space[Any]) -> None:
    """Refuse an objective that cannot be called with one trial of this space."""
    try:
        signature = inspect.signature(objective)
    except ValueError:  # some built-in functions have none
        return
    try:
        signature.bind(None)
    except TypeError:
        took = ", ".join(signature.parameters) or "nothing"
        raise SettingError(
            f"with a space given, an objective takes one Trial; {name} takes {took}. "
            f"Write lambda trial: {name}(**trial.params)"
        ) from None
    params = trial_params(objective)
    difference = [] if params is None else space_of(params).difference(space)
    if difference:
        raise SpaceError(f"{name} takes trials of another space: {'; '.join(difference)}")
