"""Frames: how messages follow one another in a pipe, and how what is in them is written.

A frame is a head (length of the body, kind, number) and a body, a pickle. The number says which work,
or which function, it is about, so that what comes late is not taken for another's.
"""

import io
import struct
import sys
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple, final

import cloudpickle

_HEAD = struct.Struct("<QBQ")
CHUNK_BYTES = 1 << 18


class Kind(IntEnum):
    """What a frame is about."""

    SETUP = 0  # to the worker: its settings
    FUNCTION = 1  # to the worker: a function, numbered
    WORK = 2  # to the worker: which function to call with which arguments
    REPLY = 3  # to the worker: the answer to a request
    BEAT = 4  # from the worker: a sign of life
    SEND = 5  # from the worker: a message
    REQUEST = 6  # from the worker: a message whose sender waits for the answer
    RETURNED = 7  # from the worker: what the work returned
    RAISED = 8  # from the worker: what it raised


class Frame(NamedTuple):
    """One message in a pipe."""

    kind: Kind
    number: int
    body: bytes

    def pack(self) -> bytes:
        """Return it as it stands in the pipe."""
        return _HEAD.pack(len(self.body), self.kind, self.number) + self.body


@final
class Reassembly:
    """Makes frames of the pieces in which they come out of a pipe."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take a piece; yield the frames that are complete."""
        self._bytes += piece
        while len(self._bytes) >= _HEAD.size:
            length, kind, number = _HEAD.unpack_from(self._bytes)
            end = _HEAD.size + length
            if len(self._bytes) < end:
                return
            body = bytes(memoryview(self._bytes)[_HEAD.size : end])
            del self._bytes[:end]
            yield Frame(Kind(kind), number, body)


def dumps(value: Any, what: str, instead: str) -> bytes:
    """Return a pickle of `value`, by value for what another process could not import.

    Args:
        value: What shall travel.
        what: How a message calls it.
        instead: What a message advises.

    Raises:
        TypeError: It cannot travel.
    """
    file = io.BytesIO()
    try:
        _Pickler(file).dump(value)
    except MemoryError:
        raise
    except Exception as error:
        raise TypeError(f"{what} cannot travel to another process: {error}; {instead}") from error
    return file.getvalue()


@final
class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle says nothing of its types
    """Writes by value also what stands in a module that is loaded here and found nowhere."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | FunctionType):
            module = sys.modules.get(obj.__module__ or "")
            if module is not None and not _is_found(module.__name__.partition(".")[0]):
                cloudpickle.register_pickle_by_value(module)
        return super().reducer_override(obj)


@cache
def _is_found(name: str) -> bool:
    """Whether another process with the same `sys.path` can import the top-level module `name`."""
    if name == "__main__" or name in sys.builtin_module_names:
        return True  # cloudpickle knows how to treat these
    return any(
        finder.find_spec(name, None) is not None
        for finder in sys.meta_path
        if hasattr(finder, "find_spec")
    )
