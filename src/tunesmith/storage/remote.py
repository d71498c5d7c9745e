"""Blobs anywhere that fsspec reaches: S3, Google Cloud, Azure, SFTP, HDFS and others."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, final
from urllib.parse import unquote

from tunesmith._core.errors import SettingError, StorageError
from tunesmith._core.optional import need
from tunesmith._core.temporary import temporary
from tunesmith.storage.blobs import Blobs, file_name

FILES, WHOLE = "files", "whole"  # below each key: what was put, and the mark that it is complete


@final
class Fsspec(Blobs):
    """Copies each blob file by file, and marks it when it is complete.

    What the file system needs beside its address, such as credentials, it takes from the environment or
    from fsspec's own configuration.

    Args:
        url: Such as "s3://bucket/folder". Needs the extra `fsspec`, and the package that fsspec names
            for the scheme.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opened: tuple[Any, str] | None = None
        self._fetched = temporary(self)

    def __reduce__(self) -> tuple[type["Fsspec"], tuple[str]]:
        return Fsspec, (self._url,)

    def __repr__(self) -> str:
        return f"Fsspec({self._url!r})"

    @classmethod
    def open(cls, url: str) -> Self:
        return cls(url)

    def check(self) -> None:
        core = need("fsspec", "fsspec")
        with self._opening():
            for scheme in self._url.partition("://")[0].split("::"):
                core.get_filesystem_class(scheme)

    @property
    def url(self) -> str:
        return self._url

    def within(self, name: str) -> Self:
        return type(self)(f"{self._url}/{file_name(name)}")

    @contextmanager
    def put(self, key: str) -> Iterator[Path]:
        system, place = self._place(key)
        with TemporaryDirectory(prefix="tunesmith-") as new:
            yield Path(new)
            if system.exists(f"{place}/{WHOLE}"):
                raise StorageError(f"{key!r} is taken in {self.url}; each key is put once")
            for path in sorted(Path(new).rglob("*")):
                there = f"{place}/{FILES}/{path.relative_to(new).as_posix()}"
                if path.is_dir():
                    system.makedirs(there, exist_ok=True)
                else:
                    system.makedirs(there.rpartition("/")[0], exist_ok=True)
                    system.put_file(str(path), there)
            system.makedirs(place, exist_ok=True)
            system.pipe_file(f"{place}/{WHOLE}", b"1")

    def get(self, key: str) -> Path | None:
        system, place = self._place(key)
        if not system.exists(f"{place}/{WHOLE}"):
            return None
        self._fetched.mkdir(mode=0o700, exist_ok=True)
        here = self._fetched / file_name(key)
        if not here.exists():
            with TemporaryDirectory(dir=self._fetched) as new:
                fetched = Path(new, FILES)
                fetched.mkdir()
                with suppress(FileNotFoundError):  # it was an empty folder, or is deleted just now
                    system.get(f"{place}/{FILES}/", f"{fetched}/", recursive=True)
                if not system.exists(f"{place}/{WHOLE}"):
                    return None
                with suppress(OSError):  # another thread was quicker
                    fetched.rename(here)
        return here

    def keys(self, prefix: str = "") -> set[str]:
        system, place = self._root()
        try:
            names = [path.rstrip("/").rpartition("/")[2] for path in system.ls(place, detail=False)]
        except FileNotFoundError:
            return set()
        return {key for key in map(unquote, names) if key and key.startswith(prefix)}

    def delete(self, key: str) -> None:
        system, place = self._place(key)
        for part in (f"{place}/{WHOLE}", place):  # the mark first
            with suppress(FileNotFoundError):
                system.rm(part, recursive=True)

    def clear(self) -> None:
        system, place = self._root()
        with suppress(FileNotFoundError):
            system.rm(place, recursive=True)

    def _place(self, key: str) -> tuple[Any, str]:
        """The file system, and where a key is in it."""
        system, root = self._root()
        return system, f"{root}/{file_name(key)}"

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Say which address it is that nothing here can open."""
        try:
            yield
        except (ImportError, ValueError) as error:
            raise SettingError(f"{self._url!r} cannot be opened: {error}") from None

    def _root(self) -> tuple[Any, str]:
        """The file system, and where these blobs are in it."""
        if self._opened is None:
            core = need("fsspec.core", "fsspec")
            with self._opening():
                self._opened = core.url_to_fs(self._url)
        system, root = self._opened
        system.invalidate_cache()  # other processes write there
        return system, root.rstrip("/")
