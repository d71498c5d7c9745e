"""Where a result comes from: the code, packages, data and machine of the process that made it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import msgspec

Kind: TypeAlias = Literal["code", "package", "data", "commit", "machine", "command"]


@final
class Provenance(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a process said of itself when it joined a study.

    Nothing of it decides anything, so what a newer version says beside it is passed over.

    Attributes:
        objective: The function, as module:qualname, or the program's command.
        files: Short hashes of the source files that it is made of, by path below the repository or its own
            folder.
        commit: Of the git repository that they lie in.
        dirty: Short hash of what differs from that commit; empty: nothing.
        packages: Versions of the packages that these files import, and of those that compute.
        python: Its version.
        platform: Operating system and architecture.
        cpu: Model of the processor; `cores`: how many of them the process may use.
        memory_bytes: Of the machine.
        gpus: Their models.
        command: The command line, what looks like a secret masked.
        data: Fingerprint of the data, if it was given.
    """

    objective: str = ""
    files: dict[str, str] = {}
    commit: str = ""
    dirty: str = ""
    packages: dict[str, str] = {}
    python: str = ""
    platform: str = ""
    cpu: str = ""
    cores: int = 0
    memory_bytes: int = 0
    gpus: tuple[str, ...] = ()
    command: list[str] = []
    data: str = ""

    @property
    def revision(self) -> str:
        """The commit as people write it, with a + if something was changed since; empty: none."""
        return self.commit[:7] + "+" * bool(self.dirty)


NOTHING = Provenance()  # is known


@final
@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two provenances.

    Attributes:
        kind: What it is.
        name: Which file, package or property.
        before: What it was.
        now: What it is.
    """

    kind: Kind
    name: str
    before: str
    now: str

    @property
    def matters(self) -> bool:
        """Whether results may differ for it, however alike the machines are."""
        return self.kind in ("code", "package", "data") and self.name != "tunesmith"

    def __str__(self) -> str:
        if self.kind == "code" and self.name != "objective":
            return f"{self.name} changed"
        return f"{self.name} {self.before or 'none'} -> {self.now or 'none'}"


def changes(before: Provenance, now: Provenance) -> list[Change]:
    """Return what differs, as far as both say it."""
    return list(_changes(before, now))


def _changes(before: Provenance, now: Provenance) -> Iterator[Change]:
    pairs: list[tuple[Kind, str, object, object]] = [
        ("code", "objective", before.objective, now.objective),
        *_common("code", before.files, now.files),
        ("data", "data", before.data, now.data),
        ("package", "python", before.python, now.python),
        *_common("package", before.packages, now.packages),
        ("commit", "commit", before.revision, now.revision),
        ("machine", "platform", before.platform, now.platform),
        ("machine", "cpu", before.cpu, now.cpu),
        ("machine", "cores", before.cores, now.cores),
        ("machine", "memory", _gb(before.memory_bytes), _gb(now.memory_bytes)),
        ("command", "command", " ".join(before.command), " ".join(now.command)),
    ]
    for kind, name, old, new in pairs:
        if old and new and old != new:
            yield Change(kind, name, str(old), str(new))
    if before.cpu and now.cpu and before.gpus != now.gpus:  # none is a fact, too
        yield Change("machine", "gpus", ", ".join(before.gpus), ", ".join(now.gpus))
    if before.commit == now.commit and before.dirty and now.dirty and before.dirty != now.dirty:
        yield Change("commit", "uncommitted changes", before.dirty, now.dirty)


def _common(
    kind: Kind, before: Mapping[str, str], now: Mapping[str, str]
) -> list[tuple[Kind, str, object, object]]:
    return [(kind, name, before[name], now[name]) for name in before if name in now]


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.0f} GB" if n_bytes else ""
