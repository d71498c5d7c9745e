"""How a trial is saved and loaded: in whichever process it runs, when it is told to or time has passed."""

import math
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias, final

from tunesmith._core.errors import SettingError, StorageError
from tunesmith.storage import Blobs

SAVE_EVERY_S: Final = 600.0
UNSAVED: Final = "not saved"  # the tag of the remark on a trial that could not be

# What becomes of a trial after its report, and whether it shall be saved before.
# "go on": as "continue", but it is another process that saves.
Answer: TypeAlias = Literal["continue", "go on", "save", "save and end", "end"]
Saver: TypeAlias = Callable[[Path], object]


class Link(Protocol):
    """Where a trial's words go: the study's process, or a channel to it."""

    def report(
        self,
        uid: str,
        attempt: int,
        step: int,
        metrics: dict[str, float],
        *,
        resumable: bool,
        key: str | None,
    ) -> Answer:
        """Keep a report, and the key of the checkpoint at its step, if there is one."""

    def saved(self, uid: str, attempt: int, step: int, key: str) -> None:
        """Take notice of a checkpoint, which is in the study's blobs.

        Raises:
            Superseded: Another attempt has taken over; the checkpoint is gone.
        """

    def attached(self, uid: str, attempt: int, name: str, key: str) -> None:
        """Take notice of what was attached, which is in the study's blobs.

        Raises:
            Superseded: Another attempt has taken over; what was put is gone.
        """

    def wanted(self, uid: str, attempt: int, metrics: dict[str, float]) -> bool:
        """Return whether a trial that ends with these metrics shall be saved."""

    def note(self, uid: str, text: str, tags: Sequence[str], values: Mapping[str, Any]) -> None:
        """Keep a remark."""


@final
class Saving:
    """What one attempt of a trial knows of its checkpoints.

    The checkpoint is in the blobs before the log has its key.

    Args:
        uid: The trial.
        attempt: Of it.
        key: Of the checkpoint that it goes on from; empty: none.
        files: Where checkpoints are kept; None: nowhere.
        link: Where the trial's words go.
    """

    __slots__ = (
        "_able", "_attempt", "_every_s", "_files", "_key", "_latest", "_link", "_noted", "_pending",
        "_save", "_stateless", "_uid",
    )  # fmt: skip

    def __init__(self, uid: str, attempt: int, key: str, files: Blobs | None, link: Link) -> None:
        self._uid = uid
        self._attempt = attempt
        self._key = key
        self._files = files
        self._link = link
        self._save: Saver | None = None
        self._every_s = math.inf
        self._latest = time.monotonic()
        self._stateless = False
        self._able = True
        self._noted = False
        self._pending: str | None = None  # saved, and not told yet

    @property
    def checkpoint(self) -> Path | None:
        """The folder that the trial goes on from.

        Raises:
            StorageError: It is not there any more.
        """
        if not self._key:
            return None
        folder = None if self._files is None else self._files.get(self._key)
        if folder is None:
            place = "nowhere" if self._files is None else self._files.url
            raise StorageError(
                f"the checkpoint {self._key!r} that this trial goes on from is not in {place}; were "
                "files moved or removed? Without them the trial cannot go on"
            )
        return folder

    @property
    def resumable(self) -> bool:
        """Whether the trial could go on later from where it is."""
        return self._stateless or self._pending is not None or (bool(self._save) and self._able)

    def use(self, save: Saver | None, load: Saver | None, every_s: float, step: int) -> None:
        """Take the functions that save and load; loads, if the trial goes on from after `step`."""
        self._stateless = save is None
        self._save = save
        self._every_s = every_s
        if save is not None:
            place_in(self._files)
        if load is not None and (folder := self.checkpoint):
            load(folder)
        elif load is not None and step:
            raise SettingError(
                f"this trial goes on after step {step}, and was said to need no checkpoint there; "
                "resumable(save=..., load=...) cannot begin in the middle: enqueue its params anew"
            )

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a folder to be filled; its key travels with the next report."""
        files = place_in(self._files)
        key = new_key(self._uid, self._attempt)
        with files.put(key) as folder:
            yield folder
        if self._pending is not None:
            files.delete(self._pending)
        self._pending = key
        self._latest = time.monotonic()

    def take(self) -> str | None:
        """Return the key that goes with a report; empty: nothing needs to be saved; None: no key."""
        key, self._pending = self._pending, None
        return "" if key is None and self._stateless else key

    def after(self, step: int, answer: Answer) -> None:
        """Save after the report of `step`, if that was answered, or it is time."""
        if self._save is not None:
            late = time.monotonic() - self._latest >= self._every_s
            if answer in ("save", "save and end") or (answer == "continue" and late):
                self._try(self._save, step)

    def end(self, step: int, metrics: dict[str, float]) -> None:
        """Save a trial that has returned, if somebody wants that."""
        if self._pending is not None:
            self._tell(step, self._pending)
        elif self._save is not None and self._link.wanted(self._uid, self._attempt, metrics):
            self._try(self._save, step)

    def _try(self, save: Saver, step: int) -> None:
        """Save; what goes wrong is noted once, and the trial goes on, or ends, as if it had not begun."""
        key = new_key(self._uid, self._attempt)
        self._latest = time.monotonic()
        try:
            with place_in(self._files).put(key) as folder:
                save(folder)
        except Exception as error:  # noqa: BLE001 - whatever a user's function may raise
            self._able = False
            if not self._noted:
                self._noted = True
                text = f"could not be saved at step {step}: {type(error).__name__}: {error}"
                self._link.note(self._uid, text, [UNSAVED], {})
            return
        self._able = True
        self._tell(step, key)

    def _tell(self, step: int, key: str) -> None:
        self._pending = None
        self._link.saved(self._uid, self._attempt, step, key)


def place_in(files: Blobs | None) -> Blobs:
    """Return where a study keeps files.

    Raises:
        SettingError: Nowhere.
    """
    if files is None:
        raise SettingError(
            "this study's storage has no place for files that all its processes reach; name one when it is "
            'made: a shared folder, or Study(..., files="s3://bucket/folder")'
        )
    return files


def new_key(uid: str, attempt: int) -> str:
    """Return a key for what an attempt of a trial puts; attempt 0: for what is put while none is running."""
    return f"{uid}-{attempt}-{secrets.token_hex(6)}"


def origin(key: str) -> tuple[str, int]:
    """Return the trial and the attempt that made a key; a key of others has no trial.

    Example:
        >>> origin("0.7-2-9f86d081884c")
        ('0.7', 2)
    """
    uid, _, rest = key.partition("-")
    attempt = rest.partition("-")[0]
    return (uid, int(attempt)) if attempt.isdecimal() else ("", 0)
