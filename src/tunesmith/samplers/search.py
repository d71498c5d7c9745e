"""The search for the configuration that an acquisition function likes best, on any space.

Draws from the whole space and variations of good configurations are scored together; then variations of
the best so far, ever nearer, a few times over. Every candidate is a configuration of the space.
"""

from collections.abc import Callable
from typing import Any, final

import numpy as np

from tunesmith.numerics.normal import Floats
from tunesmith.space import Categorical, Space

DRAWS = 400
AROUND = 300
ROUNDS = (0.1, 0.03, 0.01)
PER_ROUND = 160
KEPT = 8
WIDTHS = (0.02, 0.08, 0.25)


@final
class Search:
    """Candidates of one space.

    Args:
        space: Where to search.
    """

    def __init__(self, space: Space[Any]) -> None:
        self._space = space
        parameters = list(space.parameters.values())
        counts = np.array([p.cardinality or 0 for p in parameters], dtype=float)
        self._labels = np.array([isinstance(p, Categorical) for p in parameters], dtype=bool)
        # a discrete number moves by a step at least
        self._least = np.where(counts > 0, 0.7 / np.maximum(counts, 1.0), 0.0)
        self._free = np.flatnonzero(counts != 1)

    def best(
        self,
        score: Callable[[Floats], Floats],
        bases: Floats,
        rng: np.random.Generator,
    ) -> tuple[Floats, Floats]:
        """Return candidates (k, d), best first, and their scores (k,).

        Args:
            score: From units (n, d), NaN where inactive, to what is to be large (n,).
            bases: Good configurations (b, d) to vary.
            rng: Luck.
        """
        units = [self._space.draw(rng, DRAWS)]
        if len(bases):
            widths = rng.choice(WIDTHS, size=(AROUND, 1))
            units.append(self._varied(bases[np.arange(AROUND) % len(bases)], widths, rng))
        pool = np.concatenate(units)
        scores = score(pool)
        for width in ROUNDS:
            top = np.argsort(-scores, kind="stable")[:KEPT]
            near = self._varied(pool[top[np.arange(PER_ROUND) % len(top)]], width, rng)
            if not len(near):
                break
            pool = np.concatenate([pool, near])
            scores = np.concatenate([scores, score(near)])
        order = np.argsort(-scores, kind="stable")
        return pool[order], scores[order]

    def _varied(self, of: Floats, widths: Any, rng: np.random.Generator) -> Floats:
        """Configurations near `of` (n, d): some parameters moved; those that break a rule left out."""
        n, d = of.shape
        luck = rng.random((n, d))
        units = np.where(np.isnan(of), luck, of)
        moved = rng.random((n, d)) < min(1.0, max(2.0 / max(1, len(self._free)), 0.2))
        if len(self._free):  # one at least
            moved[np.arange(n), self._free[rng.integers(len(self._free), size=n)]] = True
        steps = rng.standard_normal((n, d)) * np.maximum(widths, self._least)
        units = np.where(moved, np.where(self._labels, luck, units + steps), units)
        units = np.clip(units, 0.0, 1.0)
        if self._space.constraints:
            units = units[self._space.feasible(units)]
        return self._space.snap(units)
