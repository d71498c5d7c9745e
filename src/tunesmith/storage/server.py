"""A PostgreSQL server: connected to late, waited for while it is away, explained when it refuses.

psycopg does the hard part. What is added: tables are made only to be written; a connection that breaks is
made again and the work repeated, for a minute; a connection is closed before a fork; and each
failure is one clear sentence.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, final

from tunesmith._core.errors import SettingError, StorageError
from tunesmith._core.optional import need
from tunesmith.storage.forks import ForkLock

T = TypeVar("T")

PATIENCE_S: Final = 60.0  # longer than a server takes to restart
PAUSES_S: Final = (0.05, 2.0)  # first and longest
MAKING: Final = 0x54756E65  # "Tune": the advisory lock under which tables are made
FULL: Final = ("too many clients", "too many connections", "connection slots are reserved")
PASSWORD: Final = re.compile(
    r"(//[^:/@]*):[^/@]*(?=@)|\b(?:ssl)?password\s*=\s*(?:'(?:\\.|[^'\\])*'|[^\s&]*)&?"
)
AT_HAND: Final = {"connect_timeout": 10, "keepalives_idle": 10, "tcp_user_timeout": 30_000}


@final
class Server:
    """One connection to one database, shared by the threads of this process.

    Args:
        url: As libpq understands it.
        schema: Statements that make what is in the schema `tunesmith`.
        version: Format of that; a newer one is refused.

    Attributes:
        url: The same without its password, for people.
        secret_url: The same with it.
        connected: How often a connection was made.
    """

    def __init__(self, url: str, schema: str, version: int) -> None:
        self._psycopg = need("psycopg", "postgresql")
        conninfo = need("psycopg.conninfo", "postgresql")
        try:
            known = conninfo.conninfo_to_dict(url)
        except self._psycopg.ProgrammingError as error:
            raise SettingError(
                f"{_shown(url)!r} is no address of a PostgreSQL database ({str(error).strip()}); "
                'write "postgresql://user@host/database"'
            ) from None
        self.secret_url = url
        self.url = _shown(url)
        self._known = {**AT_HAND, **known}
        self._schema, self._version = schema, version
        self._fork_lock = ForkLock(before=self._disconnect)
        self._connection: Any = None
        self._made = False
        self._away: float | None = None  # since when the server has not answered
        self.connected = 0

    def read(self, work: Callable[[Any], T], missing: T) -> T:
        """Return what `work` makes of the connection, or `missing` if nothing was ever written.

        Raises:
            StorageError: The server cannot be reached, or refuses.
        """
        return self._patiently(lambda: work(self._connection) if self._is_made() else missing)

    def write(self, work: Callable[[Any], T], *, patient: bool = True) -> T:
        """Return what `work` makes of the connection; make missing tables.

        It may be called again, after a connection broke; if it is not `patient`, for no longer than that takes.

        Raises:
            StorageError: The server cannot be reached, or refuses.
        """

        def once() -> T:
            if not self._is_made():
                self._make()
            return work(self._connection)

        return self._patiently(once, PATIENCE_S if patient else 0.0)

    def close(self) -> None:
        """Disconnect; a later use connects again."""
        with self._fork_lock.lock:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._made = False
        if connection is not None:
            with suppress(self._psycopg.Error):
                connection.close()

    def _patiently(self, once: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
        pause_s, longest_s = PAUSES_S
        while True:
            try:
                with self._fork_lock.lock:
                    result = self._connected(once)
                    self._away = None
                    return result
            except self._psycopg.Error as error:
                if not self._may_pass(error):
                    raise StorageError(self._sentence(error)) from None
                now = time.monotonic()
                self._away = now if self._away is None else self._away
                # who has waited in vain does not wait again for each thing that is left to do
                if now > self._away + patience_s:
                    raise StorageError(self._sentence(error)) from None
            except UnicodeEncodeError as error:
                raise StorageError(f"{self.url} keeps only text that is UTF-8: {error}") from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    def _connected(self, once: Callable[[], T]) -> T:
        if self._connection is None:
            self._connection = self._psycopg.connect(**self._known, autocommit=True)
            self.connected += 1
        try:
            return once()
        except self._psycopg.OperationalError:
            self._disconnect()
            raise
        except (
            BaseException
        ):  # of an interrupt, too: what the server still works at is not waited for
            if self._connection.info.transaction_status != 0:
                self._disconnect()
            raise

    def _is_made(self) -> bool:
        if not self._made:
            # not to_regclass, which may remember from before a lock was waited for that there is none
            found = self._connection.execute(
                "SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'tunesmith' AND tablename = 'format'"
            )
            if not found.fetchall():
                return False
            [(version,)] = self._connection.execute(
                "SELECT version FROM tunesmith.format"
            ).fetchall()
            if version > self._version:
                raise StorageError(
                    f"{self.url} has storage format {version}, this Tunesmith knows formats up to "
                    f"{self._version}; upgrade Tunesmith"
                )
            self._made = True
        return True

    def _make(self) -> None:
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
            if not self._is_made():  # nobody else was faster
                self._connection.execute("CREATE SCHEMA IF NOT EXISTS tunesmith")
                self._connection.execute("CREATE TABLE tunesmith.format (version integer NOT NULL)")
                self._connection.execute(
                    "INSERT INTO tunesmith.format VALUES (%s)", (self._version,)
                )
                self._connection.execute(self._schema)
        self._made = True

    def _may_pass(self, error: Exception) -> bool:
        """Whether it may go by itself: a server that was there and is not, or comes up."""
        errors = self._psycopg.errors
        if isinstance(error, (errors.DiskFull, errors.InsufficientResources)):
            return isinstance(error, errors.TooManyConnections)
        if isinstance(error, (errors.SerializationFailure, errors.DeadlockDetected)):
            return True
        if isinstance(error, self._psycopg.OperationalError):
            if "FATAL" in str(error) and "does not exist" in str(error):  # the database, the user
                return False
            coming = ("starting up", "shutting down", "recovery", *FULL)
            return self.connected > 0 or any(words in str(error) for words in coming)
        return isinstance(error, errors.ReadOnlySqlTransaction)  # a standby that is to take over

    def _sentence(self, error: Exception) -> str:
        errors = self._psycopg.errors
        told = str(error).partition("\nLINE ")[0].partition("\nCONTEXT: ")[0]
        told = " ".join(told.split())
        if isinstance(error, errors.DiskFull):
            return f"no room is left for {self.url}; what it keeps is safe, make room and go on"
        if isinstance(error, errors.InsufficientPrivilege):
            return f"{self.url} may not be used ({told}); grant its user CREATE on the database, or name another"
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return f"{self.url} can be read but not written; name the primary server"
        missing = (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName)
        if isinstance(error, missing):
            return (
                f"{self.url} lacks tables that were there before ({told}); put them back, or remove the "
                "schema tunesmith to begin anew"
            )
        if isinstance(error, self._psycopg.DataError):
            return f"{self.url} cannot keep this: {told}"
        if any(words in told for words in FULL):
            return (
                f"{self.url} has had no connection left for {PATIENCE_S:g} s, and each process that runs a study "
                "holds one; raise its max_connections, or give fewer processes more workers each"
            )
        if isinstance(error, self._psycopg.OperationalError):
            reason = re.sub(
                r" Is the server running[^?]*\?", "", told
            )  # of each address that was tried
            return f"{self.url} cannot be reached: {reason}; is the server running, and the address right?"
        return f"{self.url} cannot be used: {told}"


def _shown(url: str) -> str:
    """Return an address without its password, however that is written."""
    return PASSWORD.sub(r"\1", url)
