"""Where the files of a study are, and how they come along when it is kept elsewhere."""

import shutil

from tunesmith._core.errors import LogError
from tunesmith.records.events import Created, from_lines
from tunesmith.storage import Blobs, Storage
from tunesmith.storage.blobs import connect


def files_of(created: Created, storage: Storage, name: str) -> Blobs | None:
    """Return the blobs of the study `name`; None: its storage has no place for any."""
    place = connect(created.files) if created.files else storage.files
    return None if place is None else place.within(name)


def files_at(storage: Storage, name: str) -> Blobs | None:
    """Return the same of a study that need not be readable."""
    try:
        (created,) = from_lines(storage.read(name, 0, 1))
    except LogError:
        created = None
    if isinstance(created, Created):
        return files_of(created, storage, name)
    return None if storage.files is None else storage.files.within(name)


def copy(source: Blobs | None, target: Blobs | None) -> None:
    """Have everything of `source` in `target`, too.

    Raises:
        OSError: It cannot be written.
    """
    if source is None or target is None or source.url == target.url:
        return
    for key in source.keys() - target.keys():
        folder = source.get(key)
        if folder is not None:
            with target.put(key) as new:
                shutil.copytree(folder, new, dirs_exist_ok=True)
