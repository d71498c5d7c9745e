"""What is tuned: the space, the objectives with their directions, limits, and the resource."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith._core.types import P
from tunesmith.numerics.arrays import Floats
from tunesmith.records.events import ProblemText
from tunesmith.records.provenance import Provenance
from tunesmith.space import Space

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_LIMIT = re.compile(r"\s*(?P<name>\w+(?:[./-]\w+)*)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\S+)\s*")


@final
@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to be minimised or maximised."""

    name: str
    direction: Literal["minimize", "maximize"]

    def __post_init__(self) -> None:
        if not checks.text("the name of an objective", self.name):
            raise SettingError('an objective needs a name, such as maximize="accuracy", got ""')

    @property
    def sign(self) -> float:
        """1 if smaller is better, else -1."""
        return 1.0 if self.direction == "minimize" else -1.0


@final
@dataclass(frozen=True, slots=True)
class Resource:
    """What a training spends step by step, such as epochs, samples or trees.

    Args:
        name: What one step is.
        max: Steps of a full training.
        min: Steps before which nothing can be judged.

    Example:
        >>> Resource("epoch", max=30)
        Resource(name='epoch', max=30, min=1)
    """

    name: str
    max: int
    min: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checks.text("Resource(name=...)", self.name))
        for word in ("min", "max"):
            steps = checks.whole(f"Resource({word}=...)", getattr(self, word), 1)
            object.__setattr__(self, word, steps)
        if not 1 <= self.min <= self.max:
            raise SettingError(
                f"Resource needs 1 <= min <= max, got min={self.min}, max={self.max}"
            )


@final
@dataclass(frozen=True, slots=True)
class Limit:
    """A condition on an outcome, such as "latency_ms <= 20"."""

    text: str
    name: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `metric <= number` (or >=, <, >).

        Raises:
            SettingError: The text has another form.
        """
        found = _LIMIT.fullmatch(text)
        try:
            bound = float(found["bound"]) if found else math.nan
        except ValueError:
            bound = math.nan
        if found is None or math.isnan(bound):
            raise SettingError(
                f"a limit compares a metric with a number, such as 'latency_ms <= 20', got {text!r}"
            )
        return cls(text, found["name"], found["sign"], bound)

    def holds(self, values: Mapping[str, float]) -> bool:
        """Return whether the metric was measured and keeps the bound."""
        value = values.get(self.name, math.nan)
        return _COMPARE[self.sign](value, self.bound)


@final
@dataclass(frozen=True, slots=True)
class Problem(Generic[P]):
    """Everything a sampler or scheduler may know before the first trial.

    Attributes:
        space: The search space.
        objectives: One or several metrics, the first named first.
        limits: Conditions on outcomes.
        resource: What a trial spends step by step, if it does.
        value: Which report counts for a trial that returns nothing: its last that has the objectives, its best, or the mean of all,
            with its standard error as the metric `<objective>_se`.
        locate: Finds the folder of a checkpoint by its key; no part of what is tuned.
        joined: What each process that joined said of itself, by the place of its `Joined` in the log;
            likewise.
        attached: The keys of the files that were attached to each trial, by its uid and by name; likewise.
    """

    space: Space[P]
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()
    resource: Resource | None = None
    value: Literal["last", "best", "mean"] = "last"
    locate: Callable[[str], Path | None] | None = field(default=None, compare=False, repr=False)
    joined: dict[int, Provenance] = field(default_factory=dict, compare=False, repr=False)
    attached: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = [objective.name for objective in self.objectives]
        if not names:
            raise SettingError(
                'a study needs something to minimize or maximize, such as maximize="accuracy"'
            )
        if len(set(names)) < len(names):
            raise SettingError(f"objectives need different names, got {', '.join(names)}")
        if not isinstance(self.resource, Resource | None):
            raise SettingError(
                f'resource= takes one such as ts.Resource("epoch", max=30), got {self.resource!r}'
            )
        if self.value not in ("last", "best", "mean"):
            raise SettingError(f'value is "last", "best" or "mean", got {self.value!r}')

    def losses(self, values: Mapping[str, float]) -> Floats:
        """Return the objectives of `values` as losses (m,), smaller is better; NaN where missing."""
        return np.array([o.sign * values.get(o.name, math.nan) for o in self.objectives])

    def meets_limits(self, values: Mapping[str, float]) -> bool:
        """Return whether every limit was measured and holds."""
        return all(limit.holds(values) for limit in self.limits)

    def to_text(self) -> ProblemText:
        """Return the problem as the log keeps it."""
        resource = self.resource
        return ProblemText(
            space=self.space.to_json(),
            objectives={o.name: o.direction for o in self.objectives},
            limits=[limit.text for limit in self.limits],
            resource=None
            if resource is None
            else {"name": resource.name, "max": resource.max, "min": resource.min},
            value=self.value,
        )

    @classmethod
    def from_text(
        cls,
        text: ProblemText,
        space: Space[P],
        locate: Callable[[str], Path | None] | None = None,
    ) -> "Problem[P]":
        """Return the logged problem, over `space`."""
        return cls(
            space=space,
            objectives=tuple(Objective(n, d) for n, d in text.objectives.items()),
            limits=tuple(map(Limit.parse, text.limits)),
            resource=None if text.resource is None else Resource(**text.resource),
            value=text.value,
            locate=locate,
        )
