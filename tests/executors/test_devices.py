import os
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith._core.errors import MissingExtra, SettingError
from tunesmith.executors import (
    LATER,
    Channel,
    Died,
    Executor,
    Key,
    Place,
    Processes,
    Raised,
    Returned,
    Threads,
)
from tunesmith.executors.devices import device, devices_of, environment, shares
from tunesmith.executors.memory import MEMORY, out_of_memory
from tunesmith.testing.executors import LONG_S, A, B, Log, gone

VISIBLE = "CUDA_VISIBLE_DEVICES"
GPU_ID, MIG_ID = "GPU-8f6a5d2c", "MIG-41b36a2e"
HAS_DRIVER = any(Path("/dev").glob("nvidia[0-9]*"))
C: Key = ("c", 1)
D: Key = ("d", 1)


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VISIBLE, "CUDA_DEVICE_ORDER", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def waits(channel: Channel) -> str:
    """Says that it has begun, and which GPUs it sees; goes on when it is answered."""
    channel.request(os.environ.get("CUDA_VISIBLE_DEVICES"))
    return "done"


def never(*_: Any) -> Any:
    return LATER


# which are meant


@pytest.mark.parametrize(
    "visible, gpus, meant",
    [
        (None, [0, 3], ("0", "3")),
        (None, ("1", GPU_ID, MIG_ID), ("1", GPU_ID, MIG_ID)),
        ("2,5", "all", ("2", "5")),
        (f"{GPU_ID}, {MIG_ID}", "all", (GPU_ID, MIG_ID)),
        ("0,1,-1,3", "all", ("0", "1")),
        ("4,7", [7], ("7",)),
    ],
)
def test_which_gpus_are_meant(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, gpus: Any, meant: tuple[str, ...]
) -> None:
    """All are those that the environment leaves, read as CUDA reads it; a list is taken as it is."""
    if visible is not None:
        monkeypatch.setenv(VISIBLE, visible)

    assert devices_of(gpus) == meant


@pytest.mark.parametrize(
    "visible, gpus, message",
    [
        (None, [], "'all' or a list"),
        (None, "0,1", "'all' or a list"),
        (None, [0.5], "'all' or a list"),
        (None, [True], "'all' or a list"),
        (None, ["-1"], "'all' or a list"),
        (None, 2, "'all' or a list"),
        (None, [0, 1, 0], "GPU 0 twice; workers=4 lets two trials share each"),
        ("4,5", [0], "GPU 0 is not for this process, CUDA_VISIBLE_DEVICES='4,5'"),
        ("", "all", "CUDA_VISIBLE_DEVICES='' hides them; unset it"),
        ("-1", "all", "hides them"),
    ],
)
def test_gpus_that_cannot_be_meant_are_refused(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, gpus: Any, message: str
) -> None:
    """The sentence says what came, what is allowed, what to do; before a process starts."""
    if visible is not None:
        monkeypatch.setenv(VISIBLE, visible)

    with pytest.raises(SettingError, match=message):
        Processes(1, gpus=gpus)


@pytest.mark.skipif(HAS_DRIVER, reason="there are GPUs here")
def test_all_gpus_of_a_machine_without_a_driver() -> None:
    """NVML has no driver to ask, and the sentence says so."""
    pytest.importorskip("pynvml")

    with pytest.raises(SettingError, match="no NVIDIA driver answers here; leave gpus= out"):
        Processes(1, gpus="all")


@pytest.mark.skipif(HAS_DRIVER, reason="there are GPUs here")
def test_all_gpus_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else tells which there are, the sentence names what to install."""
    monkeypatch.setitem(sys.modules, "pynvml", None)

    with pytest.raises(MissingExtra, match=r"pip install 'tunesmith\[gpu\]'"):
        Processes(1, gpus="all")


# shared out


@given(st.integers(1, 12), st.integers(1, 24))
def test_gpus_are_shared_out_evenly(n_devices: int, n: int) -> None:
    """Each place has as many, each GPU as many places; or the sentence names numbers that go."""
    devices = tuple(map(str, range(n_devices)))
    if n % n_devices and n_devices % n:
        with pytest.raises(SettingError, match=f"a multiple of {n_devices}"):
            shares(devices, n)
        return
    found = shares(devices, n)

    assert tuple(name for share in found for name in share) == devices
    assert len({len(share) for share in found}) == 1
    assert n % len(found) == 0


def test_instances_of_a_gpu_go_to_one_process_each() -> None:
    """CUDA shows one MIG instance to a process: two for one worker would hide the second."""
    with pytest.raises(SettingError, match=r"one MIG instance .* take 2 workers"):
        shares((MIG_ID, f"{MIG_ID}0"), 1)


@pytest.mark.parametrize(
    "n, gpus, places",
    [
        (2, [0, 1], ["GPU 0", "GPU 1"]),
        (4, [0, 1], ["GPU 0", "GPU 1", "GPU 0", "GPU 1"]),
        (2, [0, 1, 2, 5], ["GPU 0, GPU 1", "GPU 2, GPU 5"]),
        (2, [MIG_ID], [MIG_ID, MIG_ID]),
    ],
)
def test_places_name_their_gpus(n: int, gpus: list[int | str], places: list[str]) -> None:
    """In the order in which works take them: first where the fewest are."""
    with Processes(n, gpus=gpus) as executor:
        assert executor.free() == [Place(device=device) for device in places]


def test_works_go_where_the_fewest_are() -> None:
    """A GPU whose works have ended is the next; each work sees its own GPU alone."""
    log = Log(never)
    with Processes(4, gpus=[0, 1]) as executor:
        for key in (A, B, C):
            executor.submit(waits, key)
        log.until_true(executor, lambda: len(log.heard) == 3)
        assert [place.device for place in executor.free()] == ["GPU 1"]
        executor.reply(A, None)
        executor.reply(C, None)
        log.until(executor, A, C)
        assert [place.device for place in executor.free()] == ["GPU 0", "GPU 0", "GPU 1"]
        executor.submit(waits, D)
        log.until_true(executor, lambda: D in log.heard)

    assert log.heard == {A: ["0"], B: ["1"], C: ["0"], D: ["0"]}


# what processes see


def test_a_process_sees_its_gpu_from_its_first_moment() -> None:
    """The variables stand in the environment with which it was started, before any import."""

    def work(_: Channel) -> dict[str, str]:
        begun_with = Path("/proc/self/environ").read_text().split("\0")
        return dict(line.split("=", 1) for line in begun_with if line.startswith("CUDA_"))

    log = Log()
    with Processes(1, gpus=[3, 5]) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    assert log.ended == {A: Returned({VISIBLE: "3,5", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})}


def test_the_order_of_gpus_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has set the order in which CUDA counts keeps it."""
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    log = Log()
    with Processes(1, gpus=[1]) as executor:
        executor.submit(lambda _: os.environ["CUDA_DEVICE_ORDER"], A)
        log.until(executor, A)

    assert log.ended == {A: Returned("FASTEST_FIRST")}


def test_a_process_keeps_its_gpu() -> None:
    """Processes are used again for the same GPU only."""
    seen: dict[int, set[str]] = defaultdict(set)

    def note(key: Key, message: Any) -> None:
        pid, devices = message
        seen[pid].add(devices)

    log = Log(note)
    with Processes(2, gpus=[0, 1]) as executor:
        for number in range(30):
            log.until_true(executor, lambda: bool(executor.free()))
            executor.submit(
                lambda channel: channel.send((os.getpid(), os.environ["CUDA_VISIBLE_DEVICES"])),
                ("w", number),
            )
        log.until(executor, *(("w", number) for number in range(30)))

    assert all(len(devices) == 1 for devices in seen.values())
    assert len(seen) <= 2


def test_programs_of_threads_find_their_gpus() -> None:
    """Threads share the process's environment; what they start gets theirs beside it."""
    log = Log()
    with Threads(2, gpus=[2, 4]) as executor:
        for key in (A, B):
            executor.submit(lambda channel: channel.request(dict(environment.get())), key)
        log.until(executor, A, B)

    assert [log.heard[key][0][VISIBLE] for key in (A, B)] == ["2", "4"]
    assert not environment.get()
    assert VISIBLE not in os.environ


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({VISIBLE: "3"}, "cuda:0"),
        ({VISIBLE: "3,4"}, "cuda:0"),
        ({VISIBLE: MIG_ID}, "cuda:0"),
        ({VISIBLE: ""}, "cpu"),
        ({VISIBLE: "-1"}, "cpu"),
        ({VISIBLE: "0,1,2,3", "LOCAL_RANK": "2"}, "cuda:2"),
        ({VISIBLE: "2", "LOCAL_RANK": "2"}, "cuda:0"),
    ],
)
def test_what_a_process_trains_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    """The first GPU that it sees, under torchrun that of its rank; without any, the processor."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert device() == expected


@pytest.mark.skipif(HAS_DRIVER, reason="there are GPUs here")
def test_without_a_driver_it_is_the_processor() -> None:
    """Nothing is hidden, and nothing is there."""
    assert device() == "cpu"


# alone


@pytest.fixture(params=[Processes, Threads])
def make(request: pytest.FixtureRequest) -> Callable[..., Executor]:
    kind: Callable[..., Executor] = request.param
    return kind


def test_one_that_is_to_be_alone_waits_for_the_others(make: Callable[..., Executor]) -> None:
    """It begins when its GPU is empty, nothing begins there meanwhile, and other GPUs go on."""
    log = Log(never)
    with make(6, gpus=[0, 1]) as executor:
        for key in (A, B, C):
            executor.submit(waits, key)
        log.until_true(executor, lambda: log.heard.keys() == {A, B, C})
        executor.submit(waits, D, alone=True)  # where B is, the fewest
        assert [place.device for place in executor.free()] == ["GPU 0"]
        executor.reply(A, None)
        log.until(executor, A)
        assert D not in log.heard
        assert [place.device for place in executor.free()] == ["GPU 0"] * 2
        executor.reply(B, None)
        log.until_true(executor, lambda: D in log.heard)
        assert B in log.ended
        assert [place.device for place in executor.free()] == ["GPU 0"] * 2
        executor.reply(D, None)
        log.until(executor, D)
        assert [place.device for place in executor.free()].count("GPU 1") == 3
        executor.reply(C, None)
        log.until(executor, C)

    assert {key: ended.shared for key, ended in log.ended.items()} == {
        A: True, B: False, C: True, D: False,
    }  # fmt: skip


def test_nothing_begins_beside_one_that_is_alone(make: Callable[..., Executor]) -> None:
    """Not while it waits, nor while it runs, and not another that would be alone."""
    log = Log(never)
    with make(3, gpus=[0]) as executor:
        executor.submit(waits, A)
        executor.submit(waits, B, alone=True)
        for key in (A, B):
            assert executor.free() == []
            for alone in (False, True):
                with pytest.raises(SettingError, match="beside a work that is to be alone"):
                    executor.submit(waits, C, alone=alone)
            log.until_true(executor, lambda key=key: key in log.heard)  # type: ignore[misc]  # mypy does not infer a lambda's default
            executor.reply(key, None)
            log.until(executor, key)
        assert len(executor.free()) == 3

    assert list(log.ended) == list(log.heard) == [A, B]
    assert not any(ended.shared for ended in log.ended.values())


def test_one_that_waits_can_be_cancelled(make: Callable[..., Executor]) -> None:
    """It ends without having begun, once, and the places beside it are free again."""
    log = Log(never)
    with make(3, gpus=[0]) as executor:
        executor.submit(waits, A)
        executor.submit(waits, B, alone=True)
        executor.cancel(B)
        log.until_true(executor, lambda: B in log.ended)
        assert len(executor.free()) == 2
        executor.submit(waits, C)
        for key in (A, C):
            log.until_true(executor, lambda key=key: key in log.heard)  # type: ignore[misc]  # mypy does not infer a lambda's default
            executor.reply(key, None)
        log.until(executor, A, C)

    assert isinstance(log.ended[B], Raised | Died)
    assert B not in log.heard


def test_closing_ends_what_waits(make: Callable[..., Executor]) -> None:
    """Nothing begins after it, and nothing comes."""
    log = Log(never)
    executor = make(2, gpus=[0])
    executor.submit(waits, A)
    executor.submit(waits, B, alone=True)
    log.until_true(executor, lambda: A in log.heard)
    executor.close()
    executor.pump(log, LONG_S)

    assert executor.free() == []
    assert (set(log.heard), log.ended) == ({A}, {})


def test_one_that_is_alone_finds_no_idle_process_beside_it() -> None:
    """What had run on its GPU, and may hold memory there, has ended before it begins."""
    log = Log(never)

    def pid_of(channel: Channel) -> int:
        channel.request("begun")
        return os.getpid()

    with Processes(4, gpus=[0, 1]) as executor:
        for key in (A, B, C):
            executor.submit(pid_of, key)
        log.until_true(executor, lambda: log.heard.keys() == {A, B, C})
        for key in (A, B, C):
            executor.reply(key, None)
        log.until(executor, A, B, C)
        executor.submit(waits, D, alone=True)  # on GPU 0, as A and C were
        pids = {key: ended.value for key, ended in log.ended.items() if isinstance(ended, Returned)}

        assert gone(pids[A])
        assert gone(pids[C])
        os.kill(pids[B], 0)  # is there


# memory


def test_a_process_that_ran_out_of_memory_is_not_used_again() -> None:
    """What is broken in its GPU context must not spoil the next work; other errors leave it be."""

    def work(channel: Channel, text: str) -> None:
        channel.send(os.getpid())
        raise RuntimeError(text)

    log = Log()
    texts = ["one", "CUDA out of memory. Tried to allocate 2 GiB", "two", "three"]
    with Processes(1) as executor:
        for number, text in enumerate(texts):
            executor.submit(work, ("w", number), text)
            log.until(executor, ("w", number))
    pids = [log.heard["w", number][0] for number in range(4)]

    assert pids[0] == pids[1] != pids[2] == pids[3]


@pytest.mark.parametrize("fails", [False, True])
def test_works_say_the_most_memory_that_they_had(fails: bool) -> None:
    """It is that of each work, whatever the process had used before; a failure tells it, too."""

    def work(_: Channel, size: int) -> None:
        block = bytearray(size)
        block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])
        if fails:
            raise ValueError

    log = Log()
    size = 300_000_000
    with Processes(1) as executor:
        for key, bytes_ in ((A, 1000), (B, size), (C, 1000)):
            executor.submit(work, key, bytes_)
            log.until(executor, key)
    peaks = [log.ended[key].used[MEMORY] for key in (A, B, C)]

    assert peaks[1] > size
    assert max(peaks[0], peaks[2]) < size


def kind(name: str, *bases: type[BaseException]) -> type[BaseException]:
    return type(name, bases or (Exception,), {})


@pytest.mark.parametrize(
    "error, expected",
    [
        (MemoryError(), True),
        (kind("_ArrayMemoryError", MemoryError)("Unable to allocate"), True),
        (kind("OutOfMemoryError", RuntimeError)("CUDA out of memory"), True),
        (kind("ResourceExhaustedError")("OOM when allocating tensor"), True),
        (kind("XlaRuntimeError")("RESOURCE_EXHAUSTED: Failed to allocate request"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (kind("XlaRuntimeError")("INVALID_ARGUMENT: shapes"), False),
        (kind("RpcError")("StatusCode.RESOURCE_EXHAUSTED: quota"), False),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory of an elephant"), False),
    ],
    ids=repr,
)
def test_exceptions_that_say_that_no_memory_was_left(error: BaseException, expected: bool) -> None:
    """By type and text, of the libraries that train; others are errors."""
    assert out_of_memory(error) is expected


def test_one_that_cannot_travel_says_it_all_the_same() -> None:
    """Its stand-in has the name and the message."""

    def work(_: Channel) -> None:
        class OutOfMemoryError(RuntimeError):
            def __init__(self, one: int, two: int) -> None:
                super().__init__(f"{one} of {two}")

        raise OutOfMemoryError(1, 2)

    log = Log()
    with Processes(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    raised = log.ended[A]
    assert isinstance(raised, Raised)
    assert out_of_memory(raised.error)
