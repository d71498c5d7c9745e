"""Every registered executor keeps the contract."""

import asyncio
from functools import wraps
from threading import Event
from typing import Any

import pytest

from tunesmith import executors
from tunesmith.executors import (
    Channel,
    Coroutines,
    Executor,
    Processes,
    Ray,
    Serial,
    Threads,
    Work,
    registry,
)
from tunesmith.testing.executors import (
    Adapt,
    ConcurrentConformance,
    ExecutorConformance,
    Log,
    Make,
)


class TestSerial(ExecutorConformance):
    @pytest.fixture
    def make(self) -> Make:
        return lambda n: Serial()


class TestThreads(ConcurrentConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Threads


class TestProcesses(ConcurrentConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Processes


class TestProcessesOnOneGPU(ConcurrentConformance):
    @pytest.fixture
    def make(self, monkeypatch: pytest.MonkeyPatch) -> Make:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return lambda n: Processes(n, gpus=[0])


class TestThreadsOnOneGPU(ConcurrentConformance):
    @pytest.fixture
    def make(self, monkeypatch: pytest.MonkeyPatch) -> Make:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return lambda n: Threads(n, gpus=[0])


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
class TestRay(ConcurrentConformance):
    @pytest.fixture
    def make(self, cluster: Any) -> Make:
        def make(n: int) -> Executor:
            executor = Ray(n)
            log = Log()
            log.until_true(executor, lambda: len(executor.free()) == n)
            return executor

        return make


class TestCoroutines(ConcurrentConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Coroutines

    @pytest.fixture
    def adapt(self) -> Adapt:
        """Plain functions run beside the loop; coroutines proper have their own tests."""

        def adapted(work: Work) -> Work:
            @wraps(work)
            async def coroutine(*args: Any) -> Any:
                return await asyncio.to_thread(work, *args)

            return coroutine

        return adapted


@pytest.mark.parametrize("name", list(registry))
def test_every_registered_executor_is_public(name: str) -> None:
    """Its class is found under its own name, and tested here."""
    kind = registry.get(name)

    assert issubclass(kind, Executor)
    assert getattr(executors, kind.__name__) is kind
    assert kind.__name__.lower() == name
    assert f"Test{kind.__name__}" in globals()


def test_threads_end_what_their_works_wait_for() -> None:
    """A work that says nothing more ends with the executor."""
    begun, freed, ended = Event(), Event(), Event()

    def work(channel: Channel) -> None:
        begun.set()
        freed.wait(10)
        ended.set()

    with Threads(1, ending=freed.set) as threads:
        threads.submit(work, ("0.0", 1))
        assert begun.wait(10)
        assert not ended.is_set()
    assert ended.wait(5)
