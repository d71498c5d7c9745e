"""Words that many sentences need."""


def plural(n: int, noun: str) -> str:
    """Return a number of things.

    Example:
        >>> plural(1, "trial"), plural(2000, "trial")
        ('1 trial', '2,000 trials')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"
