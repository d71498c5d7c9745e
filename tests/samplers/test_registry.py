from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tunesmith import samplers
from tunesmith._core.errors import SettingError
from tunesmith.records import History, Problem
from tunesmith.samplers import (
    TPE,
    Grid,
    HistorySampler,
    Random,
    Suggestion,
    registry,
)
from tunesmith.study.parts import settings


@dataclass(frozen=True)
class Nearby(HistorySampler):
    radius: float = 0.1
    among: tuple[str, ...] = ("a",)
    by: object = field(default_factory=lambda: 1)

    def propose(
        self, problem: Problem[Any], history: History[Any], rng: np.random.Generator, n: int
    ) -> list[Suggestion]:
        return [Suggestion(params) for params in problem.space.sample(rng, n)]


@pytest.mark.parametrize(
    "sampler",
    [Random(), Grid(), Grid(3), Grid({"x": 2}), samplers.QuasiRandom(), TPE(start=3, share=0.2)],
)
def test_a_sampler_comes_back_from_name_and_settings(sampler: samplers.Sampler[Any]) -> None:
    """What the log keeps of a registered sampler makes an equal one."""
    name = registry.name_of(type(sampler))
    assert name is not None

    assert registry.make(name, settings(sampler)) == sampler


@pytest.mark.parametrize("name", list(registry))
def test_every_registered_sampler_needs_no_settings(name: str) -> None:
    """A name alone makes a sampler; its class is public and documented under its own name."""
    sampler = registry.make(name, {})

    assert getattr(samplers, type(sampler).__name__) is type(sampler)
    assert type(sampler).__name__.lower() == name


def test_settings_are_as_they_come_back_from_json() -> None:
    """A tuple is a list in a log, so it is one in the settings."""
    assert settings(Nearby()) == {"radius": 0.1, "among": ["a"], "by": 1}


def test_settings_that_are_not_json_are_refused() -> None:
    """The sentence names the setting and what is allowed."""
    with pytest.raises(SettingError, match=r"Nearby\(by=...\) is kept in the log"):
        settings(Nearby(by=object()))


def test_unknown_names_and_settings_are_refused() -> None:
    """The sentences name what there is."""
    with pytest.raises(
        SettingError,
        match="no sampler 'magic'; there are auto, gp, grid, quasirandom, queue, random, tpe",
    ):
        registry.make("magic", {})
    with pytest.raises(SettingError, match="'grid' has no setting 'points'; it has levels"):
        registry.make("grid", {"points": 3})


def test_names_of_other_tools_are_answered_with_ours() -> None:
    """An unknown attribute is an AttributeError, with a hint where the word is known."""
    with pytest.raises(AttributeError, match=r"ts\.samplers\.Random\(\)"):
        _ = samplers.RandomSampler  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = samplers.Nothing  # type: ignore[attr-defined]
