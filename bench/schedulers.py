"""How long a scheduler takes to decide when a thousand trials have been: `python bench/schedulers.py`.

A simulated study (see `tunesmith.testing.schedulers`) of 1,000 trials; the time of each call of the
scheduler, median and the slowest in a hundred, in milliseconds.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.records import Problem, Record
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler, registry
from tunesmith.testing.schedulers import PROBLEMS, Conditions, Play, refusal_of

TRIALS = 1_000
TIMES: dict[str, list[float]] = defaultdict(list)


@final
@dataclass(frozen=True)
class Timed(Scheduler[Any]):
    """Another scheduler, on the clock."""

    inner: Scheduler[Any]

    def _timed(self, name: str, *args: Any, **kwargs: Any) -> Any:
        begun = time.perf_counter()
        answer = getattr(self.inner, name)(*args, **kwargs)
        TIMES[name].append(1e3 * (time.perf_counter() - begun))
        return answer

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> Any:
        return self.inner.init(problem, rng)

    def tell(self, state: Any, records: Sequence[Record[Any]]) -> Any:
        return self._timed("tell", state, records)

    def due(self, state: Any, record: Record[Any]) -> int:
        step: int = self._timed("due", state, record)
        return step

    def decide(self, state: Any, record: Record[Any]) -> Decision:
        decision: Decision = self._timed("decide", state, record)
        return decision

    def revive(
        self, state: Any, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        revived: list[Resume | Fork] = self._timed("revive", state, rng, n, closing=closing)
        return revived

    def room(self, state: Any) -> int | None:
        return self.inner.room(state)

    def keeps(self, state: Any) -> set[tuple[str, int]]:
        return self.inner.keeps(state)


def main() -> None:
    """Print a row for each scheduler and problem."""
    for name in registry:
        for problem in ("epochs", "two objectives", "folds"):
            scheduler = registry.get(name)()
            if refusal_of(scheduler, PROBLEMS[problem]) is not None:
                continue
            for savable in (0, 1):
                TIMES.clear()
                conditions = Conditions(workers=8, trials=TRIALS, savable=savable)
                Play(Timed(scheduler), PROBLEMS[problem], conditions).study()
                shown = "  ".join(
                    f"{call} {np.median(times):.3f} / {np.quantile(times, 0.99):.3f}"
                    for call, times in sorted(TIMES.items())
                )
                print(f"{name:18}{problem:16}{'saves' if savable else '':7}{shown}")


if __name__ == "__main__":
    main()
