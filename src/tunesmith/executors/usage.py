"""What processes use, as Linux tells it in /proc; a process that is gone uses nothing."""

import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Return the seconds that a process has computed, all its threads together."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S if fields else 0.0


def sessions() -> dict[int, list[int]]:
    """Return the ids of this user's processes by that of their session."""
    found: dict[int, list[int]] = defaultdict(list)
    user = os.getuid()
    with os.scandir("/proc") as entries:
        for entry in entries:
            with suppress(OSError):  # it has ended meanwhile
                if entry.name.isdigit() and entry.stat().st_uid == user:
                    pid = int(entry.name)
                    if fields := _stat(pid):
                        found[int(fields[3])].append(pid)
    return found


def memory_bytes(pids: Iterable[int], above: float) -> int:
    """Return the memory that processes have in use together, in bytes.

    First what is resident: that is quick, but counts pages that a fork shares once for each, and
    those of mapped files. Only where that exceeds `above`, the proportional share is taken of
    what is not backed by a file.
    """
    resident = sum(_resident_bytes(pid) for pid in pids)
    return resident if resident <= above else sum(_own_bytes(pid) for pid in pids)


def _read(pid: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    return ""


def _stat(pid: int) -> list[str]:
    """Fields 3 (state) and following of proc_pid_stat(5): 6 is the session, 14 and 15 cpu time."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _resident_bytes(pid: int) -> int:
    fields = _read(pid, "statm").split()
    return int(fields[1]) * _PAGE_BYTES if fields else 0


def _own_bytes(pid: int) -> int:
    """Pss_Anon and Pss_Shmem of proc_pid_smaps(5), or all of Pss where Linux does not divide it."""
    lines = (line.split() for line in _read(pid, "smaps_rollup").splitlines()[1:])
    kib = {line[0]: int(line[1]) for line in lines}
    if "Pss_Anon:" in kib:
        return (kib["Pss_Anon:"] + kib["Pss_Shmem:"]) * 1024
    return kib["Pss:"] * 1024 if "Pss:" in kib else _resident_bytes(pid)
