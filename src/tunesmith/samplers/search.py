"""The search for the configuration that a model likes best, on any space.

Draws from the whole space and variations of good configurations are scored together; then variations of
the best so far, ever nearer, a few times over. Every candidate is a configuration of the space.
"""

from collections.abc import Callable
from typing import Any, final

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.memory import keep_memory
from tunesmith.space import Categorical, Parameter, Space

DRAWS = 400  # from the whole space, ...
DRAWN_OVER = 20  # ... fewer over more parameters: hardly any comes near anything
AROUND = 300  # near good configurations
WIDTHS = (0.02, 0.08, 0.25)  # standard deviations of their moves, in units
ROUNDS = (0.1, 0.03, 0.01)  # of refinement, with their standard deviations
PER_ROUND = 160
KEPT = 8  # candidates that a round refines
MOVED = 2.0  # parameters that a variation moves on average, if that is more than ...
LEAST_MOVED = 0.2  # ... this share of them


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
        # a discrete number moves by a step at least, as often as not; on a log scale steps differ
        self._least = (
            0.7
            * np.array(
                [
                    [0.0, 0.0] if not p.cardinality else [1.0 / p.cardinality, _first_gap(p)]
                    for p in parameters
                ]
            )
            .reshape(-1, 2)
            .T
        )
        self._free = np.flatnonzero(counts != 1)
        self._odds = min(1.0, max(MOVED / max(1, len(self._free)), LEAST_MOVED))
        keep_memory()

    def best(
        self,
        score: Callable[[Floats], Floats],
        bases: Floats,
        rng: np.random.Generator,
        share: float = 1.0,
    ) -> tuple[Floats, Floats]:
        """Return candidates (k, d), best first, and their scores (k,).

        Args:
            score: From units (n, d), NaN where inactive, to what is to be large (n,).
            bases: Good configurations (b, d), b above 0.
            rng: Luck.
            share: How many of the usual number of candidates there are, where a score is dear.
        """
        draws = DRAWS * min(1.0, DRAWN_OVER / max(1, len(self._free)))
        draws, around, per_round = (round(share * n) for n in (draws, AROUND, PER_ROUND))
        widths = rng.choice(WIDTHS, size=around)
        near = self._varied(_repeated(bases, around), widths, rng)
        pool = np.concatenate([self._space.draw(rng, draws), near])
        scores = score(pool)
        for width in ROUNDS:
            top = np.argsort(-scores, kind="stable")[:KEPT]
            near = self._varied(_repeated(pool[top], per_round), np.full(per_round, width), rng)
            pool = np.concatenate([pool, near])
            scores = np.concatenate([scores, score(near)])
        order = np.argsort(-scores, kind="stable")
        return pool[order], scores[order]

    def _varied(self, of: Floats, widths: Floats, rng: np.random.Generator) -> Floats:
        """Configurations near `of` (n, d), those that break a constraint left out.

        What becomes active is drawn anew, as is a category that changes.
        """
        n, d = of.shape
        units = of.copy()
        blank = np.isnan(of)
        if blank.any():
            units[blank] = rng.random(int(blank.sum()))
        moved = rng.random((n, d)) < self._odds
        if len(self._free):  # one at least
            moved[np.arange(n), self._free[rng.integers(len(self._free), size=n)]] = True
        place = np.flatnonzero(moved)
        column = place % d
        least = self._least[rng.integers(2, size=len(place)), column]
        flat = units.reshape(-1)  # the same memory: one index is found faster than two
        to = flat[place] + rng.standard_normal(len(place)) * np.maximum(widths[place // d], least)
        # reflected at the ends: clipped, most candidates would lie in corners
        to = np.maximum(1.0 - np.abs(1.0 - np.abs(to)), 0.0)
        flat[place] = np.where(self._labels[column], rng.random(len(place)), to)
        if self._space.constraints:
            units = units[self._space.feasible(units)]
        return self._space.snap(units)


def _first_gap(parameter: Parameter) -> float:
    """The distance, in units, of the first two values; on a log scale no two are further apart."""
    two = parameter.scalars(parameter.column.numbers(0, 2).tolist())
    return parameter.to_unit(two[-1]) - parameter.to_unit(two[0])


def _repeated(rows: Floats, n: int) -> Floats:
    """The rows (k, d) one after the other, again and again, until there are n."""
    return rows[np.arange(n) % len(rows)]
