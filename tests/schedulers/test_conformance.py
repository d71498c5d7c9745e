from typing import Any

import pytest

from tunesmith.schedulers import Hyperband, Scheduler, SuccessiveHalving, registry
from tunesmith.testing.schedulers import SchedulerConformance


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
