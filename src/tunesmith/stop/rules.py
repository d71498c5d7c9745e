"""The stop rules: trials, time, target, no improvement, no worthwhile gain to come, resource spent."""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith.models.gains import gain
from tunesmith.models.noise import completed, measured_noise, outlook
from tunesmith.records import History, Record
from tunesmith.stop.rule import StopRule

FIRST = 20  # completed trials from which on a gain is forecast
LAST = 500  # trials that are looked at, beside the first and the best
AGO = 20  # completed trials between two forecasts that must agree
START = 10  # trials whose median is where the gain so far began
WORTH = 0.01  # share of the gain so far that is worth going on for
LUCK = 1.645 * math.sqrt(2)  # noises: two evaluations of the same differ by less with 90 %


def _single(rule: StopRule, history: History[Any]) -> None:
    names = [objective.name for objective in history.problem.objectives]
    if len(names) > 1:
        raise NotSupported(
            f"{type(rule).__name__} needs one objective, this study has {', '.join(names)}; "
            "use Trials, Seconds or Spent"
        )


@final
@dataclass(frozen=True)
class Trials(StopRule):
    """Ends when the study has `n` trials that completed or were stopped.

    Example:
        >>> Trials(200) | Seconds(3600)
        Either(first=Trials(n=200), second=Seconds(s=3600))
    """

    n: int

    def __post_init__(self) -> None:
        checks.whole("Trials(n)", self.n, 1)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        done = history.count("complete", "stopped")
        return f"{done} trials are done" if done >= self.n else ""


@final
@dataclass(frozen=True)
class Seconds(StopRule):
    """Ends when the run has lasted `s` seconds."""

    s: float

    def __post_init__(self) -> None:
        checks.seconds("Seconds(s)", self.s)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        return f"{self.s:g} s have passed" if elapsed_s >= self.s else ""


@final
@dataclass(frozen=True)
class Target(StopRule):
    """Ends when the best value is at least as good as `value`."""

    value: float

    def __post_init__(self) -> None:
        checks.number("Target(value)", self.value)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        _single(self, history)
        try:
            best = history.best.value
        except NoTrials:
            return ""
        sign = history.problem.objectives[0].sign
        return f"the target {self.value:g} is reached" if sign * best <= sign * self.value else ""


@final
@dataclass(frozen=True)
class NoImprovement(StopRule):
    """Ends when the last `trials` completed trials brought no better value."""

    trials: int

    def __post_init__(self) -> None:
        checks.whole("NoImprovement(trials)", self.trials, 1)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        _single(self, history)
        since = history.since_best
        return f"{since} trials brought nothing better" if since >= self.trials else ""


@final
@dataclass(frozen=True)
class NoWorthwhileGain(StopRule):
    """Ends when further trials will hardly gain what is worth them, now and as it stood 20 trials ago.

    Their gain is forecast as `study.forecast()` does it. Nothing ends before 40 trials have completed. Of the
    recorded runs that it ended, 9 % would have gained more than that in the next 50 trials
    (`bench/RESULTS.md`).

    Args:
        gain: What is worth going on for, in the objective's units; by default a hundredth of the gain so
            far, which is counted from the median of the first ten trials, or, if that is more, what two evaluations
            differ by through luck, as far as folds or replicates tell that.
        chance: The probability below which it is not waited for.
        trials: How many further trials are looked at.

    References:
        A. Makarova et al. Automatic Termination for Hyperparameter Optimization. AutoML 2022: to end when
        what can be gained is below the error of the cross-validation that measures it.
    """

    gain: float | None = None
    chance: float = 0.1
    trials: int = 50

    def __post_init__(self) -> None:
        worth = 0.0 if self.gain is None else checks.number("NoWorthwhileGain(gain)", self.gain)
        if not 0 <= worth < math.inf:
            raise SettingError(f"NoWorthwhileGain(gain=...) is 0 or above, got {self.gain!r}")
        if not 0 < checks.number("NoWorthwhileGain(chance)", self.chance) < 1:
            raise SettingError(
                f"NoWorthwhileGain(chance=...) is a probability between 0 and 1, got {self.chance!r}"
            )
        checks.whole("NoWorthwhileGain(trials)", self.trials, 1)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        _single(self, history)
        window = _window(history)
        records = completed(history.averaged(r) for r in window if r.source != "replicate")
        if len(records) < FIRST + AGO:
            return ""
        losses = outlook(history, records)
        if len(losses) < FIRST + AGO:
            return ""
        worth = self.gain
        if worth is None:
            so_far = float(np.median(losses[:START]) - losses.min())
            worth = max(WORTH * so_far, LUCK * measured_noise(completed(window)).sd)
        done = history.count("complete", "stopped", "failed")
        more = self.trials * history.count("complete") / done  # others end early, or fail
        chances = [gain(losses[: len(losses) - ago], more).chance(worth) for ago in (0, AGO)]
        if max(chances) >= self.chance:
            return ""
        return (
            f"{self.trials} more trials gain what is worth them with a chance of {chances[0]:.0%}"
        )


def _window(history: History[Any]) -> list[Record[Any]]:
    """The trials, of very many the first, the best and the last: a rule is asked at every turn."""
    n = len(history)
    if n <= LAST:
        return history[:]
    with suppress(NoTrials):
        if START <= history.best.number < n - LAST:
            return [*history[:START], history.best, *history[n - LAST :]]
    return [*history[:START], *history[n - LAST :]]


@final
@dataclass(frozen=True)
class Spent(StopRule):
    """Ends when all trials together have used `steps` of the study's resource.

    Steps that an interrupted attempt lost are not counted.
    """

    steps: int

    def __post_init__(self) -> None:
        checks.whole("Spent(steps)", self.steps, 1)

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        spent = history.spent
        resource = history.problem.resource
        unit = resource.name if resource else "step"
        return f"{spent} {unit}s are spent" if spent >= self.steps else ""
