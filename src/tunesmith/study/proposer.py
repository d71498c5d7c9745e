"""A sampler at work: its state as a fold of what was heard, its luck keyed by the log."""

import time
from collections.abc import Iterable
from typing import Any, Generic, final

import numpy as np
from msgspec import json

from tunesmith._core.errors import SettingError, SpaceError
from tunesmith._core.random import Keyed
from tunesmith._core.types import P
from tunesmith.records import Problem, Record
from tunesmith.samplers import Sampler, Suggestion


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _jsonable(value: Any) -> Any:
    """What stands in a memo and is no JSON value as such."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a memo is made of JSON values, got {value!r}")


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
        self._space = problem.space
        self._keyed = Keyed()
        self._state = sampler.init(problem, self._keyed.at(seed, "init"))

    def hear(self, records: Iterable[Record[P]]) -> None:
        """Take in what happened, in log order."""
        heard = [record for record in records if record.event in self.sampler.hears]
        if heard:
            self._state = self.sampler.tell(self._state, heard)

    def propose(self, key: tuple[int, int], n: int) -> list[Suggestion]:
        """Return at most `n` suggestions, by the luck of `key`: how many decisions before, who asks.

        Raises:
            SettingError: The sampler broke its contract; says how.
        """
        rng = self._keyed.at(self._seed, *key, "ask")
        suggestions = self.sampler.ask(self._state, rng, n)
        name = type(self.sampler).__name__
        if len(suggestions) > n:
            raise SettingError(f"{name}.ask made {len(suggestions)} suggestions, asked for {n}")
        return [self._checked(suggestion, name) for suggestion in suggestions]

    def _checked(self, suggestion: Suggestion, name: str) -> Suggestion:
        """The suggestion as the log will have it."""
        params = {key: _plain(value) for key, value in suggestion.params.items()}
        try:
            self._space.check(params)
            memo = suggestion.memo and json.decode(json.encode(suggestion.memo, enc_hook=_jsonable))
        except (SpaceError, TypeError) as error:
            raise SettingError(f"{name}.ask broke its contract: {error}") from None
        return Suggestion(params, memo)

    def timed(self, key: tuple[int, int], n: int) -> tuple[list[Suggestion], float]:
        """Return the suggestions, and the seconds that each took."""
        begun = time.perf_counter()
        suggestions = self.propose(key, n)
        return suggestions, (time.perf_counter() - begun) / max(1, len(suggestions))
