"""The files that were attached to a trial, by name; each is looked for when it is looked at."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import final

from tunesmith._core.errors import StorageError


@final
class Attachments(Mapping[str, Path]):
    """Files and folders by name, not to be changed.

    Args:
        keys: The key of each in the study's blobs, by name.
        locate: Finds the folder of a key; None: there is no place for files.
    """

    def __init__(
        self, keys: Mapping[str, str], locate: Callable[[str], Path | None] | None
    ) -> None:
        self._keys = keys
        self._locate = locate

    def __getitem__(self, name: str) -> Path:
        key = self._keys[name]
        folder = None if self._locate is None else self._locate(key)
        if folder is None:
            raise StorageError(
                f"{name!r} was attached, and its files are not where the study keeps them; were they moved "
                "or removed, or left out of a bundle?"
            )
        return next(folder.iterdir(), folder)  # what was attached, or an empty folder

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<Attachments: {', '.join(map(repr, self._keys)) or 'none'}>"
