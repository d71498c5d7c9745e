from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tunesmith.records import Problem, Record
from tunesmith.schedulers import (
    Decision,
    Hyperband,
    Scheduler,
    StoppingScheduler,
    SuccessiveHalving,
    registry,
)
from tunesmith.testing.schedulers import PROBLEMS, Play, SchedulerConformance


class TestRegistered(SchedulerConformance):
    @pytest.fixture(params=list(registry))
    def scheduler(self, request: pytest.FixtureRequest) -> Scheduler[Any]:
        return registry.get(request.param)()


class TestNarrowRungs(SchedulerConformance):
    @pytest.fixture
    def scheduler(self) -> Hyperband:
        return Hyperband(factor=1.7)


class TestSmallCohorts(SchedulerConformance):
    @pytest.fixture
    def scheduler(self) -> SuccessiveHalving:
        return SuccessiveHalving(candidates=4)


@dataclass(frozen=True)
class Hasty(StoppingScheduler[set[str]]):
    """Drops what runs."""

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> set[str]:
        return set()

    def tell(self, state: set[str], records: Sequence[Record[Any]]) -> set[str]:
        return {record.uid for record in records}

    def due(self, state: set[str], record: Record[Any]) -> int:
        return 1

    def decide(self, state: set[str], record: Record[Any]) -> Decision:
        return "continue"

    def drops(self, state: set[str]) -> set[str]:
        return state


def test_a_scheduler_that_drops_what_it_has_not_paused_is_found() -> None:
    """A trial that runs is stopped by a decision, not dropped."""
    with pytest.raises(AssertionError, match=r"drops .*, which it has not paused"):
        Play(Hasty(), PROBLEMS["epochs"]).study()
