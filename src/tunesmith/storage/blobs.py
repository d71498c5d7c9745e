"""The contract of blobs: folders under keys, whole or not at all, beside the logs of studies.

What a study keeps in files (checkpoints) lies here; the log has the keys. Blobs of one's own are one
file with one final class, and one line, as with storages: the name is the scheme of their URLs::

    [project.entry-points."tunesmith.blobs"]
    tape = "my_package.tape:Tape"

Whether the contract is kept is checked by subclassing `tunesmith.testing.blobs.BlobsConformance`.
"""

import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from tunesmith._core.errors import SettingError
from tunesmith._core.registry import Registry


class Blobs(ABC):
    """Folders under keys, which are texts that are not empty.

    Wherever a process is killed, a key has the whole folder that was put, or nothing. Nothing is held
    in memory. Objects are used from several threads, and travel to other processes.
    """

    @classmethod
    @abstractmethod
    def open(cls, url: str) -> Self:
        """Return the blobs at a URL.

        Raises:
            SettingError: There can be none at this address.
        """

    def check(self) -> None:  # noqa: B027 - most have nothing to look for
        """Look, without going there, whether anything here can open this address.

        Raises:
            SettingError: Nothing can; says what would.
        """

    @property
    @abstractmethod
    def url(self) -> str:
        """What `connect` opens these blobs again with."""

    @abstractmethod
    def within(self, name: str) -> Self:
        """Return blobs apart from these, such as those of the study `name`."""

    @abstractmethod
    def put(self, key: str) -> AbstractContextManager[Path]:
        """Give an empty folder, and keep under `key` what the block has written there.

        What was forked or started meanwhile must not write any more when the block ends. If it
        raises, nothing is kept. Each key is put once.

        Raises:
            OSError: It cannot be written; nothing was kept.
        """

    @abstractmethod
    def get(self, key: str) -> Path | None:
        """Return a folder with what was put, not to be changed; None: nothing whole lies there.

        It is there for as long as this object lives and nobody deletes the key.
        """

    @abstractmethod
    def keys(self, prefix: str = "") -> set[str]:
        """Return the keys that begin with `prefix`.

        They may have some of which a killed process has left a part; `get` finds nothing there.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove what lies under a key, or a part of it; if there is nothing, that is no error."""

    @abstractmethod
    def clear(self) -> None:
        """Remove everything, while nobody else uses it."""


registry: Registry[Blobs] = Registry(
    "tunesmith.blobs",
    "kind of blobs",
    {
        "folder": "tunesmith.storage.folder:Folder",
        "fsspec": "tunesmith.storage.remote:Fsspec",
    },
)


def connect(where: str | os.PathLike[str] | Blobs) -> Blobs:
    """Return the blobs that `where` names.

    Args:
        where: A path; a URL, opened by who has registered its scheme, else by fsspec; or blobs,
            returned as they are.

    Raises:
        SettingError: It is none of these.

    Example:
        >>> connect("/tmp/checkpoints").url
        '/tmp/checkpoints'
    """
    if isinstance(where, Blobs):
        return where
    try:
        text = os.fspath(where)
    except TypeError:
        text = ""
    if not text:
        raise SettingError(f"files are kept at a path or a URL, such as 's3://a/b', got {where!r}")
    scheme = text.partition("://")[0] if isinstance(where, str) and "://" in text else "folder"
    if scheme == "file":
        scheme, text = "folder", text.removeprefix("file://")
    return registry.get(scheme if scheme in registry else "fsspec").open(text)


def file_name(text: str) -> str:
    """Return a text as a name of a file or folder, told apart from every other text's.

    Raises:
        SettingError: It is empty.

    Example:
        >>> file_name("../a b")
        '%2E.%2Fa%20b'
    """
    if not text:
        raise SettingError("what lies in a folder of its own needs a name that is not empty")
    name = quote(text, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name
