"""What lies beside a study: the studies that confirm its best, found by their names and told by their seed."""

from tunesmith._core.errors import LogError
from tunesmith._core.random import seed_of
from tunesmith.records.events import Created, from_lines
from tunesmith.storage import Storage
from tunesmith.storage.bundle import BESIDE


def seed_apart(seed: int) -> int:
    """Return the seed of a confirmation: evaluations of the search have others."""
    return seed_of(seed, "confirm", 0)


def beside(storage: Storage, name: str) -> list[str]:
    """Return the endings of the studies beside a study; one that only has such a name is none of them."""
    there = [ending for ending in BESIDE if storage.read(f"{name}{ending}", 0, 1)]
    if not there:
        return []
    seed = _seed(storage, name)
    return [e for e in there if seed is not None and _seed(storage, name + e) == seed_apart(seed)]


def searches(storage: Storage) -> list[str]:
    """Return the names of the studies in a storage that lie beside no other."""
    names = storage.names()
    return [
        name
        for name in names
        if not any(name.endswith(e) and e in beside(storage, name.removesuffix(e)) for e in BESIDE)
    ]


def _seed(storage: Storage, name: str) -> int | None:
    """The seed of a study; None: there is none of this name that can be read."""
    try:
        events = from_lines(storage.read(name, 0, 1))
    except LogError:
        return None
    return next((event.seed for event in events if isinstance(event, Created)), None)
