"""The contract: which configurations are evaluated once more, by what the others have come to."""

from abc import ABC, abstractmethod
from typing import Any

from tunesmith.records import Problem, Replicates


class Replication(ABC):
    """Says what is evaluated again. Subclasses are final frozen dataclasses that hold their settings.

    Evaluation r of every configuration has the same seed, so that configurations are compared on common
    seeds. The first one is the configuration's trial; the others are trials of their own, take none of the
    budget, and come before new configurations.
    """

    @abstractmethod
    def check(self, problem: Problem[Any]) -> None:
        """Refuse what it cannot do.

        Raises:
            NotSupported: It cannot do what the problem asks; says why.
        """

    @abstractmethod
    def due(self, table: Replicates, n: int) -> list[int]:
        """Return the rows that shall be evaluated once more now, at most `n`; a row may come repeatedly.

        A function of the table alone: it is computed again to verify the log.
        """
