"""Keyed randomness: the same key gives the same stream, in every process and on every machine.

No stream is ever continued across calls, so nothing of a generator need be kept or restored.
"""

from hashlib import blake2b
from typing import final

import numpy as np


def seed_of(*key: int | str) -> int:
    """Return 32 random bits that depend on nothing but `key`, as an int.

    They fit every library's `random_state`.
    """
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=4).digest(), "little")


@final
class Keyed:
    """One generator, set anew for each key: 10 times cheaper than a new generator.

    The bits come from Philox-4x64 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3,
    SC 2011), whose streams for different keys are independent.
    """

    def __init__(self) -> None:
        self._generator = np.random.Generator(np.random.Philox(key=0))
        self._fresh = self._generator.bit_generator.state

    def at(self, *key: int | str) -> np.random.Generator:
        """Return the generator at the beginning of the stream of `key`; holds until the next call."""
        digest = blake2b(repr(key).encode(), digest_size=16).digest()
        self._fresh["state"]["key"] = np.frombuffer(digest, dtype=np.uint64)
        self._generator.bit_generator.state = self._fresh
        return self._generator
