"""The storage in one file of JSON lines, for processes of many machines that share a drive."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Self, final

from tunesmith._core.errors import SettingError, StudyNotFound
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.folder import Folder
from tunesmith.storage.journal import Journal, Line, explained
from tunesmith.storage.lives import Lives
from tunesmith.storage.storage import Storage, check_first, expected, gone, poll

ENDING: Final = ".jsonl"
PAUSES_S: Final = (0.005, 0.25)  # of `wait`: first and longest


@final
class JSONL(Storage):
    """Keeps logs in one text file, made when it is first written, and what belongs to them beside it.

    It is for a drive that several machines share, such as NFS with locks, and for whoever wants to read and keep a
    study as text. Beside `study.jsonl` lie `study.jsonl.owners`, of those who run it now, `study.jsonl.folds`, which
    may be removed at any time, and `study.jsonl.files` with checkpoints.

    Args:
        path: The file. Its folder must exist.
        durability: "normal": a power cut may lose the last moments; "full": every append waits for the disk.

    Raises:
        SettingError: `path` is empty, or `durability` is neither.
    """

    def __init__(
        self, path: str | os.PathLike[str], durability: Literal["normal", "full"] = "normal"
    ) -> None:
        if durability not in ("normal", "full"):
            raise SettingError(f'durability must be "normal" or "full", got {durability!r}')
        if not os.fspath(path):
            raise SettingError('JSONL needs the path of a file, got ""; write "study.jsonl"')
        self._path = Path(path).expanduser().absolute()
        self._durability = durability
        self._journal = Journal(self._path, flush=durability == "full")
        self._lives = Lives(self._beside("owners"))

    def _beside(self, what: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{what}")

    def __reduce__(self) -> tuple[type["JSONL"], tuple[Path, str]]:
        return JSONL, (self._path, self._durability)

    def __repr__(self) -> str:
        return f"JSONL({self.url!r})"

    @classmethod
    def open(cls, address: str) -> Self:
        if not address.startswith("/"):
            raise SettingError(f"jsonl://{address} needs a third slash: jsonl:///{address}")
        return cls(address[1:])

    @property
    def url(self) -> str:
        return str(self._path)

    @property
    def files(self) -> Blobs | None:
        return Folder(self._beside("files"))

    def append(
        self,
        study: str,
        lines: Sequence[str],
        expect: int | None = None,
        first: str | None = None,
    ) -> int:
        if not study:
            raise SettingError("a study's name may not be empty; give it one")
        if not lines:
            expected(expect, length := self._length(study))
            return length
        length = 0

        def work(file: int) -> list[Line]:
            nonlocal length
            length = self._journal.length(study)
            if first is not None and self._journal.texts(file, study, 0, 1) != [first]:
                raise StudyNotFound(gone(study, self.url))
            expected(expect, length)
            return [(study, line) for line in lines]

        self._journal.write(work)
        return length + len(lines)

    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        def work(file: int) -> list[str]:
            if first is not None:
                check_first(first, self._journal.texts(file, study, 0, 1), study, self.url)
            return self._journal.texts(file, study, start, limit)

        return self._journal.read(work, [])

    def wait(self, study: str, length: int, timeout_s: float) -> int:
        size, known = -1, length

        def now() -> int:
            nonlocal size, known
            if (
                bytes_now := self._journal.size()
            ) != size:  # opening it is left to when it has changed
                size, known = bytes_now, self._length(study)
            return known

        return poll(now, length, timeout_s, PAUSES_S)

    def names(self) -> list[str]:
        return self._journal.read(lambda _: sorted(self._journal.studies), [])

    def delete(self, study: str) -> None:
        if study in self.names():
            self._journal.write(lambda _: [(study, None)] if self._journal.length(study) else [])
        self._lives.forget(study)
        self._fold(study).unlink(missing_ok=True)

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        with explained(self._path):
            self._lives.beat(study, owner, ttl_s)

    def alive(self, study: str) -> set[str]:
        with explained(self._path):
            return self._lives.alive(study)

    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        stands = self._journal.read(lambda _: self._journal.mark(study, length), None)
        if stands is None:
            return
        file = self._fold(study)
        with explained(self._path):
            file.parent.mkdir(exist_ok=True)
            new = file.with_name(f".{secrets.token_hex(8)}")
            new.write_bytes(f"{length} {stands}\n".encode() + fold)
            new.replace(file)

    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        try:
            head, _, fold = self._fold(study).read_bytes().partition(b"\n")
        except OSError:
            return None  # it is disposable
        length, stands = head.decode().split()
        if stands != self._journal.read(lambda _: self._journal.mark(study, int(length)), None):
            return None  # of another log
        return int(length), fold

    def close(self) -> None:
        """Do nothing: the file is opened for each use."""

    def _length(self, study: str) -> int:
        return self._journal.read(lambda _: self._journal.length(study), 0)

    def _fold(self, study: str) -> Path:
        return self._beside("folds") / hashlib.sha256(study.encode()).hexdigest()[:32]
