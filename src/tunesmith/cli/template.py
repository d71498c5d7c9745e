"""Commands with holes: `python train.py {args} --width={width}`, filled with a trial's params.

`{args}` stands for `--name=value` of every active parameter that has no hole of its own. A boolean
is a flag: `--name` if true, nothing if false. A word with a hole whose parameter is inactive
disappears, together with the flag before it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core.errors import SettingError
from tunesmith.space.labels import hint

EXTRA = ("trial", "seed", "replicate", "checkpoint", "attachments")
_HOLE = re.compile(r"\{\{(?P<kept>[\w.-]+)\}\}|\{(?P<name>[\w.-]+)\}")


def text_of(value: Any) -> str:
    """Return a value as programs expect it on their command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, separators=(",", ":"), default=str)
    return str(value)


def flags(params: Mapping[str, Any]) -> list[str]:
    """Return params as `--name=value`; booleans as flags that are there or not.

    Example:
        >>> flags({"lr": 0.1, "nesterov": True, "warm": False})
        ['--lr=0.1', '--nesterov']
    """
    words = []
    for name, value in params.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False:
            words.append(f"--{name}={text_of(value)}")
    return words


def _names(word: str) -> list[str]:
    return [hole["name"] for hole in _HOLE.finditer(word) if hole["name"]]


@final
@dataclass(frozen=True)
class Template:
    """A command with holes.

    Args:
        words: The command.
        names: Paths of the space's parameters.

    Raises:
        SettingError: A hole names no parameter, or a parameter has no place.

    Example:
        >>> command = Template(("train", "{args}", "-w", "{width}"), ("lr", "width"))
        >>> command.filled({"lr": 0.1, "width": 8})
        ['train', '--lr=0.1', '-w', '8']
        >>> command.filled({"lr": 0.1})
        ['train', '--lr=0.1']
    """

    words: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        # an element of a list goes with its list
        own = [name for name in self.names if not any(map(str.isdigit, name.split(".")))]
        for word in self.words:
            for name in _names(word):
                if name not in (*own, *EXTRA, "args"):
                    raise SettingError(
                        f"{word!r} names no parameter of the space, {hint(name, own)}; write "
                        f"{{{{{name}}}}} for the text {{{name}}} itself"
                    )
                if name == "args" and name not in own and word != "{args}":
                    raise SettingError(f"{{args}} stands for several words, so alone, not {word!r}")
        lost = [name for name in own if name not in self.placed]
        if lost and "{args}" not in self.words:
            raise SettingError(
                f"the command has no place for {', '.join(lost)}; add {{args}}, or "
                f"{{{lost[0]}}} where its value belongs"
            )

    @property
    def placed(self) -> frozenset[str]:
        """The names that have a hole of their own."""
        return frozenset(name for word in self.words for name in _names(word))

    def filled(
        self, params: Mapping[str, Any], extra: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Return the command for one configuration.

        Args:
            params: Active parameters by path.
            extra: What else holes may name.
        """
        values = {**(extra or {}), **params}
        rest = {name: value for name, value in params.items() if name not in self.placed}
        words: list[str] = []
        for word in self.words:
            if word == "{args}" and "args" not in values:
                words += flags(rest)
            elif all(name in values for name in _names(word)):
                words.append(_fill(word, values))
            elif _HOLE.fullmatch(word) and words and _is_flag(words[-1]):
                words.pop()
        return words


def _is_flag(word: str) -> bool:
    return word.startswith("-") and "=" not in word


def _fill(word: str, values: Mapping[str, Any]) -> str:
    return _HOLE.sub(
        lambda hole: text_of(values[hole["name"]]) if hole["name"] else f"{{{hole['kept']}}}", word
    )


def script_of(words: Iterable[str]) -> str:
    """Return the word that a command is best called by: its script, else its program."""
    plain = [word for word in words if not word.startswith("-") and "{" not in word]
    scripts = [word for word in plain[1:] if "." in word.rpartition("/")[2]]
    return (scripts or plain or ["program"])[0].rpartition("/")[2].partition(".")[0]
