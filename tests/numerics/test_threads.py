import numpy as np
import scipy.linalg  # noqa: F401 - its library is looked at
from threadpoolctl import threadpool_info, threadpool_limits

from tunesmith.numerics.threads import one_thread


def threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside() -> None:
    """Every library is limited within the context; afterwards the user's own setting holds."""
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_thread():
            inside = threads()
            np.linalg.inv(np.eye(3))
        after = threads()

    assert set(inside) == {1}
    assert after == before
