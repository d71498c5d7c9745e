"""What travels between an executor and its workers: functions there, once each, and their values back."""

from collections import deque
from pickle import loads
from typing import Any, final

from tunesmith.executors.executor import Raised, Returned, Work
from tunesmith.executors.frames import Frame, Kind, dumps
from tunesmith.executors.worker import KNOWN, unpack_error


@final
class Functions:
    """The latest functions, as they are sent."""

    def __init__(self) -> None:
        self._count = 0
        self._kept: deque[tuple[Work, Frame]] = deque(maxlen=KNOWN)

    def of(self, work: Work) -> Frame:
        """Return the frame that brings a function to a worker.

        Raises:
            TypeError: It cannot travel.
        """
        for kept, frame in self._kept:
            if kept is work:
                return frame
        name = _called(work)
        body = dumps(work, name, inside(name))
        self._count += 1
        frame = Frame(Kind.FUNCTION, self._count, body)
        self._kept.append((work, frame))
        return frame


def _called(work: Work) -> str:
    """How a message calls a work: by the user's function, where it wraps one."""
    function = getattr(work, "__wrapped__", None)
    if function is None:
        return "the work"
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"the function {name.rpartition('<locals>.')[2]!r}"


def inside(what: str) -> str:
    """Advise who wrote something that cannot travel."""
    return f"make locks, open files and connections inside {what}, or use Threads"


def opened(frame: Frame) -> Any:
    """Return what a frame from a worker says: a message, or how its work ended.

    A message that cannot be read in this process ends its work: as one that raised.
    """
    if frame.kind is Kind.RAISED:
        return unpack_error(frame.body)
    ends = frame.kind is Kind.RETURNED
    try:
        said = loads(frame.body)  # noqa: S301 - of our worker
    except Exception as error:  # noqa: BLE001 - reading may run anything
        what = "what the work returned" if ends else "a message of the work"
        problem = TypeError(
            f"{what} cannot be read in this process: {type(error).__name__}: {error}; use numbers, "
            "texts, arrays, or mappings of such"
        )
        problem.__cause__ = error
        return Raised.by(problem)
    if not ends:
        return said
    used, value = said
    return Returned(value, used=used)
