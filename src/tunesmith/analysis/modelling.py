"""What the analyses of a study begin with: its configurations seen through one objective, and a model of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, final

import msgspec
import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith._core.types import P
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.recommendation import Tried, modelled
from tunesmith.models.features import Features
from tunesmith.models.gains import LEAST
from tunesmith.models.observations import Observations
from tunesmith.models.surrogate import Surrogate
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.threads import one_thread
from tunesmith.records import History, Objective
from tunesmith.space import Categorical, Params, Space

FAR = 3.0  # times as far from the best as all others, from where on a default is an outlier
ODD = 4  # of the others may be as well


def seen(history: History[P], objective: str | None = None) -> History[P]:
    """Return a history through one of its objectives: as if the study had no other.

    Raises:
        SettingError: It has several and none is named, or there is none of that name.
    """
    objectives = {one.name: one for one in history.problem.objectives}
    names = ", ".join(objectives)
    if objective is None and len(objectives) > 1:
        raise SettingError(f"the study has several objectives ({names}); name one by objective=")
    if objective is not None and objective not in objectives:
        raise SettingError(f"there is no objective {objective!r}; the study has {names}")
    if len(objectives) == 1:
        return history
    problem = replace(history.problem, objectives=(objectives[objective or ""],))
    through = History(problem)
    for record in history:
        through.put(msgspec.structs.replace(record, problem=problem))
    return through


def explored(history: History[P]) -> Tried[P]:
    """Gather what is known of a study's configurations, as much as is needed to say anything.

    What ended early counts as what it would have come to (`tunesmith.models.fidelity`); of failed trials nothing is known.

    Raises:
        NoTrials: Fewer than 8 have completed, or ended early.
    """
    tried = Tried.of(history)
    space, whole = history.problem.space, len(tried.first)
    early = [r for r in history if r.state in ("stopped", "paused")]
    early = [r for r in early if space.key(r.logged) not in tried.places]
    if early:
        trials = Observations(history.problem, lambda units: units[:, :0])
        trials.note([record.begun() for record in history])
        trials.note([record for record in history if record.state != "running"])
        early = [r for r in early if math.isfinite(trials.finals[r.number])]
        values = [-trials.finals[r.number] for r in early]
        tried = replace(
            tried,
            first=tried.first + early,
            values=np.append(tried.values, values),
            counts=np.append(tried.counts, np.ones(len(early))),
            scatter=np.append(tried.scatter, np.zeros(len(early))),
            places={space.key(r.logged): whole + i for i, r in enumerate(early)} | tried.places,
        )
    if len(tried.first) < LEAST:
        measurable(history)
    return tried


@final
@dataclass(frozen=True, slots=True)
class Model(Generic[P]):
    """The configurations of a study, and what a model makes of them.

    Attributes:
        history: Seen through one objective.
        tried: The configurations.
        units: Of each (m, d), NaN where a parameter is not active.
        rows: Which of them are modelled, ascending: at most 200.
        surrogate: The model.
    """

    history: History[P]
    tried: Tried[P]
    units: Floats
    rows: Ints
    surrogate: Surrogate

    @classmethod
    def of(
        cls, history: History[P], objective: str | None = None, named: Sequence[Params] = ()
    ) -> "Model[P]":
        """Model a history: of values that are far worse than the default only the order counts.

        Args:
            history: A study's.
            objective: Which, if there are several.
            named: Configurations that shall be modelled, whatever else is.

        Raises:
            NoTrials: Fewer than 8 have completed, or ended early.
            SettingError: There are several objectives and none is named, or there is none of that name.
        """
        history = seen(history, objective)
        keys = [history.problem.space.key(one) for one in named]
        tried = explored(history).fewer(keys)
        features = Features(history.problem.space)
        units = history.problem.space.encode([record.logged for record in tried.first])
        columns = features(units)
        default = [i for i, record in enumerate(tried.first) if record.source == "default"]
        places = [tried.places.get(key) for key in keys]
        with one_thread():
            rows = modelled(
                tried, columns, features, [*default, *(p for p in places if p is not None)]
            )
        known = tried.some(rows, columns)
        level = _straight(known.values, float(tried.values[default[0]])) if default else math.inf
        surrogate = Surrogate(known, features, level)
        return cls(history, tried, units, rows, surrogate)

    @property
    def space(self) -> Space[P]:
        """What is tuned."""
        return self.history.problem.space

    @property
    def objective(self) -> Objective:
        """What is looked at."""
        return self.history.problem.objectives[0]

    def native(self, parameter: str, unit: float) -> Any:
        """Return the value at a unit of a parameter, as the log keeps it."""
        return self.space.parameters[parameter].from_unit(unit)


def _straight(values: Floats, default: float) -> float:
    """The level from which on values (m,) count as they are: well below the default's, unless that is an outlier.

    That is as far below as the best is above, so that whatever is compared with a default is on one scale.
    """
    best, others = float(values.max()), np.sort(values)[min(ODD, len(values) - 1) :]
    level = default - (best - default)
    near = best - default <= FAR * (best - float(others[0]))
    return level if near and math.isfinite(level) else math.inf


def levels(space: Space[Any]) -> list[int]:
    """Return how many categories each parameter has, 0 if its values have an order."""
    parameters = space.parameters.values()
    return [(p.cardinality or 0) if isinstance(p, Categorical) else 0 for p in parameters]


def varied(space: Space[Any]) -> list[int]:
    """Return the columns of the parameters that have several values."""
    return [j for j, p in enumerate(space.parameters.values()) if p.cardinality != 1]
