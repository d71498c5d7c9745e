"""The stop rules: trials, time, target, no improvement, resource spent."""

from dataclasses import dataclass
from typing import Any, final

from tunesmith._core import checks
from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith.records import History
from tunesmith.stop.rule import StopRule


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
