"""Kept studies: list, load and delete them."""

from pathlib import Path
from typing import Any, TypeVar, overload

from tunesmith.samplers import Sampler
from tunesmith.space import Space, space_of
from tunesmith.storage import Storage
from tunesmith.study import opening
from tunesmith.study.ledger import Ledger
from tunesmith.study.study import Study

P = TypeVar("P")


def studies(storage: Storage | str | Path | None = None) -> list[str]:
    """Return the names of all studies in a storage.

    Args:
        storage: A path or URL; by default `$TUNESMITH_STORAGE`, or `./tunesmith.db`.
    """
    return opening.kept_at(storage).names()


def delete(storage: Storage | str | Path | None, name: str) -> None:
    """Remove a study and everything kept of it.

    Raises:
        StudyNotFound: There is none of this name.
    """
    found = opening.kept_at(storage)
    Ledger(found, name)
    found.delete(name)


@overload
def load(
    storage: Storage | str | Path | None,
    name: str,
    space: type[P] | Space[P],
    *,
    sampler: Sampler[Any] | None = None,
) -> Study[P]: ...
@overload
def load(
    storage: Storage | str | Path | None,
    name: str,
    space: None = None,
    *,
    sampler: Sampler[Any] | None = None,
) -> Study[Any]: ...
def load(
    storage: Storage | str | Path | None,
    name: str,
    space: Any = None,
    *,
    sampler: Sampler[Any] | None = None,
) -> Study[Any]:
    """Open a kept study.

    Args:
        storage: A path or URL; None: `$TUNESMITH_STORAGE`, or `./tunesmith.db`.
        name: The study.
        space: The class or space it was made with, so that params have that form again. Without
            it, `run` takes the class from the objective's annotation; until then params are a
            read-only namespace, with labels in the place of objects.
        sampler: Who goes on, if not the one that the log names.

    Raises:
        StudyNotFound: There is none of this name.
        StudyError: The space differs from the log's.
    """
    ledger: Ledger[Any] = Ledger(opening.kept_at(storage), name)
    if space is not None:
        ledger = opening.with_space(ledger, space_of(space))
    return Study.opened(ledger, sampler)
