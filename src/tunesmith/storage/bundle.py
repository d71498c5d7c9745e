"""A bundle: one study in one file, to be read by whoever gets it and written by nobody.

A zip file with `study.json` (format and name), `log.jsonl`, the logs of what lies beside the study if its best was
confirmed (see `BESIDE`), and checkpoints in `checkpoints/<key>/`; what else lies in it, such as `report.html`, is for
people. What others send is not trusted: nothing is unpickled, names may not lead elsewhere, and sizes are bounded before
anything is read.
"""

import json
import shutil
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, Self, final
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile, ZipInfo

from tunesmith._core.errors import SettingError, StorageError, StudyNotFound
from tunesmith._core.temporary import temporary
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.folder import Folder
from tunesmith.storage.storage import Storage, check_first, expected, gone

ENDING: Final = ".tunesmith"
FORMAT: Final = 1
HEAD, LOG, CHECKPOINTS = "study.json", "log.jsonl", "checkpoints/"
CONFIRMS: Final = "-confirm"  # behind a study's name: the study that confirms its best,
BASELINE: Final = "-confirm-baseline"  # and that of what the best is compared with
BESIDE: Final = {
    CONFIRMS: "confirm.jsonl",
    BASELINE: "baseline.jsonl",
}  # and their logs in a bundle
MOST_HEAD, MOST_LOG, MOST_FILES = 1 << 20, 1 << 30, 1 << 36  # bytes, unpacked
MOST_NAMES = 100_000


@final
class Bundle(Storage):
    """Reads a bundle; its checkpoints are unpacked to a folder that goes with this process.

    Args:
        path: The file.

    Raises:
        StorageError: It is no bundle, or one that is not to be trusted.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser().absolute()
        # until this process ends: records, too, lead to what lies there
        self._files = Folder(temporary(Bundle), mode=0o700)
        try:
            with ZipFile(self._path) as packed:
                self._study, self._logs = self._read(packed)
        except FileNotFoundError:
            raise StorageError(
                f"there is no bundle {self._path}; `tunesmith bundle` makes one"
            ) from None
        except (BadZipFile, OSError, ValueError, KeyError, RuntimeError) as error:
            self._refuse(str(error))

    def __reduce__(self) -> tuple[type["Bundle"], tuple[Path]]:
        return Bundle, (self._path,)

    def _refuse(self, why: str) -> NoReturn:
        raise StorageError(f"{self._path} is no bundle that can be read: {why}") from None

    def _read(self, packed: ZipFile) -> tuple[str, dict[str, list[str]]]:
        entries = {info.filename: info for info in packed.infolist()}
        files = [info for name, info in entries.items() if name.startswith(CHECKPOINTS)]
        if len(entries) < len(packed.infolist()) or len(entries) > MOST_NAMES:
            self._refuse("names come twice, or there are too many")
        for infos, most in (
            ([entries[HEAD]], MOST_HEAD),
            ([entries[LOG]], MOST_LOG),
            *(([entries[log]], MOST_LOG) for log in BESIDE.values() if log in entries),
            (files, MOST_FILES),
        ):
            # no more than what is said here is ever unpacked
            if sum(info.file_size for info in infos) > most:
                self._refuse(f"{infos[0].filename} would have more than {most:,} bytes")
        head = json.loads(packed.read(HEAD))
        if not isinstance(head, dict) or not isinstance(head.get("name"), str) or not head["name"]:
            self._refuse("it does not say which study it has")
        if head.get("format") != FORMAT:
            self._refuse(f"it has format {head.get('format')!r}, this version reads {FORMAT}")
        self._unpack(packed, files, head["name"])
        name = head["name"]
        logs = {name: packed.read(LOG).decode().splitlines()}
        for ending, log in BESIDE.items():
            if log in entries:
                logs[f"{name}{ending}"] = packed.read(log).decode().splitlines()
        for lines in logs.values():
            created = json.loads(lines[0]) if lines else None
            if isinstance(created, dict) and created.get("files"):
                self._refuse(f"it has its files elsewhere, in {created['files']!r}")
        return name, logs

    def _unpack(self, packed: ZipFile, files: list[ZipInfo], study: str) -> None:
        by_key: dict[str, list[tuple[list[str], ZipInfo]]] = {}
        for info in files:
            name = info.filename.removeprefix(CHECKPOINTS)
            key, *inside = name.rstrip("/").split("/")
            link = stat.S_ISLNK(info.external_attr >> 16)
            if link or "\\" in name or "\0" in name or {"", ".", ".."} & {key, *inside}:
                self._refuse(f"{info.filename!r} may lead elsewhere")
            by_key.setdefault(key, []).append((inside, info))
        blobs = self._files.within(study)
        for key, listed in by_key.items():
            with blobs.put(unquote(key)) as folder:
                for parts, info in listed:
                    target = folder.joinpath(*parts)
                    if info.is_dir():
                        target.mkdir(parents=True, exist_ok=True)
                        continue
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with packed.open(info) as source, target.open("xb") as file:
                        shutil.copyfileobj(source, file)

    @classmethod
    def open(cls, address: str) -> Self:
        return cls(address)

    @property
    def url(self) -> str:
        return str(self._path)

    @property
    def files(self) -> Blobs | None:
        return self._files

    def _unwritten(self) -> NoReturn:
        name = self._path.name
        raise StorageError(
            f"{name} is a bundle, which is read and not written; to go on with it, keep it elsewhere: "
            f'ts.load("{name}").save("tunesmith.db")'
        )

    def append(
        self,
        study: str,
        lines: Sequence[str],
        expect: int | None = None,
        first: str | None = None,
    ) -> int:
        if lines:
            self._unwritten()
        if not study:
            raise SettingError("a study's name may not be empty; give it one")
        known = self.read(study)
        if first is not None and known[:1] != [first]:
            raise StudyNotFound(gone(study, self.url))
        expected(expect, len(known))
        return len(known)

    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        known = self._logs.get(study, [])
        check_first(first, known[:1], study, self.url)
        return known[start : None if limit is None else start + limit]

    def wait(self, study: str, length: int, timeout_s: float) -> int:
        known = len(self.read(study))
        if known <= length:  # it will not grow; who looks again and again would do nothing else
            time.sleep(timeout_s)
        return known

    def names(self) -> list[str]:
        return [self._study]  # what confirms it comes along unasked

    def delete(self, study: str) -> None:
        self._unwritten()

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        """Do nothing: nobody runs what nobody can write."""

    def alive(self, study: str) -> set[str]:
        return set()

    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        """Do nothing: it is disposable."""

    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        return None

    def close(self) -> None:
        """Do nothing: the file is read and closed."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
