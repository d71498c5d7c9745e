"""Who runs a trial: a process, told apart from every other on any host, and whether it lives.

A process of this host that is gone is known dead at once, and one that is suspended when its lease
has ended. About other hosts only the storage's beats can tell.
"""

import os
import socket
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path


def _state_and_start(pid: int) -> tuple[str, str]:
    """The state of a process of this host, and its start in clock ticks since boot."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", ""
    state, *rest = stat.rpartition(")")[2].split()  # the name before may hold anything
    return state, rest[18]


@cache
def _host() -> str:
    """This host, this boot, this pid namespace: where a pid means one process."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    pids = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{this_host()}/{boot}/{pids}"


@cache
def _owner(pid: int) -> str:
    _, ticks = _state_and_start(pid)
    return f"{_host()}/{pid}/{ticks}"


def this_process() -> str:
    """Return the owner that the calling process is: host/boot/pid namespace/pid/start."""
    return _owner(os.getpid())


def this_host() -> str:
    """Return the name of this machine."""
    return socket.gethostname().replace("/", "-")


def is_here(owner: str) -> bool:
    """Return whether `owner` is, or was, a process of a machine of this name; one that nobody knows is."""
    return owner.partition("/")[0] in ("", this_host())


def living(owner: str, beating: Callable[[], AbstractSet[str]]) -> bool:
    """Return whether `owner` is alive.

    Args:
        owner: As `this_process` made it, here or elsewhere.
        beating: Returns the owners whose last beat still holds by the storage's clock.
    """
    if not owner.startswith(f"{_host()}/"):
        return owner in beating()
    pid, _, ticks = owner.removeprefix(f"{_host()}/").partition("/")
    state, start = _state_and_start(int(pid)) if pid.isdecimal() else ("", "")
    if start != ticks or state in ("Z", "X", ""):
        return False
    return state != "T" or owner in beating()  # suspended: its lease is what is left to it
