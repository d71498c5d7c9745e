"""All registered blobs keep the contract, and what is particular to each."""

import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith._core.errors import SettingError, StorageError
from tunesmith.storage import Blobs, Folder, Fsspec, Memory
from tunesmith.storage.blobs import connect
from tunesmith.testing.blobs import BlobsConformance


class TestFolder(BlobsConformance):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        return connect(tmp_path / "fi les")


class TestFsspecLocal(BlobsConformance):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        pytest.importorskip("fsspec")
        return connect(f"local://{tmp_path}/files")


class TestFsspecMemory(BlobsConformance):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        pytest.importorskip("fsspec")
        return connect(f"memory://{tmp_path.name}/files")

    @pytest.fixture
    def shared(self) -> bool:
        return False


def test_a_place_is_a_path_or_a_url(tmp_path: Path) -> None:
    """Paths and file URLs are folders, other URLs are fsspec's; nonsense is refused."""
    assert connect(tmp_path).url == connect(f"file://{tmp_path}").url == str(tmp_path)
    assert isinstance(connect("s3://bucket/a"), Fsspec)
    assert connect("s3://bucket/a/").within("a study").url == "s3://bucket/a/a%20study"
    assert isinstance(connect(Folder(tmp_path)), Folder)
    for nonsense in ("", 3, None):
        with pytest.raises(SettingError, match="kept at a path or a URL"):
            connect(nonsense)  # type: ignore[arg-type]  # on purpose


def test_a_file_system_that_is_not_installed_is_named() -> None:
    """The sentence says which scheme it was."""
    pytest.importorskip("fsspec")
    with pytest.raises(SettingError, match="'nowhere://a' cannot be opened: Protocol not known"):
        connect("nowhere://a").keys()


def test_a_key_is_put_once(tmp_path: Path) -> None:
    """What others may be reading does not change."""
    pytest.importorskip("fsspec")
    for blobs in (Folder(tmp_path / "a"), Fsspec(f"local://{tmp_path}/b")):
        with blobs.put("a") as folder:
            (folder / "a.txt").write_text("first")
        with pytest.raises(StorageError, match="'a' is taken"), blobs.put("a") as folder:
            (folder / "a.txt").write_text("second")
        found = blobs.get("a")
        assert found is not None
        assert (found / "a.txt").read_text() == "first"


def test_nothing_is_left_of_what_was_cleared(tmp_path: Path) -> None:
    """The folder itself goes, too; clearing again is no error."""
    blobs = Folder(tmp_path / "files")
    with blobs.put("a") as folder:
        (folder / "a.txt").write_text("a")
    blobs.clear()
    blobs.clear()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    """Whoever puts next removes what was half-written, but not what is being written."""
    program = (
        "import os, sys; from tunesmith.storage import Folder\n"
        "with Folder(sys.argv[1]).put('a') as folder:\n"
        "    (folder / 'half').write_text('')\n"
        "    os._exit(9)\n"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    blobs = Folder(tmp_path)
    with blobs.put("b") as mine:
        (mine / "b.txt").write_text("b")
        with blobs.put("c"):
            pass
        assert [path.name for path in (tmp_path / ".new").iterdir()] == [mine.name]

    assert blobs.keys() == {"b", "c"}


def test_files_of_memory_go_with_it() -> None:
    """They lie in a folder of this machine, for as long as the storage."""
    storage = Memory()
    assert storage.files is not None
    with storage.files.put("a"):
        pass
    path = Path(storage.files.url)
    assert path.exists()
    del storage

    assert not path.exists()
