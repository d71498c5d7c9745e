import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith._core.errors import SettingError
from tunesmith.executors import Channel, Died, Ended, Processes, Raised, Returned
from tunesmith.executors.processes import THREADS
from tunesmith.testing.executors import LONG_S, A, B, Log, gone


def ended(work: Callable[..., Any], *args: Any, then: bool = True, **settings: Any) -> Ended:
    """How a work ends; another one must run well in the same place afterwards."""
    log = Log()
    with Processes(1, **settings) as executor:
        executor.submit(work, A, *args)
        log.until(executor, A)
        if then:
            executor.submit(lambda channel: "well", B)
            log.until(executor, B)
            assert log.ended[B] == Returned("well")
    return log.ended[A]


@pytest.mark.parametrize(
    "work, how",
    [
        (lambda channel: ctypes.string_at(0), "SIGSEGV"),
        (lambda channel: os._exit(3), "exit code 3"),
        (lambda channel: os._exit(0), "exit code 0"),
        (lambda channel: os.abort(), "SIGABRT"),
        (lambda channel: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda channel: os.kill(os.getpid(), signal.SIGALRM), "SIGALRM"),
    ],
)
def test_a_crash_ends_its_work_only(work: Callable[..., Any], how: str) -> None:
    """The process is gone, the work is lost, the text says how; the place goes on."""
    died = ended(work)

    assert isinstance(died, Died)
    assert died.kind == "lost"
    assert how in died.text


def test_a_crash_does_not_touch_the_neighbour() -> None:
    """One worker segfaults while another is in the middle of its work."""

    def work(channel: Channel) -> int:
        channel.request("?")
        return os.getpid()

    log = Log(lambda key, message: crash())

    def crash() -> None:
        executor.submit(lambda channel: ctypes.string_at(0), B)
        log.until(executor, B)

    with Processes(2) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    assert isinstance(log.ended[A], Returned)
    assert isinstance(log.ended[B], Died)


def test_what_was_said_before_a_crash_arrives() -> None:
    """Messages of a work that dies come before its end."""

    def work(channel: Channel) -> None:
        for number in range(100):
            channel.send(number)
        os._exit(1)

    log = Log()
    with Processes(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    assert log.heard[A] == list(range(100))


def test_a_suspended_worker_is_noticed() -> None:
    """It gives no sign of life, is taken for dead and killed, after its lease."""
    begun = time.monotonic()
    died = ended(lambda channel: os.kill(os.getpid(), signal.SIGSTOP), lease_s=0.3)

    assert isinstance(died, Died)
    assert died.kind == "silent"
    assert time.monotonic() - begun > 0.3


def test_a_worker_that_lets_no_thread_run_is_not_silent() -> None:
    """Computing is a sign of life, too: the heartbeat's thread cannot run in a long call of C."""
    log = Log()
    with Processes(1, lease_s=0.1) as executor:
        executor.submit(lambda channel, numbers: sum(numbers), A, range(15_000_000))
        log.until(executor, A)

    assert log.ended[A] == Returned(sum(range(15_000_000)))


def test_a_work_that_sleeps_is_not_silent() -> None:
    """The heartbeat goes on while the work waits for longer than the lease."""
    died = ended(lambda channel: threading.Event().wait(0.5), lease_s=0.1)

    assert died == Returned(False)


def test_a_caller_that_was_away_finds_its_workers_alive() -> None:
    """Nobody pumps for longer than the lease, while a work has something to say."""
    log = Log()
    with Processes(1, lease_s=0.1) as executor:
        executor.submit(lambda channel: [channel.request(n) for n in range(3)], A)
        log.until_true(executor, lambda: A in log.heard)
        threading.Event().wait(0.3)
        log.until(executor, A)

    assert log.ended[A] == Returned([None] * 3)


def test_a_hanging_work_is_killed() -> None:
    """The limit of time ends a work that would never return, and names itself."""
    begun = time.monotonic()
    died = ended(lambda channel: threading.Event().wait(), timeout_s=0.3)

    assert died == Died("timed out", "the work took longer than 0.3 s")
    assert time.monotonic() - begun < 10


def test_a_leak_of_memory_is_stopped() -> None:
    """A work that takes more and more is killed soon after its limit."""

    def work(channel: Channel) -> None:
        held = []
        while True:
            held.append(b"x" * 5_000_000)
            threading.Event().wait(0.001)

    died = ended(work, memory_bytes=150_000_000)

    assert isinstance(died, Died)
    assert died.kind == "out of memory"
    assert "150 MB are allowed" in died.text


def test_memory_of_what_a_work_forks_counts_once() -> None:
    """Children that share the parent's pages do not count for them again."""

    def work(channel: Channel) -> int:
        held = b"x" * 100_000_000
        children = []
        for _ in range(3):
            child = os.fork()
            if not child:
                threading.Event().wait(0.6)
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        return len(held)

    assert ended(work, memory_bytes=250_000_000) == Returned(100_000_000)


def test_children_of_a_killed_work_die_with_it() -> None:
    """What a work has forked is killed when the work is."""

    def work(channel: Channel) -> None:
        child = os.fork()
        if child:
            channel.request(child)
        threading.Event().wait()

    log = Log(lambda key, message: executor.cancel(key))
    with Processes(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    assert log.ended[A] == Died("cancelled", "the work was cancelled")
    assert gone(log.heard[A][0])


def test_a_fork_that_returns_twice_counts_once() -> None:
    """The child's return ends the child; its channel is refused, the work's own goes on."""

    def work(channel: Channel) -> str:
        child = os.fork()
        if child:
            channel.send(os.waitpid(child, 0)[1])
            return "parent"
        try:
            channel.send("from the child")
        except RuntimeError:
            return "refused"
        os._exit(1)

    log = Log()
    with Processes(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)
        executor.pump(log, 0)

    assert log.heard == {A: [0]}
    assert log.ended == {A: Returned("parent")}


def test_what_a_work_forks_can_be_terminated() -> None:
    """It hears SIGTERM as ever, also at once; the worker itself goes on, a work's handler stays."""

    def work(channel: Channel) -> tuple[list[int | None], bool]:
        context = multiprocessing.get_context("fork")
        codes = []
        for _ in range(10):
            process = context.Process(target=time.sleep, args=(25,))
            process.start()
            process.terminate()
            process.join()
            codes.append(process.exitcode)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(25)
        return codes, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7

    begun = time.monotonic()
    codes = ended(work)

    assert codes == Returned(([-signal.SIGTERM] * 10, True))
    assert time.monotonic() - begun < 20


def test_a_thread_left_behind_speaks_for_nobody() -> None:
    """It cannot send in the name of the next work, and does not keep the worker from going on."""

    def first(channel: Channel) -> None:
        def haunt() -> None:
            while True:
                channel.send("boo")

        threading.Thread(target=haunt).start()

    log = Log()
    with Processes(1) as executor:
        executor.submit(first, A)
        log.until(executor, A)
        executor.submit(lambda channel: channel.request("?"), B)
        log.until(executor, B)

    assert log.heard[B] == ["?"]
    assert log.ended[B] == Returned(None)


def test_what_cannot_travel_is_named() -> None:
    """A result, a message, an argument and a work that cannot be pickled are each refused."""
    lock = threading.Lock()
    result = ended(lambda channel: threading.Lock())
    message = ended(lambda channel: channel.send(threading.Lock()))

    for raised, what in ((result, "what the work returned"), (message, "a message")):
        assert isinstance(raised, Raised)
        assert isinstance(raised.error, TypeError)
        assert what in str(raised.error)
        assert "cannot travel" in str(raised.error)
    with Processes(1) as executor:
        with pytest.raises(TypeError, match=r"an argument cannot travel.*inside the work"):
            executor.submit(lambda channel, x: x, A, lock)
        with pytest.raises(TypeError, match=r"^the work cannot travel.*inside the work"):
            executor.submit(lambda channel: lock, A)
        assert len(executor.free()) == 1


def test_a_work_that_wraps_a_function_is_called_by_its_name() -> None:
    """What cannot travel is the user's function, by the name it has, without an address."""
    lock = threading.Lock()

    def train(channel: Channel) -> Any:
        return lock

    @functools.wraps(train)
    def work(channel: Channel) -> Any:
        return train(channel)

    with Processes(1) as executor, pytest.raises(TypeError) as refused:
        executor.submit(work, A)

    assert str(refused.value) == (
        "the function 'train' cannot travel to another process: cannot pickle '_thread.lock' "
        "object; make locks, open files and connections inside the function 'train', or use Threads"
    )


def test_what_cannot_be_read_ends_the_work() -> None:
    """A result or message whose reading fails in the parent is an error of the work."""

    class Trap:
        def __reduce__(self) -> Any:
            return (int, ("no number",))

    for work in (lambda channel: Trap(), lambda channel: channel.request(Trap())):
        raised = ended(work)
        assert isinstance(raised, Raised)
        assert "cannot be read in this process: ValueError" in str(raised.error)


def test_a_work_that_cannot_be_loaded_raises() -> None:
    """The error of loading it in the worker ends the work, not the worker."""

    class Trap:
        def __reduce__(self) -> Any:
            return (int, ("no number",))

        def __call__(self, channel: Channel) -> None: ...

    raised = ended(Trap())

    assert isinstance(raised, Raised)
    assert isinstance(raised.error, ValueError)


def test_workers_live_on_unless_they_shall_be_fresh() -> None:
    """One process serves many works; `fresh=True` gives each its own."""

    def pids(**settings: Any) -> list[Any]:
        log = Log()
        with Processes(1, **settings) as executor:
            for number in range(3):
                executor.submit(lambda channel: os.getpid(), ("w", number))
                log.until(executor, ("w", number))
        return [last.value for last in log.ended.values() if isinstance(last, Returned)]

    assert len(set(pids())) == 1
    assert len(set(pids(fresh=True))) == 3


def test_a_worker_imports_next_to_nothing() -> None:
    """What the work does not need is not loaded: neither numpy nor the rest of the library."""
    loaded = ended(lambda channel: set(sys.modules))

    assert isinstance(loaded, Returned)
    ours = {name for name in loaded.value if name.startswith("tunesmith.")}
    assert not loaded.value & {"numpy", "msgspec", "rich", "asyncio", "threadpoolctl", "pytest"}
    assert {name.split(".")[1] for name in ours} == {"_core", "executors"}


def test_numerical_libraries_get_their_share() -> None:
    """Also one that has been told something else before it was loaded."""

    class Matrix:
        def __reduce__(self) -> Any:
            return (exec, ("import os; os.environ['OPENBLAS_NUM_THREADS'] = '2'; import numpy",))

    matrix = Matrix()

    def work(channel: Channel) -> list[int]:
        from threadpoolctl import threadpool_info

        assert matrix is None
        return [pool["num_threads"] for pool in threadpool_info()]

    pools = ended(work, threads=1)

    assert isinstance(pools, Returned)
    assert set(pools.value) == {1}


def test_many_functions_are_kept_apart() -> None:
    """A worker calls the right one of more functions than it keeps, in any order."""
    works = [lambda channel, number=number: number for number in range(12)]
    order = [*range(12), *range(12), 0, 5, 0, 11, 3]
    log = Log()
    with Processes(1) as executor:
        for place, number in enumerate(order):
            executor.submit(works[number], ("w", place))
            log.until(executor, ("w", place))

    assert [log.ended["w", place] for place in range(len(order))] == [Returned(n) for n in order]


def test_arrays_and_much_data_travel() -> None:
    """Much more than a pipe holds goes to a worker and back, in each way to speak."""
    data = np.arange(1_000_000.0)

    def work(channel: Channel, sent: Any) -> Any:
        channel.send(sent)
        return channel.request(sent) + sent

    log = Log(lambda key, message: message)
    with Processes(1) as executor:
        executor.submit(work, A, data)
        log.until(executor, A)

    last = log.ended[A]
    assert isinstance(last, Returned)
    assert np.array_equal(last.value, 2 * data)
    assert all(np.array_equal(message, data) for message in log.heard[A])


def test_an_idle_worker_that_died_is_replaced() -> None:
    """Killed between two works, it costs neither of them anything."""
    log = Log()
    with Processes(1) as executor:
        for number in range(3):
            executor.submit(lambda channel: os.getpid(), ("w", number))
            log.until(executor, ("w", number))
            last = log.ended["w", number]
            assert isinstance(last, Returned)
            os.kill(last.value, signal.SIGKILL)
            assert gone(last.value)


def test_a_worker_finds_the_parent_s_surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Path, working directory, arguments and environment are the parent's; nothing can be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("/nowhere to be found")
    monkeypatch.setenv("OF_THE_PARENT", "set")
    there = ended(
        lambda channel: (
            sys.path,
            Path.cwd(),
            sys.argv,
            os.environ["OF_THE_PARENT"],
            sys.stdin.read(),
        )
    )

    assert there == Returned((sys.path, tmp_path, sys.argv, "set", ""))


def test_cores_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries get their share of the cores, or what the setting or the environment says."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    share = str(len(os.sched_getaffinity(0)))

    def threads(channel: Channel) -> list[str | None]:
        return [os.environ.get(name) for name in names]

    assert ended(threads) == Returned([share, share])
    assert ended(threads, threads=3) == Returned(["3", "3"])
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert ended(threads) == Returned(["5", None])


@pytest.mark.parametrize(
    "setting",
    [
        {"n": 0},
        {"n": True},
        {"n": 1.5},
        {"lease_s": 0},
        {"timeout_s": -1},
        {"memory_bytes": 0},
        {"threads": 0},
        {"lease_s": float("inf")},
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    """The sentence names the setting and what came."""
    with pytest.raises(SettingError, match=f"{next(iter(setting))}.*above 0, got"):
        Processes(**{"n": 1} | setting)


def run(program: str, *, end: signal.Signals | None = None) -> tuple[int, list[str]]:
    """Run a program as a file would be; after its first line, end it by a signal if told so."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, bufsize=1 << 16
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip()]
        if end is not None:
            process.send_signal(end)
            process.wait(LONG_S)
        else:
            lines += process.stdout.read().splitlines()
    return process.returncode, lines


HEAD = """
import ctypes, os, signal, sys, threading, time
from tunesmith.executors import Processes
"""

BUSY = (
    HEAD
    + """
def inbox(key, message):
    pids.append(message)
    if len(pids) == 3:
        print(*pids, flush=True)

def waits(channel):
    child = os.fork()
    if not child:
        threading.Event().wait()
    channel.send(os.getpid())
    channel.send(child)
    threading.Event().wait()

def lets_no_thread_run(channel):
    channel.send(os.getpid())
    sum(range(10**13))

pids = []
executor = Processes(2)
executor.submit(waits, ("a", 1))
executor.submit(lets_no_thread_run, ("b", 1))
while True:
    executor.pump(inbox, 60)
"""
)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(how: signal.Signals) -> None:
    """However it ends: also those that are busy and let no thread run, and what they forked."""
    code, lines = run(BUSY, end=how)

    assert code == -how
    pids = [int(pid) for pid in lines[0].split()]
    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)


def test_suspended_workers_end_with_their_parent() -> None:
    """A worker that was stopped is no orphan either."""
    program = BUSY.replace("print(*pids", "[os.kill(p, signal.SIGSTOP) for p in pids]; print(*pids")
    _, lines = run(program, end=signal.SIGKILL)

    assert all(gone(int(pid)) for pid in lines[0].split())


def test_an_interrupt_reaches_the_parent_only() -> None:
    """A signal to the parent's group, as Ctrl-C sends it, leaves the workers as they are."""
    program = HEAD + (
        "def work(channel):\n"
        "    channel.request('begun')\n"
        "    return 'done'\n"
        "def inbox(key, message):\n"
        "    print(message)\n"
        "    if message == 'begun':\n"
        "        os.killpg(0, signal.SIGINT)\n"
        "os.setpgid(0, 0)\n"
        "with Processes(1) as executor:\n"
        "    executor.submit(work, ('a', 1))\n"
        "    try:\n"
        "        executor.pump(inbox, 60)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n"
        "    executor.reply(('a', 1), None)\n"
        "    executor.pump(inbox, 60)\n"
    )

    assert run(program) == (0, ["begun", "interrupted", "Returned(value='done')"])


def test_closing_again_finishes_what_was_interrupted() -> None:
    """A Ctrl-C while `close` waits for the workers' end leaves nothing open after another one."""
    program = HEAD + (
        "def work(channel):\n"
        "    held = b'x' * 50_000_000\n"  # takes some ms to be given back
        "    channel.send(os.getpid())\n"
        "    threading.Event().wait()\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "pids = []\n"
        "executor = Processes(3)\n"
        "for number in range(3):\n"
        "    executor.submit(work, ('a', number))\n"
        "while len(pids) < 3:\n"
        "    executor.pump(lambda key, pid: pids.append(pid), 60)\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "try:\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
        "    executor.close()\n"
        "    print('not interrupted')\n"
        "except KeyboardInterrupt:\n"
        "    executor.close()\n"
        "executor.pump(print, 60)\n"
        "print(len(os.listdir('/proc/self/fd')) - before, *map(os.path.exists, "
        "[f'/proc/{pid}' for pid in pids]))\n"
    )

    assert run(program) == (0, ["0 False False False"])


def test_a_script_needs_no_main_guard() -> None:
    """A work, its globals and its classes may be defined in the script that runs it."""
    program = HEAD + (
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Pair:\n"
        "    one: int\n"
        "FACTOR = 2\n"
        "def work(channel, pair):\n"
        "    return Pair(pair.one * FACTOR)\n"
        "with Processes(1) as executor:\n"
        "    executor.submit(work, ('a', 1), Pair(21))\n"
        "    executor.pump(lambda key, message: print(message.value == Pair(42)), 60)\n"
    )

    assert run(program) == (0, ["True"])


def test_prints_come_out_whole() -> None:
    """What works print, and be it 50 MB, goes where the parent's own prints go."""
    program = HEAD + (
        "def work(channel):\n"
        "    for _ in range(50):\n"
        "        print('x' * 999_999)\n"
        "with Processes(1) as executor:\n"
        "    executor.submit(work, ('a', 1))\n"
        "    executor.pump(lambda key, message: print(message), 60)\n"
    )
    _, lines = run(program)

    assert lines[:-1] == ["x" * 999_999] * 50
    assert lines[-1] == "Returned(value=None)"


def test_an_error_on_deleting_disturbs_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    """An object whose `__del__` raises is reported by the worker and ends nothing."""

    class Grumpy:
        def __del__(self) -> None:
            raise ValueError("in __del__")

    def work(channel: Channel) -> int:
        Grumpy()
        return 1

    assert ended(work) == Returned(1)
    assert "in __del__" in capfd.readouterr().err
