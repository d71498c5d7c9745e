"""Finding a function by `SCRIPT.py:function` or `package.module:function`."""

import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isfunction
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from tunesmith._core.errors import SettingError, TunesmithError
from tunesmith.space.labels import hint
from tunesmith.study.progress import say

_SPEC = re.compile(r"(?P<module>[\w.]+|.+\.py):(?P<function>[A-Za-z_]\w*)")


def names_function(word: str) -> bool:
    """Return whether a word has the form of a function's place."""
    return _SPEC.fullmatch(word) is not None


def title_of(place: str) -> str:
    """Return how a study of the function at `place` is called.

    Example:
        >>> title_of("models/digits.py:fit")
        'digits:fit'
    """
    module, _, function = place.rpartition(":")
    return f"{Path(module).stem if module.endswith('.py') else module}:{function}"


def function_at(place: str) -> Callable[..., Any]:
    """Import a function.

    Args:
        place: `SCRIPT.py:function`, or `package.module:function`.

    Raises:
        SettingError: There is no such file, module or function.
    """
    found = _SPEC.fullmatch(place)
    if found is None:
        raise SettingError(f"a function is named SCRIPT.py:function, got {place!r}")
    name = found["function"]
    module = (
        _script(Path(found["module"]))
        if found["module"].endswith(".py")
        else _module(found["module"])
    )
    if not hasattr(module, name):
        known = [
            n
            for n, thing in vars(module).items()
            if isfunction(thing) and thing.__module__ == module.__name__
        ]
        raise SettingError(f"{found['module']} has no function {name!r}; {hint(name, known)}")
    function: Callable[..., Any] = getattr(module, name)
    return function


def _module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there, what it imports is not
        raise SettingError(
            f"there is no module {name!r}; write a script with its ending, {name}.py:function"
        ) from None


def _script(path: Path) -> ModuleType:
    if not path.is_file():
        raise SettingError(f"there is no script {path}; its path counts from {Path.cwd()}")
    name = path.stem
    if name in sys.modules:
        raise SettingError(f"{path} has the name of a module that is in use; rename it")
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingError(f"{path} cannot be imported; a script ends in .py")
    module = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))  # as `python SCRIPT.py` does
    sys.modules[name] = module  # annotations are looked up there
    spec.loader.exec_module(module)
    return module


@contextmanager
def own_traceback(after: str = "") -> Iterator[None]:
    """End the program with the traceback of the user's code alone, and `after`, if that raises."""
    try:
        yield
    except TunesmithError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a user's function may raise
        traceback.print_exception(error.with_traceback(_theirs(error)))
        if after:
            say(after)
        sys.exit(1)


def _theirs(error: Exception) -> TracebackType | None:
    """The traceback from the first frame that is neither ours nor the import system's."""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if not name.startswith(("tunesmith.", "importlib.")):
            break
        trace = trace.tb_next
    return trace  # None: a syntax error, which says its place itself: no line of theirs ever ran
