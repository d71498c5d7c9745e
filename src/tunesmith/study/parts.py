"""Samplers and schedulers as the log names them, and the versions that it was written with."""

import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, TypeVar, final

import msgspec
import numpy as np

from tunesmith import replication, samplers, schedulers
from tunesmith._core.errors import SettingError
from tunesmith._core.registry import Registry
from tunesmith._core.version import VERSION
from tunesmith.records.events import Part
from tunesmith.replication import Replication
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class Parts:
    """Who decides in a study.

    Attributes:
        sampler: Who proposes; None: it is not at hand.
        scheduler: Who decides how long trials go on, if anybody does.
        replication: Who says what is evaluated again, if anything is.
        configured: Position of the event that names them.
        missing: What the log names and is not at hand, in words; empty: nothing.
    """

    sampler: Sampler[Any] | None
    scheduler: Scheduler[Any] | None
    replication: Replication | None
    configured: int
    missing: str = ""


def settings(part: Any) -> dict[str, Any]:
    """Return the settings of a part, a dataclass, by name and as JSON values.

    Raises:
        SettingError: A setting is not a number, text, list or mapping of such.

    Example:
        >>> from tunesmith.samplers import Grid
        >>> settings(Grid(levels={"lr": 5}))
        {'levels': {'lr': 5}}
    """
    logged = {}
    for field in fields(part):
        value = getattr(part, field.name)
        try:
            plain = json.dumps(msgspec.to_builtins(value), allow_nan=False)
        except (TypeError, ValueError):
            raise SettingError(
                f"{type(part).__name__}({field.name}=...) is kept in the log, so it must be made "
                f"of finite numbers, texts, lists and mappings, got {value!r}"
            ) from None
        logged[field.name] = json.loads(plain)
    return logged


def part_of(part: Sampler[Any] | Scheduler[Any] | Replication) -> Part:
    """Return how the log names one: its registered name, or module:qualname, and its settings."""
    kind = type(part)
    if isinstance(part, Sampler):
        name = samplers.registry.name_of(type(part))
    elif isinstance(part, Scheduler):
        name = schedulers.registry.name_of(type(part))
    else:
        name = replication.registry.name_of(type(part))
    return Part(name or f"{kind.__module__}:{kind.__qualname__}", settings(part))


def shown(part: Part) -> str:
    """Return a part in a line.

    Example:
        >>> shown(Part("grid", {"levels": 3}))
        'grid(levels=3)'
    """
    given = ", ".join(f"{name}={value!r}" for name, value in part.settings.items())
    return part.name + (f"({given})" if given else "")


def sampler_of(
    part: Part, known: Iterable[Sampler[Any] | Scheduler[Any]] = ()
) -> Sampler[Any] | None:
    """Return the sampler that a log names: one of `known`, or a registered one; else None."""
    given = [one for one in known if isinstance(one, Sampler)]
    return _made(part, given, samplers.registry)


def scheduler_of(
    part: Part, known: Iterable[Sampler[Any] | Scheduler[Any]] = ()
) -> Scheduler[Any] | None:
    """Return the scheduler that a log names: one of `known`, or a registered one; else None."""
    given = [one for one in known if isinstance(one, Scheduler)]
    return _made(part, given, schedulers.registry)


def replication_of(part: Part | None) -> Replication | None:
    """Return what a log says of evaluating configurations again; None: nothing, or nothing known here."""
    return None if part is None else _made(part, (), replication.registry)


def _made(part: Part, known: Iterable[Any], registry: Registry[T]) -> T | None:
    for one in known:
        if part_of(one) == part:
            given: T = one
            return given
    return registry.make(part.name, part.settings) if part.name in registry else None


def versions() -> dict[str, str]:
    """Return what a log's numbers may depend on."""
    return {
        "tunesmith": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
