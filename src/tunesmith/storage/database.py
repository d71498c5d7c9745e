"""A SQLite file of ours: opened late, waited for while others write, explained when it fails.

SQLite does the hard part. What is added: a file is made only to be written; who finds it locked
tries again after a short random pause, so that many writers share it fairly; a connection is closed
before a fork, since a child may not even hold one; and each failure is one clear sentence.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Final, TypeVar, final
from urllib.parse import quote

from tunesmith._core.errors import StorageError
from tunesmith.storage.forks import ForkLock

T = TypeVar("T")

APPLICATION: Final = 0x54756E65  # "Tune", in the header of each of our files
PATIENCE_S: Final = 60.0  # longer than any honest writer holds the lock
PAUSES_S: Final = (0.0001, 0.01)  # first and longest; measured with 8 writers on 2 cores
CHECKPOINT_PAGES: Final = 4000  # 16 MB: each checkpoint waits for the disk, so not too often

_random = SystemRandom()  # pauses leave the user's generators alone, and differ between forks


@final
class Database:
    """One connection to one file, shared by the threads of this process.

    Args:
        path: Absolute path of the file.
        schema: Statements that make the tables of a new file.
        version: Format of the schema; a file of a newer one is refused.
        synchronous: Value of SQLite's pragma of this name.
    """

    def __init__(self, path: Path, schema: tuple[str, ...], version: int, synchronous: str) -> None:
        self.path = path
        self._schema = schema
        self._version = version
        self._synchronous = synchronous
        self._fork_lock = ForkLock(before=self._disconnect)
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # of the file in use: device and inode

    def exists(self) -> bool:
        """Return whether there is a file with something in it."""
        return self._identity is not None or _size(self.path) > 0

    def read(self, work: Callable[[sqlite3.Connection], T], missing: T) -> T:
        """Return what `work` makes of the connection, or `missing` if there is no file.

        Raises:
            StorageError: The file cannot be read.
        """

        def once() -> T:
            return work(self._connected()) if self.exists() else missing

        return self._patiently(once)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` makes of the connection, within one transaction; make a missing file.

        Raises:
            StorageError: The file cannot be written; nothing was.
        """

        def in_place(connection: sqlite3.Connection) -> T:
            self._check_in_place()
            return work(connection)

        def once() -> T:
            result = within(self._connected(), in_place)
            self._check_in_place()  # a file removed just before the commit took the work along
            return result

        return self._patiently(once)

    def close(self) -> None:
        """Close the file, which SQLite then leaves without `-wal` and `-shm` beside it."""
        with self._fork_lock.lock:
            self._disconnect()
            self._identity = None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _patiently(self, once: Callable[[], T]) -> T:
        pause_s, longest_s = PAUSES_S
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self._fork_lock.lock:
                    return once()
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise StorageError(explain(error, self.path)) from None
            except UnicodeEncodeError as error:
                raise StorageError(f"{self.path} keeps only text that is UTF-8: {error}") from None
            time.sleep(_random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, longest_s)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._identity is not None:  # closed by a fork only
                self._check_in_place()
            connection = _open(self.path)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._identity = _identity(self.path)
        _roll_back(self._connection)  # what a second interrupt may have left
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make a new file ours, and refuse what is not."""
        if _is_new(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            within(connection, self._claim)
        if _pragma(connection, "application_id") != APPLICATION:
            raise StorageError(
                f"{self.path} is a SQLite database of another program; name another file"
            )
        version = _pragma(connection, "user_version")
        if version > self._version:
            raise StorageError(
                f"{self.path} has storage format {version}, this Tunesmith knows formats up to "
                f"{self._version}; upgrade Tunesmith"
            )
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def _claim(self, connection: sqlite3.Connection) -> None:
        if _is_new(connection):  # nobody else was faster
            for statement in self._schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {self._version}")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")

    def _check_in_place(self) -> None:
        if _identity(self.path) != self._identity:
            raise StorageError(
                f"{self.path} was removed or replaced while it was in use, and nothing more can be "
                "kept in it; put the file back, or close this storage to begin anew"
            )


def within(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Return what `work` makes of the connection, from BEGIN IMMEDIATE to COMMIT.

    Whatever goes wrong, and wherever an interrupt comes, nothing stays begun.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        _roll_back(connection)
    return result


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def explain(error: sqlite3.Error, path: Path) -> str:
    """Return one sentence on what `error` means for the file at `path`, and what to do."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a SQLite database; name another file"
        case sqlite3.SQLITE_CORRUPT:
            return f"{path} is damaged ({error}); take a copy of it and try `sqlite3 … .recover`"
        case sqlite3.SQLITE_FULL:
            return f"no room is left for {path}; what it keeps is safe, make room and go on"
        case sqlite3.SQLITE_READONLY:
            return f"{path} can be read but not written; copy it to where it can"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_PROTOCOL:
            return (
                f"{path} has been locked by another program for {PATIENCE_S:g} s; "
                "close that program and try again"
            )
        case sqlite3.SQLITE_CANTOPEN if path.is_dir():
            return f"{path} is a folder, a storage is a file; name a file in it"
        case sqlite3.SQLITE_CANTOPEN if not path.parent.is_dir():
            return f"{path} cannot be made, as {path.parent} is no folder; create that first"
        case sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be opened; check the permissions of the file and its folder"
        case sqlite3.SQLITE_IOERR:
            return f"{path} cannot be read or written ({error}); check its disk, then go on"
        case _:
            return f"{path} cannot be used: {error}"


def _open(path: Path) -> sqlite3.Connection:
    def opened(mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?{mode}",
            uri=True,
            timeout=0,  # waiting is our own
            isolation_level=None,  # and so are the transactions
            check_same_thread=False,  # threads take turns
        )
        try:
            _pragma(connection, "schema_version")  # SQLite opens a file when it first reads it
        except BaseException:
            connection.close()
            raise
        return connection

    try:
        return opened("mode=rwc")
    except sqlite3.OperationalError as error:
        # In a folder that is only to be read there is no place for `-shm`. A file without `-wal`
        # is whole, and can be read without.
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        if not path.is_file() or path.with_name(f"{path.name}-wal").exists():
            raise
        if os.access(path.parent, os.W_OK, effective_ids=True):
            raise
        return opened("mode=ro&immutable=1")


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)


def _is_new(connection: sqlite3.Connection) -> bool:
    unclaimed = _pragma(connection, "application_id") == _pragma(connection, "user_version") == 0
    return unclaimed and connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
