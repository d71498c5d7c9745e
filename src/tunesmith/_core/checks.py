"""What users pass, checked at the border and turned into Python's own kinds."""

from typing import Any

from tunesmith._core.errors import SettingError


def is_whole(value: object) -> bool:
    """Return whether `value` is a whole number of Python or NumPy; True and False are not."""
    kind = type(value)
    return hasattr(kind, "__index__") and kind.__name__ not in ("bool", "bool_")


def whole(what: str, value: Any, least: int = 0) -> int:
    """Return a whole number.

    Raises:
        SettingError: It is none, or below `least`.
    """
    if not is_whole(value) or int(value) < least:
        raise SettingError(f"{what} is a whole number from {least} on, got {value!r}")
    return int(value)


def seconds(what: str, value: Any) -> float:
    """Return a duration.

    Raises:
        SettingError: It is no number above 0.
    """
    return _number(what, value, "a number of seconds above 0", positive=True)


def number(what: str, value: Any) -> float:
    """Return a number.

    Raises:
        SettingError: It is none.
    """
    return _number(what, value, "a number", positive=False)


def _number(what: str, value: Any, allowed: str, *, positive: bool) -> float:
    text = isinstance(value, str | bytes) or not hasattr(type(value), "__float__")
    if text or value != value or (positive and not value > 0):  # noqa: PLR0124 - NaN
        raise SettingError(f"{what} is {allowed}, got {value!r}")
    return float(value)


def texts(what: str, value: Any, example: str) -> list[str]:
    """Return one text or several as a list.

    Args:
        what: How the message calls it.
        value: A text, or an iterable of texts; None: none.
        example: What to write.

    Raises:
        SettingError: It is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    for one in listed:
        if not isinstance(one, str):
            raise SettingError(
                f"{what} is a text or a list of texts, such as {example}, got {value!r}"
            )
    return listed


def text(what: str, value: Any) -> str:
    """Return a text.

    Raises:
        SettingError: It is none, or UTF-8 cannot hold it.
    """
    if not isinstance(value, str):
        raise SettingError(f"{what} is a text, got {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SettingError(f"{what} is a text that UTF-8 can hold, got {value!r}") from None
    return value
