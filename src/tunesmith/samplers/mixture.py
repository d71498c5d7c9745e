"""A density over a conditional space: a mixture of trials, block by block."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.densities import Axes, Kernels, Part, log_sum
from tunesmith.space import Categorical, Space
from tunesmith.space.blocks import Block


@final
@dataclass(frozen=True, slots=True)
class Frame:
    """A space as mixtures see it.

    Attributes:
        space: The space.
        axes: Its parameters.
        blocks: What is active together, parents first.
        parts: The parameters of each block.
        above: Places of the blocks that stand above others.
    """

    space: Space[Any]
    axes: Axes
    blocks: tuple[Block, ...]
    parts: tuple[Part, ...]
    above: frozenset[int]

    @classmethod
    def of(cls, space: Space[Any]) -> "Frame":
        """Return the frame of a space."""
        kinds = space.parameters.values()
        axes = Axes([(p.cardinality or 0) if isinstance(p, Categorical) else 0 for p in kinds])
        blocks = space.blocks
        parts = tuple(axes.part(block.columns) for block in blocks)
        return cls(space, axes, blocks, parts, frozenset(p for b in blocks for p in b.above))


@final
class Mixture:
    """A density whose kernels are trials.

    The parameters of a block are modelled jointly with those of the blocks above it, by the trials
    in which it was active: the density is the product over active blocks b of p(x_b | x above b),
    each the conditional of a mixture of product kernels.

    Args:
        frame: The space.
        units: (n, d), the trials; NaN where inactive.
        grains: (n, d), see `Space.grains`.
        weights: (n + 1,), of the trials and of the prior; above 0.
        floor: Least width of a kernel.
    """

    def __init__(
        self, frame: Frame, units: Floats, grains: Floats, weights: Floats, floor: float
    ) -> None:
        self._frame = frame
        self._active = np.ones((len(units) + 1, units.shape[1]), dtype=np.bool_)
        self._active[:-1] = ~np.isnan(units)
        self._log_weights = np.log(weights)
        self._kernels = Kernels(frame.axes, units, grains, floor)

    def _rows(self, place: int) -> Ints:
        """The kernels that a block has: of the trials in which it was active, and the prior's."""
        return self._active[:, self._frame.blocks[place].columns[0]].nonzero()[0]

    def _chances(self, place: int, on: Ints, rows: Ints, logs: dict[int, Floats]) -> Floats:
        """The logarithms (k, b) of a block's kernels before it is looked at, at points `on` (k,).

        Under nothing they are the same at all points, and stand there once (1, b).
        """
        found = self._log_weights[rows][None]
        for above in self._frame.blocks[place].above:
            found = found + logs[above][on[:, None], rows]
        return found

    def draw(self, m: int, rng: np.random.Generator) -> Floats:
        """Return units (m, d) of configurations drawn from the density, NaN where inactive.

        Values are drawn as numbers in [0, 1] and then taken to the nearest there are. Constraints
        of the space are not looked at.
        """
        frame = self._frame
        units = np.full((m, len(frame.space)), 0.5)
        logs: dict[int, Floats] = {}
        depth = 0
        for place, (block, part) in enumerate(zip(frame.blocks, frame.parts, strict=True)):
            if block.depth > depth:
                depth = block.depth
                units = frame.space.snap(units)
                features = frame.axes.features(units)
                for above in frame.above - logs.keys():
                    if frame.blocks[above].depth < depth:
                        logs[above] = self._kernels.log_density(features, frame.parts[above])
            on = (~np.isnan(units[:, block.columns[0]])).nonzero()[0]
            if not len(on):
                continue
            rows = self._rows(place)
            chances = self._chances(place, on, rows, logs)
            chances = np.exp(chances - chances.max(axis=1, keepdims=True)).cumsum(axis=1)
            luck = rng.random((len(on), 1)) * chances[:, -1:]
            which = rows[(chances <= luck).sum(axis=1)]
            units[on[:, None], part.columns] = self._kernels.draw(which, part, rng)
        return frame.space.snap(units)

    def log_density(self, units: Floats) -> Floats:
        """Return the logarithm of the density (m,) at units (m, d), NaN where inactive."""
        frame = self._frame
        features = frame.axes.features(units)
        active = ~np.isnan(units)
        total = np.zeros(len(units))
        logs: dict[int, Floats] = {}
        for place, (block, part) in enumerate(zip(frame.blocks, frame.parts, strict=True)):
            on = active[:, block.columns[0]].nonzero()[0]
            if not len(on):
                continue
            rows = self._rows(place)
            before = self._chances(place, on, rows, logs)
            if place in frame.above:
                logs[place] = self._kernels.log_density(features, part)
                own = logs[place][on[:, None], rows]
            else:
                own = self._kernels.log_density(features[on], part)[:, rows]
            total[on] += log_sum(before + own) - log_sum(before)
        return total
