"""When a run ends: the budget, the time, a rule, and how much may go wrong."""

from dataclasses import dataclass
from typing import Any, final

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.records import History
from tunesmith.stop import StopRule

RETRIES = 1  # how often a trial is begun again whose process died, if nobody says otherwise


@final
@dataclass(frozen=True, slots=True)
class Bounds:
    """When a run ends.

    Attributes:
        trials: Trials that the study shall have in all.
        timeout: Seconds after which no further trial is begun.
        until: A rule that is asked before every trial.
        max_failures: Trials that may fail in this run.
        retries: How often a trial is begun again after its worker was lost.
        kills: Whether the timeout kills trials that run, instead of ending them at a report.
    """

    trials: int | None
    timeout: float | None
    until: StopRule | None
    max_failures: int
    retries: int
    kills: bool

    @classmethod
    def of(
        cls,
        history: History[Any],
        trials: int | None,
        more: int | None,
        timeout: float | None,
        until: StopRule | None,
        max_failures: int | None,
        *,
        retries: int,
        kills: bool,
        ends: bool,
    ) -> "Bounds":
        """Return the bounds that the arguments of `Study.run` mean.

        `ends` says whether the sampler comes to an end by itself.

        Raises:
            SettingError: They contradict one another, or are none.
        """
        trials, more, max_failures = (
            None if value is None else checks.whole(f"{name}=", value)
            for name, value in (("trials", trials), ("more", more), ("max_failures", max_failures))
        )
        timeout = None if timeout is None else checks.seconds("timeout=", timeout)
        if until is not None and not isinstance(until, StopRule):
            raise SettingError(f"until= takes a rule such as ts.stop.Target(0.99), got {until!r}")
        if until is not None:
            until.reason(history, 0.0)
        if trials is not None and more is not None:
            raise SettingError(
                f"trials={trials} is the number of trials the study shall have, more={more} how "
                "many to add; give one of them"
            )
        if more is not None:
            trials = history.taken + more
        endless = trials is None and timeout is None and until is None
        if endless and history.problem.space.cardinality is None and not ends:
            raise SettingError(
                "a run needs an end: trials=100 (in all), more=50, timeout=3600 (seconds), or "
                "until=ts.stop.NoImprovement(30)"
            )
        added = 0 if trials is None else max(0, trials - history.taken)
        allowed = max(10, added // 4) if max_failures is None else max_failures
        return cls(trials, timeout, until, allowed, checks.whole("retries=", retries), kills)

    def room(self, history: History[Any]) -> int:
        """Return how many trials more the budget allows."""
        return 1 << 60 if self.trials is None else self.trials - history.taken
