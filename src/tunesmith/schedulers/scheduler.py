"""The contract of a scheduler: how long trials go on, settings in the object, what it knows in a state.

A scheduler is a fold, as a sampler is: `tell` makes the next state from what happened, everything else
reads a state. It is asked at few reports (`due`), and what it decides follows from the log up to there.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, final

import numpy as np

from tunesmith.records import Problem, Record
from tunesmith.space import Params

S = TypeVar("S")

Decision: TypeAlias = Literal["continue", "pause", "stop"]


@dataclass(frozen=True, slots=True)
class Resume:
    """A paused trial goes on.

    Attributes:
        uid: The trial.
        memo: What the scheduler wants to find in the record's next event; JSON values only.
    """

    uid: str
    memo: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fork:
    """A new trial goes on from a checkpoint of another one.

    Attributes:
        parent: The other trial, by uid.
        step: The step of its checkpoint (`Record.saved`); where it has none, there will be no fork.
        params: Active parameters by path, as the log keeps them.
        memo: What the scheduler wants to find in the record later; JSON values only.
    """

    parent: str
    step: int
    params: Params
    memo: dict[str, Any] = field(default_factory=dict)


class Scheduler(ABC, Generic[S]):
    """Decides how long trials go on. Subclasses are final frozen dataclasses that hold their settings.

    Attributes:
        forks: Whether it trains a population: trials go on as copies of others, under changed params.
    """

    forks: ClassVar[bool] = False

    @abstractmethod
    def init(self, problem: Problem[Any], rng: np.random.Generator) -> S:
        """Return the state before anything happened.

        Args:
            problem: The space, objectives and resource of the study.
            rng: For what must stay the same all study long; the same in every process.

        Raises:
            NotSupported: The problem has something that this scheduler cannot do, named.
        """

    @abstractmethod
    def tell(self, state: S, records: Sequence[Record[Any]]) -> S:
        """Return the state after `records`, one per event in log order.

        Each is the record as it was right after a start, resumption, pause or end, or a report at
        which a decision was due (`record.event`); a report's has in `values` what counts so
        far. May consume `state`; tell(s, a+b) == tell(tell(s, a), b).
        """

    @abstractmethod
    def due(self, state: S, record: Record[Any]) -> int:
        """Return the step of a running trial from which on its next report is to be decided."""

    @abstractmethod
    def decide(self, state: S, record: Record[Any]) -> Decision:
        """Return what becomes of a trial at a report that was due, and was told before.

        Only what `record.resumable` may be paused. The last step of the resource is not asked about.

        Raises:
            NotSupported: It cannot do its work with this trial, such as one that cannot save; its
                `report` raises that.
        """

    @abstractmethod
    def revive(
        self, state: S, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        """Return at most `n` trials that go on.

        Args:
            state: What is known.
            rng: Luck.
            n: How many at most.
            closing: No new trial will begin any more: whoever waits for one waits in vain.
        """

    @abstractmethod
    def room(self, state: S) -> int | None:
        """Return how many new trials it would take now; 0: none yet; None: any number."""

    @abstractmethod
    def keeps(self, state: S) -> set[tuple[str, int]]:
        """Return uid and step of the checkpoints that it may fork from; nothing else is forked.

        It is asked at each report that was due, right after `decide`: a trial that can save does so if its
        report is among them. What was once left out does not come back: its checkpoint may be gone.
        """

    def drops(self, state: S) -> set[str]:
        """Return the trials, by uid, that it has paused and will never revive or fork.

        They end as stopped, and their checkpoints are removed. Until then they stay in it.
        """
        return set()


class StoppingScheduler(Scheduler[S]):
    """A scheduler that only stops: nothing is paused, forked or held back."""

    @final
    def revive(
        self, state: S, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        return []

    @final
    def room(self, state: S) -> int | None:
        return None

    @final
    def keeps(self, state: S) -> set[tuple[str, int]]:
        return set()
