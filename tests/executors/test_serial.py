import threading
from typing import Any

import pytest

from tunesmith._core.errors import SettingError
from tunesmith.executors import LATER, Channel, Serial
from tunesmith.testing.executors import A, B, Log


def test_runs_in_the_calling_thread() -> None:
    """So that a debugger works."""
    log = Log()
    with Serial() as executor:
        executor.submit(lambda channel: channel.send(threading.get_ident()), A)
        assert log.heard == {}
        log.until(executor, A)

    assert log.heard == {A: [threading.get_ident()]}


def test_an_interrupt_passes_through() -> None:
    """Ctrl-C during a work leaves pump, with the work's traceback; the place is free again."""

    def work(channel: Channel) -> None:
        raise KeyboardInterrupt

    log = Log()
    with Serial() as executor:
        executor.submit(work, A)
        with pytest.raises(KeyboardInterrupt) as caught:
            executor.pump(log, 0)
        assert len(executor.free()) == 1

    assert caught.traceback[-1].name == "work"
    assert log.ended == {}


def test_an_answer_must_come_at_once() -> None:
    """Nobody would be there to give it later; the error leaves pump, the work ends."""

    def work(channel: Channel) -> Any:
        return channel.request("?")

    log = Log(lambda key, message: LATER)
    with Serial() as executor:
        executor.submit(work, A)
        with pytest.raises(SettingError, match="LATER"):
            executor.pump(log, 0)
        assert len(executor.free()) == 1
        executor.submit(work, B)
        assert not executor.free()

    assert log.ended == {}
