"""A child that was forked uses the storages of its parent, each with its own connections."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tunesmith.storage import Memory, SQLite


def in_child(work: Callable[[], None]) -> int:
    """Start `work` in a forked child and return its process id; its status is 0 on success."""
    with warnings.catch_warnings():
        # Python 3.12 and later warn of forks beside threads, which is what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def succeeded(pid: int) -> bool:
    return os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SQLite]:
    storage = SQLite(tmp_path / "x.db")
    yield storage
    storage.close()


def test_parent_and_child_append(storage: SQLite) -> None:
    """Both go on with the object they had, and both see all lines."""
    storage.append("a", ["before"])

    def work() -> None:
        assert storage.read("a") == ["before"]
        storage.append("a", ["child"], expect=1)

    assert succeeded(in_child(work))
    assert storage.append("a", ["parent"], expect=2) == 3
    assert storage.read("a") == ["before", "child", "parent"]


def test_child_outlives_its_parents_connection(storage: SQLite) -> None:
    """When the parent closes the file, the log that the child is writing stays in place."""
    storage.append("a", ["before"])
    closed, tell = os.pipe()
    started, say = os.pipe()

    def work() -> None:
        storage.append("a", ["child 0"])
        os.write(say, b".")
        os.read(closed, 1)
        storage.append("a", ["child 1"])

    pid = in_child(work)
    os.read(started, 1)
    assert storage.read("a") == ["before", "child 0"]
    storage.close()
    os.write(tell, b".")
    assert succeeded(pid)
    assert storage.read("a") == ["before", "child 0", "child 1"]
    for end in (closed, tell, started, say):
        os.close(end)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_forks_while_threads_append(kind: str, storage: SQLite) -> None:
    """A fork amid the appends of other threads leaves no lock taken, and no line half written."""
    shared = Memory() if kind == "memory" else storage
    forked = threading.Event()

    def append(thread: int) -> int:
        number = 0
        while not forked.is_set() or number == 0:
            shared.append("a", [f"{thread} {number}", f"{thread} {number} too"])
            number += 1
        return number

    def work() -> None:
        lines = shared.read("a")
        assert all(f"{one} too" == two for one, two in zip(lines[::2], lines[1::2], strict=True))
        shared.append("b", ["child"])

    with ThreadPoolExecutor(3) as pool:
        counts = [pool.submit(append, thread) for thread in range(3)]
        children = [in_child(work) for _ in range(10)]
        assert all(succeeded(pid) for pid in children)
        forked.set()
        appends = sum(count.result() for count in counts)
    assert len(shared.read("a")) == 2 * appends
    assert len(shared.read("b")) == (0 if kind == "memory" else 10)
