"""Lines: what a process prints, put together from the pieces in which it comes out of a pipe."""

from codecs import getincrementaldecoder
from typing import final

LINE_CHARS = 1 << 16  # what is longer comes in several


@final
class Lines:
    """Makes lines of bytes that mean text in UTF-8; what is none of that is replaced.

    Of what a carriage return overwrites, as progress bars do, the last remains.
    """

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, piece: bytes) -> list[str]:
        """Take a piece; return the lines that are complete."""
        *whole, rest = (self._rest + self._decoder.decode(piece)).split("\n")
        lines = [part for line in whole for part in _parts(_overwritten(line).removesuffix("\r"))]
        *begun, self._rest = _parts(_overwritten(rest))
        return lines + begun

    def end(self) -> list[str]:
        """Return what stands there without a line break, and forget it."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        return _parts(_overwritten(rest).removesuffix("\r")) if rest else []


def _overwritten(line: str) -> str:
    if "\r" not in line:
        return line
    text = line.rstrip("\r")
    last = text[text.rfind("\r") + 1 :]
    return last if len(text) == len(line) else last + "\r"  # the next piece may overwrite it


def _parts(line: str) -> list[str]:
    if len(line) <= LINE_CHARS:
        return [line]
    return [line[at : at + LINE_CHARS] for at in range(0, len(line), LINE_CHARS)]
