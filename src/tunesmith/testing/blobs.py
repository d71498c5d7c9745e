"""Whether blobs keep their contract: a suite to subclass, for ours and for those of others."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import dumps, loads
from typing import TypeAlias

import pytest

from tunesmith.storage.blobs import Blobs, connect

Reopen: TypeAlias = Callable[[], Blobs]

PROGRAM = """
import sys
from tunesmith.storage.blobs import connect

blobs = connect(sys.argv[1])
print("ready", flush=True)
for number in range(10**6):
    with blobs.put(f"{sys.argv[2]}-{number}") as folder:
        for part in range(5):
            (folder / f"part-{part}").write_text(str(number) * 1000)
    if number % 3 == 2:
        blobs.delete(f"{sys.argv[2]}-{number - 2}")
    print(number, flush=True)
"""


def _filled(blobs: Blobs, key: str, text: str = "weights") -> None:
    with blobs.put(key) as folder:
        (folder / "a.txt").write_text(text)
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "er" / "b.bin").write_bytes(bytes(range(256)))


def _texts(folder: Path | None) -> dict[str, bytes]:
    assert folder is not None
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


WHOLE = {"a.txt": b"weights", "deep/er/b.bin": bytes(range(256))}


class BlobsConformance:
    """Tests that all blobs pass.

    A subclass gives the fixture `blobs`, an empty place. If another process can reach it by
    `connect(blobs.url)`, the fixture `shared` says so.

    Example::

        class TestTape(BlobsConformance):
            @pytest.fixture
            def blobs(self, tmp_path: Path) -> Tape:
                return Tape.open(f"tape://{tmp_path}")
    """

    @pytest.fixture
    def shared(self) -> bool:
        """Whether other processes reach it, too."""
        return True

    def test_gives_back_what_was_put(self, blobs: Blobs) -> None:
        """Files in folders in folders, byte for byte, as often as it is asked for."""
        _filled(blobs, "0.0-1-a")

        assert _texts(blobs.get("0.0-1-a")) == WHOLE
        assert _texts(blobs.get("0.0-1-a")) == WHOLE

    def test_reading_creates_nothing(self, blobs: Blobs) -> None:
        """What was never put is not there, and may be deleted."""
        assert blobs.get("a") is None
        assert blobs.keys() == set()
        blobs.delete("a")
        assert blobs.keys() == set()

    def test_keys_are_any_texts(self, blobs: Blobs) -> None:
        """Dots, slashes, blanks and any Unicode; each is told apart from every other."""
        keys = {"..", ".", ".new", "a/b", "a%2Fb", "a b", "a", "ä漢🎛", "whole", "files", "0.1-1-x"}
        for key in keys:
            _filled(blobs, key, key)

        assert blobs.keys() == keys
        assert blobs.keys("a") == {key for key in keys if key.startswith("a")}
        assert {_texts(blobs.get(key))["a.txt"].decode() for key in keys} == keys

    def test_deleting_removes_one_key(self, blobs: Blobs) -> None:
        """The others stay; deleting again is no error."""
        for key in ("a", "ab"):
            _filled(blobs, key)
        blobs.delete("a")
        blobs.delete("a")

        assert blobs.keys() == {"ab"}
        assert blobs.get("a") is None
        assert _texts(blobs.get("ab")) == WHOLE

    def test_what_raises_leaves_nothing(self, blobs: Blobs) -> None:
        """An error within the block keeps nothing, and the key is still free."""

        def fail() -> None:
            with blobs.put("a") as folder:
                (folder / "a.txt").write_text("half")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert blobs.get("a") is None
        _filled(blobs, "a")
        assert _texts(blobs.get("a")) == WHOLE

    def test_an_empty_folder_is_kept(self, blobs: Blobs) -> None:
        """Somebody may have nothing to save."""
        with blobs.put("a"):
            pass

        assert _texts(blobs.get("a")) == {}

    def test_places_within_are_apart(self, blobs: Blobs) -> None:
        """Studies share no keys, whatever they are called."""
        names = ("one", "../one", "..", "o/ne")
        for name in names:
            _filled(blobs.within(name), "a", name)

        for name in names:
            place = blobs.within(name)
            assert _texts(place.get("a"))["a.txt"].decode() == name
        blobs.within("one").clear()
        assert blobs.within("one").keys() == set()
        assert blobs.within("../one").keys() == {"a"}

    def test_travels(self, blobs: Blobs, *, shared: bool) -> None:
        """A copy by pickle finds the same, and so does whoever opens the URL."""
        _filled(blobs, "a")

        copy: Blobs = loads(dumps(blobs))  # noqa: S301 - just made
        assert _texts(copy.get("a")) == WHOLE
        if shared:
            other = connect(blobs.url)
            assert _texts(other.get("a")) == WHOLE

    def test_threads_share_it(self, blobs: Blobs) -> None:
        """Puts, gets and deletes of different keys at the same time do not disturb each other."""

        def turn(number: int) -> bool:
            for again in range(5):
                _filled(blobs, f"{number}-{again}")
                if again:
                    blobs.delete(f"{number}-{again - 1}")
            return _texts(blobs.get(f"{number}-4")) == WHOLE

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(turn, range(8)))
        assert blobs.keys() == {f"{number}-4" for number in range(8)}

    def test_a_kill_leaves_no_half_folder(self, blobs: Blobs, *, shared: bool) -> None:
        """A process that is killed at any moment has put a key as a whole or not at all."""
        if not shared:
            pytest.skip("no other process reaches it")
        luck = random.Random(7)  # noqa: S311 - no secret
        for life in range(4):
            process = subprocess.Popen(  # noqa: S603 - a program of ours
                [sys.executable, "-c", PROGRAM, blobs.url, str(life)],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(luck.randrange(1, 30)):
                done = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()

            for key in blobs.keys(f"{life}-"):
                folder = blobs.get(key)
                number = key.partition("-")[2]
                if folder is not None:
                    whole = {f"part-{part}": (number * 1000).encode() for part in range(5)}
                    assert _texts(folder) == whole
            assert blobs.get(f"{life}-{done}") is not None
