"""A density over a conditional space: a mixture of trials, block by block."""

from collections.abc import Callable, Sequence
from typing import final

import numpy as np

from tunesmith.numerics.densities import Floats, Ints, Kernels
from tunesmith.space.blocks import Block


def _log_sum(logs: Floats) -> Floats:
    """The logarithm of the sums of exponentials along the last axis."""
    top = logs.max(axis=-1, keepdims=True)
    found: Floats = np.log(np.exp(logs - top).sum(axis=-1)) + top[..., 0]
    return found


@final
class Mixture:
    """A density whose kernels are trials.

    The parameters of a block are modelled jointly with those of the blocks above it, by the trials
    in which it was active: p(x) is the product over active blocks of p(x_b | x above b), each the
    conditional of a mixture of product kernels.

    Args:
        blocks: What is active together, those above first.
        categories: (d,), how many categories a parameter has; 0 if numeric.
        units: (n, d), the trials; NaN where inactive.
        grains: (n, d), see `Kernels`.
        weights: (n + 1,), of the trials and of the prior; above 0.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        categories: Ints,
        units: Floats,
        grains: Floats,
        weights: Floats,
    ) -> None:
        self._blocks = blocks
        self._columns = [np.array(block.columns) for block in blocks]
        self._above = sorted({place for block in blocks for place in block.above})
        self._d = units.shape[1]
        self._n = len(units)
        self._rows: list[Ints] = []
        self._kernels: list[Kernels] = []
        self._log_weights: list[Floats] = []
        for block, columns in zip(blocks, self._columns, strict=True):
            if block.depth:
                rows = np.flatnonzero(~np.isnan(units[:, columns[0]]))
                cut = np.ix_(rows, columns)
            else:
                rows, cut = np.arange(self._n), np.ix_(np.arange(self._n), columns)
            self._kernels.append(Kernels(units[cut], grains[cut], categories[columns]))
            self._rows.append(np.append(rows, self._n))
            some = weights[self._rows[-1]]
            self._log_weights.append(np.log(some / some.sum()))

    def _responsibilities(self, place: int, on: Ints, logs: dict[int, Floats]) -> Floats:
        """The logarithms (k, n_b + 1) of a block's kernels, weighted by what stands above it."""
        found = np.broadcast_to(self._log_weights[place], (len(on), len(self._rows[place])))
        cut = np.ix_(on, self._rows[place])
        for above in self._blocks[place].above:
            found = found + logs[above][cut]
        return found

    def draw(
        self, m: int, rng: np.random.Generator, snap: Callable[[Floats], Floats]
    ) -> Floats:
        """Return units (m, d) drawn from the density, NaN where inactive.

        Args:
            m: How many.
            rng: Luck.
            snap: Takes units (m, d) to those of valid configurations, NaN where inactive.
        """
        units = np.full((m, self._d), 0.5)
        logs: dict[int, Floats] = {}
        depth = 0
        for place, (block, columns) in enumerate(zip(self._blocks, self._columns, strict=True)):
            if block.depth > depth:
                depth = block.depth
                units = snap(units)
            on = np.flatnonzero(~np.isnan(units[:, columns[0]]))
            if not len(on):
                continue
            chances = self._responsibilities(place, on, logs)
            chances = np.exp(chances - chances.max(axis=1, keepdims=True)).cumsum(axis=1)
            luck = rng.random((len(on), 1)) * chances[:, -1:]
            kernels = self._kernels[place]
            units[np.ix_(on, columns)] = kernels.draw((chances < luck).sum(axis=1), rng)
            if place in self._above:
                logs[place] = self._spread(place, on, snap(units), columns)
        return snap(units)

    def _spread(self, place: int, on: Ints, units: Floats, columns: Ints) -> Floats:
        """A block's kernels (m, n + 1) where it is active, 0 elsewhere."""
        logs = np.zeros((len(units), self._n + 1))
        logs[np.ix_(on, self._rows[place])] = self._kernels[place].log_density(
            units[np.ix_(on, columns)]
        )
        return logs

    def log_density(self, units: Floats) -> Floats:
        """Return the logarithm of the density (m,) at units (m, d), NaN where inactive."""
        total = np.zeros(len(units))
        logs: dict[int, Floats] = {}
        for place, columns in enumerate(self._columns):
            on = np.flatnonzero(~np.isnan(units[:, columns[0]]))
            if not len(on):
                continue
            before = self._responsibilities(place, on, logs)
            own = self._kernels[place].log_density(units[np.ix_(on, columns)])
            total[on] += _log_sum(before + own) - _log_sum(before)
            if place in self._above:
                logs[place] = np.zeros((len(units), self._n + 1))
                logs[place][np.ix_(on, self._rows[place])] = own
        return total
