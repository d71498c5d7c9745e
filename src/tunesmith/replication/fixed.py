"""Every configuration as often as every other."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith.records import Problem, Replicates
from tunesmith.replication.replication import Replication


@final
@dataclass(frozen=True, slots=True)
class Fixed(Replication):
    """Evaluates each configuration `n` times, the second time when the first is complete.

    One that fails is not evaluated again.

    Args:
        n: How often in all.

    Raises:
        SettingError: `n` is below 2.

    Example:
        >>> Fixed(3)
        Fixed(n=3)
    """

    n: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", checks.whole("replicates=", self.n, least=2))

    def check(self, problem: Problem[Any]) -> None:
        """Nothing is refused."""

    def due(self, table: Replicates, n: int) -> list[int]:
        missing = np.where(table.done > 0, self.n - table.started, 0).clip(0)
        rows: list[int] = np.repeat(np.arange(len(table)), missing)[:n].tolist()
        return rows
