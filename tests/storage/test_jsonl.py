"""A file of checked lines: what is half-written, damaged, foreign, or gone."""

import fcntl
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith._core.errors import SettingError, StorageError, StudyNotFound
from tunesmith.storage import JSONL, connect

APPENDS = [["{}"], ['{"a": 1}', '{"b": "ü"}', "[]"], ['"x, y"', "1"]]
WHOLE = [[line for lines in APPENDS[:n] for line in lines] for n in range(len(APPENDS) + 1)]

# Appends until no more than some bytes may be written to a file, and says how many lines there are.
FULL = """
import resource, sys
from tunesmith._core.errors import StorageError
from tunesmith.storage import connect

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
storage = connect(sys.argv[1])
done = 0
try:
    while True:
        done = storage.append("a", ["x" * 100] * 7)
except StorageError as error:
    print(done, error)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file to which `APPENDS` were appended."""
    path = tmp_path_factory.mktemp("written") / "a.jsonl"
    for lines in APPENDS:
        JSONL(path).append('a "b, \\', lines)
    return path.read_bytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage") / "a.jsonl"


def test_each_line_is_json(written: bytes) -> None:
    """Any program that knows JSON can read it: checksum, how many follow, study, text."""
    _, *lines = [json.loads(line) for line in written.splitlines()]
    assert [line[3] for line in lines] == [json.loads(line) for line in WHOLE[-1]]
    assert [line[1] for line in lines] == [0, 2, 1, 0, 1, 0]
    assert {line[2] for line in lines} == {'a "b, \\'}


@given(cut=st.integers(0, 400))
def test_what_is_half_written_is_cut_off(cut: int, written: bytes, path: Path) -> None:
    """Wherever a process was killed, only whole appends are read, and the next one follows them."""
    path.write_bytes(written[:cut])
    storage = JSONL(path)
    lines = storage.read('a "b, \\')
    assert lines in WHOLE
    storage.append('a "b, \\', ["2"], expect=len(lines))
    assert JSONL(path).read('a "b, \\') == storage.read('a "b, \\') == [*lines, "2"]


@given(at=st.integers(0), bits=st.integers(1, 255))
def test_damage_is_found(at: int, bits: int, written: bytes, path: Path) -> None:
    """Whichever byte is another one: an error says so, or what is read was appended as a whole."""
    damaged = bytearray(written)
    damaged[at % len(written)] ^= bits
    path.write_bytes(damaged)
    try:
        assert JSONL(path).read('a "b, \\') in WHOLE
    except StorageError as error:
        assert str(path) in str(error)  # noqa: PT017 - both outcomes are right


def test_damage_stops_who_appends(written: bytes, path: Path) -> None:
    """Nothing is appended to a damaged file; the sentence says where it is damaged."""
    path.write_bytes(written.replace(b'"b"', b'"c"'))
    with pytest.raises(StorageError, match=r"damaged after \d+ bytes; take a copy"):
        JSONL(path).append('a "b, \\', ["2"])
    assert path.read_bytes() == written.replace(b'"b"', b'"c"')


def test_a_file_that_takes_its_place_is_read_anew(tmp_path: Path) -> None:
    """Who knew another file of this name is told that the study is gone, and reads what is there."""
    storage = JSONL(tmp_path / "a.jsonl")
    storage.append("a", ["1", "2"])
    (tmp_path / "a.jsonl").unlink()
    assert storage.read("a") == []
    JSONL(tmp_path / "a.jsonl").append("a", ["3", "4", "5"])
    with pytest.raises(StudyNotFound, match="deleted"):
        storage.append("a", ["6"], first="1")
    assert storage.read("a") == ["3", "4", "5"]


def test_a_deleted_study_leaves_its_neighbours(tmp_path: Path) -> None:
    """A fold of the old one is not taken for one of the new, wherever lines are in the file."""
    storage, other = JSONL(tmp_path / "a.jsonl"), JSONL(tmp_path / "a.jsonl")
    storage.append("a", ["1"])
    storage.append("b", ["2"])
    storage.keep_fold("a", 1, b"fold")
    kept = next((tmp_path / "a.jsonl.folds").iterdir()).read_bytes()
    other.delete("a")
    other.append("a", ["1"])
    (tmp_path / "a.jsonl.folds").mkdir(exist_ok=True)
    for file in [*(tmp_path / "a.jsonl.folds").iterdir()]:
        file.unlink()
    other.keep_fold("a", 1, b"other")
    file = next((tmp_path / "a.jsonl.folds").iterdir())
    file.write_bytes(kept)
    assert storage.kept_fold("a") is None
    assert storage.read("a") == ["1"]
    assert storage.read("b") == ["2"]


def test_a_full_drive_loses_nothing(tmp_path: Path) -> None:
    """The append that has no room leaves nothing of itself, and one sentence says so."""
    path = tmp_path / "a.jsonl"
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    ).stdout
    done, _, sentence = said.partition(" ")
    assert sentence.startswith(f"no room is left for {path}")
    assert JSONL(path).read("a") == ["x" * 100] * int(done)
    assert int(done) % 7 == 0
    assert JSONL(path).append("a", ["y"]) == int(done) + 1


def test_waits_for_other_writers(tmp_path: Path) -> None:
    """Whoever finds the file locked, and be it by a program that is not ours, waits for it."""
    path = tmp_path / "a.jsonl"
    JSONL(path).append("a", ["0"])
    with path.open() as file, ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        appending = pool.submit(JSONL(path).append, "a", ["1"])
        with pytest.raises(TimeoutError):
            appending.result(timeout=0.1)
        assert JSONL(path).read("a") == ["0"]
        fcntl.flock(file, fcntl.LOCK_UN)
        assert appending.result(timeout=10) == 2


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"number,state\n0,complete\n", "is a file of another program; name another file"),
        (b'["tunesmith",2,"0123456789abcdef"]\n', "has storage format 2, this Tunesmith knows"),
    ],
)
def test_refuses_what_is_not_its_own(content: bytes, sentence: str, tmp_path: Path) -> None:
    """Files of others, and of newer versions, are named and left as they are."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    for use in (lambda: JSONL(path).read("a"), lambda: JSONL(path).append("a", ["1"])):
        with pytest.raises(StorageError, match=sentence):
            use()
    assert path.read_bytes() == content


def test_reads_where_nothing_can_be_written() -> None:
    """A study of somebody else can be read; whoever appends is told about permissions."""
    with TemporaryDirectory() as name:  # not `tmp_path`, which is closed to others
        path = Path(name, "a.jsonl")
        Path(name).chmod(0o755)
        JSONL(path).append("a", ["1"])
        JSONL(path).beat("a", "me", 100)
        path.chmod(0o444)
        storage = JSONL(path)
        user = os.geteuid()
        if user == 0:  # for whom permissions mean nothing
            os.seteuid(65534)
        try:
            assert (storage.read("a"), storage.alive("a")) == (["1"], {"me"})
            for use in (lambda: storage.append("a", ["2"]), lambda: storage.beat("a", "you", 1)):
                with pytest.raises(StorageError, match=r"may not be used .*check the permissions"):
                    use()
        finally:
            os.seteuid(user)


def test_says_what_is_wrong_with_a_place(tmp_path: Path) -> None:
    """A folder, a missing folder, and a name that no text can have are one sentence each."""
    with pytest.raises(StorageError, match="is a folder, a storage is a file"):
        JSONL(tmp_path).append("a", ["1"])
    with pytest.raises(StorageError, match="is no folder; create that first"):
        JSONL(tmp_path / "missing" / "a.jsonl").append("a", ["1"])
    with pytest.raises(StorageError, match="UTF-8"):
        JSONL(tmp_path / "a.jsonl").append("\ud800", ["1"])
    with pytest.raises(SettingError, match="third slash"):
        connect("jsonl://a.jsonl")
    assert isinstance(connect(tmp_path / "a.jsonl"), JSONL)
