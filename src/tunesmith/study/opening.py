"""Making a study, or opening one that exists and refusing what differs from it."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, final, get_args

from msgspec import UNSET, UnsetType

from tunesmith._core import checks
from tunesmith._core.errors import Conflict, NotSupported, SettingError, StudyError
from tunesmith._core.fingerprint import fingerprint
from tunesmith._core.types import P
from tunesmith.records import Fold, Problem, Provenance
from tunesmith.records.events import FORMAT, Configured, Created, Enqueued, Keep, Part, to_line
from tunesmith.records.provenance import NOTHING
from tunesmith.replication import Fixed, Replication
from tunesmith.samplers import Auto, Sampler
from tunesmith.schedulers import ASHA, Scheduler
from tunesmith.space import Space
from tunesmith.storage import Blobs, Memory, Storage, connect
from tunesmith.storage.blobs import connect as connect_blobs
from tunesmith.study.ledger import Ledger
from tunesmith.study.parts import Parts, part_of, replication_of, sampler_of, scheduler_of, versions
from tunesmith.study.proposer import Proposer
from tunesmith.study.steering import Steering

DEFAULT_PATH = "./tunesmith.db"


@final
@dataclass(frozen=True, slots=True)
class How:
    """What a study is made with beside its problem and its parts; None: the log's, or the default.

    Attributes:
        seed: Of everything random; drawn by default.
        deterministic: See `Study`.
        files: URL below which its files are; empty: beside its storage.
        keep: Which checkpoints are kept.
        replicates: Which configurations are evaluated again.
        data: Fingerprint of the data.
    """

    seed: int | None = None
    deterministic: int | None = None
    files: str | None = None
    keep: Keep | None = None
    replicates: Part | None = None
    data: str | None = None


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


def kept_in(files: Blobs | str | Path | None) -> str | None:
    """Return where files are kept as the log names it.

    Raises:
        SettingError: They cannot be kept there.
    """
    if files is None:
        return None
    blobs = connect_blobs(files)
    blobs.check()
    return blobs.url


def kept(keep: Keep | None) -> Keep | None:
    """Return which checkpoints are kept.

    Raises:
        SettingError: There is no such way.
    """
    if keep is not None and keep not in get_args(Keep):
        ways = ", ".join(map(repr, get_args(Keep)))
        raise SettingError(f"keep_checkpoints= is one of {ways}, got {keep!r}")
    return keep


def repeated(replicates: Replication | int | None) -> Part | None:
    """Return which configurations are evaluated again as the log names it.

    Raises:
        SettingError: There is no such way, or it is not registered.
    """
    if replicates is None or replicates == 1:
        return None
    if not isinstance(replicates, Replication) and not checks.is_whole(replicates):
        raise SettingError(
            "replicates= is how often each configuration is evaluated, or one such as "
            f"ts.replication.Racing(), got {replicates!r}"
        )
    part = part_of(replicates if isinstance(replicates, Replication) else Fixed(replicates))
    if replication_of(part) is None:
        raise SettingError(
            f"{part.name} is not registered, so that no other process could open the study; see "
            "tunesmith.replication"
        )
    return part


def data_given(data: Any) -> str | None:
    """Return the fingerprint of data; None: none were given.

    Raises:
        SettingError: They have none.
    """
    return None if data is None else fingerprint(data)


def create(
    storage: Storage,
    name: str,
    problem: Problem[P],
    sampler: Sampler[Any],
    scheduler: Scheduler[Any] | None,
    how: How,
    clock: Callable[[], float] = time.time,
) -> None:
    """Begin the log of a study; the baseline is queued in the same append.

    Raises:
        NotSupported: The sampler or the scheduler cannot do what the problem asks; nothing was kept.
        Conflict: The study exists.
    """
    seed = secrets.randbits(32) if how.seed is None else how.seed
    repeats = replication_of(how.replicates)
    if repeats is not None:
        repeats.check(problem)
        _check_members(scheduler)
    Proposer(problem, sampler, seed)
    if scheduler is not None:
        Steering(problem, scheduler, seed)
        _check_order(scheduler, how.deterministic)
    now = clock()
    events: list[Created | Enqueued] = [
        Created(
            time=now,
            format=FORMAT,
            problem=problem.to_text(),
            seed=seed,
            sampler=part_of(sampler),
            scheduler=None if scheduler is None else part_of(scheduler),
            replicates=how.replicates,
            deterministic=how.deterministic,
            files=how.files or "",
            keep=how.keep or "best",
            versions=versions(),
            provenance=NOTHING if how.data is None else Provenance(data=how.data),
        )
    ]
    if sampler.baseline:
        params, whole = problem.space.default()
        note = "default" if whole else "centre"
        events.append(Enqueued(time=now, id="default", params=params, by="default", note=note))
    storage.append(name, [to_line(event) for event in events], expect=0)


def _check_order(scheduler: Scheduler[Any], deterministic: int | None) -> None:
    """Refuse a scheduler in a study whose trials do not depend on who is quick.

    Raises:
        NotSupported: The study is such a one.
    """
    if deterministic is not None:
        raise NotSupported(
            f"{type(scheduler).__name__} decides by what was reported first, so a deterministic study "
            "cannot have it; give scheduler=None, or leave deterministic= out and run one worker"
        )


def _check_members(scheduler: Scheduler[Any] | None) -> None:
    """Refuse a scheduler under which a configuration cannot be evaluated again.

    Raises:
        NotSupported: It is such a one.
    """
    if scheduler is not None and scheduler.forks:
        raise NotSupported(
            f"{type(scheduler).__name__} changes params in the course of a training, so no configuration can be evaluated again; "
            "leave replicates= out, and repeat the winner's schedule"
        )


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
    return ledger.elsewhere(ledger.storage, ledger.name, space)


def with_data(ledger: Ledger[Any], data: str | None) -> None:
    """Go on with data of this fingerprint; None: nobody has said which.

    Raises:
        StudyError: They are not those that the study was run with.
    """
    refuse(ledger, _data_differ(ledger, data))
    ledger.data = data or ""


def data_of(fold: Fold[Any]) -> str:
    """Return the fingerprint of a study's data, as whoever named them first had it; empty: nobody has."""
    said = [fold.created.provenance, *fold.history.problem.joined.values()]
    return next((one.data for one in said if one.data), "")


def _data_differ(ledger: Ledger[Any], data: str | None) -> list[str]:
    there = data_of(ledger.fold)
    if data is None or there in ("", data):
        return []
    way = "leave data= out to go on all the same; what ran with others is named"
    return [f"data: {data} here, {there} there ({way})"]


def compare(ledger: Ledger[P], problem: Problem[P], how: How) -> None:
    """Refuse to go on with a study under another problem, seed or order, or with files elsewhere.

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
    for field in fields(how):
        if field.name == "data":
            continue
        old, given = getattr(created, field.name), getattr(how, field.name)
        goes_on = field.name == "replicates" and old is not None  # as with another sampler
        if given is not None and given != old and not goes_on:
            word = "keep_checkpoints" if field.name == "keep" else field.name
            told = "beside the storage" if field.name == "files" else "none"
            differences.append(f"{word}: {_shown(given)} here, {_shown(old) or told} there")
    refuse(ledger, differences + _data_differ(ledger, how.data))


def _shown(given: object) -> object:
    """A setting as a difference shows it."""
    return replication_of(given) if isinstance(given, Part) else given


def open_study(
    problem: Problem[P],
    sampler: Sampler[Any] | None,
    scheduler: Scheduler[Any] | Literal["auto"] | None,
    storage: Storage,
    name: str,
    how: How,
    clock: Callable[[], float] = time.time,
) -> tuple[Ledger[P], Parts]:
    """Return the log of a study, made now if there is none, and who decides in it.

    Args:
        problem: What is tuned.
        sampler: Who proposes; None: the log's, in a new study `Auto`.
        scheduler: Who decides how long trials go on; "auto": the log's, in a new study with a resource
            `ASHA`.
        storage: Where it is kept.
        name: Its name there.
        how: What else it is made with.
        clock: Seconds since 1970, or since whatever a simulation begins with; the only source of time.

    Raises:
        StudyError: It exists and is another study.
    """
    check_parts(sampler, scheduler)
    if not storage.read(name, 0, 1):
        begun = scheduler
        if begun == "auto":
            stops = problem.resource is not None and how.deterministic is None
            begun = ASHA() if stops else None
        with suppress(Conflict):  # another process made it at this moment
            create(storage, name, problem, sampler or Auto(), begun, how, clock)
    ledger = Ledger(storage, name, problem.space, clock)
    compare(ledger, problem, how)
    ledger.data = how.data or ""
    return ledger, configure(ledger, sampler, scheduler, how.replicates)


def check_parts(sampler: object, scheduler: object) -> None:
    """Refuse what is no sampler or scheduler.

    Raises:
        SettingError: It is none.
    """
    if not isinstance(sampler, Sampler | None):
        raise SettingError(f"sampler= takes one such as ts.samplers.Random(), got {sampler!r}")
    if scheduler != "auto" and not isinstance(scheduler, Scheduler | None):
        raise SettingError(
            f"scheduler= takes one such as ts.schedulers.ASHA(), or None, got {scheduler!r}"
        )


def configure(
    ledger: Ledger[P],
    sampler: Sampler[Any] | None,
    scheduler: Scheduler[Any] | Literal["auto"] | None,
    replicates: Part | None = None,
) -> Parts:
    """Return who goes on with a study, putting into the log who differs from those that it names.

    Args:
        ledger: The log.
        sampler: Who proposes; None: the log's, if that is registered here.
        scheduler: Who decides how long trials go on; "auto": the log's, likewise.
        replicates: What is evaluated again; None: as the log says.
    """
    check_parts(sampler, scheduler)
    proposes: Part | UnsetType
    decides: Part | UnsetType | None
    repeats: Part | UnsetType
    while True:
        fold = ledger.fold
        proposes = decides = repeats = UNSET
        if replicates is not None and replicates != fold.replicates:
            repeats = replicates
        if sampler is not None and part_of(sampler) != fold.sampler:
            proposes = part_of(sampler)
        if scheduler != "auto":
            part = None if scheduler is None else part_of(scheduler)
            decides = UNSET if part == fold.scheduler else part
        if proposes is UNSET and decides is UNSET and repeats is UNSET:
            break
        replication = None if replicates is None else replication_of(replicates)
        if replication is not None:
            replication.check(fold.history.problem)
        if isinstance(scheduler, Scheduler):
            Steering(fold.history.problem, scheduler, fold.created.seed)
            _check_order(scheduler, fold.created.deterministic)
            if fold.created.replicates is not None:
                _check_members(scheduler)
        event = Configured(
            time=ledger.clock(),
            id=secrets.token_hex(8),
            sampler=proposes,
            scheduler=decides,
            replicates=repeats,
            versions=versions(),
        )
        with suppress(Conflict):  # another process opened it at this moment
            ledger.append(event, expect=True)
        ledger.sync()
    if scheduler == "auto":
        scheduler = None if fold.scheduler is None else scheduler_of(fold.scheduler)
    sampler = sampler or sampler_of(fold.sampler)
    missing = ""
    if sampler is None:
        missing = f"the sampler {fold.sampler.name}"
    elif scheduler is None and fold.scheduler is not None:
        missing = f"the scheduler {fold.scheduler.name}"
    replication = replication_of(fold.replicates)
    if replication is None and fold.replicates is not None:
        missing = missing or f"the replicates {fold.replicates.name}"
    return Parts(sampler, scheduler, replication, fold.configured, missing)
