"""Who runs a trial: a process, told apart from every other on any host, and whether it lives.

A process of this host that is gone is known dead at once. About other hosts only the storage's
beats can tell.
"""

import os
import socket
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path


def _start_ticks(pid: int) -> str:
    """When a process of this host started, in clock ticks since boot; empty: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()  # the name before may hold anything
    return "" if state == "Z" else rest[18]


@cache
def _host() -> str:
    """This host, this boot, this pid namespace: where a pid means one process."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    pids = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{socket.gethostname().replace('/', '-')}/{boot}/{pids}"


@cache
def _owner(pid: int) -> str:
    ticks = _start_ticks(pid)
    return f"{_host()}/{pid}/{ticks}"


def this_process() -> str:
    """Return the owner that the calling process is: host/boot/pid namespace/pid/start."""
    return _owner(os.getpid())


def living(owner: str, beating: Callable[[], AbstractSet[str]]) -> bool:
    """Return whether `owner` is alive.

    Args:
        owner: As `this_process` made it, here or elsewhere.
        beating: Returns the owners whose last beat still holds by the storage's clock.
    """
    if not owner.startswith(f"{_host()}/"):
        return owner in beating()
    pid, _, ticks = owner.removeprefix(f"{_host()}/").partition("/")
    return pid.isdecimal() and _start_ticks(int(pid)) == ticks
