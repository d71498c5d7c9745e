"""What happens to a PostgreSQL database: restarts, crashes, cut connections, wrong addresses."""

import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from tunesmith._core.errors import SettingError, StorageError
from tunesmith.storage import PostgreSQL, connect

# Appends numbered lines, one or three at a time, and prints the length of the log after each append.
PROGRAM = """
import sys
from tunesmith.storage import connect

url, me, count = sys.argv[1:]
storage = connect(url)
for n in range(int(count)):
    storage.append("a", [f"{me} {n} {part}" for part in range(3 if n % 2 else 1)])
    print(n, flush=True)
"""


def lines_of(me: int, count: int) -> list[str]:
    """What that program appends."""
    return [f"{me} {n} {part}" for n in range(count) for part in range(3 if n % 2 else 1)]


@contextmanager
def proxy(url: str, folder: Path, luck: random.Random) -> Iterator[str]:
    """An address of the same database over a connection that is cut again and again, at any byte."""
    _, _, target = url.partition("host=")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / ".s.PGSQL.5432"))
        door.listen()

        def carry(source: socket.socket, sink: socket.socket, left: int) -> None:
            with suppress(OSError):
                while left > 0 and (data := source.recv(min(left, 4096))):
                    sink.sendall(data)
                    left -= len(data)
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = door.accept()
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(f"{target}/.s.PGSQL.5432")
                    there, back = luck.randrange(1000, 6000), luck.randrange(1000, 6000)
                    threads = [
                        threading.Thread(target=carry, args=(client, server, there)),
                        threading.Thread(target=carry, args=(server, client, back)),
                    ]
                    for thread in threads:
                        thread.start()
                    carried.append((client, server, threads))

        carried: list[tuple[socket.socket, socket.socket, list[threading.Thread]]] = []
        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield url.replace(target, str(folder))
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            serving.join()
            for client, server, threads in carried:
                for thread in threads:
                    thread.join()
                client.close()
                server.close()


def test_a_cut_connection_doubles_nothing(database: str) -> None:
    """Wherever it is cut, before or after the commit, each append comes once, in order."""
    with (
        TemporaryDirectory(dir="/tmp") as folder,  # the names of sockets are short
        proxy(database, Path(folder), random.Random(0)) as url,
    ):
        storage = PostgreSQL(url)
        for n in range(60):
            storage.append("a", lines_of(0, n + 1)[len(lines_of(0, n)) :])
        storage.close()
    assert connect(database).read("a") == lines_of(0, 60)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_a_restarted_server_is_waited_for(how: signal.Signals, database: str, server: Any) -> None:
    """Clients go on when it is back; what was acknowledged is there, once, also after a crash."""
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, database, str(me), "200"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in range(3)
    ]
    for client in clients:
        assert client.stdout is not None
        client.stdout.readline()
    process = server.get_postmaster_info().process
    process.send_signal(how)
    process.wait(30)
    server.ensure_postgres_running()
    for client in clients:
        assert client.stdout is not None
        said = (
            client.stdout.read()
        )  # not communicate, which forgets what was read on with the first line
        client.stdout.close()
        assert client.wait(60) == 0
        assert said.splitlines()[-1] == "199"
    lines = connect(database).read("a")
    for me in range(3):
        assert [line for line in lines if line.startswith(f"{me} ")] == lines_of(me, 200)


def test_other_lines_than_were_read_are_noticed(database: str, server: Any) -> None:
    """Whoever read lines that a crash took along does not build on them."""
    storage = PostgreSQL(database)
    storage.append("a", ["1", "2", "3"])
    assert storage.read("a") == ["1", "2", "3"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DELETE FROM tunesmith.line WHERE place = 2")
        connection.execute("UPDATE tunesmith.study SET length = 2")
    storage.close()
    with pytest.raises(StorageError, match="other lines of 'a' than were read"):
        storage.read("a", 3)
    assert storage.read("a") == ["1", "2"]


@pytest.mark.parametrize(
    "url, sentence",
    [
        ("postgresql://nobody@localhost:1/x", "cannot be reached: .* is the server running"),
        ("postgresql://a:secret@localhost:1/x", "^postgresql://a@localhost:1/x cannot be reached"),
        (
            "postgres://a@127.0.0.1:1/x",
            "^postgresql://a@127.0.0.1:1/x cannot be reached: .* refused; is the ",
        ),
    ],
)
def test_a_server_that_is_not_there(url: str, sentence: str) -> None:
    """Who was never there is not waited for; a password is not shown."""
    with pytest.raises(StorageError, match=sentence) as caught:
        connect(url).read("a")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:s%40cret@host/x",
        "postgresql://a:s%40cret@host/x?no_such_option=1",
        "postgresql://host/x?user=a&password=s%40cret&sslmode=require",
        "host=host user=a password='s@cret, too' dbname=x",
    ],
)
def test_no_way_to_write_a_password_shows_it(url: str) -> None:
    """Neither in the address for people nor in what is said of one that is not understood."""
    try:
        shown = PostgreSQL(url).url
    except SettingError as error:
        shown = str(error)
    assert "cret" not in shown
    assert "host" in shown


def test_says_what_is_wrong_with_an_address() -> None:
    """What libpq does not understand is refused with how to write it."""
    with pytest.raises(SettingError, match='write "postgresql://user@host/database"'):
        connect("postgresql://a@host/x?no_such_option=1")


def test_says_who_may_not(database: str) -> None:
    """Who may not make tables is told what to grant; what they made before, they may only read."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
        guest = PostgreSQL(database.replace("postgres:@", "guest:@"))
        assert guest.read("a") == []
        with pytest.raises(StorageError, match="grant its user CREATE"):
            guest.append("a", ["1"])
        guest.close()
        connection.execute("DROP ROLE guest")


def test_a_full_server_is_waited_for(database: str) -> None:
    """Who finds no connection left goes on as soon as one is."""
    full = connect(database)
    full.append("a", ["1"])
    full.close()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN CONNECTION LIMIT 1")
        connection.execute("GRANT USAGE ON SCHEMA tunesmith TO guest")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA tunesmith TO guest")
        url = database.replace("postgres:@", "guest:@")
        first = PostgreSQL(url)
        assert first.read("a") == ["1"]
        leaving = threading.Timer(0.2, first.close)
        leaving.start()
        assert PostgreSQL(url).read("a") == ["1"]
        leaving.join()


def test_refuses_a_newer_format(database: str) -> None:
    """What a newer version made is left as it is."""
    storage = PostgreSQL(database)
    storage.append("a", ["1"])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE tunesmith.format SET version = 99")
    storage.close()
    with pytest.raises(StorageError, match="has storage format 99"):
        storage.append("a", ["2"])


def test_an_interrupt_leaves_a_connection_that_works(database: str) -> None:
    """After Ctrl-C in the midst of waiting for the server, the next use is answered rightly."""
    program = """
import _thread, sys, threading
from tunesmith.storage import connect
storage = connect(sys.argv[1])
storage.append("a", ["1"])
blocker = connect(sys.argv[1])
import psycopg
with psycopg.connect(sys.argv[1]) as holding:
    holding.execute("SELECT FROM tunesmith.study FOR UPDATE")
    threading.Timer(0.3, _thread.interrupt_main).start()
    try:
        storage.append("a", ["2"])
    except KeyboardInterrupt:
        print("interrupted")
print(storage.append("a", ["3"]), storage.read("a"))
"""
    said = subprocess.run(
        [sys.executable, "-c", program, database],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert said == "interrupted\n2 ['1', '3']\n"
