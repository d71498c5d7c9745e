"""The tree-structured Parzen estimator: where good trials lie more densely than bad ones."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.numerics.densities import Floats, Ints
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.mixture import Mixture
from tunesmith.samplers.quasirandom import QuasiRandom
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.seen import Seen
from tunesmith.samplers.trials import FAILED, Trials
from tunesmith.space import Categorical, Params
from tunesmith.space.blocks import Block

FORM = {"gamma": 0.15, "most": 25, "candidates": 64, "start": 10, "weights": "ei", "prior": 1.0, "prior_bad": 1.0, "cap": 1000}
FORM.update(json.loads(os.environ.get("TPE_S", "{}")))


@dataclass(slots=True)
class _State:
    """What a study knows.

    Attributes:
        start: The state of the Sobol' sequence that the study begins with.
        seen: What was started.
        trials: The same as arrays.
        blocks: What is active together, fixed parameters left out.
        categories: (d,), how many categories a parameter has; 0 if numeric.
    """

    start: Any
    seen: Seen
    trials: Trials
    blocks: tuple[Block, ...]
    categories: Ints


@final
@dataclass(frozen=True, slots=True)
class TPE(Sampler[_State]):
    """Multivariate tree-structured Parzen estimator."""

    hears: ClassVar[frozenset[Heard]] = frozenset({"started", "finished"})

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        space = problem.space
        start = QuasiRandom().init(problem, rng)
        categories = [
            parameter.cardinality or 0 if isinstance(parameter, Categorical) else 0
            for parameter in space.parameters.values()
        ]
        return _State(start, start.seen, Trials(problem), space.blocks, np.array(categories, dtype=np.int64))

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        started = [record for record in records if record.event == "started"]
        state.start = QuasiRandom().tell(state.start, started)
        state.trials.put(records)
        return state

    def ask(self, state: _State, rng: np.random.Generator, n: int) -> list[Suggestion]:
        fates = state.trials.fates[: state.trials.n]
        n_known = int((fates < FAILED).sum())
        n_finished = int((fates <= FAILED).sum())
        if not state.blocks or not n_known or n_finished < FORM["start"]:
            return QuasiRandom().ask(state.start, rng, n)
        n_good = min(math.ceil(FORM["gamma"] * n_finished), FORM["most"], n_known)
        good, bad = state.trials.split(n_good)
        cap = FORM["cap"]
        if len(bad) > cap:
            late = cap // 2
            early = np.linspace(0, len(bad) - late, cap - late, endpoint=False).astype(int)
            bad = np.concatenate([bad[early], bad[-late:]])
        trials = state.trials
        promising = Mixture(state.blocks, state.categories, trials.units[good], trials.grains[good], self._weights(trials, good, bad))
        units, grains = trials.units[bad], trials.grains[bad]
        is_new = state.seen.news()
        found: list[Suggestion] = []
        for _ in range(n):
            others = Mixture(state.blocks, state.categories, units, grains, np.append(np.ones(len(units)), FORM["prior_bad"]))
            params = self._best(state, promising, others, rng, is_new)
            if params is None:
                break
            found.append(Suggestion(params))
            if len(found) < n:
                row = state.seen.space.encode([params])
                units = np.concatenate([units, row])
                grains = np.concatenate([grains, state.seen.space.grains(row)])
        return found

    def _weights(self, trials: Trials, good: Ints, bad: Ints) -> Floats:
        k = len(good)
        weights = np.ones(k + 1)
        weights[-1] = FORM["prior"]
        if FORM["weights"] == "rank":
            weights[:k] = math.log(k + 1) - np.log(np.arange(1, k + 1))
            weights[-1] *= weights[:k].mean()
        if FORM["weights"] == "ei" and trials.losses.shape[1] == 1:
            known = bad[trials.fates[bad] == 0]
            if len(known) and (trials.fates[good] == 0).all():
                over = trials.losses[known, 0].min() - trials.losses[good, 0]
                if np.isfinite(over).all() and over.min() >= 0 and over.sum() > 0:
                    weights[:k] = np.maximum(over, 1e-12)
                    weights[-1] *= weights[:k].mean()
        return weights

    def _best(self, state: _State, promising: Mixture, others: Mixture, rng: np.random.Generator, is_new: Any) -> Params | None:
        space = state.seen.space
        m = FORM["candidates"]
        for _ in range(2):
            units = promising.draw(m, rng, space.snap)
            if space.constraints:
                units = units[space.feasible(units)]
            if len(units):
                score = promising.log_density(units) - others.log_density(units)
                for i in np.argsort(-score, kind="stable"):
                    params = space.decode(units[i : i + 1])[0]
                    if is_new(params):
                        return params
            m *= 4
        drawn = state.seen.draw(rng, 1, is_new)
        return drawn[0] if drawn else None
