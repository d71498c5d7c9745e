"""Whether an executor keeps its contract: suites to subclass, for ours and for those of others.

The works are local functions, so that they must travel by value where they travel at all.
"""

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, final

import pytest

from tunesmith._core.errors import Cancelled, SettingError
from tunesmith.executors import (
    LATER,
    Channel,
    Died,
    Ended,
    Executor,
    Key,
    Raised,
    Returned,
    Work,
)

Make: TypeAlias = Callable[[int], Executor]
Adapt: TypeAlias = Callable[[Work], Work]

A: Key = ("a", 1)
B: Key = ("b", 1)
LONG_S = 60.0  # no test takes as long


@final
class Log:
    """An inbox that keeps what comes, and checks that nothing follows a last message.

    Args:
        answer: Called with key and message; what it returns is the answer to a request.

    Attributes:
        heard: The messages by key, in order, without the last.
        ended: The last messages by key.
    """

    def __init__(self, answer: Callable[[Key, Any], Any] = lambda *_: None) -> None:
        self.heard: dict[Key, list[Any]] = {}
        self.ended: dict[Key, Returned | Raised | Died] = {}
        self._answer = answer

    def __call__(self, key: Key, message: Any) -> Any:
        """Keep a message; answer it."""
        assert key not in self.ended, f"{message} came after {self.ended[key]}"
        if isinstance(message, Ended):
            self.ended[key] = message
            return None
        self.heard.setdefault(key, []).append(message)
        return self._answer(key, message)

    def until(self, executor: Executor, *keys: Key) -> None:
        """Pump until the works of these keys have ended.

        Raises:
            AssertionError: They do not end.
        """
        self.until_true(executor, lambda: self.ended.keys() >= set(keys))

    def until_true(self, executor: Executor, reached: Callable[[], bool]) -> None:
        """Pump until something is so.

        Raises:
            AssertionError: It does not become so.
        """
        end = time.monotonic() + LONG_S
        while not reached():
            assert time.monotonic() < end, f"only {self.heard} and {self.ended} came"
            executor.pump(self, LONG_S)

    def until_free(self, executor: Executor) -> None:
        """Pump until a place is free.

        Raises:
            AssertionError: None becomes free.
        """
        self.until_true(executor, lambda: bool(executor.free()))


def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], 10)[0])
    finally:
        os.close(pidfd)


class ExecutorConformance:
    """Tests that every executor passes.

    A subclass gives the fixture `make`, which returns an executor that has a number of places (or
    fewer, if it cannot have as many), and `adapt` if its works are no plain functions.

    Example::

        class TestSlurm(ConcurrentConformance):
            @pytest.fixture
            def make(self) -> Make:
                return lambda n: Slurm(n)
    """

    @pytest.fixture
    def adapt(self) -> Adapt:
        """How a plain function becomes a work."""
        return lambda work: work

    def test_returns_what_the_work_returns(self, make: Make, adapt: Adapt) -> None:
        """Arguments go in, the value comes out, closures and their variables included."""
        offset = 40
        work = adapt(lambda _, x: {"sum": x + offset})
        log = Log()
        with make(1) as executor:
            executor.submit(work, A, 2)
            log.until(executor, A)

        assert log.ended == {A: Returned({"sum": 42})}
        assert log.heard == {}

    def test_keeps_the_order_of_messages(self, make: Make, adapt: Adapt) -> None:
        """Messages and requests of a work arrive as they were said, the end last."""

        def work(channel: Channel) -> str:
            for number in range(0, 100, 2):
                channel.send(number)
                channel.request(number + 1)
            return "done"

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(work), A)
            log.until(executor, A)

        assert log.heard == {A: list(range(100))}
        assert log.ended == {A: Returned("done")}

    def test_keeps_what_is_said_while_nobody_listens(self, make: Make, adapt: Adapt) -> None:
        """Much is said before the first pump, and all of it arrives."""

        def work(channel: Channel) -> None:
            for number in range(100):
                channel.send((number, b"x" * 10_000))

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(work), A)
            log.until(executor, A)

        assert [number for number, _ in log.heard[A]] == list(range(100))
        assert {body for _, body in log.heard[A]} == {b"x" * 10_000}

    def test_answers_requests(self, make: Make, adapt: Adapt) -> None:
        """A request returns what the inbox returned; an exception is raised in the work."""

        def work(channel: Channel) -> tuple[Any, str]:
            answer = channel.request(20)
            try:
                channel.request(-1)
            except ValueError as error:
                return answer, str(error)
            return answer, "not raised"

        log = Log(lambda _, message: message * 2 if message > 0 else ValueError("negative"))
        with make(1) as executor:
            executor.submit(adapt(work), A)
            log.until(executor, A)

        assert log.ended == {A: Returned((40, "negative"))}

    @pytest.mark.parametrize("kind", [ZeroDivisionError, MemoryError, SystemExit])
    def test_says_what_was_raised(
        self, make: Make, adapt: Adapt, kind: type[BaseException]
    ) -> None:
        """An exception ends its work only; it comes with its traceback, from the work on."""

        def unlucky_work(_: Channel) -> None:
            raise kind("of the work")

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(unlucky_work), A)
            log.until(executor, A)
            log.until_free(executor)
            executor.submit(adapt(lambda _: 1), B)
            log.until(executor, B)

        raised = log.ended[A]
        assert isinstance(raised, Raised)
        assert type(raised.error) is kind
        assert raised.error.args == ("of the work",)
        assert "in unlucky_work" in raised.text
        assert raised.text.endswith(f"{kind.__name__}: of the work\n")
        assert log.ended[B] == Returned(1)

    def test_keeps_name_and_message_of_any_exception(self, make: Make, adapt: Adapt) -> None:
        """Also of one that cannot be pickled, or not be made again from its pickle."""

        def work(_: Channel, unpicklable: bool) -> None:
            class OddError(Exception):
                def __init__(self, one: int, two: int) -> None:
                    super().__init__(f"{one} and {two}")
                    self.held = (letter for letter in "") if unpicklable else None

            raise OddError(1, 2)

        log = Log()
        with make(1) as executor:
            for key, unpicklable in ((A, True), (B, False)):
                executor.submit(adapt(work), key, unpicklable)
                log.until(executor, key)

        for raised in log.ended.values():
            assert isinstance(raised, Raised)
            assert isinstance(raised.error, Exception)
            assert type(raised.error).__name__ == "OddError"
            assert str(raised.error) == "1 and 2"

    def test_a_place_takes_one_work(self, make: Make, adapt: Adapt) -> None:
        """`free` counts down and up; without a free place, or with a key taken, nothing begins."""
        work = adapt(lambda channel: channel.request("?"))
        log = Log()
        with make(2) as executor:
            places = len(executor.free())
            keys = [("w", number) for number in range(places)]
            for number, key in enumerate(keys):
                assert len(executor.free()) == places - number
                executor.submit(work, key)
            assert not executor.free()
            with pytest.raises(SettingError, match="taken"):
                executor.submit(work, A)
            with pytest.raises(SettingError, match="key"):
                executor.submit(work, keys[0])
            log.until(executor, *keys)
            assert len(executor.free()) == places
        assert not executor.free()
        with pytest.raises(SettingError, match="closed"):
            executor.submit(work, A)
        assert log.ended == dict.fromkeys(keys, Returned(None))

    def test_a_work_may_be_alone(self, make: Make, adapt: Adapt) -> None:
        """Many that are to be alone all run; what is said of their use are numbers by name."""
        work = adapt(lambda _, number: number)
        log = Log()
        with make(2) as executor:
            for number in range(4):
                log.until_true(executor, lambda: bool(executor.free()))
                executor.submit(work, ("w", number), number, alone=True)
            log.until(executor, *(("w", number) for number in range(4)))

        assert log.ended == {("w", number): Returned(number) for number in range(4)}
        for ended in log.ended.values():
            assert not ended.shared
            assert all(value >= 0 for value in ended.used.values())

    def test_does_not_wait_for_nothing(self, make: Make) -> None:
        """Without works, pump returns at once, whatever its timeout; before and after closing."""
        begun = time.monotonic()
        executor = make(1)
        executor.pump(Log(), LONG_S)
        executor.close()
        executor.pump(Log(), LONG_S)

        assert time.monotonic() - begun < LONG_S / 2

    def test_the_inbox_may_submit(self, make: Make, adapt: Adapt) -> None:
        """1,000 works, each submitted when another ended, all run once."""
        left = iter(range(1000))
        work = adapt(lambda _, number: number)
        log = Log()

        def inbox(key: Key, message: Any) -> None:
            log(key, message)
            fill()

        def fill() -> None:
            while executor.free() and (number := next(left, None)) is not None:
                executor.submit(work, ("w", number), number)

        with make(2) as executor:
            fill()
            while len(log.ended) < 1000:
                executor.pump(inbox, LONG_S)

        assert log.ended == {("w", number): Returned(number) for number in range(1000)}

    def test_what_the_inbox_raises_leaves_pump(self, make: Make, adapt: Adapt) -> None:
        """The caller gets it, even if the work would swallow it, and the executor can be used on."""

        def work(channel: Channel) -> None:
            with suppress(ValueError):
                channel.send("begun")

        def inbox(*_: Any) -> None:
            raise ValueError("of the inbox")

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(work), A)
            with pytest.raises(ValueError, match="of the inbox"):
                executor.pump(inbox, LONG_S)
            log.until_true(executor, lambda: len(executor.free()) == 1)
            executor.submit(adapt(lambda _: 1), B)
            log.until(executor, B)

        assert log.ended[B] == Returned(1)

    def test_cancelling_ends_a_work(self, make: Make, adapt: Adapt) -> None:
        """After `cancel`, the work says nothing more but how it ended; unknown keys are no error."""

        def work(channel: Channel) -> None:
            channel.send("begun")
            while True:
                channel.request("?")

        log = Log(lambda key, message: executor.cancel(key) if message == "?" else None)
        with make(1) as executor:
            executor.cancel(A)
            executor.submit(adapt(work), A)
            log.until(executor, A)
            executor.cancel(A)
            log.until_free(executor)
            executor.submit(adapt(lambda _: 1), B)
            log.until(executor, B)

        assert log.heard == {A: ["begun", "?"]}
        assert isinstance(log.ended[A], Raised | Died)
        assert log.ended[B] == Returned(1)

    def test_cancels_what_has_not_begun(self, make: Make, adapt: Adapt) -> None:
        """A work that is cancelled right after `submit` ends like any other, once."""
        log = Log()
        with make(1) as executor:
            executor.submit(adapt(lambda channel: channel.request("?")), A)
            executor.cancel(A)
            log.until(executor, A)
            log.until_free(executor)
            executor.submit(adapt(lambda _: 1), B)
            log.until(executor, B)

        assert log.heard == {}
        assert isinstance(log.ended[A], Raised | Died)

    def test_closing_ends_everything(self, make: Make, adapt: Adapt) -> None:
        """Closing with works that run is quick, and nothing comes after it; again is allowed."""
        work = adapt(lambda channel: channel.request("?"))
        log = Log()
        executor = make(2)
        for number in range(len(executor.free())):
            executor.submit(work, ("w", number))
        begun = time.monotonic()
        executor.close()
        executor.close()
        executor.pump(log, 0)

        assert (log.heard, log.ended) == ({}, {})
        assert time.monotonic() - begun < 5

    def test_the_inbox_may_close(self, make: Make, adapt: Adapt) -> None:
        """Nothing comes after that, from no work."""
        log = Log(lambda *_: executor.close())
        with make(2) as executor:
            for number in range(len(executor.free())):
                executor.submit(adapt(lambda channel: channel.request("?")), ("w", number))
            executor.pump(log, LONG_S)
            executor.pump(log, LONG_S)

        assert [*log.heard.values()] == [["?"]]
        assert log.ended == {}


class ConcurrentConformance(ExecutorConformance):
    """Tests that every executor passes whose works run beside the caller, many at once."""

    def test_works_run_at_once(self, make: Make, adapt: Adapt) -> None:
        """Each of three waits until all have said that they are there; answers may come later."""

        def answer(key: Key, _: Any) -> Any:
            here.append(key)
            if len(here) < 3:
                return LATER
            for other in here[:-1]:
                executor.reply(other, f"all but {other[0]}")
            return f"all but {key[0]}"

        here: list[Key] = []
        keys = [("a", 1), ("b", 1), ("c", 2)]
        log = Log(answer)
        with make(3) as executor:
            for key in keys:
                executor.submit(adapt(lambda channel: channel.request("here")), key)
            log.until(executor, *keys)

        assert log.ended == {key: Returned(f"all but {key[0]}") for key in keys}

    def test_a_reply_may_be_late_or_wrong(self, make: Make, adapt: Adapt) -> None:
        """An exception is raised in the work; an answer nobody waits for goes to nobody."""

        def work(channel: Channel) -> list[Any]:
            answers = []
            for _ in range(2):
                try:
                    answers.append(channel.request("?"))
                except LookupError as error:
                    answers.append(str(error))
            return answers

        log = Log(lambda *_: LATER)
        with make(1) as executor:
            executor.reply(A, "nobody runs")
            executor.submit(adapt(work), A)
            executor.reply(A, "nobody asked")
            for number in range(2):
                log.until_true(executor, lambda n=number: len(log.heard.get(A, [])) > n)  # type: ignore[misc]  # mypy does not infer a lambda's default
                executor.reply(A, LookupError(f"answer {number}"))
                executor.reply(A, "answered already")
            log.until(executor, A)
            executor.reply(A, "it has ended")

        assert log.ended == {A: Returned(["answer 0", "answer 1"])}

    def test_waits_no_longer_than_told(self, make: Make, adapt: Adapt) -> None:
        """With a work that says nothing, pump returns when its time is over."""
        log = Log(lambda *_: LATER)
        with make(1) as executor:
            executor.submit(adapt(lambda channel: channel.request("?")), A)
            log.until_true(executor, lambda: A in log.heard)
            begun = time.monotonic()
            executor.pump(log, 0)
            executor.pump(log, 0.02)
            took = time.monotonic() - begun

        assert 0.02 <= took < 1
        assert log.ended == {}

    def test_a_slow_work_does_not_delay_others(self, make: Make, adapt: Adapt) -> None:
        """While one waits for its answer, another's works come and go."""
        log = Log(lambda *_: LATER)
        with make(2) as executor:
            executor.submit(adapt(lambda channel: channel.request("?")), A)
            for attempt in range(20):
                executor.submit(adapt(lambda _: 1), ("b", attempt))
                log.until(executor, ("b", attempt))
            executor.reply(A, "now")
            log.until_true(executor, lambda: len(executor.free()) == 2 or A in log.heard)
            executor.reply(A, "now")
            log.until(executor, A)

        assert len(log.ended) == 21
        assert log.ended[A] == Returned("now")

    def test_an_inbox_that_raises_loses_one_message(self, make: Make, adapt: Adapt) -> None:
        """What had come beside the message at which it raised is delivered by the next pump."""

        def work(channel: Channel) -> str:
            for number in range(5):
                channel.send(number)
            return "done"

        def inbox(*_: Any) -> None:
            raise ValueError("of the inbox")

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(work), A)
            with pytest.raises(ValueError, match="of the inbox"):
                executor.pump(inbox, LONG_S)
            log.until(executor, A)

        assert log.heard == {A: [1, 2, 3, 4]}
        assert log.ended == {A: Returned("done")}

    def test_a_keyboard_interrupt_of_a_work_is_its_own(self, make: Make, adapt: Adapt) -> None:
        """It ends its work, not the caller."""

        def work(_: Channel) -> None:
            raise KeyboardInterrupt

        log = Log()
        with make(1) as executor:
            executor.submit(adapt(work), A)
            log.until(executor, A)

        raised = log.ended[A]
        assert isinstance(raised, Raised)
        assert type(raised.error) is KeyboardInterrupt

    def test_cancels_a_work_that_waits(self, make: Make, adapt: Adapt) -> None:
        """One that waits for an answer which would come later is released, and frees its place."""
        log = Log(lambda *_: LATER)
        with make(1) as executor:
            executor.submit(adapt(lambda channel: channel.request("?")), A)
            log.until_true(executor, lambda: A in log.heard)
            executor.cancel(A)
            log.until(executor, A)
            log.until_free(executor)

        ended = log.ended[A]
        if isinstance(ended, Raised):
            assert isinstance(ended.error, Cancelled) or "Cancelled" in type(ended.error).__name__
        else:
            assert isinstance(ended, Died)
            assert ended.kind == "cancelled"
