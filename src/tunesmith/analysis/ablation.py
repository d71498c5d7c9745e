"""`ablation`: the way from the default to a better configuration, one parameter after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np

from tunesmith._core.errors import SettingError
from tunesmith.analysis.forecast import measurable
from tunesmith.analysis.landscape import Landscape, short, summed
from tunesmith.analysis.modelling import seen
from tunesmith.analysis.recommendation import Estimate, recommend, within
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record
from tunesmith.space import Params


@final
@dataclass(frozen=True, slots=True)
class AblationStep:
    """One change on the way.

    Attributes:
        parameters: What changes: one parameter, and with it what it makes active; several more where no one alone
            keeps the constraints.
        before: Their values before it, as the log keeps them; what was not active is not in it.
        after: Their values after it.
        gain: By how much the expected objective gets better, in its units; negative: worse.
        interval: Where that lies with a probability of 90 %.
        value: The expected objective after it.
    """

    parameters: tuple[str, ...]
    before: Params
    after: Params
    gain: float
    interval: tuple[float, float]
    value: float

    def __str__(self) -> str:
        changes = ", ".join(
            f"{name} {short(self.before[name])} -> {short(value)}"
            if name in self.before
            else f"{name} {short(value)}"
            for name, value in self.after.items()
        )
        return f"{changes}: {within(self.gain, self.interval, '+')}"


@final
@dataclass(frozen=True, slots=True)
class Ablation:
    """The way from the default to another configuration.

    Attributes:
        objective: Its name.
        called: What the default is called: default, or centre.
        trial: The number of the trial at its end.
        start: What the default is expected to have.
        end: What that trial's configuration is expected to have.
        steps: The changes, in the order in which each next one gains most.
    """

    objective: str
    called: str
    trial: int
    start: Estimate
    end: Estimate
    steps: tuple[AblationStep, ...]

    def __str__(self) -> str:
        if not self.steps:
            return f"trial {self.trial} is the {self.called}: {self.objective} {self.start}"
        head = (
            f"{self.objective} from the {self.called} ({self.start}) to trial {self.trial} ({self.end}), "
            "each step with what it gains:"
        )
        return "\n".join([head, *(f"  {step}" for step in self.steps)])


def ablation(
    history: History[Any], to: Record[Any] | int | None = None, objective: str | None = None
) -> Ablation:
    """Return the way from the default to a trial's configuration that gains most at each step.

    A model of what was measured says what lies between. A parameter moves with what it makes active; one that is not
    active yet waits for what it hangs on. Where no next change keeps the constraints, all that are left are one step.
    Steps are chosen by the mean of the model, and valued by its difference, of which they
    are parts: they add up to the whole gain.

    Args:
        history: Of a study.
        to: A trial that completed, or its number; by default the recommended one.
        objective: Which, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives, and none is named.
        NotSupported: The default failed.
        SettingError: The trial has not completed.

    References:
        C. Fawcett, H. H. Hoos. Analysing differences between algorithm configurations through ablation. Journal of
        Heuristics 22, 2016. Section 3. Deviation: what lies between is foreseen by a model, as A. Biedenkapp et al.,
        Efficient Parameter Importance Analysis via Ablation with Surrogates, AAAI 2017, do it.
    """
    land, target = aimed(history, to, objective)
    land.check_default()
    way = list(_way(land, land.whole(target.logged)))
    rows = np.array([land.start, *way])
    params = [land.default, *land.params(rows[1:])]
    worths = land.worths(rows)
    gains = np.diff(worths, axis=1)
    steps = []
    for i, (before, after) in enumerate(pairwise(params)):
        names = tuple(
            name for name in {**after, **before} if before.get(name, ...) != after.get(name, ...)
        )
        told = summed(gains[:, i])
        steps.append(
            AblationStep(
                names,
                {name: before[name] for name in names if name in before},
                {name: after[name] for name in names if name in after},
                told.mean,
                told.interval,
                land.estimate(worths[:, i + 1]).mean,
            )
        )
    return Ablation(
        land.model.objective.name,
        land.called,
        target.number,
        land.estimate(worths[:, 0]),
        land.estimate(worths[:, -1]),
        tuple(steps),
    )


def aimed(
    history: History[Any], trial: Record[Any] | int | None, objective: str | None
) -> tuple[Landscape[Any], Record[Any]]:
    """Return the landscape in which a trial's configuration is known, and the trial's record.

    Args:
        history: Of a study.
        trial: A trial that completed, or its number; None: the recommended one.
        objective: Which, if there are several.

    Raises:
        NoTrials: Fewer than 8 have completed.
        SettingError: There are several objectives, and none is named.
        SettingError: The trial has not completed.
    """
    history = seen(history, objective)
    measurable(history)
    if isinstance(trial, int):
        if not -len(history) <= trial < len(history):
            raise SettingError(f"there is no trial {trial}; the study has {len(history)}")
        trial = history[trial]
    record = recommend(history).record if trial is None else trial
    land = Landscape(history, None, [record.logged])
    if land.space.key(record.logged) not in land.model.tried.places:
        raise SettingError(f"this takes a trial that completed, trial {record.number} has not")
    return land, record


def _way(land: Landscape[Any], end: Floats) -> Iterator[Floats]:
    """Yield rows (d,) from the default's, which is left out, to the end's."""
    here, active = land.start, land.active(end[None])[0]
    end = np.where(active, end, here)  # what the end does not have stays as it was
    while (left := np.flatnonzero(land.active(here[None])[0] & (here != end))).size:
        rows = np.array([_with_branch(land, here, end, j) for j in left.tolist()])
        rows = rows[land.possible(rows)]
        if not len(rows):  # the constraints allow no one alone
            rows = end[None]
        here = rows[int(np.argmax(land.expected(rows)))]
        yield here


def _with_branch(land: Landscape[Any], here: Floats, end: Floats, column: int) -> Floats:
    """The row (d,) with one parameter moved to its end, and what that makes active."""
    row, before = here.copy(), land.active(here[None])[0]
    row[column] = end[column]
    while (new := land.active(row[None])[0] & ~before & (row != end)).any():
        row[new] = end[new]
    return row
