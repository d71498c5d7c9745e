"""What was started already, so that no configuration of a finite space is suggested twice."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np

from tunesmith.records import Record
from tunesmith.space import Params, Space

ROUNDS = (1, 4, 16, 64)  # draws per missing configuration before the space is walked
POOL = 10_000  # most unseen configurations among which the walk chooses


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
        """Return `n` configurations drawn within the constraints; fewer only if no more are new.

        First come random draws that are new. If they fail, little is left, and the rest is chosen
        evenly among the first new configurations of a walk through the space: all of them, unless
        there are more than 10,000. The walk passes what was seen and no more, so its cost is bounded
        by the number of trials, whatever the size of the space.

        Args:
            rng: Where the draws come from.
            n: How many.
            is_new: The call's test, if it has let something pass already.
        """
        if self.keys is None:
            return self.space.sample(rng, n)
        is_new = is_new or self.news()
        found: list[Params] = []
        for draws in ROUNDS:
            if len(found) < n:
                found += filter(is_new, self.space.sample(rng, draws * (n - len(found))))
        if len(found) < n:
            most = max(POOL, n)
            rest = list(islice(filter(is_new, self.space.configurations()), most))
            found += [rest[i] for i in rng.permutation(len(rest))[: n - len(found)]]
        return found[:n]
