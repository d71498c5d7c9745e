"""The contract of a stop rule: when a run has had enough. Rules compose with `|` and `&`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core.errors import SettingError
from tunesmith.records import History


class StopRule(ABC):
    """Says why a run shall end, or that it shall not. Subclasses are final frozen dataclasses."""

    @abstractmethod
    def reason(self, history: History[Any], elapsed_s: float) -> str:
        """Return why to end now, as part of a sentence; empty: go on.

        A run asks once before it begins anything, so that what a rule cannot do is said then.

        Args:
            history: All trials of the study, those of earlier runs included.
            elapsed_s: Seconds since this run began.

        Raises:
            NotSupported: The rule cannot judge such a study; says why.
        """

    @final
    def __or__(self, other: "StopRule") -> "Either":
        return Either(self, _rule(other))

    @final
    def __and__(self, other: "StopRule") -> "Both":
        return Both(self, _rule(other))


@final
@dataclass(frozen=True)
class Either(StopRule):
    """Ends when either rule does; written `a | b`."""

    first: StopRule
    second: StopRule

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        return self.first.reason(history, elapsed_s) or self.second.reason(history, elapsed_s)


@final
@dataclass(frozen=True)
class Both(StopRule):
    """Ends when both rules would; written `a & b`."""

    first: StopRule
    second: StopRule

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        reasons = [rule.reason(history, elapsed_s) for rule in (self.first, self.second)]
        return " and ".join(reasons) if all(reasons) else ""


def _rule(other: object) -> StopRule:
    if not isinstance(other, StopRule):
        raise SettingError(f"rules compose with rules, such as ts.stop.Trials(100), got {other!r}")
    return other
