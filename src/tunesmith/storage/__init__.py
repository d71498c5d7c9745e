"""Storages: where the logs of studies are kept.

A storage knows lines, not trials: per study it keeps an ordered, append-only list of them, and
beside it who is alive and one disposable fold. `connect` finds the storage for what a user wrote::

    connect("memory")  # gone with the process
    connect("tunesmith.db")  # a SQLite file: any path, text or Path
    connect("sqlite:///tunesmith.db")  # the same; four slashes for an absolute path
    connect("study.jsonl")  # a text file, also on a drive that several machines share
    connect("postgresql://user@host/database")  # needs the extra `postgresql`
    connect("study.tunesmith")  # a bundle, which is read only
    connect("redis://host/0")  # a scheme that a package has registered

A storage of one's own is one file with one final class that implements `Storage`, and one line:
ours stand in `registry`, those of other packages in their pyproject.toml::

    [project.entry-points."tunesmith.storages"]
    redis = "my_package.redis:Redis"

The name is the scheme, and `Redis.open` receives what follows `redis://`. Whether it keeps the
contract is checked by subclassing `tunesmith.testing.storages.StorageConformance`.

Files of studies, such as checkpoints, are kept in `Blobs`: a `Folder`, or anything that `Fsspec` reaches.
"""

from os import PathLike, fspath
from typing import TYPE_CHECKING

from tunesmith._core.errors import SettingError
from tunesmith._core.hints import hint_of_module
from tunesmith._core.registry import Registry
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.blobs import registry as blobs_registry
from tunesmith.storage.bundle import ENDING, Bundle
from tunesmith.storage.storage import Storage

if TYPE_CHECKING:  # `__getattr__` in a form that type checkers and editors understand
    from tunesmith.storage.folder import Folder
    from tunesmith.storage.jsonl import JSONL
    from tunesmith.storage.memory import Memory
    from tunesmith.storage.postgresql import PostgreSQL
    from tunesmith.storage.remote import Fsspec
    from tunesmith.storage.sqlite import SQLite

__all__ = [
    "JSONL",
    "Blobs",
    "Bundle",
    "Folder",
    "Fsspec",
    "Memory",
    "PostgreSQL",
    "SQLite",
    "Storage",
    "blobs_registry",
    "connect",
    "registry",
]

registry: Registry[Storage] = Registry(
    "tunesmith.storages",
    "storage",
    {
        "jsonl": "tunesmith.storage.jsonl:JSONL",
        "memory": "tunesmith.storage.memory:Memory",
        "postgresql": "tunesmith.storage.postgresql:PostgreSQL",
        "sqlite": "tunesmith.storage.sqlite:SQLite",
    },
)


def connect(where: str | PathLike[str] | Storage) -> Storage:
    """Return the storage that `where` names.

    Args:
        where: "memory", a path, a URL whose scheme is registered, or a storage, returned as it is.

    Raises:
        SettingError: Nothing is registered under the scheme, or the address is not valid.

    Example:
        >>> connect("memory").url
        'memory'
    """
    if isinstance(where, Storage):
        return where
    text = fspath(where)
    if isinstance(where, str) and (text == "memory" or "://" in text):
        scheme, _, address = text.partition("://")
        scheme = (
            "postgresql" if scheme == "postgres" else scheme
        )  # libpq takes both, hosters print either
        return registry.get(scheme).open(address)
    if text.endswith(ENDING):
        return Bundle(text)
    if not text:
        raise SettingError('a storage needs a path or a URL, got ""; write "tunesmith.db"')
    return registry.get("jsonl" if text.endswith(".jsonl") else "sqlite").open(f"/{text}")


if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names

    def __getattr__(name: str) -> type[Storage] | type[Blobs]:
        if name in __all__:
            kinds = blobs_registry if name.lower() in blobs_registry else registry
            return kinds.get(name.lower())
        raise hint_of_module(__name__, name)
