"""Who is alive is told by one clock, that of the database or of the drive."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.storage import connect

# Says that it lives, and prints who does, on a machine whose clock is wrong by some seconds.
PROGRAM = """
import sys, time
from tunesmith.storage import connect

url, wrong_s, ttl_s = sys.argv[1:]
right = time.time
time.time = lambda: right() + float(wrong_s)
storage = connect(url)
storage.beat("a", "far", float(ttl_s))
print(*sorted(storage.alive("a")))
"""


@pytest.mark.parametrize("kind", ["jsonl", "postgresql"])
@pytest.mark.parametrize("wrong_s", [-200_000, 200_000])
def test_clocks_that_are_apart(
    wrong_s: int, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """By whatever days: who lives is taken for alive, and who has stopped beating for dead."""
    url = str(tmp_path / "a.jsonl")
    if kind == "postgresql":
        url = request.getfixturevalue("database")
    storage = connect(url)
    storage.append("a", ["1"])
    storage.beat("a", "near", 100)

    def far(ttl_s: float) -> str:
        program = [sys.executable, "-c", PROGRAM, url, str(wrong_s), str(ttl_s)]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    assert far(100) == "far near\n"
    assert storage.alive("a") == {"far", "near"}
    far(0.2)
    deadline = time.monotonic() + 20
    while storage.alive("a") != {"near"}:
        assert time.monotonic() < deadline
    storage.close()
