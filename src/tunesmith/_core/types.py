"""The type variable of the form in which objectives get their params.

Where it is left out (`ts.Trial` without brackets) it is `Any`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a default of a type variable is for type checkers only, until Python 3.13
    from typing_extensions import TypeVar

    P = TypeVar("P", default=Any)
else:
    from typing import TypeVar

    P = TypeVar("P")

__all__ = ["P"]
