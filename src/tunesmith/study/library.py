"""Kept studies: list, load and delete them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, overload

from tunesmith._core.errors import StudyNotFound
from tunesmith._core.types import P
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.space import Space
from tunesmith.storage import Storage
from tunesmith.study import opening
from tunesmith.study.beside import beside, searches
from tunesmith.study.files import files_at
from tunesmith.study.ledger import Ledger
from tunesmith.study.objectives import space_meant
from tunesmith.study.study import Study
from tunesmith.study.trial import Trial


def studies(storage: Storage | str | Path | None = None) -> list[str]:
    """Return the names of all studies in a storage.

    Args:
        storage: A path or URL; by default `$TUNESMITH_STORAGE`, or `./tunesmith.db`.
    """
    return opening.kept_at(storage).names()


def _only(storage: Storage) -> str:
    """The name of the only study there.

    Raises:
        StudyNotFound: There is none, or more than one.
    """
    names = searches(storage)
    if len(names) != 1:
        held = (
            f"holds {len(names)} studies; name one of {', '.join(names)}" if names else "is empty"
        )
        raise StudyNotFound(f"{storage.url} {held}")
    return names[0]


def delete(storage: Storage | str | Path | None, name: str) -> None:
    """Remove a study and everything kept of it, what lies beside it to confirm its best included.

    Raises:
        StudyNotFound: There is none of this name.
    """
    found = opening.kept_at(storage)
    if name not in found.names():
        Ledger(found, name)  # says what there is
    for one in [*(f"{name}{ending}" for ending in beside(found, name)), name]:
        files = files_at(found, one)
        found.delete(one)
        if files is not None:
            files.clear()


@overload
def load(
    storage: Storage | str | Path | None,
    name: str | None,
    space: Mapping[str, Any],
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    data: Any = None,
) -> Study[dict[str, Any]]: ...
@overload
def load(
    storage: Storage | str | Path | None,
    name: str | None,
    space: type[P] | Space[P] | Callable[[Trial[P]], Any],
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    data: Any = None,
) -> Study[P]: ...
@overload
def load(
    storage: Storage | str | Path | None,
    name: str | None,
    space: Callable[..., Any],
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    data: Any = None,
) -> Study[dict[str, Any]]: ...
@overload
def load(
    storage: Storage | str | Path | None,
    name: str | None = None,
    space: None = None,
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    data: Any = None,
) -> Study[Any]: ...
def load(
    storage: Storage | str | Path | None,
    name: str | None = None,
    space: Any = None,
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    data: Any = None,
) -> Study[Any]:
    """Open a kept study.

    Args:
        storage: A path or URL; None: `$TUNESMITH_STORAGE`, or `./tunesmith.db`.
        name: The study; None: the only one there.
        space: What it was made with: the dict, class, space or function, so that params have that
            form again, with the objects of their choices. Without it, params have labels in the
            place of objects, and a read-only namespace in the place of a dataclass, until `run`
            takes the class or the signature from the objective.
        sampler: Who goes on, if not the one that the log names.
        scheduler: Likewise; None: nobody decides how long trials go on.
        data: What it is tuned on; see `Study`.

    Raises:
        StudyNotFound: There is none of this name; or without a name none, or more than one.
        StudyError: The space, or the data, differ from the log's.
    """
    found = opening.kept_at(storage)
    ledger: Ledger[Any] = Ledger(found, _only(found) if name is None else name)
    if space is not None:
        ledger = opening.with_space(ledger, space_meant(space))
    opening.with_data(ledger, opening.data_given(data))
    return Study.opened(ledger, sampler, scheduler, bare=space is None)
