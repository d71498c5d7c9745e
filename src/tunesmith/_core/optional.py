"""Optional packages: imported when used; the error names the extra that brings them."""

from importlib import import_module
from typing import Any

from tunesmith._core.errors import MissingExtra


def need(module: str, extra: str) -> Any:
    """Return an optional module.

    Args:
        module: Name to import.
        extra: Our extra that installs it.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise MissingExtra(
            f"this needs {module}, which is not installed; pip install 'tunesmith[{extra}]'"
        ) from None
