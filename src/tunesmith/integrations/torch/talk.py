"""How the ranks of `torchrun` talk to one another: over the store by which they have found one another."""

import math
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final, final

from tunesmith._core.errors import StudyError
from tunesmith._core.optional import need

HELLO_S: Final = 600.0  # so long may the other ranks take to begin a run
SHORTEST_S, LONGEST_S = 0.0005, 0.02  # between two looks at the store
PIECE: Final = 2**22  # bytes; stores of PyTorch take 8 MiB at a time


@final
class Talk:
    """The store of the ranks, below a name of its own.

    The store may hold what was said before all ranks were begun anew; so rank 0 chooses a new name.
    """

    def __init__(self, name: str) -> None:
        self._base = self._name = name
        self._store = _store()

    def gather(self, world: int) -> None:
        """Choose the name, as rank 0, and wait for the other ranks.

        Raises:
            StudyError: One does not come.
        """
        token = secrets.token_hex(8)
        self.say("leader", token.encode())
        self._name = f"{self._base}/{token}"
        for rank in range(1, world):
            said = self.hear(f"hello/{rank}", HELLO_S)
            if said is None:
                raise _absence(rank)
            self.say(f"welcome/{rank}", said)

    def join(self, rank: int) -> None:
        """Find the name that rank 0 has chosen now, and be welcomed there.

        Raises:
            StudyError: It does not come.
        """
        own, late = secrets.token_bytes(8), time.monotonic() + HELLO_S
        while time.monotonic() < late:
            self._name = self._base
            name = self.hear("leader", 1.0)
            if name is not None:
                self._name = f"{self._base}/{name.decode()}"
                self.say(f"hello/{rank}", own)
                if self.hear(f"welcome/{rank}", LONGEST_S) == own:
                    return
        raise _absence(0)

    def say(self, key: str, value: bytes) -> None:
        """Say something; what is long is said in pieces, the first one last."""
        place = f"{self._name}/{key}"
        first, *others = [value[i : i + PIECE] for i in range(0, len(value) or 1, PIECE)]
        for number, piece in enumerate(others):
            self._store.set(f"{place}/{number}", piece)
        self._store.set(place, len(others).to_bytes(4) + first)

    def has(self, key: str) -> bool:
        found: bool = self._store.check([f"{self._name}/{key}"])
        return found

    def forget(self, key: str) -> None:
        self._store.delete_key(f"{self._name}/{key}")

    def hear(
        self, key: str, limit_s: float = math.inf, *, unless: Callable[[], bool] = lambda: False
    ) -> bytes | None:
        """Wait for what is said under a key; None: it was not within the limit, or `unless` holds."""
        begun = time.monotonic()
        # the store's own waiting hears no signals, and complains when it is over
        while not self.has(key):
            waited = time.monotonic() - begun
            if waited >= limit_s or unless():
                return None
            time.sleep(min(max(waited / 10, SHORTEST_S), LONGEST_S))
        place = f"{self._name}/{key}"
        said: bytes = self._store.get(place)
        others = [self._store.get(f"{place}/{n}") for n in range(int.from_bytes(said[:4]))]
        return b"".join([said[4:], *others])


def _absence(rank: int) -> StudyError:
    return StudyError(
        f"rank {rank} has not begun this run for {HELLO_S:g} s; under torchrun every rank calls run, and "
        "executor=ts.executors.Serial() runs a study on one rank alone"
    )


@cache
def _store() -> Any:
    """The store over which the ranks find one another, as `init_process_group` finds it."""
    distributed = need("torch.distributed", "torch")
    store, _, _ = next(distributed.rendezvous("env://"))
    return store
