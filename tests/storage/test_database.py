"""A SQLite file in all the states it can be found in: each is one clear sentence, nothing is lost."""

import os
import re
import resource
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tunesmith._core.errors import StorageError
from tunesmith.storage import SQLite
from tunesmith.storage.database import explain


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SQLite]:
    storage = SQLite(path)
    yield storage
    storage.close()


@contextmanager
def visitor() -> Iterator[None]:
    """Act as a user who owns nothing here, if this is root, for whom permissions mean nothing."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that `visitor` reaches, which it may not do with `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_is_made_when_first_written(storage: SQLite, path: Path) -> None:
    """Reading and deleting make no file; the first line does."""
    storage.delete("a")
    assert storage.names() == []
    assert not path.exists()
    storage.append("a", ["0"])
    assert path.exists()


def test_an_empty_file_is_a_new_one(storage: SQLite, path: Path) -> None:
    """A file of no bytes, as tempfile makes it, may become a storage."""
    path.touch()
    assert storage.names() == []
    assert storage.append("a", ["0"]) == 1


def test_close_leaves_a_single_file(storage: SQLite, path: Path) -> None:
    """After the last close the file is complete without others beside it."""
    storage.append("a", ["0"])
    storage.close()
    assert [child.name for child in path.parent.iterdir()] == ["x.db"]


def test_the_end_of_the_object_closes(path: Path) -> None:
    """An object that nobody holds any more leaves a single file, too."""
    SQLite(path).append("a", ["0"])
    assert [child.name for child in path.parent.iterdir()] == ["x.db"]


def test_refuses_what_is_no_database(storage: SQLite, path: Path) -> None:
    """A file of another kind is named, and left as it is."""
    text = "lr,loss\n" * 1000
    path.write_text(text)
    for use in (lambda: storage.append("a", ["0"]), storage.names):
        with pytest.raises(StorageError, match=r"x\.db is not a SQLite database"):
            use()
    assert path.read_text() == text


def test_refuses_the_database_of_another_program(storage: SQLite, path: Path) -> None:
    """A SQLite file with tables of others is named, and left as it is."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trials (id)")
    connection.close()
    before = path.read_bytes()
    for use in (lambda: storage.append("a", ["0"]), storage.names):
        with pytest.raises(StorageError, match="of another program"):
            use()
    assert path.read_bytes() == before


def test_refuses_a_newer_format(storage: SQLite, path: Path) -> None:
    """A file of a later Tunesmith is not guessed at."""
    storage.append("a", ["0"])
    storage.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match=r"storage format 99, .* upgrade"):
        storage.read("a")


def test_refuses_a_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    with pytest.raises(StorageError, match="is a folder"):
        SQLite(tmp_path).append("a", ["0"])


def test_refuses_a_missing_folder(tmp_path: Path) -> None:
    """Folders are not made by guess: the one that is missing is named."""
    with pytest.raises(StorageError, match=r"missing is no folder; create that first"):
        SQLite(tmp_path / "missing" / "x.db").append("a", ["0"])


def test_refuses_text_that_is_not_unicode(storage: SQLite) -> None:
    """Half a surrogate pair cannot be kept; nothing of the append is."""
    with pytest.raises(StorageError, match="UTF-8"):
        storage.append("a", ["0", "\ud800"])
    assert storage.append("a", ["0"], expect=0) == 1


def test_says_that_the_file_was_removed(storage: SQLite, path: Path) -> None:
    """Lines appended to a file that is gone are not acknowledged; closing begins anew."""
    storage.append("a", ["0"])
    kept = path.with_name("kept.db")
    path.rename(kept)
    for _ in range(2):
        with pytest.raises(StorageError, match="removed or replaced"):
            storage.append("a", ["1"])
    kept.rename(path)
    assert storage.append("a", ["1"], expect=1) == 2
    for child in path.parent.iterdir():
        child.unlink()
    with pytest.raises(StorageError, match="removed or replaced"):
        storage.append("a", ["2"])
    assert storage.read("a") == ["0", "1"]
    storage.close()
    assert storage.append("a", ["new"], expect=0) == 1


def test_says_that_the_file_was_replaced(storage: SQLite, path: Path) -> None:
    """Another file in the place of ours receives nothing of ours."""
    storage.append("a", ["0"])
    other = SQLite(path.with_name("other.db"))
    other.append("b", ["0"])
    other.close()
    path.with_name("other.db").replace(path)
    with pytest.raises(StorageError, match="removed or replaced"):
        storage.append("a", ["1"])


def test_reads_where_nothing_can_be_written(folder: Path) -> None:
    """A finished storage in a folder that is only to be read can be read, not written."""
    path = folder / "x.db"
    writer = SQLite(path)
    writer.append("a", ["0", "1"])
    writer.close()
    path.chmod(0o444)
    folder.chmod(0o555)
    storage = SQLite(path)
    with visitor():
        assert storage.read("a") == ["0", "1"]
        assert storage.names() == ["a"]
        with pytest.raises(StorageError, match="can be read but not written"):
            storage.append("a", ["2"])
        assert storage.read("a") == ["0", "1"]
        storage.close()


def test_says_that_a_folder_cannot_be_written(folder: Path) -> None:
    """Where no file may be made, permissions are named."""
    folder.chmod(0o555)
    with visitor(), pytest.raises(StorageError, match="check the permissions"):
        SQLite(folder / "x.db").append("a", ["0"])


def test_a_full_disk_loses_nothing(storage: SQLite, path: Path) -> None:
    """An append that does not fit is refused whole; what was kept stays, and room helps."""
    storage.append("a", ["0"])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="disk"):
            storage.append("a", ["1", "x" * 1_000_000])
        assert storage.read("a") == ["0"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert storage.append("a", ["1"], expect=1) == 2
    assert storage.read("a") == ["0", "1"]


def test_waits_for_other_writers(storage: SQLite, path: Path) -> None:
    """A file that another program has locked is waited for; reading goes on meanwhile."""
    storage.append("a", ["0"])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(storage.append, "a", ["1"])
        assert storage.read("a") == ["0"]
        assert not waiting.done()
        other.execute("COMMIT")
        assert waiting.result() == 2
    other.close()


def test_both_durabilities_write_the_same(path: Path) -> None:
    """However long an append waits for the disk, either object reads what the other wrote."""
    full, normal = SQLite(path, durability="full"), SQLite(path, durability="normal")
    assert full.append("a", ["0"]) == 1
    assert normal.append("a", ["1"], expect=1) == 2
    assert full.read("a") == normal.read("a") == ["0", "1"]
    full.close()
    normal.close()


@pytest.mark.parametrize(
    "code, words",
    [
        (sqlite3.SQLITE_FULL, "no room is left for .*; what it keeps is safe"),
        (sqlite3.SQLITE_BUSY, "locked by another program"),
        (sqlite3.SQLITE_CORRUPT, "is damaged"),
        (sqlite3.SQLITE_IOERR_WRITE, "check its disk"),
        (sqlite3.SQLITE_MISUSE, "cannot be used: as SQLite said"),
    ],
)
def test_explains_what_sqlite_says(code: int, words: str, path: Path) -> None:
    """Every code of SQLite becomes a sentence that names the file."""
    error = sqlite3.OperationalError("as SQLite said")
    error.sqlite_errorcode = code
    sentence = explain(error, path)
    assert re.search(words, sentence)
    assert str(path) in sentence
