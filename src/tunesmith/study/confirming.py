"""Confirming a study's best on seeds that its search never used, in a study of its own beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.random import seed_of
from tunesmith._core.types import P
from tunesmith.analysis import recommend
from tunesmith.analysis.spread import LEVEL
from tunesmith.records import History, Problem, Record
from tunesmith.replication import Fixed, Racing, Replication

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
        default: Its number; None: the search has none that completed.
        most: Evaluations of one of them, at most.
        evaluations: Of all of them, at most.
    """

    finalists: tuple[Record[Any], ...]
    default: int | None
    most: int
    evaluations: int

    @classmethod
    def of(cls, history: History[P], top: int | None, replicates: int | None) -> "Plan":
        """Return what to spend: a fifth of the search, unless told otherwise.

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
        default = default_of(history)
        count = min(TOP, max(1, budget // LEAST - (default is not None))) if top is None else top
        expected = recommend(history)
        first = [expected.record, expected.observed, *expected.rivals]
        best = {key(r.logged): r for r in [*first, *_ranking(history)]}
        if default is not None:
            best.pop(key(default.logged), None)
        chosen = list(best.values())[:count] + ([] if default is None else [default])
        if replicates is not None:
            budget = replicates * len(chosen)
        elif top is not None:
            budget = max(budget, LEAST * len(chosen))
        elif len(chosen) == 1:
            budget = min(budget, ALONE)
        number = None if default is None else default.number
        return cls(tuple(chosen), number, replicates or budget, budget)

    @property
    def replication(self) -> Replication:
        """Who gets how many of the evaluations: who leaves the confidence set drops out."""
        most = max(2, self.most)
        if len(self.finalists) == 1:
            return Fixed(most)
        doubt = (1 - LEVEL) / (len(self.finalists) - 1)
        return Racing(most=most, share=float(most), least=min(LEAST, most), doubt=doubt)


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


def seed_apart(seed: int) -> int:
    """Return the seed of a confirmation: evaluations of the search have others."""
    return seed_of(seed, "confirm", 0)


def refuse(running: Mapping[str, Any]) -> None:
    """Refuse what bounds a search and not a confirmation.

    Raises:
        SettingError: There is such an argument.
    """
    for name in ("trials", "more", "until", "wait", "confirm"):
        if name in running:
            raise SettingError(
                f"confirm takes no {name}=; top= and replicates= say how much is evaluated"
            )
