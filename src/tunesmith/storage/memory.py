"""The storage of studies that need not outlive their process: lists behind a lock."""

import threading
import time
from collections.abc import Sequence
from typing import Self, final

from tunesmith._core.errors import SettingError, StudyNotFound
from tunesmith._core.temporary import temporary
from tunesmith.storage.blobs import Blobs
from tunesmith.storage.folder import Folder
from tunesmith.storage.forks import ForkLock
from tunesmith.storage.storage import Storage, check_first, expected, gone


@final
class Memory(Storage):
    """Keeps logs in this process, for as long as the object lives.

    Example:
        >>> storage = Memory()
        >>> storage.append("digits", ["{}"])
        1
        >>> storage.read("digits")
        ['{}']
    """

    def __init__(self) -> None:
        self._fork_lock = ForkLock()
        self._grown = threading.Condition(self._fork_lock.lock)
        self._logs: dict[str, list[str]] = {}
        self._owners: dict[str, dict[str, float]] = {}  # study -> owner -> end of its lease
        self._folds: dict[str, tuple[int, bytes]] = {}
        self._files = Folder(temporary(self), mode=0o700)

    @classmethod
    def open(cls, address: str) -> Self:
        if address:
            raise SettingError(f'memory has no address, got {address!r}; write "memory"')
        return cls()

    @property
    def url(self) -> str:
        return "memory"

    @property
    def files(self) -> Blobs | None:
        return self._files

    def append(
        self,
        study: str,
        lines: Sequence[str],
        expect: int | None = None,
        first: str | None = None,
    ) -> int:
        if not study:
            raise SettingError("a study's name may not be empty; give it one")
        with self._grown:
            if first is not None and self._logs.get(study, [""])[0] != first:
                raise StudyNotFound(gone(study, self.url))
            length = len(self._logs.get(study, ()))
            expected(expect, length)
            if lines:
                self._logs.setdefault(study, []).extend(lines)
                self._grown.notify_all()
            return length + len(lines)

    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        with self._grown:
            check_first(first, self._logs.get(study, [])[:1], study, self.url)
            return self._logs.get(study, [])[start : None if limit is None else start + limit]

    def wait(self, study: str, length: int, timeout_s: float) -> int:
        with self._grown:
            self._grown.wait_for(lambda: len(self._logs.get(study, ())) > length, timeout_s)
            return len(self._logs.get(study, ()))

    def names(self) -> list[str]:
        with self._grown:
            return sorted(self._logs)

    def delete(self, study: str) -> None:
        with self._grown:
            for kept in (self._logs, self._owners, self._folds):
                kept.pop(study, None)

    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        with self._grown:
            self._owners.setdefault(study, {})[owner] = time.time() + ttl_s

    def alive(self, study: str) -> set[str]:
        with self._grown:
            now = time.time()
            return {owner for owner, until in self._owners.get(study, {}).items() if until > now}

    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        with self._grown:
            if len(self._logs.get(study, ())) >= max(length, 1):
                self._folds[study] = (length, fold)

    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        with self._grown:
            return self._folds.get(study)

    def close(self) -> None:
        """Do nothing: there is nothing to release, and a later use finds everything."""
