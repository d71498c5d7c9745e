"""What this process is, as far as results may depend on it; kept when it joins a study.

Nothing is sent anywhere, no environment variable is kept, and what looks like a secret in the command
line is masked.
"""

import inspect
import os
import platform
import re
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

from tunesmith._core.codec import clean
from tunesmith._core.fingerprint import short_hash
from tunesmith._core.git import Revision, revision, root_of
from tunesmith._core.machine import machine
from tunesmith._core.packages import versions_of
from tunesmith._core.secrets import masked
from tunesmith._core.sources import Sources, is_file, sources_of
from tunesmith._core.version import VERSION
from tunesmith.records import Provenance

# how long a run goes on changes no result, and is what most is changed in a script between two runs
_BUDGET = re.compile(
    rb"\b(?:trials|more|timeout|workers|progress)\s*=\s*(?:[\d_.]+|None|True|False)\b"
)


class Command(ABC):
    """An objective that runs a program."""

    @property
    @abstractmethod
    def words(self) -> Sequence[str]:
        """Its command; words that name files are what it is made of."""


def origin(objective: object = None, data: str = "") -> Provenance:
    """Return what this process is.

    Args:
        objective: What it runs, if that is known.
        data: Fingerprint of the data, if it was given.
    """
    function = _function(objective)
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    first = [Path(main)] if main else []
    name, own = "", {}
    if isinstance(objective, Command):
        words = masked(map(clean, objective.words))
        name, first = shlex.join(words), [*_named(words), *first]
    elif function is not None:
        code: CodeType = function.__code__
        file = Path(code.co_filename)
        name = f"{_module(function, file)}:{function.__qualname__}"
        if is_file(file):
            first = [file, *first]
        else:  # it was typed at a prompt, or in a notebook
            compiled = repr(_compiled(code)).encode()
            own = {f"<{function.__qualname__}>": short_hash(compiled)}
    elif objective is not None:
        name = type(objective).__qualname__
    sources, files, at = Sources({}, frozenset()), {}, Revision()
    with suppress(OSError):  # what cannot be read, as a folder that was removed, is not known
        sources = sources_of(first)
        here = next(iter(sources.files)).parent if sources.files else Path.cwd()
        root = root_of(here)
        at = Revision() if root is None else revision(root)
        files = {
            clean(os.path.relpath(path, root or here)): short_hash(_BUDGET.sub(b"", content))
            for path, content in sources.files.items()
        }
    used = {*sources.packages, *_used(function if own else None)}
    return Provenance(
        objective=name,
        files=files | own,
        commit=at.commit,
        dirty=at.dirty,
        packages={"tunesmith": VERSION, **versions_of(used)},
        python=platform.python_version(),
        **machine()._asdict(),
        command=masked(clean(_homeless(word)) for word in sys.argv),
        data=data,
    )


def _function(objective: object) -> Any:
    """The function that an objective comes down to, or None."""
    while isinstance(objective, partial):
        objective = objective.func
    if not callable(objective):
        return None
    plain = inspect.unwrap(objective)
    if not inspect.isroutine(plain):
        plain = type(plain).__call__
    plain = getattr(plain, "__func__", plain)
    return plain if inspect.isfunction(plain) else None


def _module(function: Any, file: Path) -> str:
    """A script has one name, whether it is run or imported."""
    module: str = function.__module__
    return file.stem if module in ("__main__", "__mp_main__") and file.suffix == ".py" else module


def _compiled(code: CodeType) -> list[Any]:
    """What a function was compiled to: its text is known to the process alone where it was typed."""
    return [code.co_code, code.co_names, [_constant(one) for one in code.co_consts]]


def _constant(one: object) -> Any:
    if isinstance(one, CodeType):
        return _compiled(one)
    return sorted(map(repr, one)) if isinstance(one, frozenset) else repr(one)


def _named(words: Sequence[str]) -> list[Path]:
    """The files that a command may name, and the module after -m."""
    modules = [Path(*after.split(".")) for word, after in pairwise(words) if word == "-m"]
    inside = [path for one in modules for path in (one.with_suffix(".py"), one / "__main__.py")]
    return [*inside, *map(Path, words)]


def _used(function: Any) -> Iterable[str]:
    """The packages of what a function finds in its module, for one that no file has."""
    for thing in [] if function is None else list(function.__globals__.values()):
        name = thing.__name__ if inspect.ismodule(thing) else getattr(thing, "__module__", None)
        top = str(name).partition(".")[0]
        if name and top not in sys.stdlib_module_names:
            yield top


def _homeless(word: str) -> str:
    """A word of the command line without the name of the user's home."""
    home = os.path.expanduser("~")  # noqa: PTH111 - it is never an error
    return word.replace(home, "~") if len(home) > 1 else word
