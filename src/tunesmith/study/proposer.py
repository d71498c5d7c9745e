"""A sampler at work: its state as a fold of what was heard, its luck keyed by the log."""

import time
from collections.abc import Iterable
from typing import Any, Generic, TypeVar, final

from tunesmith._core.random import Keyed
from tunesmith.records import Problem, Record
from tunesmith.samplers import Sampler, Suggestion

P = TypeVar("P")


@final
class Proposer(Generic[P]):
    """The state of one sampler in one study.

    Args:
        problem: What is tuned.
        sampler: Who proposes.
        seed: The study's seed.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(self, problem: Problem[P], sampler: Sampler[Any], seed: int) -> None:
        self.sampler = sampler
        self._seed = seed
        self._keyed = Keyed()
        self._state = sampler.init(problem, self._keyed.at(seed, "init"))

    def hear(self, records: Iterable[Record[P]]) -> None:
        """Take in what happened, in log order."""
        heard = [record for record in records if record.event in self.sampler.hears]
        if heard:
            self._state = self.sampler.tell(self._state, heard)

    def propose(self, decisions: int, handle: int, n: int) -> list[Suggestion]:
        """Return at most `n` suggestions for the call after `decisions` decisions by `handle`."""
        return self.sampler.ask(
            self._state, self._keyed.at(self._seed, decisions, handle, "ask"), n
        )

    def timed(self, decisions: int, handle: int, n: int) -> tuple[list[Suggestion], float]:
        """Return the suggestions, and the seconds that each took."""
        begun = time.perf_counter()
        suggestions = self.propose(decisions, handle, n)
        return suggestions, (time.perf_counter() - begun) / max(1, len(suggestions))
