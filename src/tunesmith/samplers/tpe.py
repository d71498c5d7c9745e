"""The tree-structured Parzen estimator: tries where good trials lie more densely than the others."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.models import Observations
from tunesmith.models.observations import COMPLETE, FAILED, STOPPED
from tunesmith.numerics.arrays import Ints
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.mixture import Frame, Mixture
from tunesmith.samplers.quasirandom import QuasiRandom
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.seen import Seen
from tunesmith.samplers.split import split, weights
from tunesmith.space import Params

MOST_GOOD = 25
MOST_OTHERS = 500
FLOOR = 0.05  # least width of the kernels of the best
OTHERS_FLOOR = 0.09  # wider: what was bad is bad around it too


@dataclass(slots=True)
class _State:
    """What is known of a study.

    Attributes:
        start: The state of the Sobol' points that it begins with.
        seen: What was started.
        trials: The same, and what came of it; their columns are `Space.grains`.
        frame: The space as mixtures see it.
    """

    start: Any
    seen: Seen
    trials: Observations
    frame: Frame


@final
@dataclass(frozen=True, slots=True)
class TPE(Sampler[_State]):
    """Splits trials into the best and the others, and tries where the first lie more densely.

    Each part is a mixture of kernels, one for each trial; of `candidates` drawn from the density of
    the best, that one is suggested which has the largest ratio of both densities. The parameters of
    a branch are modelled jointly with those above it, by the trials in which it was active. It takes
    any problem: limits, then objectives (of several, the non-dominated fronts) tell which trials are
    the best; failed and running trials belong to the others, so that trials that run at the same
    time spread out. On a finite space no configuration comes twice. A suggestion takes about a
    millisecond; with thousands of trials a few.

    Args:
        start: How many trials are finished before it begins; up to then Sobol' points come.
        share: The best are this share of the finished trials, rounded up, but at most 25.
        candidates: How many configurations each suggestion is chosen from.

    Raises:
        SettingError: A setting is out of its range.

    Example:
        >>> TPE(start=20)
        TPE(start=20, share=0.15, candidates=64)

    References:
        J. Bergstra et al. Algorithms for Hyper-Parameter Optimization. NIPS 2011. Section 4.
        S. Watanabe. Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and
        Their Roles for Better Empirical Performance. arXiv 2304.11127. Section 3, whose weights by
        expected improvement and size of the best part are used.
        Deviations: kernels are at least 0.05 wide, those of the others 0.09, in place of 0.03;
        branches are conditioned on what stands above them; of more than 500 others the latest half
        and an even choice of the earlier are used.
    """

    hears: ClassVar[frozenset[Heard]] = Sampler.hears | {"reported"}

    start: int = 10
    share: float = 0.15
    candidates: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", checks.whole("TPE(start=...)", self.start, least=1))
        share = checks.number("TPE(share=...)", self.share)
        if not 0 < share <= 1:
            raise SettingError(f"TPE(share=...) is above 0 and at most 1, got {share!r}")
        object.__setattr__(self, "share", share)
        candidates = checks.whole("TPE(candidates=...)", self.candidates, least=1)
        object.__setattr__(self, "candidates", candidates)

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        start = QuasiRandom().init(problem, rng)
        space = problem.space
        return _State(start, start.seen, Observations(problem, space.grains), Frame.of(space))

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        started = [record for record in records if record.event == "started"]
        state.start = QuasiRandom().tell(state.start, started)
        state.trials.note(records)
        return state

    def ask(self, state: _State, rng: np.random.Generator, n: int) -> list[Suggestion]:
        trials, space = state.trials, state.seen.space
        known = trials.count(COMPLETE, STOPPED)
        finished = known + trials.count(FAILED)
        if not known or finished < self.start or not len(space):
            return QuasiRandom().ask(state.start, rng, n)
        best, others = split(trials, min(math.ceil(self.share * finished), MOST_GOOD, known))
        weighed = weights(trials, best, others)
        promising = Mixture(state.frame, trials.units[best], trials.columns[best], weighed, FLOOR)
        others = _thinned(others)
        units, grains = trials.units[others], trials.columns[others]
        is_new = state.seen.news()
        found: list[Suggestion] = []
        for left in reversed(range(n)):
            common = Mixture(state.frame, units, grains, np.ones(len(units) + 1), OTHERS_FLOOR)
            params = self._chosen(state, promising, common, rng, is_new)
            if params is None:
                break
            found.append(Suggestion(params))
            if left:  # for the rest it is as if this one were running already
                units = np.concatenate([units, space.encode([params])])
                grains = np.concatenate([grains, space.grains(units[-1:])])
        return found

    def _chosen(
        self,
        state: _State,
        promising: Mixture,
        common: Mixture,
        rng: np.random.Generator,
        is_new: Callable[[Params], bool],
    ) -> Params | None:
        """The new candidate with the largest ratio of densities; None: the space is exhausted."""
        space = state.seen.space
        for m in (self.candidates, 4 * self.candidates):
            units = promising.draw(m, rng)
            if space.constraints:
                units = units[space.feasible(units)]
            ratios = promising.log_density(units) - common.log_density(units)
            for i in np.argsort(-ratios, kind="stable"):
                params = space.decode(units[i : i + 1])[0]
                if is_new(params):
                    return params
        drawn = state.seen.draw(rng, 1, is_new)
        return drawn[0] if drawn else None


def _thinned(others: Ints) -> Ints:
    """At most so many of the other trials, ascending: the latest half, the rest evenly chosen."""
    late = MOST_OTHERS // 2
    if len(others) <= MOST_OTHERS:
        return others
    early = np.linspace(0, len(others) - late, MOST_OTHERS - late, endpoint=False)
    return np.concatenate([others[early.astype(np.int64)], others[-late:]])
