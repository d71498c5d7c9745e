"""The places of an executor on this machine: who has which, and whose turn it is on a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from tunesmith._core.errors import SettingError
from tunesmith.executors.devices import Devices, shares, words
from tunesmith.executors.executor import Key, Place, check_places, check_submit


@dataclass(slots=True)
class _Taken:
    """A place that is taken.

    Attributes:
        alone: Whether nothing else may run on its device.
        begun: Whether its work has begun.
        shared: Whether others have run on its device since.
    """

    alone: bool
    begun: bool = False
    shared: bool = False


@final
class Seats:
    """Counts places down and up.

    A work that is to be alone on its device begins when the others there have ended, and no place there is
    free until it has.

    Args:
        name: The executor's, in messages.
        n: How many places there are; None: one for each of the devices.
        devices: What is shared out evenly among them; empty: nothing.

    Raises:
        SettingError: `n` is no number of places, or does not go evenly with the devices.
    """

    def __init__(self, name: str, n: int | None, devices: Devices = ()) -> None:
        if n is None and devices:
            n = len(devices)
        n = check_places(name, n)
        shared_out = shares(devices, n) if devices else [()]
        self._name = name
        self._n = n
        self._closed = False
        self._each = n // len(shared_out)
        self._works: dict[Devices, dict[Key, _Taken]] = {share: {} for share in shared_out}
        self._places = [Place(device=words(share)) for share in shared_out]
        self._at: dict[Key, Devices] = {}

    def __len__(self) -> int:
        """How many places there are, taken ones included."""
        return self._n

    def free(self) -> list[Place]:
        """Return the free places: first where the fewest works are, none where one is alone."""
        found = [
            (count, index)
            for index, works in enumerate(self._works.values())
            if not (self._closed or _has_one_alone(works))
            for count in range(len(works), self._each)
        ]
        return [self._places[index] for _, index in sorted(found)]

    def take(self, key: Key, *, alone: bool = False) -> None:
        """Take the first free place.

        Raises:
            SettingError: No place is free, the key is taken, or the executor is closed.
        """
        check_submit(self._name, key, self._at, self._n, closed=self._closed)
        open_ = [
            share
            for share, works in self._works.items()
            if len(works) < self._each and not _has_one_alone(works)
        ]
        if not open_:
            raise SettingError(
                f"the places of {self._name} that are not taken are beside a work that is to be alone; "
                "submit while free() has some, pump until it has"
            )
        share = self._at[key] = min(open_, key=lambda share: len(self._works[share]))
        self._works[share][key] = _Taken(alone and bool(share))

    def devices(self, key: Key) -> Devices:
        """Return what the work with this key sees."""
        return self._at[key]

    def is_alone(self, key: Key) -> bool:
        """Return whether the work with this key has its device to itself."""
        return self._works[self._at[key]][key].alone

    def due(self) -> list[Key]:
        """Return the works that are to begin now, each once."""
        found: list[Key] = []
        for share, works in self._works.items():
            for key, taken in works.items():
                if not taken.begun and not (taken.alone and len(works) > 1):
                    taken.begun = True
                    found.append(key)
            running = [taken for taken in works.values() if taken.begun]
            for taken in running:
                taken.shared |= bool(share) and len(running) > 1
        return found

    def leave(self, key: Key) -> bool:
        """Free the place of a work; return whether others have run on its device beside it."""
        return self._works[self._at.pop(key)].pop(key).shared

    def close(self) -> None:
        """Forget all works, and take no more."""
        self._closed = True
        self._at.clear()
        for works in self._works.values():
            works.clear()


def _has_one_alone(works: Mapping[Key, _Taken]) -> bool:
    return any(taken.alone for taken in works.values())
