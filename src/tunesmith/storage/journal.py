"""One file of checked lines that processes of many machines append to.

Each line is a JSON array: a checksum, how many lines of the same append follow, the study, the text::

    ["tunesmith",1,"5b0c…"]
    ["9a3f01bc",1,"digits",{"type":"created",…}]
    ["03c1d27e",0,"digits",{"type":"joined",…}]
    ["77d0e1f2",0,"digits"]

The last one deletes the study. A checksum covers its line and all before it, so that nothing can be lost or
swapped in the middle unnoticed. Who appends holds a lock of the operating system, which dies with its process; what
such a process left half-written is no whole append, so nobody reads it, and who appends next cuts it off. The
file is opened for each use: only then does a network drive show what others have written.
"""

import errno
import fcntl
import json
import os
import secrets
import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom
from typing import Final, TypeAlias, TypeVar, final

from tunesmith._core.errors import StorageError
from tunesmith.storage.forks import ForkLock

T = TypeVar("T")
Line: TypeAlias = tuple[str, str | None]
"""A study and a text; None: the study is deleted."""

FORMAT: Final = 1
BEGIN: Final = b'["tunesmith",'
HEADER: Final = len(f'["tunesmith",{FORMAT},"{"0" * 16}"]\n')  # bytes
CHECKED: Final = len('["00000000",')  # where that begins which a checksum covers
PATIENCE_S: Final = 60.0  # longer than any honest writer holds the lock
PAUSES_S: Final = (0.0001, 0.01)  # first and longest

_random = SystemRandom()  # pauses leave the user's generators alone, and differ between forks


@final
class Places:
    """Where the texts of one study's lines are.

    Attributes:
        begins: Of each, in bytes from the file's begin.
        sizes: In bytes.
        checks: The checksums of their lines.
    """

    __slots__ = ("begins", "checks", "sizes")

    def __init__(self) -> None:
        self.begins, self.sizes, self.checks = array("Q"), array("Q"), array("L")

    def __len__(self) -> int:
        return len(self.begins)


@final
class Journal:
    """The file, and what this process knows of it.

    Args:
        path: Absolute path.
        flush: Whether every append waits for the disk.

    Attributes:
        studies: Where the lines of each study are; as far as the file was followed; of use within `read` and `write`.
    """

    def __init__(self, path: Path, *, flush: bool) -> None:
        self.path = path
        self._flush = flush
        self._fork_lock = ForkLock()
        self._forget(b"")

    def _forget(self, header: bytes) -> None:
        self._header = header
        self._end = len(header)  # up to here, whole appends are known
        self._check = zlib.crc32(header)
        self.studies: dict[str, Places] = {}

    def size(self) -> int:
        """Return how many bytes there are; it tells cheaply whether anything has changed."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def read(self, work: Callable[[int], T], missing: T) -> T:
        """Return what `work` makes of the open file, or `missing` if there is none.

        Raises:
            StorageError: It cannot be read, or it is damaged.
        """
        with self._fork_lock.lock, explained(self.path):
            try:
                file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._forget(b"")
                return missing
            try:
                if not self._follow(file):  # others may be writing: look again when nobody does
                    self._lock(file, fcntl.LOCK_SH)
                    self._follow_whole(file)
                return work(file)
            finally:
                os.close(file)

    def write(self, work: Callable[[int], Sequence[Line]]) -> None:
        """Append at once, durably, the lines that `work` makes of the open file.

        What a process left half-written is cut off before.

        Raises:
            StorageError: The file cannot be written, or it is damaged; nothing was appended.
        """
        with self._fork_lock.lock, explained(self.path):
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                self._lock(file, fcntl.LOCK_EX)
                self._follow_whole(file)
                if lines := work(file):
                    self._append(file, lines)
                    self._follow(file)
            finally:
                os.close(file)  # and the lock with it

    def length(self, study: str) -> int:
        """Return how many lines a study has, as far as the file was followed."""
        places = self.studies.get(study)
        return 0 if places is None else len(places)

    def mark(self, study: str, length: int) -> str | None:
        """Return what tells the first `length` lines of a study from all others; None: there are fewer."""
        if not 0 < max(length, 1) <= self.length(study):
            return None
        return (
            f"{self._header.decode()[-19:-3]}-{self.studies[study].checks[max(length, 1) - 1]:08x}"
        )

    def texts(self, file: int, study: str, start: int = 0, limit: int | None = None) -> list[str]:
        """Return the texts of a study's lines from `start` on, at most `limit`, of the open file."""
        end = self.length(study) if limit is None else min(self.length(study), start + limit)
        if start >= end:
            return []
        places = self.studies[study]
        begins, sizes = places.begins[start:end], places.sizes[start:end]
        data = _bytes_of(file, begins[0], begins[-1] + sizes[-1])
        spans = zip(begins, sizes, strict=True)
        return [data[at - begins[0] : at - begins[0] + size].decode() for at, size in spans]

    def _append(self, file: int, lines: Sequence[Line]) -> None:
        begin, check, data = self._end, self._check, bytearray()
        if not self._header:
            data += f'["tunesmith",{FORMAT},"{secrets.token_hex(8)}"]\n'.encode()
            check = zlib.crc32(data)
        following = len(lines)
        for study, text in lines:
            following -= 1
            rest = "" if text is None else f",{text}"
            checked = f"{following},{_quoted(study)}{rest}]".encode()
            check = zlib.crc32(checked, check)
            data += b'["%08x",%b\n' % (check, checked)
        os.ftruncate(file, begin)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(file, data[written:], begin + written)
            if self._flush:
                os.fsync(file)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(file, begin)
            raise

    def _follow_whole(self, file: int) -> None:
        if not self._follow(file):
            where = f"{self.path} is damaged after {self._end} bytes"
            raise StorageError(
                f"{where}; take a copy of it, and cut it there to go on without the rest"
            )

    def _follow(self, file: int) -> bool:
        """Take notice of the whole appends that are new; false: a line's checksum is wrong."""
        header, size = os.pread(file, HEADER, 0), os.fstat(file).st_size
        if not (header.startswith(BEGIN) or BEGIN.startswith(header)):
            raise StorageError(f"{self.path} is a file of another program; name another file")
        if len(header) < HEADER:  # nothing was ever appended as a whole
            self._forget(b"")
            return True
        if header != self._header or size < self._end:  # another file has taken its place
            self._check_format(header)
            self._forget(header)
        if size == self._end:
            return True
        try:
            return self._take(_bytes_of(file, self._end, size))
        except BaseException:  # an interrupt: what is half known is not known
            self._forget(b"")
            raise

    def _check_format(self, header: bytes) -> None:
        version = header[len(BEGIN) :].partition(b",")[0].decode(errors="replace")
        if version != str(FORMAT):
            raise StorageError(
                f"{self.path} has storage format {version}, this Tunesmith knows format {FORMAT}; "
                "upgrade Tunesmith"
            )

    def _take(self, data: bytes) -> bool:
        """Take notice of the whole appends in `data`, which follows what is known."""
        base, check, at = self._end, self._check, 0
        names: dict[bytes, str] = {}
        append: list[tuple[str, int, int, int]] = []
        while (stop := data.find(b"\n", at)) >= 0:
            check = zlib.crc32(data[at + CHECKED : stop], check)
            if data[at : at + CHECKED] != b'["%08x",' % check:
                return False
            comma = data.index(b",", at + CHECKED)
            quote = data.index(b'"', comma + 2)
            name = data[comma + 1 : quote + 1]
            if name not in names:
                names[name] = json.loads(name)
            begin, size = base + quote + 2, stop - quote - 3  # without the last bracket
            append.append((names[name], begin, size, check))
            if data[at + CHECKED : comma] == b"0":
                self._note(append)
                append.clear()
                self._end, self._check = base + stop + 1, check
            at = stop + 1
        return True

    def _note(self, append: list[tuple[str, int, int, int]]) -> None:
        for study, begin, size, check in append:
            if size < 0:
                self.studies.pop(study, None)
                continue
            places = self.studies.get(study)
            if places is None:
                places = self.studies[study] = Places()
            places.begins.append(begin)
            places.sizes.append(size)
            places.checks.append(check)

    def _lock(self, file: int, how: int) -> None:
        pause_s, longest_s = PAUSES_S
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StorageError(
                        f"{self.path} has been locked by another program for {PATIENCE_S:g} s; "
                        "close that program and try again"
                    ) from None
            else:
                return
            time.sleep(_random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, longest_s)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file at `path` into one sentence.

    Raises:
        StorageError: Something did.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(_sentence(error, path)) from None
    except UnicodeEncodeError as error:
        raise StorageError(f"{path} keeps only text that is UTF-8: {error}") from None


def _sentence(error: OSError, path: Path) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return f"no room is left for {path}; what it keeps is safe, make room and go on"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{path} may not be used ({error.strerror}); check the permissions of the file and its folder"
        case errno.EISDIR:
            return f"{path} is a folder, a storage is a file; name a file in it"
        case errno.ENOENT | errno.ENOTDIR:
            return f"{path} cannot be made, as {path.parent} is no folder; create that first"
        case errno.ENOLCK | errno.ENOTSUP | errno.ENOSYS:
            return f"{path} lies on a drive without locks ({error.strerror}); mount it with them, or name another place"
        case _:
            return (
                f"{path} cannot be read or written ({error.strerror}); check its drive, then go on"
            )


def _bytes_of(file: int, begin: int, end: int) -> bytes:
    """What lies from `begin` to before `end`, or less if the file is shorter by now."""
    parts = []
    while begin < end and (part := os.pread(file, end - begin, begin)):
        parts.append(part)
        begin += len(part)
    return b"".join(parts)


def _quoted(name: str) -> str:
    """The name as JSON in which the next quotation mark is always the last."""
    inside = json.dumps(name, ensure_ascii=False)[1:-1]
    return f'"{inside.replace(2 * chr(92), chr(92) + "u005c").replace(chr(92) + chr(34), chr(92) + "u0022")}"'
