"""Virtual workers: whatever happens next in virtual time is done next."""

from collections.abc import Callable, Generator, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias, final

Task: TypeAlias = Generator[float, None, None]


@final
class Clock:
    """Virtual time.

    Attributes:
        now: Seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return what time it is."""
        return self.now


def play(begin: Callable[[], Task | None], workers: int, clock: Clock) -> Iterator[None]:
    """Let virtual workers do tasks, and yield after every stretch of work.

    A task is a generator: it yields the seconds that its next stretch of work takes, and what it does
    when it goes on happens at the end of them. Of what ends at the same moment, the stretch that began
    first is first. A worker that is free begins the next task at once.

    Args:
        begin: Returns the next task; None: there is none now. It is asked again after every stretch,
            and for the last time when nobody works any more.
        workers: How many tasks go on at once.
        clock: Told what time it is.

    Example:
        >>> clock, done = Clock(), []
        >>> def wait(seconds):
        ...     yield seconds
        ...     done.append((clock.now, seconds))
        >>> waits = map(wait, [3.0, 1.0, 1.0])
        >>> for _ in play(lambda: next(waits, None), 2, clock):
        ...     pass
        >>> done
        [(1.0, 1.0), (2.0, 1.0), (3.0, 3.0)]
    """
    order = count()
    agenda: list[tuple[float, int, Task]] = []
    while True:
        while len(agenda) < workers and (task := begin()) is not None:
            _go_on(task, agenda, clock, order)
        if not agenda:
            return
        clock.now, _, task = heappop(agenda)
        _go_on(task, agenda, clock, order)
        yield


def _go_on(
    task: Task, agenda: list[tuple[float, int, Task]], clock: Clock, order: "count[int]"
) -> None:
    """Do what is due in a task, and put down when it goes on, if it does."""
    for seconds in task:
        heappush(agenda, (clock.now + seconds, next(order), task))
        return
