"""Questions about what users passed, asked in more than one place."""


def is_whole(value: object) -> bool:
    """Return whether `value` is a whole number; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)
