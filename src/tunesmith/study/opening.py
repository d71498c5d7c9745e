"""Making a study, or opening one that exists and refusing what differs from it."""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith._core import checks
from tunesmith._core.errors import Conflict, SettingError, StudyError
from tunesmith._core.types import P
from tunesmith.records import Problem
from tunesmith.records.events import FORMAT, Configured, Created, Enqueued, to_line
from tunesmith.samplers import Sampler
from tunesmith.space import Space
from tunesmith.storage import Memory, Storage, connect
from tunesmith.study.ledger import Ledger
from tunesmith.study.parts import part_of, sampler_of, versions
from tunesmith.study.proposer import Proposer

DEFAULT_PATH = "./tunesmith.db"


def place(storage: Storage | str | Path | None, name: str | None) -> tuple[Storage, str]:
    """Return where a study is kept, and its name there.

    Raises:
        SettingError: A storage is given and no name.
    """
    if name is None and storage is None:
        return Memory(), "study"
    if name is None:
        raise SettingError('a storage keeps studies by name; add name="...", such as name="digits"')
    return kept_at(storage), checks.text("name=", name)


def kept_at(storage: Storage | str | Path | None) -> Storage:
    """Return the storage meant, by default the one of this environment or folder."""
    meant = os.environ.get("TUNESMITH_STORAGE") or DEFAULT_PATH if storage is None else storage
    if not isinstance(meant, Storage | str | os.PathLike):
        raise SettingError(f"a storage is a path or a URL, such as 'tunesmith.db', got {meant!r}")
    return connect(meant)


def create(
    storage: Storage,
    name: str,
    problem: Problem[P],
    sampler: Sampler[Any],
    seed: int,
    deterministic: int | None,
) -> None:
    """Begin the log of a study; the baseline is queued in the same append.

    Raises:
        NotSupported: The sampler cannot do what the problem asks; nothing was kept.
        Conflict: The study exists.
    """
    if not isinstance(sampler, Sampler):
        raise SettingError(f"sampler= takes one such as ts.samplers.Random(), got {sampler!r}")
    Proposer(problem, sampler, seed)
    now = time.time()
    events: list[Created | Enqueued] = [
        Created(
            time=now,
            format=FORMAT,
            problem=problem.to_text(),
            seed=seed,
            sampler=part_of(sampler),
            deterministic=deterministic,
            versions=versions(),
        )
    ]
    if sampler.baseline:
        params, whole = problem.space.default()
        note = "default" if whole else "centre"
        events.append(Enqueued(time=now, id="default", params=params, by="default", note=note))
    storage.append(name, [to_line(event) for event in events], expect=0)


def refuse(ledger: Ledger[Any], differences: list[str]) -> None:
    """Refuse to go on with a study that differs.

    Raises:
        StudyError: There are differences; says which, and the ways out.
    """
    if differences:
        where = f"{ledger.storage.url!r}, {ledger.name!r}"
        raise StudyError(
            f"the study {ledger.name!r} in {ledger.storage.url} is another one: "
            f"{'; '.join(differences)}. Give this one another name, open that one with "
            f"ts.load({where}), or remove it with ts.delete({where})"
        )


def with_space(ledger: Ledger[Any], space: Space[P]) -> Ledger[P]:
    """Return the log folded again with params in the form of `space`.

    Raises:
        StudyError: The space is another one than the log's.
    """
    refuse(ledger, space.difference(ledger.fold.history.problem.space))
    return Ledger(ledger.storage, ledger.name, space, ledger.clock)


def compare(
    ledger: Ledger[P], problem: Problem[P], seed: int | None, deterministic: int | None
) -> None:
    """Refuse to go on with a study under another problem, seed or order.

    Raises:
        StudyError: Something differs.
    """
    created = ledger.fold.created
    theirs, ours = created.problem, problem.to_text()
    differences = problem.space.difference(Space.from_json(theirs.space))
    for word in ("objectives", "limits", "resource", "value"):
        old, new = getattr(theirs, word), getattr(ours, word)
        if old != new:
            differences.append(f"{word}: {new!r} here, {old!r} there")
    for word, given in (("seed", seed), ("deterministic", deterministic)):
        old = getattr(created, word)
        if given is not None and given != old:
            differences.append(f"{word}: {given} here, {old} there")
    refuse(ledger, differences)


def open_study(
    problem: Problem[P],
    sampler: Sampler[Any] | None,
    default: Sampler[Any],
    storage: Storage,
    name: str,
    seed: int | None,
    deterministic: int | None,
) -> tuple[Ledger[P], tuple[Sampler[Any] | None, int]]:
    """Return the log of a study, made now if there is none, and what `configure` says of it.

    Raises:
        StudyError: It exists and is another study.
    """
    if not storage.read(name, 0, 1):
        drawn = secrets.randbits(32) if seed is None else seed
        with suppress(Conflict):  # another process made it at this moment
            create(storage, name, problem, sampler or default, drawn, deterministic)
    ledger = Ledger(storage, name, problem.space)
    compare(ledger, problem, seed, deterministic)
    return ledger, configure(ledger, sampler)


def configure(ledger: Ledger[P], sampler: Sampler[Any] | None) -> tuple[Sampler[Any] | None, int]:
    """Return the sampler that goes on, and the position of the event that names it.

    Another one than the log's is put into the log. There is none if none is given, and the log's
    is not registered here: such a study can be read.
    """
    part = ledger.fold.sampler
    if sampler is not None and not isinstance(sampler, Sampler):
        raise SettingError(f"sampler= takes one such as ts.samplers.Random(), got {sampler!r}")
    if sampler is None:
        return sampler_of(part), ledger.fold.configured
    own = part_of(sampler)
    while own != ledger.fold.sampler:
        identity = secrets.token_hex(8)
        event = Configured(time=ledger.clock(), id=identity, sampler=own, versions=versions())
        with suppress(Conflict):  # another process opened it at this moment
            ledger.append(event, expect=True)
        ledger.sync()
    return sampler, ledger.fold.configured
