"""Bayesian optimisation with a Gaussian process over mixed and conditional spaces."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.models import Features, Gaussian, Observations, Prior, fit
from tunesmith.models.observations import CENSORED, COMPLETE, FAILED, PENDING
from tunesmith.numerics import sobol
from tunesmith.numerics.normal import Floats, log_ei
from tunesmith.numerics.threads import one_thread
from tunesmith.numerics.warps import half_rank, standard
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.search import Search
from tunesmith.samplers.seen import Seen

import os
_V = dict(kv.split("=") for kv in os.environ.get("GPV", "").split(",") if kv)
def V(k, d): return type(d)(_V.get(k, d))


@dataclass(slots=True)
class _State:
    seen: Seen
    started: Seen
    known: Observations
    features: Features
    search: Search
    table: sobol.Directions
    next: int = 0
    theta: list[float] = field(default_factory=list)
    fitted: int = 0


@final
@dataclass(frozen=True, slots=True)
class GP(Sampler[_State]):
    """Proposes what a Gaussian process of everything seen so far expects most of."""

    hears: ClassVar[frozenset[Heard]] = frozenset({"started", "paused", "resumed", "finished"})

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        space = problem.space
        return _State(
            Seen.of(space),
            Seen(space, set()),
            Observations(problem),
            Features(space),
            Search(space),
            sobol.scramble(sobol.directions(len(space)), rng),
        )

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        started = [record for record in records if record.event == "started"]
        state.seen.note(started)
        state.started.note(started)
        state.known.note(records)
        for record in started:
            state.next = max(state.next, record.memo.get("sobol", -1) + 1)
            if "theta" in record.memo and record.memo["n"] >= state.fitted:
                state.theta, state.fitted = record.memo["theta"], record.memo["n"]
        return state

    def ask(self, state: _State, rng: np.random.Generator, n: int) -> list[Suggestion]:
        with one_thread():
            return _Ask(state, rng).suggestions(n)


class _Ask:
    def __init__(self, state: _State, rng: np.random.Generator) -> None:
        self.state, self.rng = state, rng
        self.is_new = state.started.news()
        self.next = state.next

    def suggestions(self, n: int) -> list[Suggestion]:
        known = self.state.known
        space = known.space
        n_first = V("n0", 8)
        found: list[Suggestion] = []
        own = np.empty((0, len(space)))
        model = None
        while len(found) < n:
            complete = int((known.state == COMPLETE).sum())
            started = known.n + len(found)
            if started < n_first or complete < 3:
                s = self.initial()
            else:
                if model is None:
                    model = self.fitted()
                s = self.improved(model, own)
            if s is None:
                break
            found.append(s)
            own = np.concatenate([own, space.encode([s.params])])
        return found

    def initial(self) -> Suggestion | None:
        space = self.state.known.space
        for index in range(self.next, self.next + 64):
            units = sobol.points(self.state.table, index, 1)
            if space.constraints and not space.feasible(units)[0]:
                continue
            params = space.decode(units)[0]
            if self.is_new(params):
                self.next = index + 1
                return Suggestion(params, {"by": "sobol", "sobol": index})
        drawn = self.state.seen.draw(self.rng, 1, self.is_new)
        return Suggestion(drawn[0], {"by": "random"}) if drawn else None

    def outcomes(self) -> tuple[Floats, Floats]:
        """Rows used, and their warped standardised targets (greater better)."""
        known = self.state.known
        y = -known.losses[:, 0]
        state = known.state
        complete = state == COMPLETE
        mid = np.median(y[complete])
        rows = np.flatnonzero(complete | (state == CENSORED) | (state == FAILED))
        y = np.where(state == CENSORED, np.minimum(y, mid), y)[rows]
        y[state[rows] == FAILED] = np.min(y[state[rows] != FAILED]) - 1.0
        if V("warp", "hr") == "hr":
            y = half_rank(y)
        return rows, standard(y)

    def fitted(self) -> Any:
        state = self.state
        rows, y = self.outcomes()
        X = state.features(state.known.units)
        group = state.features.group
        prior = Prior.of(state.features.n_groups, state.features.size)
        if V("nsd", 0.0):
            prior.mean[-1], prior.sd[-1] = -4 - V("nsd", 1.0) ** 2, V("nsd", 1.0)
        n = len(rows)
        memo: dict[str, Any] = {}
        if state.theta and n < max(state.fitted + 1, V("grow", 1.1) * state.fitted):
            theta = np.array(state.theta)
        else:
            starts = [prior.mean]
            if state.theta:
                starts = [np.array(state.theta)]
                if n < V("two", 40):
                    starts.append(prior.mean)
            theta = fit(starts, X[rows], y, group, prior, V("steps", 15))
            theta = np.round(theta, 4)
            memo = {"theta": theta.tolist(), "n": n}
        return theta, X, rows, y, group, memo

    def improved(self, model: Any, own: Floats) -> Suggestion | None:
        state, rng = self.state, self.rng
        known, features = state.known, state.features
        theta, X, rows, y, group, memo = model
        gp = Gaussian(theta, X[rows], y, group)
        mean = gp.mean(X[rows])
        pending = np.flatnonzero(known.state == PENDING)
        XP = np.concatenate([X[pending], features(own)])
        if len(XP):
            gp = Gaussian(theta, np.concatenate([X[rows], XP]), np.concatenate([y, gp.mean(XP)]), group)
        tau = float(mean.max())
        kind = V("acq", "ei")
        def score(units: Floats) -> Floats:
            m, s = gp.predict(features(units))
            if kind == "ucb":
                return m + V("beta", 1.8) * s
            return log_ei(m, s, tau)
        top = np.argsort(-mean, kind="stable")[: V("bases", 5)]
        pool, scores = state.search.best(score, known.units[rows][top], rng)
        for i in range(min(len(pool), 200)):
            params = known.space.decode(pool[i : i + 1])[0]
            if self.is_new(params):
                return Suggestion(params, {"by": kind, "score": float(np.round(scores[i], 6)), **memo})
        drawn = state.seen.draw(rng, 1, self.is_new)
        return Suggestion(drawn[0], {"by": "random"}) if drawn else None
