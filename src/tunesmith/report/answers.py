"""What the analyses say of a study, each asked once and when it is needed first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar, final

from tunesmith._core.errors import TunesmithError
from tunesmith.analysis import (
    Advice,
    Confirmation,
    Diagnosis,
    Forecast,
    Hypervolume,
    Importance,
    Overtuning,
    Recommendation,
    Sensitivity,
    Spending,
    Tunability,
    Why,
    advice,
    diagnose,
    forecast,
    hypervolume,
    importance,
    overtuning,
    recommend,
    sensitivity,
    spending,
    tunability,
    why,
)
from tunesmith.records import History, Record

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says beside a study's history.

    Attributes:
        name: The study's.
        settings: What it was run with, by name.
        methods: How it was done, as paragraphs.
        confirmation: What evaluations on fresh seeds said; None: there were none.
    """

    name: str
    settings: Mapping[str, Any]
    methods: str
    confirmation: Confirmation[Any] | None


def asked(work: Callable[[], T]) -> T | None:
    """Return an answer; None if the study is not one of which it can be given, or not yet."""
    try:
        return work()
    except TunesmithError:
        return None


@final
class Answers:
    """The answers of all analyses that a report speaks of; None where there is none.

    Args:
        history: The study's trials.
        facts: What else is known.
    """

    def __init__(self, history: History[Any], facts: Facts) -> None:
        self.history = history
        self.facts = facts
        self.objectives = [objective.name for objective in history.problem.objectives]

    @cached_property
    def recommended(self) -> Recommendation[Any] | None:
        """What is expected to be the best in truth."""
        return asked(lambda: recommend(self.history))

    @cached_property
    def front(self) -> list[Record[Any]]:
        """Of several objectives, the trials that no other beats."""
        found = asked(lambda: self.history.front) if len(self.objectives) > 1 else None
        return found or []

    @cached_property
    def baseline(self) -> Record[Any] | None:
        """The default configuration's trial, or the centre's, with the means over its evaluations."""
        first = next(iter(self.history), None)
        if first is None or first.source != "default":
            return None
        return self.history.averaged(first)

    @cached_property
    def importance(self) -> dict[str, Importance]:
        """What each objective depends on."""
        return self._each(lambda name: importance(self.history, name))

    @cached_property
    def tunability(self) -> dict[str, Tunability]:
        """What tuning gains over the default, for each objective."""
        return self._each(lambda name: tunability(self.history, name))

    @cached_property
    def advice(self) -> list[Advice]:
        """What to change about the ranges; of several objectives only what none of them speaks against."""
        every = self._each(lambda name: advice(self.history, name))
        if len(every) < len(self.objectives):
            return []
        first, *others = every.values()
        return [
            one
            for one in first
            if all(any((o.parameter, o.kind) == (one.parameter, one.kind) for o in other) for other in others)
        ]  # fmt: skip

    @cached_property
    def why(self) -> Why | None:
        """Why the recommended configuration is what it is."""
        return asked(lambda: why(self.history))

    @cached_property
    def forecast(self) -> Forecast | None:
        """What more trials would gain."""
        return asked(lambda: forecast(self.history))

    @cached_property
    def overtuning(self) -> Overtuning | None:
        """Whether the gain holds on test samples."""
        return asked(lambda: overtuning(self.history))

    @cached_property
    def sensitivity(self) -> Sensitivity | None:
        """How much of the spread is luck."""
        return asked(lambda: sensitivity(self.history))

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What is wrong with the trainings."""
        return diagnose(self.history)

    @cached_property
    def hypervolume(self) -> Hypervolume | None:
        """How much several objectives have reached."""
        return asked(lambda: hypervolume(self.history))

    @cached_property
    def spending(self) -> Spending | None:
        """Where the time went."""
        return asked(lambda: spending(self.history))

    def _each(self, work: Callable[[str], T]) -> dict[str, T]:
        found = {name: asked(partial(work, name)) for name in self.objectives}
        return {name: one for name, one in found.items() if one is not None}
