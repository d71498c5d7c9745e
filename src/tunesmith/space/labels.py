"""What the log keeps of a value: the value itself if JSON has it, else a label.

Two labels are equal if Python says so: 1, 1.0 and True are one label, since no dict, no table and
no other language's JSON would tell them apart.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeAlias

import numpy as np

from tunesmith._core.checks import is_whole
from tunesmith._core.errors import SpaceError

Scalar: TypeAlias = str | float | int | bool | None
"""What the log keeps of one value."""

Params: TypeAlias = dict[str, Scalar]
"""One configuration as the log keeps it: the active parameters by path, in the space's order."""

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def is_scalar(value: Any) -> bool:
    """Return whether JSON has `value`, or it is a float that is not finite."""
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum))


def label_of(value: Any) -> Scalar:
    """Return the label of any object.

    That is the value itself for str, bool, int, float and None (text where a float is not finite),
    an Enum member's name, the qualified name of a function or class, else `repr`.

    Raises:
        SpaceError: The log cannot keep it, or the repr holds a memory address, which no other
            process would find again.
    """
    value = plain(value)
    if isinstance(value, Enum):
        return _text(value.name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(str(value))
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise SpaceError("a whole number beyond 64 bits cannot be kept; give it as text")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    way_out = "give labels=[...], or choices as a dict from label to object"
    try:
        name = getattr(value, "__qualname__", None)
        text = name if isinstance(name, str) else repr(value)
    except Exception as error:  # noqa: BLE001 - a class of others may raise anything
        raise SpaceError(f"a {type(value).__name__} has no repr ({error!r}); {way_out}") from None
    if not isinstance(name, str) and _ADDRESS.search(text):
        raise SpaceError(f"{text} has no name that another process would find again; {way_out}")
    return _text(text)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SpaceError(f"labels are texts that UTF-8 can hold, got {text!r}") from None
    return text


def key_of(label: Scalar) -> tuple[bool, Scalar]:
    """Return what tells True from 1, which are equal in a dict."""
    return isinstance(label, bool), label


def whole_or_none(value: Any) -> int | None:
    """Return a whole number of Python or NumPy as int, None for anything else."""
    try:
        return operator.index(value) if is_whole(value) else None
    except TypeError:  # an array
        return None


@contextmanager
def at(where: str) -> Iterator[None]:
    """Put a place in front of the errors raised inside, once."""
    try:
        yield
    except SpaceError as error:
        text = str(error)
        raise SpaceError(text if text.startswith(f"{where}: ") else f"{where}: {text}") from None


def hint(word: str, known: Iterable[str], written: Callable[[str], str] = repr) -> str:
    """Return "did you mean ...?" if a known word is close to `word`, else what is known."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), lower, n=1)
    if close:
        return f"did you mean {written(lower[close[0]])}?"
    shown = ", ".join(map(written, names[:8])) + (", ..." if len(names) > 8 else "")
    return f"there {'are' if len(names) > 1 else 'is'} {shown or 'none'}"


def check_name(name: Any, what: str) -> str:
    """Return `name` if it can be one part of a path.

    Raises:
        SpaceError: It cannot: parts are joined by dots, and digits number the elements of lists.
    """
    if (
        not isinstance(name, str)
        or not name
        or "." in name
        or name.isdigit()
        or not name.isprintable()
    ):
        raise SpaceError(
            f"{what} is named by printable text without dots that is not only digits, got {name!r}"
        )
    return name
