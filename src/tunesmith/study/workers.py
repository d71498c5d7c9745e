"""Which executor the arguments of a run mean."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.executors import Executor, Work, registry
from tunesmith.executors.devices import GPUs
from tunesmith.study.errand import async_errand, errand
from tunesmith.study.trial import Trial

T = TypeVar("T")


def work_of(objective: Callable[..., Any], call: Callable[[Trial[Any]], Any]) -> Work:
    """Return an objective as an executor runs it; `call` is what calls it on a trial."""
    work = async_errand(call) if inspect.iscoroutinefunction(objective) else errand(call)
    work.__wrapped__ = objective  # type: ignore[attr-defined]  # for messages: it is a function
    return work


_SETTINGS = {"workers": "n", "trial_timeout": "timeout_s", "trial_memory": "memory_bytes"}
_NEEDS = {  # what an argument is for, where it is refused
    "workers": "an executor that runs several trials at once",
    "gpus": 'processes or threads of this machine; with Ray, add resources={"gpu": 1}',
    "resources": 'a cluster that shares them out; add executor="ray"',
    "trial_timeout": "a worker process, which can be killed; add workers=1",
    "trial_memory": "a worker process of this machine, which can be killed; add workers=1 (with Ray, "
    'resources={"memory": 4e9} reserves memory)',
}


def executor_of(
    objective: Callable[..., Any],
    workers: int | None,
    executor: Executor | str | None,
    *,
    lease_s: float,
    gpus: GPUs | None = None,
    resources: Mapping[str, float] | None = None,
    trial_timeout: float | None = None,
    trial_memory: int | None = None,
    most: int | None = None,
) -> Executor:
    """Return where a run's trials are run; for the arguments, see `Study.run`.

    `most` says how many trials there are to run, if that is known: what would take all of a
    cluster takes no more.

    Raises:
        SettingError: The arguments contradict one another.
        MissingExtra: The executor needs a package.
    """
    asked: dict[str, Any] = {
        "workers": _checked(checks.whole, "workers=", workers, 1),
        "gpus": gpus,
        "resources": resources,
        "trial_timeout": _checked(checks.seconds, "trial_timeout=", trial_timeout),
        "trial_memory": _checked(checks.whole, "trial_memory=", trial_memory, 1),
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if isinstance(executor, Executor):
        if given:
            own = ", ".join(f"{name}=" for name in given)
            raise SettingError(f"executor= brings its own {own}; leave it out")
        return executor
    is_async = inspect.iscoroutinefunction(objective)
    if executor is None and is_async:
        given.setdefault("workers", 1)
        executor = "coroutines"
    elif executor is None:
        executor = "processes" if given.keys() & {"workers", "gpus"} else "serial"
    elif not isinstance(executor, str):
        raise SettingError(
            'executor= takes a name such as "ray", an address such as "ray://head:10001", or an '
            f"executor such as ts.executors.Threads(4), got {executor!r}"
        )
    name, is_address, _ = executor.partition("://")
    if is_async and name != "coroutines":
        raise SettingError(
            f"executor={executor!r} runs plain functions; async ones are coroutines, workers=64 of them"
        )
    kind: Any = registry.get(name)  # its settings are its own
    takes = inspect.signature(kind).parameters
    settings: dict[str, Any] = {}
    for argument, value in given.items():
        setting = _SETTINGS.get(argument, argument)
        if setting not in takes:
            raise SettingError(f"{argument}= needs {_NEEDS[argument]}")
        settings[setting] = value
    if is_address and "address" not in takes:
        raise SettingError(
            f'executor={executor!r} is no place to run trials; give "ray://head:10001"'
        )
    if is_address:
        settings["address"] = executor
    if "lease_s" in takes:
        settings["lease_s"] = checks.seconds("lease_s=", lease_s)
    if "gpus" in settings:
        settings.setdefault("n", None)  # as many as there are
    if "most" in takes and "n" not in settings:
        settings["most"] = most
    elif "n" in takes and "n" not in settings:
        raise SettingError(f"executor={executor!r} needs workers=, how many trials run at once")
    made: Executor = kind(**settings)
    return made


def _checked(check: Callable[..., T], what: str, value: Any, *limits: Any) -> T | None:
    return None if value is None else check(what, value, *limits)
