"""Random search: the yardstick for every other sampler."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.seen import Seen


@final
@dataclass(frozen=True, slots=True)
class Random(Sampler[Seen]):
    """Draws each configuration by itself, uniform in units within the constraints.

    It takes any problem. On a finite space no configuration comes twice, and an end comes when all
    were started, or when hundreds of thousands of draws have found nothing new.

    Example:
        >>> Random()
        Random()

    References:
        J. Bergstra and Y. Bengio. Random search for hyper-parameter optimization. JMLR 13, 2012.
    """

    hears: ClassVar[frozenset[Heard]] = frozenset({"started"})

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> Seen:
        return Seen.of(problem.space)

    def tell(self, state: Seen, records: Sequence[Record[Any]]) -> Seen:
        state.note(records)
        return state

    def ask(self, state: Seen, rng: np.random.Generator, n: int) -> list[Suggestion]:
        return [Suggestion(params) for params in state.draw(rng, n)]
