"""What a sampler or scheduler refuses, for the suites of both."""

from typing import Any

from tunesmith._core.errors import NotSupported
from tunesmith._core.random import Keyed
from tunesmith.records import Problem
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler


def refusal_of(part: Sampler[Any] | Scheduler[Any], problem: Problem[Any]) -> str | None:
    """Return the sentence by which a part refuses a problem in `init`, or None."""
    try:
        part.init(problem, Keyed().at(0, "init"))
    except NotSupported as refusal:
        return str(refusal)
    return None
