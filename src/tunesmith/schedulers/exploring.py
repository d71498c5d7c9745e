"""Params near others, for a trial that goes on with the other one's weights."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Params, Space

TRIES = 8  # to find params under which the same parameters are active


@final
@dataclass(frozen=True)
class Exploring:
    """How params are changed.

    Attributes:
        space: Theirs.
        resample: The probability with which a parameter is drawn anew instead of moved.
        step: The standard deviation of a move, on the parameter's scale from 0 to 1.
    """

    space: Space[Any]
    resample: float
    step: float

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters that may change: those that shape the algorithm and have more than one value."""
        return tuple(
            name
            for name, parameter in self.space.parameters.items()
            if parameter.role == "algorithm" and parameter.cardinality != 1
        )

    def around(self, params: Params, rng: np.random.Generator) -> Params:
        """Return params near `params`, with the same parameters active, that keep the constraints.

        A number moves at least to the next value; a category stays unless it is drawn anew.
        """
        kept = {name: value for name, value in params.items() if name not in self.names}
        for _ in range(TRIES):
            changed = {
                name: self._near(name, value, rng) if name in self.names else value
                for name, value in params.items()
            }
            with suppress(SpaceError):  # constraints so tight that nothing is found near by
                found = self.space.complete(kept, changed, rng)
                if found.keys() == params.keys():
                    return found
        return params

    def _near(self, name: str, value: Any, rng: np.random.Generator) -> Any:
        parameter = self.space.parameters[name]
        if rng.random() < self.resample:
            return parameter.from_unit(rng.random())
        if isinstance(parameter, Categorical):
            return value
        move = rng.normal(0, self.step)
        if parameter.cardinality:
            move += np.copysign(1 / parameter.cardinality, move)
        unit = parameter.to_unit(value) + move
        return parameter.from_unit(abs(unit) if unit < 0 else 2 - unit if unit > 1 else unit)
