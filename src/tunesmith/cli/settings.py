"""Settings as people type them, turned into ours."""

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from tunesmith import replication, samplers, schedulers
from tunesmith._core.errors import SettingError
from tunesmith._core.registry import Registry
from tunesmith.executors.devices import GPUs
from tunesmith.knowledge.metrics import is_high
from tunesmith.records import Resource
from tunesmith.replication import Fixed, Replication
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler

T = TypeVar("T")


def value_of(text: str) -> Any:
    """Return a value that was typed: JSON if it is such, else the text.

    Example:
        >>> [value_of(text) for text in ("3", "1e-3", "true", "adam", "[32, 64]")]
        [3, 0.001, True, 'adam', [32, 64]]
    """
    try:
        return json.loads(text)
    except ValueError:
        return text


def pair_of(text: str, what: str) -> tuple[str, Any]:
    """Return `NAME=VALUE` as name and value.

    Raises:
        SettingError: It has another form.
    """
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise SettingError(f"{what} is written NAME=VALUE, got {text!r}")
    return name, value_of(value)


def bytes_of(text: str) -> int:
    """Return a number of bytes that was typed.

    Raises:
        SettingError: It has another form.

    Example:
        >>> [bytes_of(text) for text in ("400MB", "1.5 GiB", "2g", "1000")]
        [400000000, 1610612736, 2000000000, 1000]
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:([kmgt])(i)?)?b?", text.strip(), re.IGNORECASE)
    if found is None:
        raise SettingError(
            f"--trial-memory is a number of bytes such as 400MB or 2GB, got {text!r}"
        )
    number, prefix, binary = found.groups()
    power = 0 if prefix is None else "kmgt".index(prefix.lower()) + 1
    return int(float(number) * (1024 if binary else 1000) ** power)


def gpus_of(text: str) -> GPUs:
    """Return the GPUs that `all` or `0,1` means.

    Example:
        >>> gpus_of("all"), gpus_of("0, 1")
        ('all', ['0', '1'])
    """
    return "all" if text == "all" else [part.strip() for part in text.split(",")]


def amounts_of(text: str) -> dict[str, Any]:
    """Return the amounts that `cpu=2,gpu=0.5` means.

    Raises:
        SettingError: It has another form.
    """
    return dict(pair_of(part, "an amount") for part in text.split(","))


def resource_of(text: str) -> Resource:
    """Return the resource that `epoch=30` or `epoch=30,min=3` means.

    Raises:
        SettingError: It has another form.
    """
    first, _, rest = text.partition(",")
    name, value = pair_of(first, "a resource")
    word, least = pair_of(rest or "min=1", "what follows a resource")
    if word != "min":
        raise SettingError(
            f"a resource has a min beside its max, as in epoch=30,min=3; got {text!r}"
        )
    return Resource(name, max=value, min=least)


def sampler_of(text: str) -> Sampler[Any]:
    """Return the sampler that `grid` or `grid:levels=5` means.

    Raises:
        SettingError: There is none of this name, or it has no such setting.
    """
    return _part(text, samplers.registry)


def scheduler_of(text: str) -> Scheduler[Any] | None:
    """Return the scheduler that `asha` or `asha:factor=4` means; None: that of `none`.

    Raises:
        SettingError: There is none of this name, or it has no such setting.
    """
    return None if text == "none" else _part(text, schedulers.registry)


def replicates_of(text: str) -> Replication:
    """Return what `3`, `racing` or `racing:share=1` means.

    Raises:
        SettingError: There is none of this name, or it has no such setting.
    """
    return Fixed(int(text)) if text.isdecimal() else _part(text, replication.registry)


def _part(text: str, registry: Registry[T]) -> T:
    """The part of a registry that `name:key=value,…` means."""
    name, _, rest = text.partition(":")
    return registry.make(
        name, dict(pair_of(part, f"a setting of {name}") for part in rest.split(",") if part)
    )


def directions(
    metrics: Sequence[str], minimize: Sequence[str], maximize: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return what is minimised and what is maximised.

    Args:
        metrics: Those of `--metric`.
        minimize: Those of `--minimize`; an empty text is one without a name.
        maximize: Likewise.

    Raises:
        SettingError: It cannot be told.

    Example:
        >>> directions(["accuracy"], [], [""])
        ([], ['accuracy'])
        >>> directions([], ["loss"], [])
        (['loss'], [])
    """
    low, high = [m for m in minimize if m], [m for m in maximize if m]
    if "" in minimize and "" in maximize:
        raise SettingError(
            "--minimize and --maximize are both without a name; write, for example, "
            "--minimize latency_ms --maximize accuracy"
        )
    if "" in maximize:
        high = [*high, *(metrics or ["value"])]
    elif "" in minimize:
        low = [*low, *(metrics or ["value"])]
    elif metrics:
        for name in metrics:
            if is_high(name):
                raise SettingError(
                    f"{name!r} sounds as if higher were better; add --maximize or --minimize"
                )
        low = [*low, *metrics]
    if not low and not high:
        raise SettingError(
            "nothing says what is tuned; add --minimize or --maximize, with the name of a metric "
            "if there are several, such as --maximize accuracy"
        )
    return low, high
