"""Blobs anywhere that fsspec reaches: S3, Google Cloud, Azure, SFTP, HDFS and others."""

import os
import shutil
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
        self._opened: tuple[Any, str, int] | None = None  # the last: by which process
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
            names = [path.relative_to(new).as_posix() for path in sorted(Path(new).rglob("*"))]
            with self._answering():
                if system.exists(f"{place}/{WHOLE}"):
                    raise StorageError(f"{key!r} is taken in {self.url}; each key is put once")
                system.makedirs(f"{place}/{FILES}", exist_ok=True)
                system.put(  # all at once, where it can
                    [f"{new}/{name}" for name in names],
                    [f"{place}/{FILES}/{name}" for name in names],
                )
                system.pipe_file(f"{place}/{WHOLE}", b"1")

    def get(self, key: str) -> Path | None:
        system, place = self._place(key)
        here = self._here(key)
        with self._answering():
            if not system.exists(f"{place}/{WHOLE}"):
                return None
            if here.exists():
                return here
            self._fetched.mkdir(mode=0o700, exist_ok=True)
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
            with self._answering():
                listed = system.ls(place, detail=False)
        except FileNotFoundError:
            return set()
        names = [path.rstrip("/").rpartition("/")[2] for path in listed]
        return {key for key in map(unquote, names) if key and key.startswith(prefix)}

    def delete(self, key: str) -> None:
        system, place = self._place(key)
        with self._answering():
            with suppress(FileNotFoundError):
                system.rm_file(f"{place}/{WHOLE}")  # the mark first
            with suppress(FileNotFoundError):
                system.rm(place, recursive=True)
        shutil.rmtree(self._here(key), ignore_errors=True)

    def clear(self) -> None:
        system, place = self._root()
        with self._answering(), suppress(FileNotFoundError):
            system.rm(place, recursive=True)

    def _here(self, key: str) -> Path:
        """Where a key is fetched to."""
        return self._fetched / file_name(key)

    def _place(self, key: str) -> tuple[Any, str]:
        """The file system, and where a key is in it."""
        system, root = self._root()
        return system, f"{root}/{file_name(key)}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say what file systems raise of their own kinds, as where a server does not answer."""
        try:
            yield
        except (OSError, StorageError):
            raise
        except Exception as error:
            raise OSError(f"{self._url}: {type(error).__name__}: {error}") from error

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Say which address it is that nothing here can open."""
        try:
            yield
        except (ImportError, ValueError) as error:
            raise SettingError(f"{self._url!r} cannot be opened: {error}") from None

    def _root(self) -> tuple[Any, str]:
        """The file system, and where these blobs are in it."""
        if self._opened is None or self._opened[2] != os.getpid():  # no connection survives a fork
            core = need("fsspec.core", "fsspec")
            with self._opening():
                self._opened = *core.url_to_fs(self._url), os.getpid()
        system, root, _ = self._opened
        system.invalidate_cache()  # other processes write there
        return system, root.rstrip("/")
