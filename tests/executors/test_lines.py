import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.executors import Channel, Died, Processes, Returned
from tunesmith.executors.lines import LINE_CHARS, Lines
from tunesmith.testing.executors import LONG_S, A, Log

TEXTS = st.text(st.sampled_from("ab\r\né☃🎵"), max_size=60)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(bounds)]


def lines_of(*stream: bytes) -> list[str]:
    lines = Lines()
    return [line for piece in stream for line in lines.feed(piece)] + lines.end()


def heard(*works: Callable[..., Any], **settings: Any) -> list[Any]:
    """The lines and last messages of works that run one after the other, in order."""
    came: list[Any] = []
    with Processes(1, output=came.append, **settings) as executor:
        for attempt, work in enumerate(works):
            executor.submit(work, ("w", attempt))
            while not executor.free():
                executor.pump(lambda key, message: came.append(message), LONG_S)
    return came


# what lines are made of


@given(text=TEXTS, cuts=st.lists(st.integers(0, 150), max_size=8))
def test_lines_come_out_however_they_were_cut(text: str, cuts: list[int]) -> None:
    """Pieces of any length, in the middle of a character, too, give the same lines."""
    stream = text.encode()

    assert lines_of(*pieces(stream, cuts)) == lines_of(stream)


@given(text=st.text(st.characters(exclude_characters="\r", codec="utf-8"), max_size=60))
def test_no_line_is_lost_or_invented(text: str) -> None:
    """With the line breaks between them, and only those, they are the text again."""
    assert "\n".join(lines_of(text.encode())) == text.removesuffix("\n")


def test_a_carriage_return_overwrites() -> None:
    """Of a progress bar, the last state remains; line ends of other systems are line ends."""
    assert lines_of(b"\r 1%\r 50%\r100%\none\r\n", b"two\r", b"\nthr\ree\r") == [
        "100%",
        "one",
        "two",
        "ee",
    ]


def test_what_is_no_text_is_replaced() -> None:
    """Bytes that are not UTF-8 spoil no line but their own, nor does an end within a character."""
    assert lines_of(b"\xff\xfe\nwell\n\xe2\x98") == ["��", "well", "�"]


def test_a_very_long_line_comes_in_parts() -> None:
    """Before it is complete, so that it never has to be kept."""
    lines = Lines()
    begun = [part for _ in range(10) for part in lines.feed(b"x" * LINE_CHARS)]

    assert begun == ["x" * LINE_CHARS] * 9
    assert lines.feed(b"\ny\n") == ["x" * LINE_CHARS, "y"]
    assert lines.end() == []


# lines of workers


def test_lines_of_a_work_come_before_its_end() -> None:
    """From print, standard error and programs, with or without a last line break."""

    def work(channel: Channel) -> None:
        print("of print")
        print("of error", file=sys.stderr)
        subprocess.run(["echo", "of a program"], check=True)
        print("unfinished", end="")

    assert heard(work) == ["of print", "of error", "of a program", "unfinished", Returned(None)]


def test_lines_of_c_come_before_the_end() -> None:
    """Though C holds back what it prints into a pipe."""
    came = heard(lambda channel: ctypes.CDLL(None).printf(b"of C\n"))

    assert came == ["of C", Returned(5)]


def test_lines_of_a_work_come_before_its_crash() -> None:
    """Each has left the process as soon as it was complete."""

    def work(channel: Channel) -> None:
        print("of print")
        os.write(2, b"unfinished")
        ctypes.string_at(0)

    *lines, last = heard(work)

    assert lines == ["of print", "unfinished"]
    assert isinstance(last, Died)


@pytest.mark.parametrize("fresh", [False, True])
def test_lines_of_two_works_are_kept_apart(fresh: bool) -> None:
    """What a work leaves unfinished is a line of its own, not the begin of the next one's."""
    came = heard(
        lambda channel: print("one", end=""), lambda channel: print("two", end=""), fresh=fresh
    )

    assert came == ["one", Returned(None), "two", Returned(None)]


def test_lines_come_while_the_work_runs() -> None:
    """And before what the work says after it has printed them."""
    came: list[Any] = []
    with Processes(1, output=came.append) as executor:
        executor.submit(lambda channel: [print("line"), channel.request("?")], A)
        while not came:
            executor.pump(lambda key, message: came.append(message), LONG_S)

    assert came == ["line", "?"]


def test_lines_are_text_whatever_the_surroundings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker prints UTF-8, and what is no text spoils no trial."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    assert heard(lambda channel: print("é☃\ud800")) == ["é☃\\ud800", Returned(None)]


MUCH = """
import resource
from tunesmith.executors import Processes

def work(channel):
    for _ in range(100):
        print("x" * 1_000_000, end="")
    for _ in range(20):
        print("x\\n" * 10_000, end="")

def output(line):
    global count
    count += line.count("x")

count = 0
with Processes(1, output=output) as executor:
    executor.submit(lambda channel: None, ("a", 1))
    while not executor.free():
        executor.pump(print, 60)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    executor.submit(work, ("b", 1))
    while not executor.free():
        executor.pump(print, 60)
    print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000)
"""


def test_much_printing_needs_little_memory() -> None:
    """100 MB without a line break, and many lines, all arrive, and none is kept."""
    done = subprocess.run([sys.executable, "-c", MUCH], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "100200000 True"


def test_a_process_left_behind_does_not_hold_up_the_end() -> None:
    """One that a work has started in a session of its own, and that holds the streams, goes on."""

    def work(channel: Channel) -> None:
        left = subprocess.Popen(["sleep", "60"], start_new_session=True)
        channel.send(left.pid)
        print("gone")
        os._exit(1)

    lines: list[str] = []
    log = Log()
    begun = time.monotonic()
    with Processes(1, output=lines.append) as executor:
        executor.submit(work, A)
        log.until(executor, A)
    os.kill(log.heard[A][0], signal.SIGKILL)

    assert lines == ["gone"]
    assert isinstance(log.ended[A], Died)
    assert time.monotonic() - begun < 30


def test_streams_that_a_work_has_closed_cost_nothing() -> None:
    """Nothing comes from them any more, and pump waits as ever."""

    def work(channel: Channel) -> None:
        os.close(1)
        os.close(2)
        channel.request("?")
        time.sleep(0.4)

    log = Log()
    with Processes(1, output=print) as executor:
        executor.submit(work, A)
        log.until_true(executor, lambda: A in log.heard)
        before = time.process_time()
        log.until(executor, A)

    assert log.ended[A] == Returned(None)
    assert time.process_time() - before < 0.15


def test_where_lines_go_may_be_said_later(capfd: pytest.CaptureFixture[str]) -> None:
    """Set before a work, it holds for it, also where a worker is there that did otherwise."""
    lines: list[str] = []
    log = Log()
    with Processes(1) as executor:
        for attempt, output in enumerate((lines.append, None, lines.append)):
            executor.output = output
            executor.submit(lambda channel, number: print(number), ("w", attempt), attempt)
            log.until(executor, ("w", attempt))

    assert lines == ["0", "2"]
    assert capfd.readouterr().out == "1\n"


def test_nothing_is_lost_if_output_is_taken_away(capfd: pytest.CaptureFixture[str]) -> None:
    """What a work prints that had begun before goes where this process's goes."""
    lines: list[str] = []
    log = Log(lambda *_: setattr(executor, "output", None))
    with Processes(1, output=lines.append) as executor:
        executor.submit(lambda channel: [print(1), channel.request("?"), print(2)], A)
        log.until(executor, A)

    assert lines == ["1"]
    assert capfd.readouterr().out == "2\n"


def test_what_output_raises_leaves_pump() -> None:
    """The next pump goes on with the next line."""
    lines: list[str] = []

    def output(line: str) -> None:
        lines.append(line)
        if len(lines) == 1:
            raise ValueError("of the output")

    log = Log()
    with Processes(1, output=output) as executor:
        executor.submit(lambda channel: print("1\n2"), A)
        with pytest.raises(ValueError, match="of the output"):
            log.until(executor, A)
        log.until(executor, A)

    assert lines == ["1", "2"]
    assert log.ended[A] == Returned(None)


def test_output_may_close() -> None:
    """Nothing comes after that, neither a line nor a message."""
    lines: list[str] = []

    def output(line: str) -> None:
        lines.append(line)
        executor.close()

    log = Log()
    with Processes(1, output=output) as executor:
        executor.submit(lambda channel: [print("1\n2"), channel.request("?")], A)
        while not lines:
            executor.pump(log, LONG_S)
        executor.pump(log, LONG_S)

    assert lines == ["1"]
    assert (log.heard, log.ended) == ({}, {})
