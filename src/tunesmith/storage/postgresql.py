"""The storage in a PostgreSQL database, for processes of any number of machines."""

import uuid
from collections.abc import Sequence
from typing import Any, Final, Self, final
from weakref import finalize

from tunesmith._core.errors import Conflict, SettingError, StorageError, StudyNotFound
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.server import Server
from tunesmith.storage.storage import Storage, expected, gone, poll

VERSION: Final = 1

# One line of `study` is the order of its log: who appends holds it. The commit under that lock does not wait
# for the disk, or a disk with 260 flushes a second would let 260 lines through, however many append; what
# waits, outside the lock and together with others, is a message that is flushed after it.
SCHEMA: Final = """
CREATE TABLE tunesmith.study (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    length bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE tunesmith.line (
    study bigint, place bigint, text text NOT NULL, append uuid, PRIMARY KEY (study, place)
);
CREATE TABLE tunesmith.owner (
    study text, owner text, until timestamptz NOT NULL, PRIMARY KEY (study, owner)
);
CREATE TABLE tunesmith.fold (study bigint PRIMARY KEY, length bigint NOT NULL, fold bytea NOT NULL);

CREATE FUNCTION tunesmith.put(
    named text, texts text[], expected bigint, first text, this uuid, again boolean,
    OUT outcome text, OUT length bigint
) LANGUAGE plpgsql AS $$
DECLARE
    found_ tunesmith.study;
    at bigint;
BEGIN
    LOOP
        SELECT * INTO found_ FROM tunesmith.study WHERE name = named FOR UPDATE;
        EXIT WHEN found_.id IS NOT NULL;
        length := 0;
        outcome := CASE WHEN first IS NOT NULL THEN 'gone' WHEN expected > 0 THEN 'conflict' END;
        IF outcome IS NOT NULL THEN RETURN; END IF;
        INSERT INTO tunesmith.study (name) VALUES (named) ON CONFLICT DO NOTHING;
    END LOOP;
    IF again THEN  -- the connection broke, maybe after the commit
        SELECT place INTO at FROM tunesmith.line WHERE study = found_.id AND append = this;
        IF at IS NOT NULL THEN
            outcome := 'appended';
            length := at + cardinality(texts);
            RETURN;
        END IF;
    END IF;
    length := found_.length;
    IF first IS NOT NULL AND first IS DISTINCT FROM
        (SELECT text FROM tunesmith.line WHERE study = found_.id AND place = 0)
    THEN
        outcome := 'gone';
    ELSIF expected <> length THEN
        outcome := 'conflict';
    ELSE
        INSERT INTO tunesmith.line
            SELECT found_.id, found_.length + n - 1, one, CASE n WHEN 1 THEN this END
            FROM unnest(texts) WITH ORDINALITY AS given (one, n);
        length := length + cardinality(texts);
        UPDATE tunesmith.study SET length = put.length WHERE id = found_.id;
        outcome := 'appended';
    END IF;
END $$;

CREATE PROCEDURE tunesmith.append(
    named text, texts text[], expected bigint, first text, this uuid, again boolean,
    INOUT outcome text, INOUT length bigint
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO outcome, length FROM tunesmith.put(named, texts, expected, first, this, again);
    COMMIT;
    IF outcome = 'appended' THEN
        PERFORM pg_logical_emit_message(true, 'tunesmith', '');
    END IF;
END $$;

CREATE FUNCTION tunesmith.forget(named text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this bigint;
BEGIN
    SELECT id INTO this FROM tunesmith.study WHERE name = named FOR UPDATE;
    DELETE FROM tunesmith.line WHERE study = this;
    DELETE FROM tunesmith.fold WHERE study = this;
    DELETE FROM tunesmith.study WHERE id = this;
    DELETE FROM tunesmith.owner WHERE study = named;
END $$;
"""
STUDY: Final = "study = (SELECT id FROM tunesmith.study WHERE name = %s)"
LINES: Final = (
    f"SELECT text FROM tunesmith.line WHERE {STUDY} AND place >= %s ORDER BY place LIMIT %s"  # noqa: S608
)
OTHERS: Final = f"SELECT NULL FROM tunesmith.line WHERE {STUDY} AND place = 0 AND text <> %s"  # noqa: S608
APPEND: Final = "CALL tunesmith.append(%s, %s, %s, %s, %s, %s, NULL, NULL)"

PAUSES_S: Final = (0.005, 0.25)  # of `wait`: first and longest


@final
class PostgreSQL(Storage):
    """Keeps logs in the schema `tunesmith` of a database, made when it is first written.

    What was appended is on the server's disk, if the server does not say otherwise (`synchronous_commit`). Who is
    alive is told by the server's clock. A server that is restarted is waited for.

    Args:
        url: As libpq understands it: "postgresql://user@host/database". A password is better kept in ~/.pgpass or
            PGPASSWORD; one that stands here is not shown.

    Raises:
        MissingExtra: psycopg is not installed.
        SettingError: `url` is not valid.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url, SCHEMA, VERSION)
        self._seen: dict[
            str, tuple[int, int, str]
        ] = {}  # study -> connection, and the last line read
        self._beating: set[tuple[str, str]] = set()
        finalize(self, self._server.close)

    def __reduce__(self) -> tuple[type["PostgreSQL"], tuple[str]]:
        return PostgreSQL, (self._server.secret_url,)

    def __repr__(self) -> str:
        return f"PostgreSQL({self.url!r})"

    @classmethod
    def open(cls, address: str) -> Self:
        return cls(f"postgresql://{address}")

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def files(self) -> Blobs | None:
        return None  # a database is no place for checkpoints

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
        this, again = uuid.uuid4(), False

        def work(connection: Any) -> tuple[str, int]:
            nonlocal again
            given = (study, list(lines), expect, first, this, again)
            again = True
            row: tuple[str, int] = connection.execute(APPEND, given).fetchone()
            return row

        outcome, length = self._server.write(work)
        if outcome == "gone":
            raise StudyNotFound(gone(study, self.url))
        if outcome == "conflict":
            raise Conflict(expect or 0, length)
        return length

    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        if first is None:
            found = self._rows(LINES, (study, start, limit))
        else:  # in one trip
            found = self._rows(f"({LINES}) UNION ALL {OTHERS}", (study, start, limit, study, first))
            if (None,) in found[-1:]:
                raise StudyNotFound(gone(study, self.url))
        connection, place, text = self._seen.get(study, (self._server.connected, 0, ""))
        if connection != self._server.connected and start > place:
            there = self._rows(LINES, (study, place, 1))
            if there != [(text,)] and self._length(study):
                raise StorageError(
                    f"{self.url} has other lines of {study!r} than were read before the connection broke: its "
                    "server crashed before they were on its disk, or the study was made anew; open it again"
                )
            self._seen[study] = (self._server.connected, place, text)
        if found:
            self._seen[study] = (self._server.connected, start + len(found) - 1, found[-1][0])
        return [text for (text,) in found]

    def wait(self, study: str, length: int, timeout_s: float) -> int:
        return poll(lambda: self._length(study), length, timeout_s, PAUSES_S)

    def names(self) -> list[str]:
        return sorted(name for (name,) in self._rows("SELECT name FROM tunesmith.study", ()))

    def delete(self, study: str) -> None:
        self._rows("SELECT tunesmith.forget(%s)", (study,))

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        self._server.write(
            lambda connection: connection.execute(
                "WITH ended AS (DELETE FROM tunesmith.owner WHERE until < clock_timestamp() - interval '1 day')"
                " INSERT INTO tunesmith.owner SELECT %s, %s, clock_timestamp() + %s * interval '1 second'"
                " FROM set_config('synchronous_commit', 'off', true)"  # a crash ends them all
                " ON CONFLICT (study, owner) DO UPDATE SET until = excluded.until",
                (study, owner, ttl_s),
            ),
            patient=(study, owner)
            not in self._beating,  # who has beaten beats again soon, or leaves
        )
        self._beating.add((study, owner))

    def alive(self, study: str) -> set[str]:
        found = self._rows(
            "SELECT owner FROM tunesmith.owner WHERE study = %s AND until > clock_timestamp()",
            (study,),
        )
        return {owner for (owner,) in found}

    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        self._server.write(
            lambda connection: connection.execute(
                "INSERT INTO tunesmith.fold SELECT id, %s, %s FROM tunesmith.study"
                " WHERE name = %s AND length >= greatest(%s, 1)"
                " ON CONFLICT (study) DO UPDATE SET length = excluded.length, fold = excluded.fold",
                (length, fold, study, length),
            )
        )

    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        found = self._rows(
            "SELECT fold.length, fold FROM tunesmith.fold JOIN tunesmith.study ON study = id WHERE name = %s",
            (study,),
        )
        return (found[0][0], bytes(found[0][1])) if found else None

    def close(self) -> None:
        self._server.close()

    def _length(self, study: str) -> int:
        found = self._rows("SELECT length FROM tunesmith.study WHERE name = %s", (study,))
        return int(found[0][0]) if found else 0

    def _rows(self, statement: str, given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._server.read(
            lambda connection: connection.execute(statement, given).fetchall(), []
        )
