"""The contract of a sampler: settings in the object, what it learnt in a state, luck as an argument.

A sampler is a fold: `tell` makes the next state from what happened, `ask` reads a state. It knows
neither the study nor the storage, and the same state and generator give the same suggestions.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, final

import numpy as np

from tunesmith._core.errors import NotSupported
from tunesmith.records import Heard, History, Problem, Record
from tunesmith.space import Params

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Params to try next.

    Attributes:
        params: Active parameters by path, as the log keeps them.
        memo: What the sampler wants to find in the record later; JSON values only.
    """

    params: Params
    memo: dict[str, Any] = field(default_factory=dict)


class Sampler(ABC, Generic[S]):
    """Proposes params. Subclasses are final frozen dataclasses that hold their settings."""

    hears: ClassVar[frozenset[Heard]] = frozenset({"started", "resumed", "paused", "finished"})
    baseline: ClassVar[bool] = True  # whether a new study begins with the default configuration

    @abstractmethod
    def init(self, problem: Problem[Any], rng: np.random.Generator) -> S:
        """Return the state before anything happened.

        Args:
            problem: The space, objectives and resource of the study.
            rng: For what must stay the same all study long; the same in every process.

        Raises:
            NotSupported: The problem has something that this sampler cannot do, named.
        """

    @abstractmethod
    def tell(self, state: S, records: Sequence[Record[Any]]) -> S:
        """Return the state after `records`, one per heard event in log order.

        Each is the record as it was right after its event. May consume `state`. However a
        sequence is cut into calls, the result is the same: tell(s, a+b) == tell(tell(s, a), b).
        """

    @abstractmethod
    def ask(self, state: S, rng: np.random.Generator, n: int) -> list[Suggestion]:
        """Return at most `n` suggestions; fewer only if the space is exhausted.

        Leaves `state` untouched; depends on nothing but `state` and `rng`. Params lie in the
        space and keep its constraints.
        """


class FiniteSampler(Sampler[S]):
    """A sampler that comes to an end by itself."""

    @abstractmethod
    def size(self, problem: Problem[Any]) -> int:
        """Return how many configurations it suggests in all, or a bound if they cannot be counted.

        Raises:
            NotSupported: The problem has something that this sampler cannot do, named.
        """


class HistorySampler(Sampler[tuple[Problem[Any], History[Any]]]):
    """The newcomer's door: one function from the whole history to suggestions."""

    @abstractmethod
    def propose(
        self, problem: Problem[Any], history: History[Any], rng: np.random.Generator, n: int
    ) -> list[Suggestion]:
        """Return at most `n` suggestions, as `Sampler.ask` does."""

    @final
    def init(
        self, problem: Problem[Any], rng: np.random.Generator
    ) -> tuple[Problem[Any], History[Any]]:
        if self.hears != Sampler.hears:
            raise NotSupported(
                f"{type(self).__name__} is a HistorySampler and hears everything; to hear less, "
                "derive from Sampler"
            )
        return problem, History(problem)

    @final
    def tell(
        self, state: tuple[Problem[Any], History[Any]], records: Sequence[Record[Any]]
    ) -> tuple[Problem[Any], History[Any]]:
        problem, history = state
        for record in records:
            history.put(record)
        return problem, history

    @final
    def ask(
        self, state: tuple[Problem[Any], History[Any]], rng: np.random.Generator, n: int
    ) -> list[Suggestion]:
        problem, history = state
        return self.propose(problem, history, rng, n)
