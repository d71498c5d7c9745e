"""Samplers as the log names them, and the versions that it was written with."""

import platform
from collections.abc import Iterable
from typing import Any

import numpy as np

from tunesmith._core.version import VERSION
from tunesmith.records.events import Part
from tunesmith.samplers import Sampler, make, registry, settings


def part_of(sampler: Sampler[Any]) -> Part:
    """Return how the log names a sampler: registered name, or module:qualname, and settings."""
    kind = type(sampler)
    name = registry.name_of(kind) or f"{kind.__module__}:{kind.__qualname__}"
    return Part(name, settings(sampler))


def sampler_of(part: Part, known: Iterable[Sampler[Any]] = ()) -> Sampler[Any] | None:
    """Return the sampler that a log names: one of `known`, or a registered one; else None."""
    for sampler in known:
        if part_of(sampler) == part:
            return sampler
    return make(part.name, part.settings) if part.name in registry else None


def versions() -> dict[str, str]:
    """Return what a log's numbers may depend on."""
    return {
        "tunesmith": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
