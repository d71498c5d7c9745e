"""`hypervolume`: how much of what several objectives could give the trials have reached, trial by trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.hypervolume import growing
from tunesmith.records import History

MARGIN = 0.1  # of the front's range, by which the reference lies beyond it


@final
@dataclass(frozen=True, slots=True, eq=False)
class Hypervolume:
    """The share that is dominated of the box between the best of each objective and a reference.

    Attributes:
        objectives: Their names.
        trials: Numbers of the trials that completed and keep the limits, in the order in which they ended (n,).
        values: The share after each of them, from 0 to 1 (n,).
        error: Half the interval of 90 % of these shares: 0 for up to four objectives, beyond they are estimated (n,).
        reference: The worst value of each objective that still counts, in its own sign and units.
        ideal: The best value of each objective that was measured, likewise.
        front: How many trials no other beats.
    """

    objectives: tuple[str, ...]
    trials: Ints
    values: Floats
    error: Floats
    reference: dict[str, float]
    ideal: dict[str, float]
    front: int

    @property
    def volumes(self) -> Floats:
        """The volume after each trial, in the product of the objectives' units (n,)."""
        box = np.prod([abs(self.reference[name] - self.ideal[name]) for name in self.objectives])
        return np.asarray(self.values * box)

    @property
    def paid(self) -> int:
        """The number of the last trial that made it larger."""
        grown = np.diff(self.values, prepend=0.0) > 0
        return int(self.trials[np.flatnonzero(grown)[-1]]) if grown.any() else int(self.trials[0])

    def __str__(self) -> str:
        about = f" (± {self.error[-1]:.1%})" * bool(self.error[-1])
        beyond = ", ".join(f"{name} {value:.4g}" for name, value in self.reference.items())
        ideal = ", ".join(f"{name} {value:.4g}" for name, value in self.ideal.items())
        trials = f"{self.front} trial{'s' * (self.front != 1)}"
        return (
            f"{trials} on the front cover {self.values[-1]:.1%}{about} of what lies between the best of each ({ideal}) "
            f"and the reference ({beyond}); trial {self.paid} was the last to add to it"
        )


def hypervolume(history: History[Any], reference: Mapping[str, float] | None = None) -> Hypervolume:
    """Return how much the trials dominate, trial by trial.

    Args:
        history: Of a study of several objectives.
        reference: The worst value of each objective that still counts; by default what the front has, and a tenth of its
            range more; where the front has but one value of an objective, the worst that any trial has.

    Raises:
        NoTrials: None has completed, or none keeps the limits.
        NotSupported: There is one objective.
        SettingError: The reference does not name the objectives, or is better than all trials.

    References:
        E. Zitzler, L. Thiele. Multiobjective evolutionary algorithms: a comparative case study and the strength Pareto
        approach. IEEE Trans. Evol. Comput. 3, 1999. Section IV: the size of the space covered.
    """
    problem = history.problem
    names = tuple(objective.name for objective in problem.objectives)
    if len(names) < 2:
        raise NotSupported(
            f"a hypervolume is of several objectives, the study has {names[0]}; see .best"
        )
    history.contenders()  # says why there are none
    done = [r for r in history if r.state == "complete" and problem.meets_limits(r.values)]
    if not done:
        raise NoTrials("no trial has completed yet; run some first")
    done.sort(key=lambda r: (r.ended or 0.0, r.number))
    signs = np.array([objective.sign for objective in problem.objectives])
    losses = np.array([problem.losses(record.values) for record in done])
    on = pareto.front(losses)
    ideal = losses.min(axis=0)
    worst = losses[on].max(axis=0) if reference is None else _given(reference, names) * signs
    if reference is None:
        margin = MARGIN * (worst - ideal)
        worst = np.where(margin > 0, worst + margin, losses.max(axis=0))
    elif (worst <= ideal).any():
        name = names[int(np.flatnonzero(worst <= ideal)[0])]
        raise SettingError(
            f"the reference is the worst value that still counts; {name}={reference[name]!r} is better than all trials"
        )
    size = np.where(worst > ideal, worst - ideal, 1.0)
    shares = np.where(worst > ideal, (losses - ideal) / size, 0.0)
    values, error = growing(shares)
    return Hypervolume(
        names,
        np.array([record.number for record in done]),
        values,
        error,
        dict(zip(names, (signs * worst).tolist(), strict=True)),
        dict(zip(names, (signs * ideal).tolist(), strict=True)),
        int(on.sum()),
    )


def _given(reference: Mapping[str, float], names: tuple[str, ...]) -> Floats:
    if set(reference) != set(names):
        raise SettingError(
            f"reference= has a value for each of {', '.join(names)}, got {dict(reference)!r}"
        )
    values = np.array([float(reference[name]) for name in names])
    if not np.isfinite(values).all():
        raise SettingError(f"reference= takes finite numbers, got {dict(reference)!r}")
    return values
