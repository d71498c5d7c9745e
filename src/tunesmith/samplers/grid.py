"""Grid search: every point of a grid once, in order."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, final

import numpy as np

from tunesmith._core.checks import whole
from tunesmith._core.errors import NotSupported
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.sampler import FiniteSampler, Suggestion
from tunesmith.samplers.seen import Seen
from tunesmith.space import Params, Space


@dataclass(slots=True)
class _Walk:
    """What is left of a grid.

    Attributes:
        seen: What was started, by whomever.
        unread: Points not looked at yet.
        ahead: Points read from `unread`; which ones depends on the grid alone.
    """

    seen: Seen
    unread: Iterator[Params]
    ahead: deque[Params] = field(default_factory=deque)

    def points(self) -> Iterator[Params]:
        yield from self.ahead
        for params in self.unread:
            self.ahead.append(params)
            yield params


@final
@dataclass(frozen=True, slots=True)
class Grid(FiniteSampler[_Walk]):
    """Tries every combination once, the last parameter changing fastest, and then ends.

    A parameter of finitely many values takes all of them, unless its levels are named; a continuous
    one takes levels evenly spaced in units, both ends included. Conditions and constraints are kept.
    What was started already, by whichever way, is passed over; a point that a constraint over very
    many combinations allows only rarely may be long in coming (see `Space.grid`). There is no baseline: it need not
    lie on the grid.

    Args:
        levels: Number of levels, for all continuous parameters or by name; 1 is the middle.

    Example:
        >>> Grid(levels={"lr": 5})
        Grid(levels={'lr': 5})
    """

    hears: ClassVar[frozenset[Heard]] = frozenset({"started"})
    baseline: ClassVar[bool] = False

    levels: int | Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        if self.levels is None:
            return
        levels: Any = self.levels  # whatever a user may have written
        by_name = dict(levels) if isinstance(levels, Mapping) else {"": levels}
        for name, n in by_name.items():
            of = f" of {name!r}" if name else ""
            by_name[name] = whole(f"Grid: the number of levels{of}", n, least=1)
        object.__setattr__(self, "levels", by_name if isinstance(levels, Mapping) else by_name[""])

    def size(self, problem: Problem[Any]) -> int:
        """Return how many points the grid has.

        The number is exact unless constraints leave very many points, or conditions are too
        entangled to be counted; then it is an upper bound.

        Raises:
            NotSupported: The levels do not fit the space.
        """
        return problem.space.grid_size(self._levels(problem.space))

    def _levels(self, space: Space[Any]) -> dict[str, int]:
        """The levels by name; what is not named takes all its values."""
        continuous = [name for name, p in space.parameters.items() if p.cardinality is None]
        if isinstance(self.levels, int):
            return dict.fromkeys(continuous, self.levels)
        levels = dict(self.levels or {})
        for name in levels:
            if name not in space.names:
                raise NotSupported(
                    f"Grid(levels=...) names {name!r}, which is no parameter of this space; "
                    f"it has {', '.join(space.names) or 'none'}"
                )
        missing = [name for name in continuous if name not in levels]
        if missing:
            instead = ", ".join(f"{name!r}: 5" for name in missing)
            raise NotSupported(
                f"Grid needs to know how many levels a continuous parameter gets, here "
                f"{', '.join(missing)}; write Grid(levels=5) for all, Grid(levels={{{instead}}}), "
                "or give them a step="
            )
        return levels

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _Walk:
        space = problem.space
        return _Walk(Seen(space, set()), space.grid(self._levels(space)))

    def tell(self, state: _Walk, records: Sequence[Record[Any]]) -> _Walk:
        state.seen.note(records)
        is_new = state.seen.news()
        while state.ahead and not is_new(state.ahead[0]):
            state.ahead.popleft()
        return state

    def ask(self, state: _Walk, rng: np.random.Generator, n: int) -> list[Suggestion]:
        new = filter(state.seen.news(), state.points())
        return [Suggestion(dict(params)) for params in islice(new, n)]
