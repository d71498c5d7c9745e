"""A short hash of data, the same in every process, so that other data are noticed.

What is larger than 64 MiB is known by its size and 64 pieces of 1 MiB, spread evenly, and a folder of more
than 10,000 files by all their names and sizes and the content of 1,000 of them.
"""

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tunesmith._core.errors import SettingError

_PIECE = 1 << 20
_PIECES = 64
_FILES, _OPENED = 10_000, 1_000


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def short_hash(content: bytes) -> str:
    """Return 12 hexadecimal digits."""
    return blake2b(content, digest_size=6).hexdigest()


def fingerprint(data: Any) -> str:
    """Return 12 hexadecimal digits that other data would not have.

    Args:
        data: Arrays, tensors, frames, series, bytes, numbers, paths of files and folders (texts are paths), or
            lists, tuples and dicts of them.

    Raises:
        SettingError: It is something else, or a path that leads nowhere.

    Example:
        >>> import numpy as np
        >>> fingerprint(np.arange(3)) == fingerprint([0, 1, 2])
        False
    """
    found = blake2b(digest_size=6)
    _take(found, data)
    return found.hexdigest()


def _take(into: _Hash, data: Any) -> None:
    match data:
        case None | bool() | int() | float() | complex():
            into.update(f"{type(data).__name__} {data!r};".encode())
        case bytes() | bytearray() | memoryview():
            _bytes(into, memoryview(data).cast("B"))
        case str() | os.PathLike():
            _path(into, Path(data))
        case Mapping():
            into.update(f"mapping {len(data)};".encode())
            for name in sorted(data, key=repr):
                into.update(f"{name!r}:".encode())
                _take(into, data[name])
        case list() | tuple():
            into.update(f"list {len(data)};".encode())
            for one in data:
                _take(into, one)
        case _:
            _table(into, data)


def _table(into: _Hash, data: Any) -> None:
    """Take an array, or what can be made one; of a frame each column."""
    kind = type(data)
    if hasattr(kind, "columns") and hasattr(kind, "to_numpy"):  # pandas, polars
        into.update(f"frame {list(data.columns)};".encode())
        for name in data.columns:
            _array(into, data[name].to_numpy())
    elif hasattr(kind, "tocoo"):  # scipy.sparse
        sparse = data.tocoo()
        into.update(f"sparse {sparse.shape};".encode())
        for part in (sparse.row, sparse.col, sparse.data):
            _array(into, part)
    elif hasattr(kind, "detach"):  # torch, on whatever device
        _array(into, data.detach().cpu().numpy())
    elif hasattr(kind, "__array__"):
        _array(into, np.asarray(data))
    else:
        raise SettingError(
            f"data= takes arrays, frames, bytes, paths, or lists and dicts of them, got {kind.__name__}; a "
            'version of your own is bytes, such as data=b"v3"'
        )


def _array(into: _Hash, array: np.ndarray[Any, Any]) -> None:
    into.update(f"array {array.dtype.str} {array.shape};".encode())
    if array.dtype.hasobject:
        text = repr(array.tolist())
        if " at 0x" in text:
            raise SettingError(
                "data= holds objects that nothing but their address tells apart; give arrays of numbers "
                'or texts, or a version of your own, such as data=b"v3"'
            )
        into.update(text.encode("utf-8", "backslashreplace"))
    else:
        _bytes(into, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _bytes(into: _Hash, content: memoryview) -> None:
    into.update(f"{len(content)} bytes;".encode())
    for start, end in _pieces(len(content)):
        into.update(content[start:end])


def _pieces(size: int) -> Iterable[tuple[int, int]]:
    if size <= _PIECE * _PIECES:
        return [(0, size)]
    starts = (i * (size - _PIECE) // (_PIECES - 1) for i in range(_PIECES))
    return ((start, start + _PIECE) for start in starts)


def _path(into: _Hash, path: Path) -> None:
    if path.is_file():
        _file(into, path)
    elif path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        into.update(f"folder {len(files)};".encode())
        every = 1 if len(files) <= _FILES else len(files) // _OPENED
        for i, file in enumerate(files):
            name = file.relative_to(path).as_posix().encode("utf-8", "backslashreplace")
            into.update(name + f" {file.stat().st_size};".encode())
            if i % every == 0:
                _file(into, file)
    else:
        raise SettingError(
            f"data= is taken for a path, and there is no file or folder {str(path)!r}; a version of your "
            'own is bytes, such as data=b"v3"'
        )


def _file(into: _Hash, path: Path) -> None:
    size = path.stat().st_size
    into.update(f"{size} bytes;".encode())
    with path.open("rb") as file:
        for start, end in _pieces(size):
            file.seek(start)
            for at in range(start, end, _PIECE):  # never more than a piece in memory
                into.update(file.read(min(_PIECE, end - at)))
