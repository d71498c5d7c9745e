"""Programs that run in several processes at once, on one trial: who leads, and what the others know in the end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from msgspec.structs import replace

from tunesmith._core.errors import SettingError
from tunesmith.executors import Executor
from tunesmith.records.events import to_line
from tunesmith.storage import Memory
from tunesmith.study.ledger import Ledger

TORCHRUN: Final = (
    "tunesmith.integrations.torch.ranks"  # by name: integrations stand above the study
)


def spanning(given: Mapping[str, object]) -> Executor | None:
    """Return what runs trials in all processes that `torchrun` has started, if it has; else None.

    Args:
        given: What was said of where trials run, by name; false where nothing was.

    Raises:
        SettingError: Something was.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return None
    for name, value in given.items():
        if value:
            raise SettingError(
                f"under torchrun one trial at a time runs on all ranks, so {name} has no meaning; leave it out"
            )
    made: Executor = import_module(TORCHRUN).Torchrun()
    return made


@contextmanager
def concluding(executor: Executor, ledger: Ledger[Any]) -> Iterator[None]:
    """Lead a run: at its end, the processes that run along get the log, or are told why there is none."""
    try:
        yield
    except BaseException as error:
        executor.conclude(error)
        raise
    executor.conclude(lambda: _log(ledger))


def _log(ledger: Ledger[Any]) -> list[str]:
    """The lines of a log, in the first of which is where its files are."""
    first, *lines = ledger.storage.read(ledger.name)
    created, files = ledger.fold.created, ledger.storage.files
    if not created.files and files is not None:
        first = to_line(replace(created, files=files.url))
    return [first, *lines]


def copied(ledger: Ledger[Any], lines: list[str]) -> Ledger[Any]:
    """Return a log that another process has written, as a copy in memory."""
    kept = ledger.storage
    storage = kept if isinstance(kept, Memory) else Memory()
    storage.delete(ledger.name)
    storage.append(ledger.name, lines)
    return ledger.elsewhere(storage, ledger.name, ledger.fold.history.problem.space)
