from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pytest

from tunesmith.records import History, Problem
from tunesmith.samplers import Grid, HistorySampler, Sampler, Suggestion, registry
from tunesmith.testing.samplers import SamplerConformance


@final
@dataclass(frozen=True)
class Elitist(HistorySampler):
    """Repeats what completed, now and then, and says after how many trials."""

    def propose(
        self, problem: Problem[Any], history: History[Any], rng: np.random.Generator, n: int
    ) -> list[Suggestion]:
        done = [record.logged for record in history if record.state == "complete"]
        return [
            Suggestion(done[-1] if done and rng.random() < 0.3 else params, {"of": len(history)})
            for params in problem.space.sample(rng, n)
        ]


class TestRegistered(SamplerConformance):
    @pytest.fixture(params=list(registry))
    def sampler(self, request: pytest.FixtureRequest) -> Sampler[Any]:
        return registry.get(request.param)()


class TestGridOfLevels(SamplerConformance):
    @pytest.fixture
    def sampler(self) -> Grid:
        return Grid(levels=4)


class TestHistorySampler(SamplerConformance):
    repeats = True

    @pytest.fixture
    def sampler(self) -> Elitist:
        return Elitist()
