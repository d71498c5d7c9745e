"""How a study stands, in columns and words: what the overview, the comparison and the API say alike."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, final

import numpy as np

from tunesmith._core.errors import NoTrials, TunesmithError
from tunesmith.analysis import (
    ablation,
    advice,
    compare,
    diagnose,
    forecast,
    importance,
    overtuning,
    recommend,
    sensitivity,
    spending,
    tunability,
    why,
)
from tunesmith.dashboard.live import Live, View
from tunesmith.dashboard.site import Site, finished, said
from tunesmith.dashboard.table import STATES, key
from tunesmith.records import History, Record
from tunesmith.report.sections import last_line
from tunesmith.study.progress import baseline_name, baseline_of


def _advised(history: History[Any]) -> str:
    return (
        "\n".join(map(str, advice(history)))
        or "Nothing: no range is too narrow, and none is without effect."
    )


QUESTIONS: Final[dict[str, tuple[str, Callable[[History[Any]], Any]]]] = {
    "recommend": ("What to take", recommend),
    "why": ("Why this configuration", why),
    "importance": ("What matters", importance),
    "tunability": ("What tuning each parameter gains", tunability),
    "ablation": ("From the default to the best, step by step", ablation),
    "advice": ("What to change in the space", _advised),
    "forecast": ("What more trials would bring", forecast),
    "sensitivity": ("How much is luck, and what moving a parameter costs", sensitivity),
    "overtuning": ("Whether the gain holds", overtuning),
    "diagnosis": ("What is wrong with the trainings", diagnose),
    "spending": ("Where the time went", spending),
}
"""Analyses that speak for themselves, by name: a title, and who answers."""


@final
@dataclass(frozen=True, slots=True)
class Stand:
    """One column of the table of those that matter.

    Attributes:
        title: Best, recommended, confirmed, default.
        record: The trial.
        values: What counts for it.
        word: A sentence on it.
        baseline: Whether it is what stands now and is in no space, so no trial of the study.
    """

    title: str
    record: Record[Any]
    values: dict[str, float]
    word: str = ""
    baseline: bool = False


@final
@dataclass(frozen=True, slots=True)
class Failed:
    """A way in which trials failed.

    Attributes:
        line: The last line of what they said.
        count: How many.
        example: One of them.
    """

    line: str
    count: int
    example: int


def stands(site: Site, live: Live, view: View) -> list[Stand]:
    """Return the best, the recommended, the confirmed and the default, as far as there are such."""
    found = [
        Stand("Best" if len(view.history.problem.objectives) == 1 else "On the front", r, r.values)
        for r in view.best[:4]
    ]
    if len(view.history.problem.objectives) == 1 and found:
        recommended, _ = said(site.answer(live, view, "recommend", lambda: recommend(view.history)))
        if recommended is not None:
            name = view.history.problem.objectives[0].name
            values = {**recommended.record.values, name: recommended.mean}
            found.append(Stand("Recommended", recommended.record, values, str(recommended)))
        confirmation = _confirmation(site, view)
        if confirmation is not None:
            name = view.history.problem.objectives[0].name
            choice = confirmation.choice
            values = {name: confirmation.estimate}
            word = str(confirmation).splitlines()[0]
            found.append(Stand("Confirmed", choice.record, values, word, choice.baseline))
    baseline = baseline_of(view.history)
    if baseline is not None:
        found.append(Stand(baseline_name(baseline).capitalize(), baseline, baseline.values))
    return found


def _confirmation(site: Site, view: View) -> Any:
    try:
        return site.hub.confirmation(view)
    except TunesmithError:  # a log beside it that cannot be read is no reason to show nothing
        return None


def answers(site: Site, live: Live, view: View) -> list[tuple[str, str, str]]:
    """Return name, title and words of each analysis."""
    found = []
    for name, (title, work) in QUESTIONS.items():
        made, sentence = said(
            site.answer(live, view, name, lambda work=work: work(view.history))  # type: ignore[misc]  # bound now
        )
        found.append((name, title, sentence if made is None else str(made)))
    return found


def compared(site: Site, a: View, b: View) -> str:
    """Return which of two studies is better, in words; empty: that would take long."""
    key_ = ("compare", a.name, a.created, b.name, b.created)
    work = partial(compare, {a.name: a.history, b.name: b.history})
    try:
        found, sentence = said(site.backroom.wait(key_, (finished(a), finished(b)), work, 5.0))
    except TimeoutError:
        return ""
    return sentence if found is None else str(found)


def failures(view: View) -> list[Failed]:
    """Return how trials failed, the most frequent way first."""
    state = view.columns[key(view.columns, "trial", "state")].values
    failed = [view.history[int(n)] for n in np.flatnonzero(state == STATES.index("failed"))]
    lines = Counter(last_line(record) for record in failed)
    last = {last_line(record): record.number for record in failed}
    return [Failed(line, n, last[line]) for line, n in lines.most_common(5)]


def best_word(view: View) -> str:
    """Return why there is no best yet; empty: there is one."""
    if view.best:
        return ""
    try:
        view.history.contenders()
    except NoTrials as error:
        return str(error)
    return ""
