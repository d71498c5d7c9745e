"""Words that many sentences need."""

import math
import re

_EXPONENT = re.compile(r"e(-?)\+?0*")


def plural(n: int, noun: str) -> str:
    """Return a number of things.

    Example:
        >>> plural(1, "trial"), plural(2000, "trial")
        ('1 trial', '2,000 trials')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def number(value: float, digits: int = 4) -> str:
    """Return a number as people read it, with so many significant digits.

    Example:
        >>> number(0.123456), number(1e-5), number(1500000.0)
        ('0.1235', '1e-5', '1.5e6')
    """
    if math.isnan(value):
        return "–"
    said = f"{value:.{digits}g}"
    return _EXPONENT.sub(r"e\1", said) if "e" in said else said
