"""How a file or a folder is put into the study's blobs, to be attached to a trial.

What is put lies there under its own name; the name that it is attached by stands in the log alone, so that
no text can lead elsewhere.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from tunesmith._core import checks
from tunesmith._core.codec import clean
from tunesmith._core.errors import SettingError, StorageError
from tunesmith.storage import Blobs
from tunesmith.study.saving import new_key, place_in

LONGEST: Final = 255  # bytes of a name, as of a file's


def put(
    files: Blobs | None, uid: str, attempt: int, path: str | os.PathLike[str], name: str | None
) -> tuple[str, str]:
    """Put a copy into the blobs.

    Args:
        files: Where the study keeps files; None: nowhere.
        uid: The trial.
        attempt: Of it; 0: none is running.
        path: The file or folder.
        name: What it is attached by; None: its own name.

    Returns:
        The name, and the key.

    Raises:
        SettingError: There is nothing at the path, the name is none, or the storage has no place for files.
        StorageError: It cannot be read, or not be kept; nothing was.
    """
    blobs = place_in(files)
    try:
        source = Path(os.path.abspath(path))  # noqa: PTH100 - ".." has a name, links are followed later
    except TypeError:
        raise SettingError(f"attach takes the path of a file or folder, got {path!r}") from None
    if not source.exists():
        raise SettingError(f"there is no {path} to attach; write it first")
    if not (source.is_file() or source.is_dir()):
        raise SettingError(f"attach takes a file or folder, and {path} is a device or a pipe")
    name = clean(source.name) if name is None else checks.text("name=", name)
    if not name.strip() or len(name.encode(errors="replace")) > LONGEST:
        raise SettingError(f"what is attached has a name of 1 to {LONGEST} bytes, got {name!r}")
    key = new_key(uid, attempt)
    try:
        with blobs.put(key) as folder:
            if folder.is_relative_to(source.resolve()):
                raise SettingError(
                    f"{path} holds the study's own files; attach a folder beside them"
                )
            target = folder / source.name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_loops)
            else:
                shutil.copyfile(source, target)
    except OSError as error:
        why = (
            error.args[0][0][-1] if isinstance(error, shutil.Error) else error
        )  # the first of many
        raise StorageError(f"{path} could not be kept in {blobs.url}: {why}") from error
    return name, key


def _loops(folder: str, names: list[str]) -> list[str]:
    """The links to a folder that they lie in: what is there would be copied again and again."""
    here = Path(folder).resolve()
    places = {name: Path(folder, name) for name in names}
    return [
        name
        for name, place in places.items()
        if place.is_symlink() and here.is_relative_to(place.resolve())
    ]
