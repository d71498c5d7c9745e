"""Nothing but the queue: the configurations that were enqueued, and then the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.sampler import FiniteSampler, Suggestion


@final
@dataclass(frozen=True, slots=True)
class Queue(FiniteSampler[None]):
    """Suggests nothing of its own: a run ends when the configurations that were enqueued are tried.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", sampler=Queue())
        >>> study.enqueue({"x": 0.3})
        >>> len(study.run(lambda trial: trial["x"], progress=False).history)
        1
    """

    hears: ClassVar[frozenset[Heard]] = frozenset()
    baseline: ClassVar[bool] = False

    def size(self, problem: Problem[Any]) -> int:
        """Return 0."""
        return 0

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> None:
        """Know nothing."""

    def tell(self, state: None, records: Sequence[Record[Any]]) -> None:
        """Learn nothing."""

    def ask(self, state: None, rng: np.random.Generator, n: int) -> list[Suggestion]:
        return []
