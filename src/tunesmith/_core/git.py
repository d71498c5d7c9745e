"""The commit of a working directory, and what differs from it, asked of git in one short call."""

import os
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from tunesmith._core.fingerprint import short_hash

TIMEOUT_S = 0.5  # in a repository so large that it takes longer, nothing is said
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--no-renames")


@final
@dataclass(frozen=True, slots=True)
class Revision:
    """Where a repository stands.

    Attributes:
        commit: The whole name of the commit; empty: there is none yet, or git does not say.
        dirty: Short hash of the tracked files that differ from it; empty: none does.
    """

    commit: str = ""
    dirty: str = ""


def root_of(folder: Path) -> Path | None:
    """Return the top of the repository that a folder lies in, or None."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def revision(root: Path) -> Revision:
    """Return where the repository at `root` stood within the last second; nothing in it is changed."""
    return _revision(root, int(time.monotonic()))


@lru_cache(maxsize=8)
def _revision(root: Path, _second: int) -> Revision:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            ["git", "-c", "core.fsmonitor=false", "-C", root, *_STATUS],  # noqa: S607 - the user's git
            env={**own, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return Revision()
    commit, changed = "", []
    for line in done.stdout.split(b"\0"):
        kind, _, rest = line.partition(b" ")
        if line.startswith(b"# branch.oid "):
            commit = line.split()[2].decode()
        elif kind in (b"1", b"u"):  # changed; unmerged, with three more columns
            changed.append(rest.split(b" ", 7 if kind == b"1" else 9)[-1])
    if commit == "(initial)":
        commit = ""
    states = b"".join(name + b"\0" + _content(root, name) for name in sorted(changed))
    return Revision(commit, short_hash(states) if changed else "")


def _content(root: Path, name: bytes) -> bytes:
    path = root / os.fsdecode(name)
    try:
        return path.read_bytes()
    except OSError:  # it was removed
        return b""
