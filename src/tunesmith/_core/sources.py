"""The source files that a program is made of: its first one, and what that imports of one's own.

They are found by reading the lines that begin with `import` or `from`, inside functions too; nothing is
imported. What is imported and not one's own are packages.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

MOST = 100  # files
MOST_BYTES = 1 << 20  # of a file; a larger one is no source

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<dots>\.*)(?P<home>[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#;]+)"
    r"|import[ \t]+(?P<modules>[^\n#;]+))",
    re.MULTILINE,
)
_OURS = Path(__file__).parents[1]


@final
@dataclass(frozen=True, slots=True)
class Sources:
    """What a program is made of.

    Attributes:
        files: Contents by path.
        packages: Names of what else is imported, standard library excepted.
    """

    files: dict[Path, bytes]
    packages: frozenset[str]


def sources_of(first: Iterable[Path]) -> Sources:
    """Return the sources of a program.

    Args:
        first: Files that it begins with; those of packages, and what is no file, are left out.
    """
    waiting = [str(path.absolute()) for path in first if is_file(path) and is_own(path.absolute())]
    found = _Finder([path.rpartition("/")[0] for path in waiting])
    files: dict[Path, bytes] = {}
    packages: set[str] = set()
    done: set[str] = set()
    while waiting and len(files) < MOST:
        path = waiting.pop(0)
        if path in done or Path(path).stat().st_size > MOST_BYTES or not os.access(path, os.R_OK):
            continue
        done.add(path)
        files[Path(path)] = content = Path(path).read_bytes()
        if not path.endswith(".py"):
            continue
        folder = path.rpartition("/")[0]
        for dots, name in _imports(content.decode("utf-8", "replace")):
            top = name.partition(".")[0]
            if top == "tunesmith":
                continue
            own = found.modules(name, folder, dots)
            waiting += [file for file in own if file not in done]
            if not own and not dots and top not in sys.stdlib_module_names:
                packages.add(top)
    return Sources(files, frozenset(packages))


@final
class _Finder:
    """Finds modules in folders, each of which is listed once."""

    def __init__(self, folders: Iterable[str]) -> None:
        entries = [*folders, str(Path.cwd()), *(entry for entry in sys.path if entry)]
        self._folders = [entry for entry in dict.fromkeys(entries) if is_own(Path(entry))]
        self._listed: dict[str, frozenset[str]] = {}
        self._known: dict[str, list[str]] = {}

    def modules(self, name: str, folder: str, dots: int) -> list[str]:
        """Return the files of a module and of the packages that it lies in; none: it is not one's own.

        Args:
            name: The module, or something in one.
            folder: Where the file lies that imports it.
            dots: How many of them stand before the name.
        """
        if dots:
            for _ in range(dots - 1):
                folder = folder.rpartition("/")[0]
            return self._in(folder, name)
        files = self._known.get(name)
        if files is None:
            each = (self._in(folder, name) for folder in self._folders)
            files = self._known[name] = next(filter(None, each), [])
        return files

    def _in(self, folder: str, name: str) -> list[str]:
        files = []
        for part in name.split("."):
            listed, inside = self._list(folder), f"{folder}/{part}"
            package = part in listed and "__init__.py" in self._list(inside)
            if package:
                files.append(f"{inside}/__init__.py")
            elif f"{part}.py" in listed:
                return [*files, f"{inside}.py"]
            elif part not in listed:
                break
            folder = inside
        return files

    def _list(self, folder: str) -> frozenset[str]:
        names = self._listed.get(folder)
        if names is None:
            try:
                names = frozenset(os.listdir(folder))  # noqa: PTH208 - a hundred times as quick
            except OSError:
                names = frozenset()
            self._listed[folder] = names
        return names


def is_file(path: Path) -> bool:
    """Return whether a text that may be anything names a file."""
    return os.path.isfile(path)  # noqa: PTH113 - pathlib raises if it is too long for a name


def is_own(path: Path) -> bool:
    """Return whether a file is the user's, and neither of a package, of Python nor ours."""
    parts = path.parts
    if "site-packages" in parts or "dist-packages" in parts or path.is_relative_to(_OURS):
        return False
    return not any(path.is_relative_to(place) for place in _places())


@cache
def _places() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]) for name in ("stdlib", "platstdlib", "scripts"))


def _imports(text: str) -> Iterator[tuple[int, str]]:
    """The modules that a text imports, each with the dots before it."""
    for found in _IMPORT.finditer(text):
        if found["modules"]:
            for name in _names(found["modules"]):
                yield 0, name
            continue
        dots = len(found["dots"])
        if found["home"]:
            yield dots, found["home"]
        for name in _names(found["names"]):  # each may be a module, too
            yield dots, f"{found['home']}.{name}".strip(".")


def _names(listed: str) -> Iterator[str]:
    for one in listed.strip("()").split(","):
        words = one.split()
        if words and words[0] != "*":
            yield words[0]
