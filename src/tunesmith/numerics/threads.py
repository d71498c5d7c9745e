"""One thread for the linear algebra of small matrices: as fast, and bit-equal on any machine."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    """The kept controller; to look for the libraries takes a thousand times as long as to set them."""
    import scipy.linalg.lapack  # noqa: F401, PLC0415 - its library must be there to be found

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Return a context in which NumPy's and SciPy's linear algebra use one thread.

    The number belongs to the process: one thread of Python at a time is in here, or who leaves
    first would set it back for all, and who leaves last would keep it.
    """
    with _locks[-1], _controller().limit(limits=1, user_api="blas"):
        yield


_locks = [threading.RLock()]
# in a process that was forked while another thread was inside, nobody is
os.register_at_fork(after_in_child=lambda: _locks.append(threading.RLock()))
