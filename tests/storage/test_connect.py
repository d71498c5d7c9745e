"""What users write in `storage=`, and which storage it names."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

import tunesmith.storage
from tunesmith._core.errors import SettingError
from tunesmith.storage import Memory, SQLite, connect, registry


def test_a_storage_is_itself() -> None:
    """What is a storage already is returned as it is."""
    storage = Memory()
    assert connect(storage) is storage


@pytest.mark.parametrize("url", ["memory", "memory://"])
def test_memory_is_new_each_time(url: str) -> None:
    """Each "memory" is a storage of its own."""
    first, second = connect(url), connect(url)
    assert type(first) is Memory
    first.append("a", ["0"])
    assert second.names() == []


@pytest.mark.parametrize("name", ["tune.db", "x.sqlite", "plain", "100 % of ä?#.db", "memory.db"])
def test_a_path_is_a_sqlite_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path, absolute or relative, as text, Path or URL, names one and the same file."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    wheres: list[str | Path] = [
        name,
        str(path),
        Path(name),
        path,
        f"sqlite:///{name}",
        f"sqlite:///{path}",
    ]
    for length, where in enumerate(wheres):
        storage = connect(where)
        assert type(storage) is SQLite
        assert storage.url == str(path)
        assert storage.append("a", ["0"], expect=length) == length + 1
        storage.close()
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_a_path_called_memory_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the text "memory" means memory; a Path is always a file."""
    monkeypatch.chdir(tmp_path)
    assert connect(Path("memory")).url == str(tmp_path / "memory")


def test_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may begin with ~."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert connect("~/tune.db").url == str(tmp_path / "tune.db")


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing the working directory later does not move the storage."""
    monkeypatch.chdir(tmp_path)
    storage = connect("tune.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    storage.append("a", ["0"])
    assert (tmp_path / "tune.db").exists()


@pytest.mark.parametrize(
    "where, words",
    [
        ("redis://host", "'redis'; there are jsonl, memory, postgresql, sqlite"),
        ("memory://x", "memory has no address"),
        ("sqlite://x.db", "sqlite:///x.db"),
        ("sqlite:///", "path of a file"),
        ("", "needs a path or a URL"),
    ],
)
def test_refuses_what_names_nothing(where: str, words: str) -> None:
    """What cannot be a storage is refused with what is allowed."""
    with pytest.raises(SettingError, match=words):
        connect(where)


def test_refuses_unknown_durability(tmp_path: Path) -> None:
    """Durability is one of two words."""
    with pytest.raises(SettingError, match='"normal" or "full", got \'safe\''):
        SQLite(tmp_path / "x.db", durability="safe")  # type: ignore[arg-type]  # the point


def test_exports_what_it_lists() -> None:
    """Every public name can be had from the package, and no other is pretended to be there."""
    for name in tunesmith.storage.__all__:
        assert getattr(tunesmith.storage, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Postgres'"):
        _ = tunesmith.storage.Postgres  # type: ignore[attr-defined]


def test_names_are_schemes() -> None:
    """The registry's names stand for our classes, and back."""
    assert {name: registry.get(name) for name in ("memory", "sqlite")} == {
        "memory": Memory,
        "sqlite": SQLite,
    }
    assert registry.name_of(SQLite) == "sqlite"


def test_sqlite_is_loaded_when_used() -> None:
    """Importing the package, or using memory, does not import sqlite3."""
    program = """
import sys
from tunesmith.storage import connect
connect("memory").append("a", ["0"])
sys.exit("sqlite3" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_copies_share_the_place(tmp_path: Path, name: str) -> None:
    """A copy of what holds a storage, as scikit-learn makes of its estimators, writes to the same."""
    storage = connect("memory://" if name == "memory" else tmp_path / "a.db")
    holder = deepcopy({"storage": storage})
    holder["storage"].append("study", ["{}"])

    assert storage.read("study") == ["{}"]
