"""What may happen to a storage while a study runs in it: the run waits, or ends with one sentence; the same line goes on."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

import tunesmith as ts
from tunesmith.storage import connect

TRAINER = Path(__file__).with_name("faults_trainer.py")
TRIALS = 20


# In namespaces of its own a process has another host name, and nobody sees whether it lives.
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts",
    "sh", "-c", 'hostname elsewhere && exec "$@"', "sh")  # fmt: skip

# The way to a server, as long as it is there.
WAY = """
import asyncio, sys
here, there = sys.argv[1:]

async def carry(source, sink):
    while data := await source.read(65536):
        sink.write(data)
    sink.close()

async def serve(source, sink):
    back, forth = await asyncio.open_unix_connection(there)
    await asyncio.gather(carry(source, forth), carry(back, sink))

async def main():
    async with await asyncio.start_unix_server(serve, here) as server:
        print("open", flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


class Line:
    """A line of the shell that runs a study in two workers.

    Args:
        storage: Where.
        folder: In which the trials note what was acknowledged.
        more: Words after the line, and before it.
    """

    def __init__(
        self,
        storage: str,
        folder: Path,
        more: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
    ) -> None:
        self.storage = storage
        self.said = folder / "said"
        self.more, self.before = more, before
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        line = [
            sys.executable,
            "-c",
            "from tunesmith.cli import main; main()",
            "run",
            f"{TRAINER}:train",
        ]
        given = [
            "--name",
            "s",
            "--storage",
            self.storage,
            "--minimize",
            "loss",
            "--sampler",
            "random",
        ]
        return subprocess.Popen(
            [*self.before, *line, *given, "--workers", "2", "--trials", str(TRIALS), "--quiet", *self.more],
            env={**os.environ, "SAID": str(self.said), "PYTHONWARNINGS": "error"},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    def runs(self, reports: int = 30) -> None:
        """Wait until so many more reports were acknowledged."""
        deadline = time.monotonic() + 60
        wanted = len(self.acknowledged) + reports
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.01)

    def ends(self) -> str:
        """What it says at its end, which is not a good one."""
        _, said = self.process.communicate(timeout=90)
        assert self.process.returncode == 1, said
        return said

    @property
    def acknowledged(self) -> list[tuple[int, ...]]:
        """Trial, attempt and step of each report."""
        lines = self.said.read_text().splitlines() if self.said.exists() else []
        return [tuple(map(int, line.split())) for line in lines]

    def done(self) -> None:
        """Wait for its good end."""
        _, said = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, said

    def goes_on(self) -> None:
        """Type it once more, if it has ended; then everything is there, once."""
        assert self.process.stderr is not None
        if self.process.stderr.closed:  # after `ends`
            self.process = self._start()
        self.done()
        study: ts.Study[Any] = ts.load(self.storage, "s")
        assert study.history.taken == study.history.count("complete") == TRIALS
        assert study.verify()
        events = [json.loads(line) for line in connect(self.storage).read("s")]
        started = [e["uid"] for e in events if e["event"] == "started"]
        assert len(started) == len(set(started))
        numbers = {uid: number for number, uid in enumerate(started)}
        reported = [
            (numbers[e["uid"]], e.get("attempt", 1), e["step"])
            for e in events
            if e["event"] == "reported"
        ]
        assert len(reported) == len(set(reported))
        assert set(self.acknowledged) <= set(reported)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for a storage, apart from what the trials write."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "name, whole",
    [
        ("s.db", False),
        ("s.jsonl", True),
        pytest.param("s.db", True, marks=pytest.mark.slow),
        pytest.param("s.jsonl", False, marks=pytest.mark.slow),
    ],
)
def test_a_file_that_is_removed(name: str, whole: bool, place: Path, tmp_path: Path) -> None:
    """The run says so and ends; when the file is back, it is as if nothing had been."""
    line = Line(str(place / name), tmp_path)
    line.runs()
    away = tmp_path / "away"
    if whole:
        place.rename(away)
        said = line.ends()
        away.rename(place)
    else:
        away.mkdir()
        for file in [*place.iterdir()]:
            file.rename(away / file.name)
        said = line.ends()
        for file in away.iterdir():
            shutil.rmtree(place / file.name, ignore_errors=True)
            file.rename(place / file.name)
    assert re.fullmatch(r"Error: .*(removed or replaced|deleted meanwhile|is no folder).*\n", said)
    line.goes_on()


@pytest.mark.parametrize("name", ["s.db", "s.jsonl"])
def test_a_file_that_may_not_grow(name: str, place: Path, tmp_path: Path) -> None:
    """The run says so and ends; what it keeps is whole, and with room it goes on."""
    line = Line(str(place / name), tmp_path)
    line.runs()
    full = (place / name).stat().st_size + 3000, resource.RLIM_INFINITY
    resource.prlimit(line.process.pid, resource.RLIMIT_FSIZE, full)
    said = line.ends()
    assert re.fullmatch(r"Error: .*(cannot be read or written|no room is left).*\n", said)
    line.goes_on()


def test_a_table_that_is_removed(database: str, tmp_path: Path) -> None:
    """The run says so and ends; when it is back, it is as if nothing had been."""
    line = Line(database, tmp_path)
    line.runs()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE tunesmith.line RENAME TO away")
        said = line.ends()
        connection.execute("ALTER TABLE tunesmith.away RENAME TO line")
    assert re.fullmatch(
        r"Error: .* lacks tables that were there before \(.*\); put them back.*\n", said
    )
    line.goes_on()


@pytest.mark.slow
def test_a_database_that_is_removed(database: str, tmp_path: Path, server: Any) -> None:
    """Nobody waits for it."""
    line = Line(database, tmp_path)
    line.runs()
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("DROP DATABASE tests WITH (FORCE)")
    said = line.ends()
    assert re.fullmatch(r'Error: .* database "tests" does not exist.*\n', said)


def test_connections_that_are_cut(database: str, tmp_path: Path, server: Any) -> None:
    """Nobody notices."""
    line = Line(database, tmp_path)
    line.runs()
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        while line.process.poll() is None:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tests'"
            )
            time.sleep(0.1)
    line.goes_on()


def restart(server: Any, how: signal.Signals, after_s: float) -> None:
    process = server.get_postmaster_info().process
    process.send_signal(how)
    process.wait(30)
    time.sleep(after_s)
    server.ensure_postgres_running()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_is_away_for_long(
    how: signal.Signals, database: str, tmp_path: Path, server: Any
) -> None:
    """Half a minute is waited for."""
    line = Line(database, tmp_path)
    line.runs()
    restart(server, how, 30)
    line.runs()
    line.goes_on()


@pytest.mark.slow
def test_a_server_that_does_not_come_back(database: str, tmp_path: Path, server: Any) -> None:
    """After a minute the run says so and ends at once; when it is back, the line goes on."""
    line = Line(database, tmp_path)
    line.runs()
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGINT)
    process.wait(30)
    begun = time.monotonic()
    said = line.ends()
    assert re.fullmatch(r"Error: .* cannot be reached: .* is the server running.*\n", said)
    assert 55 < time.monotonic() - begun < 75
    server.ensure_postgres_running()
    line.goes_on()


@pytest.mark.slow
def test_whoever_leaves_while_the_server_is_away(
    database: str, tmp_path: Path, server: Any
) -> None:
    """Ctrl-C waits for it, to hand back what runs; Ctrl-C again does not."""
    line = Line(database, tmp_path)
    line.runs()
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGINT)
    process.wait(30)
    line.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        line.process.wait(3)
    line.process.send_signal(signal.SIGINT)
    line.process.communicate(timeout=15)
    assert line.process.returncode == 130
    server.ensure_postgres_running()
    line.goes_on()


@pytest.fixture
def drive() -> Iterator[Path]:
    """A small disk; making one takes root."""
    with TemporaryDirectory() as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", name], check=True)
        Path(name).chmod(0o777)
        yield Path(name)
        subprocess.run(["umount", "--lazy", name], check=True)


def fill(drive: Path) -> Path:
    """Leave no room."""
    big = drive / "big"
    subprocess.run(
        ["dd", "if=/dev/zero", f"of={big}", "bs=4k"], stderr=subprocess.DEVNULL, check=False
    )
    return big


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["db", "jsonl", "postgresql"])
def test_a_full_disk(
    kind: str, drive: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The run says so and ends; what it keeps is whole, and with room it goes on."""
    storage = str(drive / f"s.{kind}")
    if kind == "postgresql":
        storage, server = request.getfixturevalue("database"), request.getfixturevalue("server")
        owner = server.get_postmaster_info().process.uids().real
        os.chown(drive, owner, -1)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{drive}'")
            connection.execute("ALTER DATABASE tests SET default_tablespace = small")
    line = Line(storage, tmp_path)
    line.runs()
    big = fill(drive)
    said = line.ends()
    big.unlink()
    assert re.fullmatch(r"Error: no room is left for .*; what it keeps is safe.*\n", said)
    line.goes_on()
    if kind == "postgresql":
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("DROP DATABASE tests WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


@pytest.mark.slow
def test_a_drive_that_may_only_be_read(drive: Path, tmp_path: Path) -> None:
    """The run says so and ends; when it may be written again, the line goes on."""
    line = Line(str(drive / "s.jsonl"), tmp_path)
    line.runs()
    while subprocess.run(
        ["mount", "-o", "remount,ro", drive], stderr=subprocess.DEVNULL, check=False
    ).returncode:
        pass  # somebody is writing just now
    said = line.ends()
    subprocess.run(["mount", "-o", "remount,rw", drive], check=True)
    assert re.fullmatch(r"Error: .* may not be used \(Read-only file system\).*\n", said)
    line.goes_on()


@contextmanager
def way(here: Path, there: Path) -> Iterator[None]:
    """A way to a server; when it ends, what was on it is cut off."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAY, str(here), str(there)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        here.unlink()


def nobody_lives(storage: str) -> None:
    """Wait until all leases are over."""
    while connect(storage).alive("s"):
        time.sleep(0.1)


@pytest.mark.slow
def test_a_network_that_is_split(database: str, tmp_path: Path) -> None:
    """When the lease of those who are cut off is over, others go on; what they say later has no effect."""
    _, _, folder = database.partition("host=")
    with TemporaryDirectory(dir="/tmp") as name:  # the names of sockets are short
        here, there = Path(name, ".s.PGSQL.5432"), Path(folder, ".s.PGSQL.5432")
        with way(here, there):
            far = Line(
                database.replace(folder, name), tmp_path, more=("--lease", "2"), before=ELSEWHERE
            )
            far.runs()
        nobody_lives(database)
        near = Line(database, tmp_path, more=("--lease", "2"))
        near.done()
        with way(here, there):
            far.done()
    near.goes_on()
    taken_over = [r for r in ts.load(database, "s").history if r.attempt == 2]
    assert 1 <= len(taken_over) <= 2
    assert {r.lost for r in taken_over} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "postgresql"])
def test_a_machine_that_is_lost(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """When its lease is over, and not before, others go on with its trials."""
    storage = str(tmp_path / "s.jsonl")
    if kind == "postgresql":
        storage = request.getfixturevalue("database")
    lost = Line(storage, tmp_path, more=("--lease", "5"), before=ELSEWHERE)
    lost.runs()
    lost.process.kill()
    lost.process.communicate()
    killed = time.time()
    line = Line(storage, tmp_path)
    line.done()  # whoever comes to the end of the budget does not wait for what others run
    nobody_lives(storage)
    line.goes_on()
    taken_over = [r for r in ts.load(storage, "s").history if r.attempt == 2]
    assert 1 <= len(taken_over) <= 2
    assert all(r.resumed is not None and 3 < r.resumed - killed < 60 for r in taken_over)
