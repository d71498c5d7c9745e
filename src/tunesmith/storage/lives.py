"""Who is alive, told by files that are touched.

When each was touched is compared with a file that is touched now: both times come from the clock of the
file system, so that the clocks of the machines do not matter.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, final

CLOCK: Final = ".now"
FORGOTTEN_S: Final = 86_400.0  # after which the file of an owner who left without a word is removed


@final
class Lives:
    """The owners of studies, a file each.

    Args:
        folder: Where; made by the first beat.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        """Say that an owner lives for another `ttl_s` seconds; 0: it left."""
        file = self._folder / hashlib.sha256(f"{study}\0{owner}".encode()).hexdigest()[:32]
        if ttl_s <= 0:
            file.unlink(missing_ok=True)
            return
        said = json.dumps([study, owner, ttl_s])
        with suppress(FileNotFoundError):
            if file.read_text() == said:
                os.utime(file)
                return
        self._folder.mkdir(exist_ok=True)
        new = self._folder / f".{secrets.token_hex(8)}"
        new.write_text(said)
        new.replace(file)
        for other, (_, _, ttl), touched in self._said():
            if touched + ttl + FORGOTTEN_S < self._now():
                other.unlink(missing_ok=True)

    def alive(self, study: str) -> set[str]:
        """Return the owners whose last beat still holds."""
        found = [
            (owner, touched + ttl) for _, (of, owner, ttl), touched in self._said() if of == study
        ]
        now = self._now() if found else 0.0
        return {owner for owner, until in found if until > now}

    def forget(self, study: str) -> None:
        """Remove the owners of a study."""
        for file, (of, _, _), _ in self._said():
            if of == study:
                file.unlink(missing_ok=True)

    def _now(self) -> float:
        try:
            clock = self._folder / CLOCK
            clock.touch()
            return clock.stat().st_mtime
        except OSError:  # it may only be read
            return time.time()

    def _said(self) -> Iterator[tuple[Path, tuple[str, str, float], float]]:
        """Each file, what it says, and when it was touched."""
        try:
            entries = sorted(os.scandir(self._folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            with suppress(FileNotFoundError):  # it left meanwhile
                file = Path(entry.path)
                study, owner, ttl = json.loads(file.read_text())
                yield file, (study, owner, ttl), file.stat().st_mtime
