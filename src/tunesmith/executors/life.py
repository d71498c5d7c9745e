"""Processes that end with the one that started them, however that ends."""

import fcntl
import os
import signal
from contextlib import suppress


def end_with(life: int, group: int) -> None:
    """Have the system kill a process group when the other end of a pipe closes.

    Unlike a thread that reads, this works while the processes are suspended, and while code that
    lets no other thread of Python run is busy.

    Args:
        life: The end of the pipe that is read from; open in one of the processes, at least.
        group: Id of their group.
    """
    with suppress(OSError):  # a system without such signals
        fcntl.fcntl(life, fcntl.F_SETOWN, -group)
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC)
