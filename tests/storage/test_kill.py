"""What was acknowledged survives `kill -9`, at whatever moment it comes."""

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.storage import connect
from tunesmith.testing.storages import check_interleaved, hammer

FILES = ("x.db", "x.jsonl")
BENCH = Path(__file__).parents[2] / "bench" / "faults.py"

# Appends numbered lines, one or three at a time, and prints the length of the log after each append.
PROGRAM = """
import sys
from tunesmith.storage import connect

storage = connect(sys.argv[1])
length = len(storage.read("a"))
while True:
    lines = [f"{n} " + "x" * 300 for n in range(length, length + (3 if length % 2 else 1))]
    length = storage.append("a", lines, expect=length)
    if length % 50 == 0:
        storage.keep_fold("a", length, b"x" * 10_000)
        storage.beat("a", "me", 1000)
    print(length, flush=True)
"""


def kill_again_and_again(url: str, kills: int, rng: random.Random) -> None:
    """Kill a writer `kills` times; after each, check that all acknowledged lines are there."""
    storage = connect(url)
    for _ in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 300)):
            child.stdout.readline()
        child.kill()
        # A last line without its end was being printed; its number is not to be trusted.
        printed = [line for line in child.stdout if line.endswith("\n")]
        child.wait()
        child.stdout.close()
        lines = storage.read("a")
        assert [line.split()[0] for line in lines] == [str(n) for n in range(len(lines))]
        if printed:
            assert len(lines) >= int(printed[-1])
        assert (storage.kept_fold("a") or (0, b""))[0] <= len(lines)
        assert storage.append("b", ["alive"]) > 0
    storage.close()


def check_whole(path: Path) -> None:
    """Check that a database is one sound file."""
    assert [child.name for child in path.parent.iterdir()] == [path.name]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("part", range(2))
def test_kill_loses_nothing(part: int, name: str, tmp_path: Path) -> None:
    """Ten kills: all that was acknowledged is there, and the file is whole."""
    kill_again_and_again(str(tmp_path / name), 5, random.Random(part))
    if name == "x.db":
        check_whole(tmp_path / name)


def test_kill_loses_nothing_of_a_server(database: str) -> None:
    """Five kills: all that was acknowledged is there."""
    kill_again_and_again(database, 5, random.Random(0))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_kills_lose_nothing(name: str, tmp_path: Path) -> None:
    """A hundred kills: all that was acknowledged is there, and the file is whole."""
    kill_again_and_again(str(tmp_path / name), 100, random.Random(0))
    if name == "x.db":
        check_whole(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["s.db", "s.jsonl", "postgresql"])
def test_killed_workers_and_coordinators(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Ten kills of each: no result or report is lost, no trial is there twice, none is left behind."""
    if where == "postgresql":
        where = str(request.getfixturevalue("database"))
    said = subprocess.run(
        [sys.executable, BENCH, "--only", "kills", "--kills", "10", "--url", where],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    rows = [row.split(" | ") for row in said.splitlines() if "| 0 |" in row or "orphans" in row]
    assert len(rows) == 6
    for what, _, measured in rows:
        assert measured.startswith("0 ") or ("orphans" in what and measured.endswith(" 0 left |"))
        assert "verify" not in measured


def check_hammered(path: Path, count: int) -> None:
    storage = connect(path)
    hammer(storage.url, "a", writers=8, count=count)
    check_interleaved(storage.read("a"), writers=8, count=count)
    storage.close()


@pytest.mark.parametrize("name", FILES)
def test_eight_processes_hammer_one_study(name: str, tmp_path: Path) -> None:
    """Eight writers at once: none is refused, no line is lost or doubled."""
    check_hammered(tmp_path / name, 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_eight_processes_hammer_for_long(name: str, tmp_path: Path) -> None:
    """Eight writers at once, over many checkpoints: none is refused, no line lost or doubled."""
    check_hammered(tmp_path / name, 5000)
