"""What was started already, so that no configuration of a finite space is suggested twice."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.records import Record
from tunesmith.space import Params, Space

ROUNDS = (1, 4, 16, 64)  # draws per missing configuration
MORE_ROUNDS = (256, 1024, 4096, 16_384, 65_536)  # where the space is too large to be walked
MOST_DRAWS = 200_000  # of one round, those that break a constraint included
POOL = 10_000  # so many unseen configurations at most, and the space is walked


@final
@dataclass(frozen=True, slots=True)
class Seen:
    """A space, and the keys of its configurations that were started.

    Attributes:
        space: The space.
        keys: Of what was started; None if repetition is not avoided.
    """

    space: Space[Any]
    keys: set[Hashable] | None

    @classmethod
    def of(cls, space: Space[Any]) -> "Seen":
        """Return the beginning: nothing seen. On an infinite space repetition is not avoided."""
        return cls(space, None if space.cardinality is None else set())

    def note(self, records: Iterable[Record[Any]]) -> None:
        """Take in what was started."""
        if self.keys is not None:
            self.keys.update(self.space.key(record.logged) for record in records)

    def news(self) -> Callable[[Params], bool]:
        """Return a test for one call: true for what was not started and not passed it before."""
        if self.keys is None:
            return lambda _: True
        started, key = self.keys, self.space.key
        passed: set[Hashable] = set()

        def is_new(params: Params) -> bool:
            k = key(params)
            if k in started or k in passed:
                return False
            passed.add(k)
            return True

        return is_new

    def draw(
        self, rng: np.random.Generator, n: int, is_new: Callable[[Params], bool] | None = None
    ) -> list[Params]:
        """Return `n` configurations drawn within the constraints; fewer if no more new are found.

        Random draws that are new come first. If they fail, little is left: where that is at most
        10,000 configurations, the space is walked and the rest is chosen evenly among all of them;
        the walk passes what was seen and no more. Where more may be left, there are more draws, up to
        200,000 in each of nine rounds, and no walk, which would favour what it meets first.

        Args:
            rng: Where the draws come from.
            n: How many.
            is_new: The call's test, if it has let something pass already.
        """
        if self.keys is None:
            return self.space.sample(rng, n)
        is_new = is_new or self.news()
        found: list[Params] = []
        walk = (self.space.cardinality or 0) <= len(self.keys) + POOL
        for draws in ROUNDS if walk else ROUNDS + MORE_ROUNDS:
            if len(found) < n:
                missing = n - len(found)
                size = min(draws * missing, max(missing, int(MOST_DRAWS * self.space.share)))
                found += filter(is_new, self.space.sample(rng, size))
        if walk and len(found) < n:
            rest = list(filter(is_new, self.space.configurations()))
            found += [rest[i] for i in rng.permutation(len(rest))[: n - len(found)]]
        return found[:n]
