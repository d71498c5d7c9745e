"""The places of an executor on this machine: who has which, and whose turn it is on a device."""

from dataclasses import dataclass
from typing import final

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

    The works on a device begin in the order in which they came; one that is to be alone there begins
    when those before it have ended, and those after it when it has.

    Args:
        name: The executor's, in messages.
        n: How many places there are.
        devices: What is shared out evenly among them; empty: nothing.

    Raises:
        SettingError: `n` is no number of places, or does not go evenly with the devices.
    """

    def __init__(self, name: str, n: int, devices: Devices = ()) -> None:
        check_places(name, n)
        shared_out = shares(devices, n) if devices else [()]
        self._name = name
        self._n = n
        self._closed = False
        self._each = n // len(shared_out)
        self._works: dict[Devices, dict[Key, _Taken]] = {share: {} for share in shared_out}
        self._places = [Place(device=words(share)) for share in shared_out]
        self._at: dict[Key, Devices] = {}

    def free(self) -> list[Place]:
        """Return the free places: first where the fewest works are, none where one is alone."""
        found = [
            (count, index)
            for index, works in enumerate(self._works.values())
            if not any(taken.alone for taken in works.values())
            for count in range(len(works), self._each)
            if not self._closed
        ]
        return [self._places[index] for _, index in sorted(found)]

    def take(self, key: Key, *, alone: bool = False) -> None:
        """Take the first free place; one where another is alone, if there is no other.

        Raises:
            SettingError: No place is free, the key is taken, or the executor is closed.
        """
        check_submit(self._name, key, self._at, self._n, closed=self._closed)

        def crowd(share: Devices) -> tuple[bool, int]:
            works = self._works[share]
            return any(taken.alone for taken in works.values()), len(works)

        free = [share for share, works in self._works.items() if len(works) < self._each]
        share = self._at[key] = min(free, key=crowd)
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
            running: list[_Taken] = []
            for key, taken in works.items():
                if taken.alone and running:
                    break
                running.append(taken)
                if not taken.begun:
                    taken.begun = True
                    found.append(key)
                if taken.alone:
                    break
            if share and len(running) > 1:
                for taken in running:
                    taken.shared = True
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
