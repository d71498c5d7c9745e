from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.simulator import Clock, play
from tunesmith.simulator.playing import Task

stretches = st.lists(st.lists(st.floats(0, 100), min_size=1, max_size=4), max_size=12)


def record(
    tasks: list[list[float]], workers: int
) -> tuple[list[tuple[float, int, int]], list[tuple[float, int]]]:
    """When each stretch of each task ended, in the order in which it was noticed; when each began."""
    clock, ended, begun = Clock(), [], []

    def task(name: int, seconds: list[float]) -> Task:
        begun.append((clock.now, name))
        for i, duration in enumerate(seconds):
            yield duration
            ended.append((clock.now, name, i))

    waiting = (task(name, seconds) for name, seconds in enumerate(tasks))
    for _ in play(lambda: next(waiting, None), workers, clock):
        pass
    return ended, begun


@given(stretches, st.integers(1, 5))
def test_time_never_goes_back_and_nobody_idles(tasks: list[list[float]], workers: int) -> None:
    """All is done, in the order of time, by no more workers than there are, who begin when they can."""
    ended, begun = record(tasks, workers)

    assert [time for time, _, _ in ended] == sorted(time for time, _, _ in ended)
    assert len(ended) == sum(map(len, tasks))
    free = [0.0] * workers
    for (start, name), seconds in zip(begun, tasks, strict=True):
        assert start == min(free), name
        free[free.index(start)] = sum(seconds, start)


def test_of_equal_moments_the_stretch_that_began_first_is_first() -> None:
    """Two workers in step take turns."""
    ended, _ = record([[1.0, 1.0], [1.0, 1.0]], 2)

    assert ended == [(1.0, 0, 0), (1.0, 1, 0), (2.0, 0, 1), (2.0, 1, 1)]


def test_a_worker_without_work_is_asked_again_when_something_has_happened() -> None:
    """A task that begins only after another has ended finds a worker."""
    clock, done = Clock(), []

    def task(name: str, seconds: float) -> Task:
        yield seconds
        done.append((clock.now, name))

    def tasks() -> Iterator[Task | None]:
        yield task("first", 3.0)
        while not done:
            yield None
        yield task("second", 1.0)

    waiting = tasks()
    for _ in play(lambda: next(waiting, None), 2, clock):
        pass

    assert done == [(3.0, "first"), (4.0, "second")]


def test_a_task_without_work_takes_no_time() -> None:
    """It begins and ends, and its worker goes on with the next."""
    assert record([[], [2.0]], 1) == ([(2.0, 1, 0)], [(0.0, 0), (0.0, 1)])
