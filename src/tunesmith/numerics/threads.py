"""One thread for the linear algebra of small matrices: as fast, and bit-equal on any machine."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    """The kept controller; to look for the libraries takes a thousand times as long as to set them."""
    import scipy.linalg.lapack  # noqa: F401, PLC0415 - its library must be there to be found

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which NumPy's and SciPy's linear algebra use one thread."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limit
