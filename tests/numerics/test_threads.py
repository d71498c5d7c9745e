import threading

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


def test_two_threads_at_once() -> None:
    """One waits for the other, and afterwards the user's own setting holds again."""
    before, inside = threads(), []

    def work() -> None:
        for _ in range(50):
            with one_thread():
                inside.append(set(threads()))

    both = [threading.Thread(target=work) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert inside == [{1}] * 100
    assert threads() == before
