"""A run in the background: a process of its own that goes on when the one that started it ends."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, final
from urllib.parse import quote

from tunesmith._core.errors import SettingError, StudyError
from tunesmith.executors.frames import dumps
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.space import Space
from tunesmith.storage import Memory, Storage
from tunesmith.study.options import Running

_READY = 3  # the file descriptor on which it says that it has understood
_BEGIN = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    f"from tunesmith.study.coordinator import main; main({_READY})"
)


@final
@dataclass(frozen=True, slots=True)
class Job:
    """What a coordinator is told.

    Attributes:
        stops: How many commands to stop were known when the run was asked for.
        options: The arguments of `Study.run`.
        data: Fingerprint of the data.
    """

    storage: Storage
    name: str
    space: Space[Any]
    sampler: Sampler[Any] | None
    scheduler: Scheduler[Any] | None
    objective: Callable[..., Any]
    stops: int
    options: Running
    data: str


def start(job: Job) -> tuple[int, Path]:
    """Start a coordinator in the working directory, in a session of its own.

    Returns:
        Its process id, and the file that its output is appended to.

    Raises:
        SettingError: The study is in memory, where no other process can reach it.
        StudyError: It did not come up; says why.
    """
    if isinstance(job.storage, Memory):
        raise SettingError(
            "a run in the background needs a study that other processes can reach; give it a "
            'name="..." to keep it in a file'
        )
    output = Path(f"{quote(job.name, safe=' ')}.log")
    with ExitStack() as stack:
        told = stack.enter_context(TemporaryFile())
        told.write(
            dumps(job, "the objective", "make locks, open files and connections inside of it")
        )
        told.seek(0)
        heard, ready = os.pipe()
        said = stack.enter_context(os.fdopen(heard, "rb"))
        try:
            before = output.stat().st_size if output.exists() else 0
            pid = _spawn(told.fileno(), ready, output)
        finally:
            os.close(ready)
        # whoever starts it reaps it, if it is still there
        threading.Thread(target=_reap, args=(pid,), daemon=True).start()
        if not said.read(1):
            last = output.read_bytes()[before:].decode(errors="replace").strip().splitlines()[-1:]
            raise StudyError(
                f"the run in the background did not come up: {''.join(last)} (see ./{output})"
            )
    return pid, output


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # the system does it, where SIGCHLD is ignored
        os.waitpid(pid, 0)


def _spawn(told: int, ready: int, output: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", _BEGIN, *sys.path],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, told, 0),
            (os.POSIX_SPAWN_DUP2, ready, _READY),
            (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o666),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
