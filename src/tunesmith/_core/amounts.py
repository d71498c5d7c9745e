"""Amounts by name, such as a trial's costs: how those of several are put together."""

from collections.abc import Iterable, Mapping
from typing import Final

PEAK: Final = "peak_"  # such a name is of the most at one time, which does not add up


def together(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the sum of amounts by name; of those at one time the largest.

    Example:
        >>> together([{"usd": 2.0, "peak_bytes": 7.0}, {"usd": 1.0, "peak_bytes": 3.0}])
        {'usd': 3.0, 'peak_bytes': 7.0}
    """
    found: dict[str, float] = {}
    for amount in amounts:
        for name, value in amount.items():
            if name.startswith(PEAK):
                found[name] = max(found.get(name, value), value)
            else:
                found[name] = found.get(name, 0.0) + value
    return found
