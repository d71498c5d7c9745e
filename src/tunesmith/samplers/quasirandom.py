"""Quasi-random search: scrambled Sobol' points, more even than random ones at any number of trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.numerics import sobol
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers import memos
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.seen import Seen

TRIES = 4096  # indices that one call examines before it falls back on random draws


@dataclass(slots=True)
class _Sequence:
    """The sequence of a study, and how far it has come."""

    seen: Seen
    table: sobol.Directions
    next: int = 0


@final
@dataclass(frozen=True, slots=True)
class QuasiRandom(Sampler[_Sequence]):
    """Walks along a Sobol' sequence over all parameters, scrambled once per study.

    Every parameter has a coordinate, active or not; a log scale, categories and conditions are
    read off the point as from a random one. Points that break a constraint, and configurations of
    a finite space that were started, are skipped; if thousands in a row are, random draws take over
    for that call. The memo holds the index of the point, `{"sobol": 17}`: the next index is one more
    than the highest that was started, whoever asked. Two processes that ask at the same moment
    draw the same point; the one that comes second to the log asks anew and finds the next.

    Example:
        >>> QuasiRandom()
        QuasiRandom()

    References:
        J. Bergstra and Y. Bengio. Random search for hyper-parameter optimization. JMLR 13, 2012.
        Section 5. The sequence: see `tunesmith.numerics.sobol`.
    """

    hears: ClassVar[frozenset[Heard]] = frozenset({"started"})

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _Sequence:
        space = problem.space
        return _Sequence(Seen.of(space), sobol.scramble(sobol.directions(len(space)), rng))

    def tell(self, state: _Sequence, records: Sequence[Record[Any]]) -> _Sequence:
        state.seen.note(records)
        state.next = max([state.next, *(memos.next_index(r.memo) for r in records)])
        return state

    def ask(self, state: _Sequence, rng: np.random.Generator, n: int) -> list[Suggestion]:
        space = state.seen.space
        is_new = state.seen.news()
        found: list[Suggestion] = []
        index, end = state.next, state.next + max(TRIES, n)
        size = n
        while len(found) < n and index < end:
            units = sobol.points(state.table, index, size)  # (size, d)
            kept = np.flatnonzero(space.feasible(units)) if space.constraints else np.arange(size)
            found += [
                Suggestion(params, {"sobol": index + i})
                for i, params in zip(kept.tolist(), space.decode(units[kept]), strict=True)
                if is_new(params)
            ]
            index += size
            size = min(2 * size, end - index)
        memo = {"sobol": index - 1}  # the next call need not examine them again
        found += [
            Suggestion(params, memo) for params in state.seen.draw(rng, n - len(found), is_new)
        ]
        return found[:n]
