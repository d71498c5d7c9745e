"""Which executor the arguments of a run mean."""

import inspect
from collections.abc import Callable
from typing import Any

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.executors import Coroutines, Executor, Processes, Serial, Work
from tunesmith.executors.devices import GPUs
from tunesmith.study.errand import async_errand, errand
from tunesmith.study.trial import Trial


def work_of(objective: Callable[..., Any], call: Callable[[Trial[Any]], Any]) -> Work:
    """Return an objective as an executor runs it; `call` is what calls it on a trial."""
    work = async_errand(call) if inspect.iscoroutinefunction(objective) else errand(call)
    work.__wrapped__ = objective  # type: ignore[attr-defined]  # for messages: it is a function
    return work


def executor_of(
    objective: Callable[..., Any],
    workers: int | None,
    executor: Executor | None,
    *,
    gpus: GPUs | None,
    lease_s: float,
    trial_timeout: float | None,
    trial_memory: int | None,
) -> Executor:
    """Return where a run's trials are run.

    Raises:
        SettingError: The arguments contradict one another.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise SettingError(
            f"executor= takes one such as ts.executors.Threads(4), got {executor!r}; workers=4 "
            "makes processes"
        )
    n = None if workers is None else checks.whole("workers=", workers, 1)
    limits = {"trial_timeout": trial_timeout, "trial_memory": trial_memory}
    limited = [f"{name}=" for name, value in limits.items() if value is not None]
    if executor is not None and (n is not None or gpus is not None or limited):
        own = ["workers", *(["gpus="] if gpus is not None else []), *limited]
        raise SettingError(f"executor= brings its own {', '.join(own)}; leave it out")
    if inspect.iscoroutinefunction(objective):
        if limited:
            raise SettingError(f"{limited[0]} kills a process, and async trials share one")
        if gpus is not None:
            raise SettingError("gpus= shares GPUs out among processes, and async trials share one")
        return executor or Coroutines(n or 1)
    if executor is not None:
        return executor
    if n is None and gpus is None:
        if limited:
            raise SettingError(f"{limited[0]} kills a worker process; add workers=1")
        return Serial()
    return Processes(
        n,
        gpus=gpus,
        lease_s=checks.seconds("lease_s=", lease_s),
        timeout_s=None
        if trial_timeout is None
        else checks.seconds("trial_timeout=", trial_timeout),
        memory_bytes=None
        if trial_memory is None
        else checks.whole("trial_memory=", trial_memory, 1),
    )
