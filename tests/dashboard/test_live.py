import asyncio
import threading
import time
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.dashboard.backroom import Backroom
from tunesmith.dashboard.changes import Changes
from tunesmith.dashboard.live import Hub
from tunesmith.storage import Memory


def test_a_view_stays_as_it_is(storage: Memory, digits: ts.Study[Any]) -> None:
    """What comes later is in the next view, and changes nothing in this one."""
    hub = Hub(storage)
    trial = digits.ask()
    trial.report(1, accuracy=0.5)
    before = hub.view("digits")
    trial.report(2, accuracy=0.6, other=1.0)
    digits.tell(trial, 0.7)
    digits.note("odd", tags=["a"])
    after = hub.view("digits")

    assert [before.history[-1].state, after.history[-1].state] == ["running", "complete"]
    assert before.history[-1].steps == [1]
    assert before.history.count("running") == 1
    assert len(before.history.open) == 1
    assert after.history == digits.history
    assert [len(before.notes), len(after.notes)] == [0, 1]
    assert hub.view("digits") is after


def test_a_study_that_is_made_anew_under_its_name_is_another(storage: Memory) -> None:
    """The old one is not shown any more, and a deleted one is not there."""
    hub = Hub(storage)
    assert len(hub.view("digits").history) == 8
    ts.delete(storage, "digits")
    with pytest.raises(ts.StudyNotFound):
        hub.view("digits")

    ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage)

    assert len(hub.view("digits").history) == 0


def test_many_studies_are_all_there(storage: Memory) -> None:
    """More than are kept open: those that nobody looks at are read again when they are asked for."""
    names = [f"s{i}" for i in range(40)]
    for name in names:
        ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name=name, storage=storage).ask()
    hub = Hub(storage)

    assert [len(hub.view(name).history) for name in [*names, *names]] == [1] * 80
    assert hub.names() == sorted([*names, "digits"])


def test_pages_hear_of_changes_once_and_only_of_those_they_have_not_seen() -> None:
    """A page that comes back says what it has; one thread looks, and only while there is a page."""
    position, grown = 5, threading.Event()

    def look(known: int) -> int:
        if known == position:
            grown.wait(0.2)
        return position

    async def first(seen: str) -> str:
        stream = changes.stream(seen)
        async for message in stream:
            await stream.aclose()
            return message
        return ""

    async def follow() -> list[str]:
        nonlocal position
        heard = [await first("")]
        later = asyncio.create_task(first("5-0"))
        await asyncio.sleep(0)
        position = 9
        grown.set()
        heard.append(await later)
        changes.nudge()
        heard.append(await first("9-0"))
        return heard

    changes = Changes(look)
    heard = asyncio.run(follow())

    assert [message.splitlines()[0] for message in heard] == ["id: 5-0", "id: 9-0", "id: 9-1"]
    assert len(changes) == 0


def test_an_answer_is_made_once_and_again_when_it_is_old() -> None:
    """Who asks meanwhile gets the last one; whoever waits is told."""
    room, gate, told = Backroom(), threading.Event(), threading.Event()
    made: list[int] = []

    def work() -> int:
        gate.wait(10)
        made.append(1)
        return len(made)

    assert room.ask("a", 1, work, told.set).made is None
    assert room.ask("a", 1, work).made is None
    gate.set()
    assert told.wait(10)
    first = room.wait("a", 1, work, 10)
    assert first.made is not None
    assert (first.made.result(), first.again_s) == (1, None)

    newer = room.wait("a", 2, work, 10)
    while newer.again_s is not None:
        newer = room.wait("a", 2, work, 10)
    room.close()

    assert newer.made is not None
    assert newer.made.result() == 2


def test_what_goes_wrong_is_the_answer() -> None:
    """An exception is kept, not raised in the one who asks."""
    room = Backroom()

    def work() -> None:
        raise ts.NoTrials("none yet")

    answer = room.wait("a", 1, work, 10)
    room.close()

    assert answer.made is not None
    assert str(answer.made.exception()) == "none yet"


def test_what_is_being_made_is_not_forgotten_and_made_again() -> None:
    """However many ask: a list of more studies than answers are kept comes to its end."""
    room, gate, made = Backroom(most=2), threading.Event(), list[int]()

    def work(i: int) -> int:
        gate.wait(10)
        made.append(i)
        return i

    for _ in range(3):
        for i in range(6):
            room.ask(i, 1, lambda i=i: work(i))  # type: ignore[misc]  # bound now
    gate.set()
    room.wait("last", 1, lambda: None, 10)
    room.wait("very last", 1, lambda: None, 10)
    room.close()

    assert sorted(made) == list(range(6))


def test_a_page_on_a_bundle_rests(digits: ts.Study[Any], tmp_path: Any) -> None:
    """What cannot grow is not looked at again and again."""
    digits.bundle(tmp_path / "digits.tunesmith")
    bundle = ts.storage.connect(tmp_path / "digits.tunesmith")
    begun = time.monotonic()
    length = bundle.wait("digits", 0, 5)

    assert bundle.wait("digits", length, 0.1) == length
    assert 0.1 <= time.monotonic() - begun < 5
