"""Answers that take long are given once for each state of a history: a report, its pictures and a page ask the same."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from tunesmith.records import History

Q = ParamSpec("Q")
T = TypeVar("T")


def remembered(answer: Callable[Q, T]) -> Callable[Q, T]:
    """Make a function of a history, and of few plain values, answer at once what it was asked before.

    It must not depend on trials that are still running: their reports do not make a history forget (`History.answers`).
    """
    form = signature(answer)

    @wraps(answer)
    def ask(*args: Q.args, **settings: Q.kwargs) -> T:
        bound = form.bind(*args, **settings)
        bound.apply_defaults()
        history: History[object] = bound.arguments["history"]
        objectives = history.problem.objectives
        question = {name: value for name, value in bound.arguments.items() if name != "history"}
        if question.get("objective", "") is None and len(objectives) == 1:
            question["objective"] = objectives[0].name
        key = f"{answer.__name__}{question}"
        if key not in history.answers:
            history.answers[key] = answer(*args, **settings)
        found: T = history.answers[key]
        return found

    return ask
