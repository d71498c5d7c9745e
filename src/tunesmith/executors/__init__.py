"""Executors: where works run, and how their messages come back.

An executor has a number of places. `submit` begins a work in a free one, `pump` hands what the works
say to an inbox, in the calling thread; the last message of each says how it ended. It knows neither
trials nor studies::

    def work(channel, x):
        channel.send("begun")
        return channel.request("how much?") * x


    def inbox(key, message):
        print(key, message)
        return 7  # the answer, where one is asked for


    with Processes(2) as executor:
        executor.submit(work, ("0.0", 1), 6)
        while len(executor.free()) < 2:
            executor.pump(inbox, timeout_s=1)  # begun, how much?, Returned(value=42)

Parts:

* `Serial`: the calling thread; a debugger works.
* `Processes`: persistent worker processes; functions travel by value, crashes and limits hit one
  work only.
* `Threads`: threads of this process.
* `Coroutines`: `async def` works in one event loop, many at once.

An executor of one's own is one file with one final class that implements `Executor`, and one line:
ours stand in `registry`, those of other packages in their pyproject.toml::

    [project.entry-points."tunesmith.executors"]
    slurm = "my_package.slurm:Slurm"

Whether it keeps the contract is checked by subclassing
`tunesmith.testing.executors.ExecutorConformance`.
"""

from typing import TYPE_CHECKING

from tunesmith._core.hints import hint_of_module
from tunesmith._core.registry import Registry
from tunesmith.executors.executor import (
    HERE,
    LATER,
    Channel,
    Died,
    Ended,
    Executor,
    Inbox,
    Key,
    Place,
    Raised,
    Returned,
    Work,
)

if TYPE_CHECKING:  # `__getattr__` in a form that type checkers and editors understand
    from tunesmith.executors.coroutines import Coroutines
    from tunesmith.executors.processes import Processes
    from tunesmith.executors.serial import Serial
    from tunesmith.executors.threads import Threads

__all__ = [
    "HERE",
    "LATER",
    "Channel",
    "Coroutines",
    "Died",
    "Ended",
    "Executor",
    "Inbox",
    "Key",
    "Place",
    "Processes",
    "Raised",
    "Returned",
    "Serial",
    "Threads",
    "Work",
    "registry",
]

registry: Registry[Executor] = Registry(
    "tunesmith.executors",
    "executor",
    {
        "coroutines": "tunesmith.executors.coroutines:Coroutines",
        "processes": "tunesmith.executors.processes:Processes",
        "serial": "tunesmith.executors.serial:Serial",
        "threads": "tunesmith.executors.threads:Threads",
    },
)

if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names

    def __getattr__(name: str) -> type[Executor]:
        if name in __all__:
            return registry.get(name.lower())
        raise hint_of_module(__name__, name)
