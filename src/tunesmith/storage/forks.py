"""Forks: a lock that no child inherits while another thread holds it.

A child gets a copy of every lock and of every open file, but only of the thread that forked. Hence
each lock here is taken before the process forks and let go on both sides; who guards something that
may not be inherited, such as a database connection, gives it up in between.
"""

import os
import threading
from collections.abc import Callable
from typing import final
from weakref import WeakMethod, WeakSet


@final
class ForkLock:
    """A lock that is held over every fork of this process.

    Args:
        before: Method to call, with the lock held, before the process forks; held weakly.

    Attributes:
        lock: The lock; a thread may take it more than once.
    """

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        self.lock = threading.RLock()
        self._before = None if before is None else WeakMethod(before)
        with _adding:
            _all.add(self)

    def hold(self) -> None:
        """Take the lock and do what is to be done before a fork."""
        self.lock.acquire()
        before = None if self._before is None else self._before()
        if before is not None:
            before()


_adding = threading.Lock()
_all: WeakSet[ForkLock] = WeakSet()
_held: list[ForkLock] = []


def _hold() -> None:
    _adding.acquire()
    for lock in list(_all):
        lock.hold()
        _held.append(lock)


def _let_go() -> None:
    while _held:
        _held.pop().lock.release()
    _adding.release()


os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_let_go)
