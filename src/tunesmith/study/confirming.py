"""Confirming a study's best on seeds that its search never used, in a study of its own beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.types import P
from tunesmith.analysis import Confirmation, confirmed, recommend
from tunesmith.analysis.spread import LEVEL
from tunesmith.executors import Executor
from tunesmith.records import History, Problem, Record
from tunesmith.replication import Fixed, Racing, Replication
from tunesmith.stop import StopRule, Trials

SHARE = 0.2  # of the search's evaluations
LEAST = 3  # evaluations of a finalist before it may drop out
TOP = 5
ALONE = 10  # evaluations of a finalist that has nobody to race with, unless told otherwise


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """How much is confirmed.

    Attributes:
        finalists: The trials to confirm: that which is recommended, the best measured, those that cannot be told
            apart from it, and others by what they measured; the default last.
        most: Evaluations of one of them, at most.
        evaluations: In all, at most.
        aside: Of these, at least, for what is compared with them and is no trial; 0: there is no such thing.
    """

    finalists: tuple[Record[Any], ...]
    most: int
    evaluations: int
    aside: int

    @classmethod
    def of(
        cls, history: History[P], top: int | None, replicates: int | None, *, baseline: bool
    ) -> "Plan":
        """Return what to spend: a fifth of the search, unless told otherwise.

        A baseline takes the place of the default: that is what the others are compared with.

        Raises:
            NotSupported: The study has several objectives.
            SettingError: A number is out of its range.
        """
        problem, key = history.problem, history.problem.space.key
        check_confirmable(problem)
        top = None if top is None else checks.whole("top=", top, least=1)
        replicates = (
            None if replicates is None else checks.whole("replicates=", replicates, least=2)
        )
        complete = history.count("complete")
        spent = history.spent / problem.resource.max if problem.resource else complete
        budget = max(2 * LEAST, round(SHARE * spent))
        default = None if baseline else default_of(history)
        compared = baseline or default is not None
        count = min(TOP, max(1, budget // LEAST - compared)) if top is None else top
        expected = recommend(history)
        first = [expected.record, expected.observed, *expected.rivals]
        best = {key(r.logged): r for r in [*first, *_ranking(history)]}
        if default is not None:
            best.pop(key(default.logged), None)
        chosen = list(best.values())[:count] + ([] if default is None else [default])
        rows = len(chosen) + baseline
        if replicates is not None:
            budget = replicates * rows
        elif top is not None:
            budget = max(budget, LEAST * rows)
        elif rows == 1:
            budget = min(budget, ALONE)
        aside = budget // rows if baseline else 0
        return cls(tuple(chosen), replicates or budget, budget, aside)

    @property
    def replication(self) -> Replication:
        """Who gets how many of the evaluations: who leaves the confidence set drops out."""
        n = len(self.finalists)
        race = self.evaluations - self.aside
        most = max(2, min(self.most, race))
        if n == 1:
            return Fixed(most)
        share = max(race - n, 0) + 0.5  # beyond the first of each; a half, lest rounding takes one
        return Racing(
            most=most, share=share / n, least=min(LEAST, most), doubt=(1 - LEVEL) / (n - 1)
        )

    @property
    def until(self) -> StopRule:
        """When they have been evaluated often enough."""
        return Leaving(self.evaluations) if self.aside else Trials(self.evaluations)

    def left(self, again: History[Any]) -> int:
        """Return how often a baseline is evaluated: as often as the longest-lived finalist, if there is room.

        Earlier calls, which knew of no baseline, may have left none; it has its share all the same.
        """
        room = max(self.aside, self.evaluations - _begun(again))
        return min(int(again.replicates.done.max(initial=0)), room)


@final
@dataclass(frozen=True)
class Leaving(StopRule):
    """Ends a race when what is left of `n` evaluations is as many as one finalist has had: a baseline's."""

    n: int

    def reason(self, history: History[Any], elapsed_s: float) -> str:
        begun = _begun(history)
        longest = int(history.replicates.started.max(initial=0))
        return f"{begun} evaluations are done" if begun + longest >= self.n else ""


def _begun(history: History[Any]) -> int:
    """How many evaluations are done, or will be."""
    return history.count("complete", "stopped", "running")


def _ranking(history: History[P]) -> list[Record[P]]:
    """The trials among which the best is taken, the best measured first."""
    sign = history.problem.objectives[0].sign
    return sorted(history.contenders(), key=lambda r: sign * r.value)


def check_confirmable(problem: Problem[Any]) -> None:
    """Refuse what has no single best.

    Raises:
        NotSupported: The study has several objectives.
    """
    if len(problem.objectives) > 1:
        raise NotSupported(
            "confirm compares configurations by one objective; evaluate those of study.front with "
            "study.enqueue in a study with replicates=10"
        )


def default_of(history: History[P]) -> Record[P] | None:
    """Return the default configuration's trial, if it is one of defaults and has completed."""
    first = history[:1]
    if not first or first[0].source != "default" or first[0].note != "default":
        return None
    return first[0] if first[0].state == "complete" else None


def outcome(
    history: History[P], again: History[P], baseline: History[Any] | None
) -> Confirmation[P]:
    """Return what the studies beside a study say of its best.

    Args:
        history: Of the study.
        again: Of the one that confirms it.
        baseline: Of the one that evaluates what is in no space; None: there is none, the default stands there.

    Raises:
        NoTrials: Nothing yet.
    """
    if baseline is not None:
        return confirmed(history, again, None, baseline)
    default = default_of(history)
    return confirmed(history, again, None if default is None else default.number)


def refuse(running: Mapping[str, Any], baseline: Callable[..., Any] | None) -> None:
    """Refuse what bounds a search and not a confirmation, and what cannot be run as baseline.

    Raises:
        SettingError: There is such an argument.
    """
    if baseline is None:
        pass
    elif not callable(baseline):
        raise SettingError(
            f"baseline= is a function of a trial that has no params, such as lambda trial: score(current), got "
            f"{baseline!r}; a configuration of the space is tried with study.enqueue"
        )
    elif isinstance(running.get("executor"), Executor):
        raise SettingError(
            "a run closes its executor= at its end, and baseline= is a run of its own; give its name, or workers=, instead"
        )
    for name in ("trials", "more", "until", "wait", "confirm"):
        if name in running:
            raise SettingError(
                f"confirm takes no {name}=; top= and replicates= say how much is evaluated"
            )
