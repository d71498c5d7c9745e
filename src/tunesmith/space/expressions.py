"""Conditions written as text, such as "hidden2 <= hidden1 or layers < 2".

A text is parsed into Python's syntax tree, of which only comparisons, logic, arithmetic and a few
functions are known; `compiling` turns it into functions of columns of numbers. Nothing is evaluated
by Python itself, so that a text from a log or a file can do no harm.
"""

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable
from typing import Any, final

from tunesmith._core.errors import SpaceError

_LENGTH, _DEPTH = 2000, 40
_HEAD = "params"  # params["lambda"] writes a name that Python could not


def normal(name: str) -> str:
    """Return a name as Python's parser reads it: two ways to write a micro sign are one."""
    return unicodedata.normalize("NFKC", name)


def is_plain(name: str) -> bool:
    """Return whether an expression can write a name, or a path of names, as it is."""
    return all(
        part.isidentifier() and not keyword.iskeyword(part) and normal(part) == part
        for part in name.split(".")
    )


def written(path: str) -> str:
    """Return a path as an expression writes it."""
    head, *rest = path.split(".")
    start = head if is_plain(head) and head != _HEAD else f"{_HEAD}[{head!r}]"
    return start + "".join(
        f"[{p}]" if p.isdigit() else f".{p}" if is_plain(p) else f"[{p!r}]" for p in rest
    )


def path_of(node: ast.AST) -> str | None:
    """Return the path that `a.b[0]["c"]` writes, or None if the node is nothing like it."""
    parts: list[str] = []
    quoted = False  # whether what stands next to the first name is ["..."]
    while not isinstance(node, ast.Name):  # a text may have a thousand parts: no recursion
        if isinstance(node, ast.Attribute):
            part: object = node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            part = node.slice.value
        else:
            return None
        if isinstance(part, bool) or not isinstance(part, str | int):
            return None
        quoted = isinstance(node, ast.Subscript) and isinstance(part, str)
        parts.append(str(part))
        node = node.value
    if not (quoted and node.id == _HEAD):
        parts.append(node.id)
    return ".".join(reversed(parts))


@final
class Expression:
    """A condition over parameters, parsed but not yet bound to a space.

    Args:
        text: What the user wrote.

    Raises:
        SpaceError: It is no condition in the syntax above.

    Attributes:
        text: What the user wrote.
        tree: Its syntax tree.
        names: The paths it mentions, as written.
    """

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or not text.strip():
            raise SpaceError(f"a condition is text such as 'layers >= 3', got {text!r}")
        if len(text) > _LENGTH:
            raise SpaceError(f"a condition has at most {_LENGTH} characters, got {len(text)}")
        self.text = text
        try:
            self.tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = error.msg if isinstance(error, SyntaxError) else str(error)
            raise SpaceError(
                f"{text!r} cannot be read as a condition ({why.rstrip('.')}); "
                + (
                    "write == to compare; labels in quotes"
                    if re.search(r"(?<![=!<>])=(?!=)", text)
                    else f'a name such as lambda is written {_HEAD}["lambda"]'
                )
            ) from None
        names: dict[str, None] = {}
        self._collect(self.tree, names, 0)
        self.names = tuple(names)
        if not names:
            raise SpaceError(f"{text!r} mentions no parameter")

    def _collect(self, node: ast.AST, names: dict[str, None], depth: int) -> None:
        if depth > _DEPTH:
            raise SpaceError(f"{self.text[:40]!r}... is nested more than {_DEPTH} deep")
        path = path_of(node)
        if path is not None:
            names[path] = None
            return
        skip = node.func if isinstance(node, ast.Call) else None
        for child in ast.iter_child_nodes(node):
            if child is not skip:
                self._collect(child, names, depth + 1)

    def renamed(self, absolute: Callable[[str], str]) -> str:
        """Return the text with every path replaced."""
        if all(absolute(name) == name for name in self.names):
            return self.text
        return ast.unparse(_Rename(absolute).visit(ast.parse(self.text.strip(), mode="eval")))


@final
class _Rename(ast.NodeTransformer):
    """Replaces every path of a syntax tree."""

    def __init__(self, absolute: Callable[[str], str]) -> None:
        self._absolute = absolute

    def visit(self, node: ast.AST) -> Any:
        path = path_of(node)
        if path is not None:
            return ast.parse(written(self._absolute(path)), mode="eval").body
        if isinstance(node, ast.Call):  # the name of a function is no path
            node.args = [self.visit(arg) for arg in node.args]
            return node
        return self.generic_visit(node)
