"""Blobs in a folder of this machine, or of a drive that several machines share."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, final
from urllib.parse import unquote

from tunesmith._core.errors import SettingError, StorageError
from tunesmith.storage.blobs import Blobs, file_name

NEW: Final = ".new"  # what is being written, each folder locked by who writes it


@final
class Folder(Blobs):
    """Keeps each blob as a folder of its own, made elsewhere on the same drive and moved there.

    Args:
        path: Where; made when something is put.
        mode: The permissions of that folder.
    """

    def __init__(self, path: str | os.PathLike[str], mode: int = 0o777) -> None:
        self._path = Path(path).expanduser().absolute()
        self._mode = mode

    def __reduce__(self) -> tuple[type["Folder"], tuple[Path, int]]:
        return Folder, (self._path, self._mode)

    def __repr__(self) -> str:
        return f"Folder({self.url!r})"

    @classmethod
    def open(cls, url: str) -> Self:
        if not url:
            raise SettingError('a folder needs a path, got ""; write "checkpoints"')
        return cls(url)

    @property
    def url(self) -> str:
        return str(self._path)

    def within(self, name: str) -> Self:
        return type(self)(self._path / file_name(name), self._mode)

    @contextmanager
    def put(self, key: str) -> Iterator[Path]:
        new, lock = self._new()
        try:
            yield new
            _flush(new)
            self._move(new, key)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        finally:
            os.close(lock)

    def get(self, key: str) -> Path | None:
        target = self._target(key)
        return target if target.is_dir() else None

    def keys(self, prefix: str = "") -> set[str]:
        try:
            names = [entry.name for entry in os.scandir(self._path) if entry.name != NEW]
        except FileNotFoundError:
            return set()
        return {key for key in map(unquote, names) if key.startswith(prefix)}

    def delete(self, key: str) -> None:
        gone = self._path / NEW / secrets.token_hex(8)
        with suppress(FileNotFoundError):
            gone.parent.mkdir(exist_ok=True)
            self._target(key).rename(gone)  # at once; if we are killed now, `_sweep` removes it
        shutil.rmtree(gone, ignore_errors=True)

    def clear(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)

    def _move(self, new: Path, key: str) -> None:
        target = self._target(key)
        if target.exists():
            raise StorageError(f"{key!r} is taken in {self.url}; each key is put once")
        new.rename(target)
        _sync(self._path)

    def _target(self, key: str) -> Path:
        return self._path / file_name(key)

    def _new(self) -> tuple[Path, int]:
        """An empty folder, and its lock, which ends with this process however it ends."""
        while True:
            new = self._path / NEW / secrets.token_hex(8)
            self._path.mkdir(mode=self._mode, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # somebody swept it before it was locked
                new.parent.mkdir(exist_ok=True)
                _sweep(new.parent)
                new.mkdir()
                lock = _locked(new, ours=True)
                if lock is not None:
                    return new, lock


def _locked(folder: Path, *, ours: bool) -> int | None:
    """A lock of a folder that is there; None: somebody else has it, or has removed the folder.

    On a drive that knows no locks, every folder of ours has one and no other: nothing is swept there.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked = folder.exists()
    except BlockingIOError:
        locked = False
    except OSError:
        locked = ours
    if locked:
        return descriptor
    os.close(descriptor)
    return None


def _sweep(folder: Path) -> None:
    """Remove what processes that are gone have left half-written."""
    for left in list(folder.iterdir()):
        with suppress(FileNotFoundError):
            lock = _locked(left, ours=False)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _flush(folder: Path) -> None:
    """Have everything in a folder written to the disk: a log may say that it is there."""
    for place, _, names in os.walk(folder):
        for name in names:
            _sync(Path(place, name))
        _sync(Path(place))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
