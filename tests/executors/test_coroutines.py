import asyncio
import time
from typing import Any

from tunesmith._core.errors import SettingError
from tunesmith.executors import LATER, Coroutines, Key, Raised, Returned
from tunesmith.executors.coroutines import AsyncChannel
from tunesmith.testing.executors import A, B, Log


def test_many_wait_at_once() -> None:
    """64 coroutines that wait 0.2 s each, reporting before and after, take little longer than one."""

    async def work(channel: AsyncChannel, number: int) -> int:
        channel.request("begun")
        await asyncio.sleep(0.2)
        channel.request("done")
        return number

    log = Log()
    with Coroutines(64) as executor:
        begun = time.monotonic()
        for number in range(64):
            executor.submit(work, ("w", number), number)
        log.until(executor, *(("w", number) for number in range(64)))
        took = time.monotonic() - begun

    assert log.ended == {("w", number): Returned(number) for number in range(64)}
    assert took < 0.7


def test_awaiting_an_answer_lets_the_others_go_on() -> None:
    """One awaits what comes only after the other has ended; an exception is raised where it waits."""

    async def waits(channel: AsyncChannel) -> Any:
        answer = await channel.arequest("first")
        try:
            await channel.arequest("second")
        except LookupError as error:
            return answer, str(error)

    async def goes_on(channel: AsyncChannel) -> Any:
        return channel.request("?")

    def answer(key: Key, message: str) -> Any:
        if message == "second":
            return LookupError("of the inbox")
        return LATER if key == A else "at once"

    log = Log(answer)
    with Coroutines(2) as executor:
        executor.submit(waits, A)
        executor.submit(goes_on, B)
        log.until(executor, B)
        log.until_true(executor, lambda: A in log.heard)
        executor.reply(A, "at last")
        log.until(executor, A)

    assert log.ended == {B: Returned("at once"), A: Returned(("at last", "of the inbox"))}


def test_a_request_that_would_halt_the_loop_is_refused() -> None:
    """An answer that comes later must be awaited; the error says how."""

    async def work(channel: AsyncChannel) -> Any:
        return channel.request("?")

    log = Log(lambda key, message: LATER)
    with Coroutines(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)

    raised = log.ended[A]
    assert isinstance(raised, Raised)
    assert isinstance(raised.error, SettingError)
    assert "await channel.arequest" in str(raised.error)


def test_a_cancelled_coroutine_may_clean_up() -> None:
    """It is cancelled where it waits, its `finally` runs, and its place is free only then."""
    cleaned = []

    async def work(channel: AsyncChannel) -> None:
        try:
            channel.send("begun")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    log = Log(lambda key, message: executor.cancel(key))
    with Coroutines(1) as executor:
        executor.submit(work, A)
        log.until(executor, A)
        assert cleaned == [True]
        assert len(executor.free()) == 1

    assert isinstance(log.ended[A], Raised)


def test_coroutines_share_one_loop() -> None:
    """What is made for the loop by one serves the others."""

    async def work(channel: AsyncChannel) -> int:
        return id(asyncio.get_running_loop())

    log = Log()
    with Coroutines(2) as executor:
        executor.submit(work, A)
        executor.submit(work, B)
        log.until(executor, A, B)

    assert log.ended[A] == log.ended[B]


def test_a_plain_function_is_refused() -> None:
    """The error says what to write instead."""
    log = Log()
    with Coroutines(1) as executor:
        executor.submit(lambda channel: 1, A)
        log.until(executor, A)

    raised = log.ended[A]
    assert isinstance(raised, Raised)
    assert isinstance(raised.error, TypeError)
    assert "async def" in str(raised.error)
