"""The storage in one file: every process of this machine appends to the same SQLite database."""

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Self, final
from weakref import finalize

from tunesmith._core.errors import Conflict, SettingError, StudyNotFound
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.database import Database
from tunesmith.storage.folder import Folder
from tunesmith.storage.storage import Storage, check_first, expected, gone, poll

FORMAT: Final = 1

# A line's place is one integer, the study's id above bit 40 and the position below: SQLite appends
# faster than with a key of two columns, and lines above 1 kB take a third of the room.
SCHEMA: Final = (
    "CREATE TABLE study (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE line (place INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE TABLE owner (study TEXT, owner TEXT, until REAL NOT NULL, UNIQUE (study, owner))",
    "CREATE TABLE fold (study INTEGER PRIMARY KEY, length INTEGER NOT NULL, fold BLOB NOT NULL)",
)
BITS: Final = 40
FIND: Final = (
    f"SELECT id << {BITS}, (SELECT max(place) + 1 FROM line WHERE place < (id + 1) << {BITS})"  # noqa: S608
    " FROM study WHERE name = ?"
)

PAUSES_S: Final = (0.002, 0.05)  # of `wait`: first and longest


@final
class SQLite(Storage):
    """Keeps logs in one SQLite file, made when it is first written, and files beside it in `<file>.files`.

    It is for processes of one machine: locks and shared memory do not reach over a network drive.
    What was appended survives `kill -9` of every process, as does a file copied with its `-wal`.

    Args:
        path: The file. Its folder must exist.
        durability: "normal": a power cut may lose the last moments, and never corrupts; "full":
            every append waits for the disk.

    Raises:
        SettingError: `path` is empty, or `durability` is neither.
    """

    def __init__(
        self, path: str | os.PathLike[str], durability: Literal["normal", "full"] = "normal"
    ) -> None:
        if durability not in ("normal", "full"):
            raise SettingError(f'durability must be "normal" or "full", got {durability!r}')
        if not os.fspath(path):
            raise SettingError('SQLite needs the path of a file, got ""; write "tunesmith.db"')
        absolute = Path(path).expanduser().absolute()
        self._durability = durability
        self._database = Database(absolute, SCHEMA, FORMAT, synchronous=durability)
        finalize(self, self._database.close)  # a program's end leaves a single file, too

    def __reduce__(self) -> tuple[type["SQLite"], tuple[Path, str]]:
        return SQLite, (self._database.path, self._durability)

    def __repr__(self) -> str:
        return f"SQLite({self.url!r})"

    @classmethod
    def open(cls, address: str) -> Self:
        if not address.startswith("/"):
            raise SettingError(f"sqlite://{address} needs a third slash: sqlite:///{address}")
        return cls(address[1:])

    @property
    def url(self) -> str:
        return str(self._database.path)

    @property
    def files(self) -> Blobs | None:
        return Folder(f"{self._database.path}.files")

    def append(
        self,
        study: str,
        lines: Sequence[str],
        expect: int | None = None,
        first: str | None = None,
    ) -> int:
        if not study:
            raise SettingError("a study's name may not be empty; give it one")
        if not lines:
            expected(expect, length := self._length(study))
            return length
        if expect and (length := self._length(study)) > expect:
            # A reader need not wait for its turn to write, and most conflicts show here.
            raise Conflict(expect, length)

        def write(connection: sqlite3.Connection) -> int:
            begin, end = _find(connection, study)
            if first is not None and _text(connection, begin) != first:
                raise StudyNotFound(gone(study, self.url))
            expected(expect, end - begin)
            if begin == end:
                made = connection.execute("INSERT INTO study (name) VALUES (?)", (study,))
                begin = end = (made.lastrowid or 0) << BITS
            connection.executemany("INSERT INTO line VALUES (?, ?)", enumerate(lines, end))
            return end - begin + len(lines)

        return self._database.write(write)

    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            begin, end = _find(connection, study)
            if first is not None and end > begin:
                check_first(first, [_text(connection, begin) or ""], study, self.url)
            if limit is not None:
                end = min(end, begin + start + limit)
            texts = connection.execute(
                "SELECT text FROM line WHERE place >= ? AND place < ? ORDER BY place",
                (begin + start, end),
            )
            # at once, here and below: a cursor that an interrupt leaves open holds an old state
            return [text for (text,) in texts.fetchall()]

        return self._database.read(work, [])

    def wait(self, study: str, length: int, timeout_s: float) -> int:
        return poll(lambda: self._length(study), length, timeout_s, PAUSES_S)

    def names(self) -> list[str]:
        return self._database.read(
            lambda connection: sorted(
                name for (name,) in connection.execute("SELECT name FROM study").fetchall()
            ),
            [],
        )

    def delete(self, study: str) -> None:
        def write(connection: sqlite3.Connection) -> None:
            begin, end = _find(connection, study)
            connection.execute("DELETE FROM line WHERE place >= ? AND place < ?", (begin, end))
            connection.execute("DELETE FROM fold WHERE study = ?", (begin >> BITS,))
            connection.execute("DELETE FROM study WHERE name = ?", (study,))
            connection.execute("DELETE FROM owner WHERE study = ?", (study,))

        if self._database.exists():
            self._database.write(write)

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO owner VALUES (?, ?, ?)", (study, owner, now + ttl_s)
            )
            connection.execute("DELETE FROM owner WHERE until <= ?", (now,))

        self._database.write(write)

    def alive(self, study: str) -> set[str]:
        def work(connection: sqlite3.Connection) -> set[str]:
            owners = connection.execute(
                "SELECT owner FROM owner WHERE study = ? AND until > ?", (study, time.time())
            )
            return {owner for (owner,) in owners.fetchall()}

        return self._database.read(work, set())

    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        def write(connection: sqlite3.Connection) -> None:
            begin, end = _find(connection, study)
            if end - begin >= max(length, 1):
                connection.execute(
                    "INSERT OR REPLACE INTO fold VALUES (?, ?, ?)", (begin >> BITS, length, fold)
                )

        self._database.write(write)

    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        def work(connection: sqlite3.Connection) -> tuple[int, bytes] | None:
            kept: tuple[int, bytes] | None = connection.execute(
                "SELECT length, fold FROM fold JOIN study ON study = id WHERE name = ?", (study,)
            ).fetchone()
            return kept

        return self._database.read(work, None)

    def close(self) -> None:
        self._database.close()

    def _length(self, study: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            begin, end = _find(connection, study)
            return end - begin

        return self._database.read(work, 0)


def _find(connection: sqlite3.Connection, study: str) -> tuple[int, int]:
    """Return the place of the study's first line and the place after its last; (0, 0): unknown."""
    found: tuple[int, int] | None = connection.execute(FIND, (study,)).fetchone()
    return found or (0, 0)


def _text(connection: sqlite3.Connection, place: int) -> str | None:
    found = connection.execute("SELECT text FROM line WHERE place = ?", (place,)).fetchone()
    return None if found is None else str(found[0])
