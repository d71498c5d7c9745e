"""Configurations as points of a Euclidean space in which alike ones lie close together.

A number is its unit. A category is a corner of a simplex, so that two different ones lie at distance
1 (Hamming). Of a parameter that is not active the column stands in the middle, and one column more for
each set of parameters that are active together says whether they are.
"""

from typing import Any, final

import numpy as np

from tunesmith.models.theta import Layout
from tunesmith.numerics.arrays import Floats
from tunesmith.space import Categorical, Space

_DRAWS = 256


@final
class Features:
    """The map from units to columns.

    Args:
        space: What is tuned.

    Attributes:
        layout: What the columns mean.
        size: How many parameters are active on average, 1 at least.
    """

    def __init__(self, space: Space[Any]) -> None:
        parameters = list(space.parameters.values())
        several = [p.cardinality != 1 for p in parameters]
        labels = [isinstance(p, Categorical) and (p.cardinality or 0) > 2 for p in parameters]
        self._numbers = np.flatnonzero(np.array(several, bool) & ~np.array(labels, bool))
        self._labels = np.flatnonzero(labels)
        self._counts = np.array([parameters[j].cardinality for j in self._labels], dtype=int)
        # two categories lie half a unit apart, corners of a simplex at distance sqrt(2)
        self._scale = np.array(
            [2.0 if isinstance(parameters[j], Categorical) else 1.0 for j in self._numbers]
        )
        self._corner = np.concatenate([[0], np.cumsum(self._counts)]).astype(int)
        gates = sorted(block.columns[0] for block in space.blocks if block.above)
        self._gates = np.array(gates, dtype=int)
        sizes = [*np.ones(len(self._numbers), int), *self._counts, *np.ones(len(self._gates), int)]
        group = np.repeat(np.arange(len(sizes)), np.array(sizes, dtype=int))
        self.layout = Layout(group, np.flatnonzero(self._scale == 1.0))
        active = space.active(np.random.Generator(np.random.Philox(0)).random((_DRAWS, len(space))))
        self.size = max(1.0, float(active[:, several].sum(axis=1).mean()))

    def __call__(self, units: Floats) -> Floats:
        """Return columns (n, p) of units (n, d), NaN where a parameter is not active."""
        numbers: Floats = (units[:, self._numbers] - 0.5) * self._scale
        numbers[np.isnan(numbers)] = 0.0
        if not len(self._labels) and not len(self._gates):
            return numbers
        labels = units[:, self._labels] * self._counts
        row, column = np.nonzero(~np.isnan(labels))
        place = np.minimum(labels[row, column].astype(int), self._counts[column] - 1)
        corners = np.zeros((len(units), self._corner[-1]))
        corners[row, self._corner[column] + place] = np.sqrt(0.5)
        gates = ~np.isnan(units[:, self._gates])
        return np.hstack([numbers, corners, gates])
