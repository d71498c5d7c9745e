"""Bayesian optimisation with a Gaussian process, on mixed, conditional and constrained spaces."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.models import Features, Gaussian, Observations, Prior, fit, targets
from tunesmith.models.observations import PENDING
from tunesmith.models.subset import chosen
from tunesmith.models.targets import Target
from tunesmith.numerics import sobol
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.normal import log_cdf
from tunesmith.numerics.threads import one_thread
from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers import memos
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.search import Search
from tunesmith.samplers.seen import Seen

LEAST = 3  # complete trials, before anything is modelled
GROWTH = 1.1  # theta is fitted anew when there are so many times more trials
STEPS = 15  # of a fit
TWO_STARTS = 40  # trials, up to which a fit also starts from the prior
MOST = 256  # trials that a model takes in
SPREAD = 0.7  # standard deviation of log beta from one suggestion to the next
DEAR = 128  # trials in a model, beyond which there are fewer candidates
BASES = 5  # trials with the best posterior means, which are varied
DIGITS = 4  # of theta in the log
SOBOL_TRIES = 64
OBJECTIVE = "objective"  # what the model of the objective is called in memos


@dataclass(slots=True)
class _State:
    """What a study has told.

    Attributes:
        theta: By target what was fitted last: [to how many trials, theta].
        next_sobol: The first index that was not suggested.
        accuracy: How well the model foresaw the objective; see `Gaussian.accuracy`.
    """

    problem: Problem[Any]
    known: Observations
    features: Features
    prior: Prior
    search: Search
    seen: Seen
    table: sobol.Directions
    theta: dict[str, Any] = field(default_factory=dict)
    next_sobol: int = 0
    accuracy: float = 1.0


@final
@dataclass(frozen=True, slots=True)
class GP(Sampler[_State]):
    """Models what was measured by a Gaussian process and tries what may be best by its upper bound.

    A trial is the point of a Euclidean space (`tunesmith.models.features`); what it measured counts
    by size among the better half and by rank among the worse. Suggested is the configuration of
    the highest mean + `beta` deviations that many candidates contain. Trials that are running
    make deviations smaller around them, so that any number may be open. Trials that failed by
    their params count as worse than all others. Each limit on outcomes has a model of its own,
    whose log probability of being kept is added; one that no trial keeps yet takes the place of
    the objective. Several objectives are seen through weights that
    change with each suggestion. Of more than 256 trials, the best, the nearest to the best and some
    of the others are modelled. No configuration is suggested twice, as long as there are others.

    The memo says who proposed ("by": sobol, ucb or random), the score, and, if they were fitted anew,
    the model's parameters, from which the next fit starts, and its accuracy: the rank correlation
    between what was measured and what the model foresees of each trial from all others.

    Args:
        first: Trials before the model takes over, the baseline included; the others are Sobol'
            points.
        beta: How many posterior deviations are added to the mean. It is the median of a log-normal
            draw for each suggestion: some explore, others exploit.

    Example:
        >>> GP(beta=3.0)
        GP(first=3, beta=3.0)

    References:
        N. Srinivas et al. Gaussian Process Optimization in the Bandit Setting. ICML 2010. Algorithm
        1; `beta` is the constant of X. Song et al. The Vizier Gaussian Process Bandit Algorithm.
        arXiv 2408.11527, 2024. Section 4. Pending trials: T. Desautels, A. Krause, J. Burdick.
        Parallelizing Exploration-Exploitation Tradeoffs. JMLR 15, 2014. Section 4.
    """

    hears: ClassVar[frozenset[Heard]] = Sampler.hears | {"reported"}

    first: int = 3
    beta: float = 1.8

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", checks.whole("GP(first=...)", self.first))
        object.__setattr__(self, "beta", checks.number("GP(beta=...)", self.beta))
        if not 0 <= self.beta < np.inf:
            raise SettingError(f"GP(beta=...) is a finite number from 0 on, got {self.beta!r}")

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        space = problem.space
        features = Features(space)
        return _State(
            problem,
            Observations(problem, features),
            features,
            Prior.of(features.layout, features.size),
            Search(space),
            Seen(space, set()),
            sobol.scramble(sobol.directions(len(space)), rng),
        )

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        state.known.note(records)
        for record in records:
            if record.event == "started":
                state.seen.note([record])
                memo = record.memo
                state.next_sobol = max(state.next_sobol, memos.next_index(memo))
                state.theta |= memos.thetas_in(memo, len(state.prior.mean))
                state.accuracy = memos.number_in(memo, "accuracy", state.accuracy)
        return state

    def ask(self, state: _State, rng: np.random.Generator, n: int) -> list[Suggestion]:
        with one_thread():
            return _Asking(self, state, rng).suggestions(n)


@final
class _Asking:
    """One call of `ask`."""

    def __init__(self, settings: GP, state: _State, rng: np.random.Generator) -> None:
        self._settings = settings
        self._state = state
        self._rng = rng
        self._is_new = state.seen.news()
        self._next_sobol = state.next_sobol
        self._theta = dict(state.theta)
        pending = state.known.columns[state.known.state == PENDING]
        self._pending = pending  # (q, p), and what this call has suggested

    def suggestions(self, n: int) -> list[Suggestion]:
        state = self._state
        ready = len(targets.measured(state.known)) >= LEAST
        found: list[Suggestion] = []
        for _ in range(n):
            if found:  # it is pending for the next
                columns = state.features(state.problem.space.encode([found[-1].params]))
                self._pending = np.concatenate([self._pending, columns])
            first = state.known.n + len(found) < self._settings.first
            one = self._modelled() if ready and not first else self._sobol()
            if one is None:
                break
            found.append(one)
        return found

    def _sobol(self) -> Suggestion | None:
        space = self._state.problem.space
        for index in range(self._next_sobol, self._next_sobol + SOBOL_TRIES):
            units = sobol.points(self._state.table, index, 1)
            if space.constraints and not space.feasible(units)[0]:
                continue
            [params] = space.decode(units)
            if self._is_new(params):
                self._next_sobol = index + 1
                return Suggestion(params, {"by": "sobol", "sobol": index})
        return self._drawn()

    def _drawn(self) -> Suggestion | None:
        """Anything new; on an infinite space, anything."""
        state = self._state
        endless = state.problem.space.cardinality is None
        is_new = (lambda _: True) if endless else self._is_new
        drawn = state.seen.draw(self._rng, 1, is_new)
        return Suggestion(drawn[0], {"by": "random"}) if drawn else None

    def _modelled(self) -> Suggestion | None:
        state, rng, space = self._state, self._rng, self._state.problem.space
        known, features = state.known, state.features
        beta = self._settings.beta * float(np.exp(SPREAD * rng.standard_normal()))
        memo: dict[str, Any] = {"by": "ucb"}
        several = len(state.problem.objectives) > 1
        weights = rng.dirichlet(np.ones(len(state.problem.objectives))) if several else np.ones(1)
        target = targets.of_objectives(known, weights)
        if not target.values.any():  # a plain tells nothing: look further
            return self._sobol()
        model, mean = self._model(OBJECTIVE, target, memo)
        limits: list[Gaussian] = []
        unmet: list[Gaussian] = []
        for i, limit in enumerate(state.problem.limits):
            kept = targets.of_limit(known, i)
            if len(kept.rows) >= LEAST:
                met = limits if kept.values.max() > 0 else unmet
                met.append(self._model(limit.text, kept, memo)[0])

        def score(units: Floats) -> Floats:
            columns = features(units)
            upper = np.zeros(len(units))
            for one in unmet or [model]:  # what nobody keeps yet comes first
                mean, deviation = one.predict(columns)
                upper += mean + beta * deviation
            for one in limits:
                mean, deviation = one.predict(columns)
                upper += log_cdf(mean / deviation)
            return upper

        top = np.argsort(-mean, kind="stable")[:BASES]
        share = min(1.0, DEAR / min(len(mean), MOST))
        pool, scores = state.search.best(score, known.units[target.rows[top]], rng, share)
        for units, value in zip(pool, scores.tolist(), strict=True):
            if units.tobytes() in known.rows:
                continue
            [params] = space.decode(units[None])
            if self._is_new(params):
                return Suggestion(params, {**memo, "score": round(value, DIGITS)})
        return self._drawn()

    def _model(self, name: str, target: Target, memo: dict[str, Any]) -> tuple[Gaussian, Floats]:
        """A target's posterior, and its means (n,) at the target's rows, -inf where it has none.

        If theta was fitted anew, it is noted in the memo.
        """
        state = self._state
        layout, prior = state.features.layout, state.prior
        X, y = state.known.columns[target.rows], target.values
        n = len(y)
        fitted, last = self._theta.get(name, (0, prior.mean.tolist()))
        theta = np.array(last)
        place = np.arange(n) if n <= MOST else chosen(X, y, layout.shrink(theta), MOST)
        X, y = X[place], y[place]
        counts = state.known.counts[target.rows][place]
        share = 1 / counts if counts.max() > 1 else None
        if n >= max(fitted + 1, GROWTH * fitted):
            starts = [theta, prior.mean] if fitted and n <= TWO_STARTS else [theta]
            theta = np.round(fit(starts, X, y, layout, prior, STEPS, share), DIGITS)
            self._theta[name] = [n, theta.tolist()]
            memo.setdefault("theta", {})[name] = self._theta[name]
        model = Gaussian(theta, X, y, layout, self._pending[-MOST:], share)
        if name == OBJECTIVE and name in memo.get("theta", {}):
            memo["accuracy"] = round(model.accuracy(y), 2)
        means = np.full(n, -np.inf)
        means[place] = model.means
        return model, means
