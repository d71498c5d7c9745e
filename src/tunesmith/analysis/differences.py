"""What two studies, or two trials of one, do not have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from tunesmith._core.errors import NoTrials
from tunesmith.records import History, Record, changes

Part: TypeAlias = Literal[
    "space", "problem", "settings", "trials", "best", "params", "values", "trial", "provenance"
]


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """Something that one has otherwise than the other.

    Attributes:
        part: Where it belongs.
        name: What it is.
        a: What the first has; None: nothing.
        b: What the other has.
    """

    part: Part
    name: str
    a: Any
    b: Any


def compare_trials(a: Record[Any], b: Record[Any]) -> list[Difference]:
    """Return what two trials do not have in common: params, values, how they ended, provenance.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
        >>> for trial in study.ask(2):
        ...     told = study.tell(trial, loss=1.0)
        >>> [one.name for one in compare_trials(study.history[0], study.history[1])]
        ['x', 'seed', 'source']
    """
    facts = (
        {
            "state": record.state,
            "failure": None if record.failure is None else record.failure.kind,
            "step": record.step,
            "attempt": record.attempt,
            "seed": record.seed,
            "source": record.source,
        }
        for record in (a, b)
    )
    return [
        *_mappings("params", a.logged, b.logged),
        *_mappings("values", a.values, b.values),
        *_mappings("trial", *facts),
        *_provenance(a, b),
    ]


def compare_studies(
    a: History[Any],
    b: History[Any],
    settings: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
) -> list[Difference]:
    """Return what two studies do not have in common: space, problem, counts, best, provenance.

    Args:
        a: The one.
        b: The other.
        settings: What else they were run with, by name, such as the sampler; see `Study.settings`.
    """
    spaces = [history.problem.space for history in (a, b)]
    parameters = ({name: repr(p) for name, p in space.parameters.items()} for space in spaces)
    problems = (
        {
            "constraints": ", ".join(problem.space.constraints) or None,
            **{f"objective {one.name}": one.direction for one in problem.objectives},
            "limits": ", ".join(limit.text for limit in problem.limits) or None,
            "resource": None if problem.resource is None else repr(problem.resource),
            "value": problem.value,
        }
        for problem in (a.problem, b.problem)
    )
    counts = (
        {
            "trials": len(history),
            **{
                state: history.count(state)
                for state in ("complete", "stopped", "failed", "running", "paused")
            },
            "steps": history.spent or None,
        }
        for history in (a, b)
    )
    return [
        *_mappings("space", *parameters),
        *_mappings("problem", *problems),
        *_mappings("settings", *settings),
        *_mappings("trials", *counts),
        *_mappings("best", _best(a), _best(b)),
        *(_provenance(a[-1], b[-1]) if len(a) and len(b) else ()),
    ]


def _best(history: History[Any]) -> dict[str, Any]:
    """The best trial's number, values and params; of several objectives, how many no other beats."""
    try:
        if len(history.problem.objectives) > 1:
            return {"trials that no other beats": len(history.front)}
        best = history.best
    except NoTrials:
        return {}
    return {"trial": best.number, **best.values, **best.logged}


def _mappings(part: Part, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    names = dict.fromkeys([*a, *b])
    return [
        Difference(part, name, a.get(name), b.get(name))
        for name in names
        if a.get(name) != b.get(name)
    ]


def _provenance(a: Record[Any], b: Record[Any]) -> list[Difference]:
    return [
        Difference("provenance", change.name, change.before, change.now)
        for change in changes(a.provenance, b.provenance)
    ]
