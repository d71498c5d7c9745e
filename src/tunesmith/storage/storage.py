"""The contract of a storage: it keeps the lines of studies' logs and knows nothing of trials."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

from tunesmith._core.errors import Conflict, StudyNotFound
from tunesmith.storage.blobs import Blobs


def gone(study: str, url: str) -> str:
    """Return the sentence for a study that is not there any more."""
    return f"the study {study!r} in {url} was deleted meanwhile; open it anew to begin it again"


def expected(expect: int | None, length: int) -> None:
    """Check that a log has the length that is expected, if one is.

    Raises:
        Conflict: It has another.
    """
    if expect is not None and length != expect:
        raise Conflict(expect, length)


def check_first(first: str | None, line: Sequence[str], study: str, url: str) -> None:
    """Check that line 0 of a log, if it has one, is `first`, if that is given.

    Raises:
        StudyNotFound: It is another one.
    """
    if first is not None and line and line[0] != first:
        raise StudyNotFound(gone(study, url))


def poll(
    length_now: Callable[[], int], length: int, timeout_s: float, pauses_s: tuple[float, float]
) -> int:
    """Return the length as soon as it exceeds `length`, or when `timeout_s` is over.

    Args:
        length_now: Looks.
        length: That must be exceeded.
        timeout_s: Seconds.
        pauses_s: Between two looks: the first, and the longest.
    """
    deadline = time.monotonic() + timeout_s
    pause_s, longest_s = pauses_s
    while (now := length_now()) <= length:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        time.sleep(min(pause_s, left_s))
        pause_s = min(1.5 * pause_s, longest_s)
    return now


class Storage(ABC):
    """An ordered, append-only list of lines per study, and beside it who is alive.

    A study exists from its first line to its deletion. Lines are JSON texts without line breaks;
    a storage never looks into them. Objects may be used from any thread and after a fork.
    Reading what does not exist gives nothing and creates nothing.
    """

    @classmethod
    @abstractmethod
    def open(cls, address: str) -> Self:
        """Return the storage at `address`, which is what follows `scheme://` in its URL.

        Raises:
            SettingError: No storage can have this address.
        """

    @property
    @abstractmethod
    def url(self) -> str:
        """What `tunesmith.storage.connect` opens this storage again with, as shown to users."""

    @property
    @abstractmethod
    def files(self) -> Blobs | None:
        """Where files of its studies are kept if nobody says otherwise, such as checkpoints.

        None: it has no place that all its processes reach. Making one is left to the first `put`.
        """

    @abstractmethod
    def append(
        self,
        study: str,
        lines: Sequence[str],
        expect: int | None = None,
        first: str | None = None,
    ) -> int:
        """Append `lines` atomically and durably, in one total order over all processes.

        Args:
            study: Name of the study; it comes into being with its first line.
            lines: Lines to append, in order; with none, nothing happens but the check of `expect`.
            expect: Length that the log must have before.
            first: Line 0 that the log must have, so that a study is not taken for another one of
                its name that was made after its deletion.

        Returns:
            The new length of the log.

        Raises:
            StudyNotFound: The log has another line 0 than `first`, or there is none.
            Conflict: The log has another length than `expect`; nothing was appended.
            SettingError: The name of the study is empty.
            StorageError: The storage cannot be written; nothing was appended.
        """

    @abstractmethod
    def read(
        self, study: str, start: int = 0, limit: int | None = None, first: str | None = None
    ) -> list[str]:
        """Return the lines from position `start` on, at most `limit`; none for an unknown study.

        Raises:
            StudyNotFound: The log has another line 0 than `first`.
        """

    @abstractmethod
    def wait(self, study: str, length: int, timeout_s: float) -> int:
        """Return the log's length as soon as it exceeds `length`, or when `timeout_s` is over."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all studies, sorted."""

    @abstractmethod
    def delete(self, study: str) -> None:
        """Remove a study with everything kept of it; an unknown one is no error."""

    @abstractmethod
    def beat(self, study: str, owner: str, ttl_s: float) -> None:
        """Say that `owner` lives for another `ttl_s` seconds of the storage's clock; 0: it left.

        An owner may beat before the study's first line; that alone makes no study.
        """

    @abstractmethod
    def alive(self, study: str) -> set[str]:
        """Return the owners whose last beat still holds."""

    @abstractmethod
    def keep_fold(self, study: str, length: int, fold: bytes) -> None:
        """Keep a fold of the first `length` lines beside the log, in place of an earlier one.

        It is disposable: losing it costs time, never a fact. Of a log that has fewer lines (or
        none: the study was deleted meanwhile) nothing is kept.
        """

    @abstractmethod
    def kept_fold(self, study: str) -> tuple[int, bytes] | None:
        """Return the kept fold with the length it stands for, or None."""

    @abstractmethod
    def close(self) -> None:
        """Release files and connections; a later use opens them again."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # it is a place, which a copy of what writes there shares
