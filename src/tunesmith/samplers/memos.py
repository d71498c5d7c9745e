"""Reading memos: they stand in a log, and another sampler or version may have written them."""

from collections.abc import Mapping
from typing import Any


def number_in(memo: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of a memo, or `default` if there is none under this name."""
    value = memo.get(name)
    return value if isinstance(value, int | float) else default


def next_index(memo: Mapping[str, Any]) -> int:
    """Return the index after that of the Sobol' point of a memo; 0 if it is of none."""
    return int(number_in(memo, "sobol", -1)) + 1


def thetas_in(memo: Mapping[str, Any], size: int) -> dict[str, tuple[int, list[float]]]:
    """Return what was fitted, by target: to how many trials, and `size` parameters."""
    fitted = memo.get("theta")
    found = {}
    for name, value in fitted.items() if isinstance(fitted, Mapping) else ():
        match value:
            case [int(n), [*theta]] if len(theta) == size and all(
                isinstance(one, int | float) for one in theta
            ):
                found[name] = n, theta
    return found
