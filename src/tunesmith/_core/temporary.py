"""Folders that go with the object that needs them."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from weakref import finalize


def temporary(owner: object) -> Path:
    """Return the path of a folder that may be made, and is removed when `owner` or this process ends."""
    path = Path(tempfile.gettempdir(), f"tunesmith-{secrets.token_hex(8)}")
    finalize(owner, _remove, path, os.getpid())
    return path


def _remove(path: Path, pid: int) -> None:
    if os.getpid() == pid:  # not what was forked, when that ends
        shutil.rmtree(path, ignore_errors=True)
