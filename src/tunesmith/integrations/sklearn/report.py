"""What a search has come to, in plain words."""

from typing import Any

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.analysis import Confirmation, recommend
from tunesmith.records import History


def told(
    history: History[Any],
    settings: dict[str, Any] | None,
    best_score: float | None,
    confirmation: Confirmation[Any] | None,
) -> str:
    """Return a few lines: what was tried, what is best, how sure that is, and what the default has.

    Args:
        history: Of the search's study.
        settings: Of the best candidate; None: several scores, and none of them decides.
        best_score: Its mean score.
        confirmation: On other folds, if there was one.
    """
    folds = sum(record.reports for record in history)
    spent = sum(r.duration_s for r in history if r.finished)
    done = plural(history.count("complete", "stopped"), "candidate")
    lines = [f"{done}, {plural(folds, 'fit')} in {spent:.2g} s"]
    if settings is not None:
        shown = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        lines.append(f"best: {shown or 'the estimator as it is'}")
    if best_score is not None:
        lines.append(f"its mean score in the search: {number(best_score)}, chosen for being high")
    try:
        lines.append(f"expected in truth: {recommend(history)}")
    except NoTrials:
        lines.append("no candidate was scored on all folds")
    if confirmation is None:
        lines.append("confirm=True would evaluate the best on other folds")
    else:
        again = plural(confirmation.evaluations, "evaluation")
        lines += [
            f"on other folds ({again}):",
            *(f"  {line}" for line in str(confirmation).splitlines()),
        ]
    return "\n".join(lines)
