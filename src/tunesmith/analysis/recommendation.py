"""`recommend`: of what was tried, the configuration that is expected to be the best in truth, and how surely.

The best of many noisy numbers is a lucky one. So measurements are modelled as truth and noise
(`tunesmith.models.truth`), and what is recommended is best by what is left when the noise is taken off.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, final

import numpy as np
from scipy.special import ndtr, stdtrit

from tunesmith._core.errors import NotSupported
from tunesmith._core.types import P
from tunesmith.analysis.remembering import remembered
from tunesmith.analysis.spread import Folds, drawn, finest
from tunesmith.models import Features, Prior
from tunesmith.models.subset import chosen
from tunesmith.models.surrogate import fitted, scaled
from tunesmith.models.truth import Means, Truth
from tunesmith.numerics import additive
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.threads import one_thread
from tunesmith.records import History, Problem, Record
from tunesmith.space import Categorical

LEAST = 4  # measurements, from which on something is said of noise
MANY = 4000  # configurations among which those are chosen
MOST = 200  # configurations that are modelled
LEVEL = 0.9  # of intervals
WIDTH = 1.6449  # deviations to each side that hold as much
CAUTION = 0.5  # deviations by which a mean is lowered before means are compared
STEP = 0.05  # of a parameter's range: how far `robust` moves it
SURE = 0.95  # chance from which on the default is said to be beaten
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """An expected value.

    Attributes:
        mean: In the objective's own sign and units.
        interval: That holds it with a probability of 90 %.
    """

    mean: float
    interval: tuple[float, float]

    def moved(self, by: float) -> "Estimate":
        """Return another one, so much higher."""
        low, high = self.interval
        return Estimate(self.mean + by, (low + by, high + by))

    def __str__(self) -> str:
        low, high = self.interval
        half = (high - low) / 2
        if not math.isfinite(half):
            return f"{self.mean:.4g}"
        if half >= abs(self.mean) and (
            low > 0 or high < 0
        ):  # ± would say that its sign is not known
            return within(self.mean, self.interval)
        if half <= 1e-9 * abs(self.mean):
            return f"{self.mean:.4g} ± 0"
        power = math.floor(math.log10(half))
        if not -6 <= power <= 6:
            return f"{self.mean:.4g} ± {half:.2g}"
        digits = max(0, -power + (half < 3 * 10**power))  # two of 0.015, one of 0.04
        return f"{self.mean:z.{digits}f} ± {half:.{digits}f}"


def within(mean: float, interval: tuple[float, float], sign: str = "") -> str:
    """Return a figure with its interval, with as many digits as tell them apart.

    Args:
        mean: The figure.
        interval: Where it lies.
        sign: "+": positive ones have a sign as well.

    Example:
        >>> within(1.6004, (1.5961, 1.6044)), within(0.5, (0.25, 0.8), "+")
        ('1.6 (1.596 to 1.604)', '+0.5 (+0.25 to +0.8)')
    """
    ends = (mean, *interval)
    for digits in range(2, 7):
        said = [f"{end:{sign}z.{digits}g}" for end in ends]
        if len(set(said)) == len(set(ends)):
            break
    return f"{said[0]} ({said[1]} to {said[2]})"


@final
@dataclass(frozen=True, slots=True)
class Recommendation(Generic[P]):
    """The configuration that is expected to be the best in truth.

    Attributes:
        record: Its first trial.
        mean: Its expected value, in the objective's own sign and units.
        interval: That holds the expected value with a probability of 90 %.
        noise: The standard deviation of one evaluation; NaN if there are too few to tell.
        default: What the baseline is expected to have; None: it has not completed, or there is none.
        baseline: What the baseline is called: default, or centre; empty likewise.
        chance: The probability that it truly is better than the baseline; NaN: without one, or if it is the baseline.
        rivals: Others that cannot be told apart from it: the first trial of each, the best expected first.
        observed: The best trial as it was measured.
        lucky: Whether that is another configuration.
        expected: What is expected of that, in truth.
    """

    record: Record[P]
    mean: float
    interval: tuple[float, float]
    noise: float
    default: Estimate | None
    baseline: str
    chance: float
    rivals: tuple[Record[P], ...]
    observed: Record[P]
    lucky: bool
    expected: float

    @property
    def params(self) -> P:
        """The params in the form in which the objective gets them."""
        return self.record.params

    def __str__(self) -> str:
        said = [str(Estimate(self.mean, self.interval))]
        if math.isnan(self.noise):
            said += ["there are too few evaluations to tell it from luck"]
        elif self.default is None:
            pass
        elif math.isnan(self.chance):
            said += [f"it is the {self.baseline}"]
        else:
            said += [f"the {self.baseline} has {self.default}"]
            if self.chance < SURE:
                said += [f"the chance that it is better is {self.chance:.0%}"]
        n = len(self.rivals)
        if n and not math.isnan(self.noise):
            others = f"{WORDS[n]} other{'s' * (n > 1)}" if n < len(WORDS) else f"{n} others"
            said += [f"{others} cannot be told apart from it"]
        if self.lucky:
            number, value = self.observed.number, self.observed.value
            said += [
                f"trial {number}, which measured {value:.4g}, is expected to have {self.expected:.4g}"
            ]
        return "; ".join(said)


@remembered
def recommend(history: History[P], *, robust: bool = False) -> Recommendation[P]:
    """Return the configuration among those tried that is expected to be the best in truth.

    Trials of equal params are measurements of one configuration. Those that completed are modelled as truth and
    noise; failed ones are no candidates, nor is what breaks a limit in most of its trials. Of more than 200
    configurations those that are foreseen as the best are modelled, and others from all of the space.

    Args:
        history: A study's.
        robust: Prefer a flat optimum: what is compared is the mean over the configuration and those in which one
            number is moved by 5 % of its range, or by a level if that is more, to either side.

    Raises:
        NoTrials: None has completed, or none keeps the limits.
        NotSupported: There are several objectives, of which the front is the answer.

    Example:
        >>> import random
        >>> import tunesmith as ts
        >>> luck = random.Random(1)
        >>> study = ts.minimize(
        ...     lambda t: (t["x"] - 2) ** 2 + luck.gauss(0, 1),
        ...     {"x": ts.Float(-10, 10)},
        ...     trials=40,
        ...     seed=1,
        ...     progress=False,
        ... )
        >>> abs(recommend(study.history).params["x"] - 2) < 1
        True
    """
    problem = history.problem
    if len(problem.objectives) > 1:
        names = ", ".join(objective.name for objective in problem.objectives)
        raise NotSupported(
            f"one configuration is recommended of one objective, this study has several ({names}); see .front"
        )
    observed = history.best
    tried = Tried.of(history).fewer([_key(observed)])
    with one_thread():
        return _recommended(tried, observed, robust=robust)


@final
@dataclass(frozen=True, slots=True)
class Tried(Generic[P]):
    """The configurations that were measured.

    Attributes:
        problem: Of the study.
        first: The first trial of each.
        values: The mean of each, greater being better (m,), as it would be on all seeds that they share.
        counts: Of how many trials (m,).
        scatter: Squared deviations from it, summed (m,).
        seen: How many of the trials are on each seed that configurations share (m, s).
        sums: What these measured, summed (m, s).
        candidates: Which may be recommended: places, ascending.
        places: Of configurations, by key.
        folds: Of each; None: values are no means of folds.
    """

    problem: Problem[P]
    first: list[Record[P]]
    values: Floats
    counts: Floats
    scatter: Floats
    seen: Floats
    sums: Floats
    candidates: Ints
    places: dict[Hashable, int]
    folds: Folds | None

    @classmethod
    def of(cls, history: History[P]) -> "Tried[P]":
        """Gather a history's measurements."""
        problem = history.problem
        known = [r for r in history if r.state == "complete" and math.isfinite(r.value)]
        known = known or history.contenders()
        places: dict[Hashable, int] = {}
        place = np.array([places.setdefault(_key(r), len(places)) for r in known])
        _, first = np.unique(place, return_index=True)
        measured = -problem.objectives[0].sign * np.array([r.value for r in known])
        counts = np.bincount(place).astype(np.float64)
        values = np.bincount(place, measured) / counts
        squares = (measured - values[place]) ** 2
        scatter = np.asarray(np.bincount(place, squares), dtype=np.float64)
        kept = np.array([problem.meets_limits(r.values) for r in known])
        keeps = np.bincount(place, kept) / counts
        seen = sums = np.empty((len(counts), 0))
        if all(r.replicate for r in known):
            seed = np.array([r.replicate[1] for r in known if r.replicate])
            seen, sums = np.zeros((2, len(counts), seed.max() + 1))
            np.add.at(seen, (place, seed), 1.0)
            np.add.at(sums, (place, seed), measured)
            # so who ran on a few seeds only, lucky or not for all, compares with those that ran on all
            effects = additive.fit(np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)).columns
            values -= seen @ effects / counts
        candidates = np.flatnonzero(keeps >= min(0.5, keeps.max()))
        folds = None
        if problem.value == "mean":
            groups: list[list[Record[P]]] = [[] for _ in counts]
            for record, one in zip(known, place.tolist(), strict=True):
                groups[one].append(record)
            table, shared = finest(groups)
            folds = Folds(table, shared) if table.shape[1] > 1 else None
        firsts = [known[i] for i in first]
        return cls(
            problem, firsts, values, counts, scatter, seen, sums, candidates, places, folds,
        )  # fmt: skip

    def fewer(self, named: Sequence[Hashable] = ()) -> "Tried[P]":
        """Return at most some thousand of them: the better ones, others evenly spaced in time, and what is named by key.

        A model takes 200 of these, so that no more is lost than time.
        """
        m = len(self.values)
        if m <= MANY:
            return self
        best = np.argsort(-self.values, kind="stable")[: MANY // 2]
        spread = np.linspace(0, m - 1, MANY // 2).astype(int)
        known = [self.places[key] for key in named if key in self.places]
        return self.only(np.unique(np.concatenate([best, spread, np.array(known, dtype=int)])))

    def only(self, kept: Ints) -> "Tried[P]":
        """Return those at some places (n,), which ascend."""
        place = {int(old): new for new, old in enumerate(kept)}
        places = {key: place[old] for key, old in self.places.items() if old in place}
        folds = None
        if self.folds is not None:
            rows = kept[kept < len(self.folds.losses)]
            folds = Folds(self.folds.losses[rows], self.folds.shared)
        return Tried(
            self.problem, [self.first[i] for i in kept], self.values[kept], self.counts[kept], self.scatter[kept],
            self.seen[kept], self.sums[kept], np.flatnonzero(np.isin(kept, self.candidates)), places, folds,
        )  # fmt: skip

    def some(self, rows: Ints, columns: Floats) -> Means:
        """Return the configurations at places `rows` (n,) for a model, of all columns (m, p)."""
        return Means(
            columns[rows], self.values[rows], self.counts[rows], self.scatter[rows], self.seen[rows],
            self.sums[rows],
        )  # fmt: skip


def _key(record: Record[Any]) -> Hashable:
    return record.problem.space.key(record.logged)


def _recommended(tried: Tried[P], observed: Record[P], *, robust: bool) -> Recommendation[P]:
    best = tried.places[_key(observed)]
    baseline = 0 if tried.first[0].source == "default" else None
    called = "" if baseline is None else tried.first[0].note
    evaluations = int(tried.counts.sum())
    if evaluations < LEAST or not np.ptp(tried.values):
        return _alike(tried, observed, best, baseline)
    space = tried.problem.space
    features = Features(space)
    units = space.encode([record.logged for record in tried.first])
    columns = features(units)
    first = int(tried.candidates[np.argmax(tried.values[tried.candidates])])
    named = [best, first] if baseline is None else [best, first, baseline]
    rows = modelled(tried, columns, features, named)
    known, size = scaled(tried.some(rows, columns))
    truth = fitted(known, features)
    sd = np.sqrt(np.maximum(np.diag(truth.covariance), 0.0))
    score = truth.means - CAUTION * sd
    if robust:
        score += _flat(tried.problem, truth, features, units[rows])
    among = np.flatnonzero(np.isin(rows, tried.candidates))
    one = int(among[np.argmax(score[among])])

    apart, common = _between_seeds(tried)
    noise = max(size * truth.noise, apart)
    width = float(stdtrit(truth.freedom, (1 + LEVEL) / 2))

    def expected(i: int) -> Estimate:
        sign = -tried.problem.objectives[0].sign
        half = width * math.hypot(sd[i], truth.shift_sd / truth.scale.size)
        ends = truth.scale.back(truth.means[i] + np.array([0.0, -half, half])) + truth.shift
        mean, low, high = (size * ends).tolist()
        by_folds = 0.0 if tried.folds is None else tried.folds.own(int(rows[i]))
        low = mean - math.hypot(mean - low, WIDTH * by_folds, common)
        high = mean + math.hypot(high - mean, WIDTH * by_folds, common)
        return Estimate(sign * mean, (min(sign * low, sign * high), max(sign * low, sign * high)))

    covariance = truth.covariance
    differs = np.sqrt(
        np.maximum(np.diag(covariance) + covariance[one, one] - 2 * covariance[one], 1e-300)
    )
    gain = truth.means[one] - truth.means
    if tried.folds is not None:  # luck with the folds, which the model takes for the truth
        values = size * truth.scale.back(truth.means)
        gain = values[one] - values
        differs = np.hypot(
            differs * size * truth.scale.size, tried.folds.apart(int(rows[one]))[rows]
        )
    near = among[(np.abs(gain) <= width * differs)[among] & (among != one)]
    rivals = near[np.argsort(-truth.means[near], kind="stable")]
    default, chance = None, math.nan
    if baseline is not None:
        its = int(np.flatnonzero(rows == baseline)[0])
        default = expected(its)
        chance = math.nan if its == one else float(ndtr(gain[its] / differs[its]))
    lucky = int(np.flatnonzero(rows == best)[0])
    here = expected(one)
    if tried.folds is not None and len(rivals):
        error = float(np.median(differs[rivals] ** 2)) / 2
        sign = -tried.problem.objectives[0].sign
        here = here.moved(sign * drawn(0.0, -gain[[one, *rivals]], error))
    return Recommendation(
        tried.first[rows[one]], here.mean, here.interval, noise, default, called, chance,
        tuple(tried.first[i] for i in rows[rivals]), observed, lucky != one, expected(lucky).mean,
    )  # fmt: skip


def _between_seeds(tried: Tried[Any]) -> tuple[float, float]:
    """How far seeds are apart that configurations share, as a deviation, and how far their mean may be from that of all.

    Nothing where one of the better half was measured again, so that the model knows it. Else what the others
    measured tells what a seed adds to all.
    """
    better = tried.values >= np.median(tried.values)
    seeds = int((tried.seen.sum(axis=0) > 0).sum())
    freedom = float((tried.counts - 1).sum())
    if seeds < 2 or not freedom or (tried.counts[better] > 1).any():
        return 0.0, 0.0
    sd = math.sqrt(float(tried.scatter.sum()) / freedom)
    return sd, float(stdtrit(seeds - 1, (1 + LEVEL) / 2)) * sd / math.sqrt(seeds)


def _alike(
    tried: Tried[P], observed: Record[P], best: int, baseline: int | None
) -> Recommendation[P]:
    """What is said of too few measurements, or of configurations that are all equal: only what was measured again tells more."""
    value, noise, half = observed.value, math.nan, np.full(len(tried.counts), math.inf)
    if tried.counts.sum() >= LEAST:  # all are equal
        freedom = float((tried.counts - 1).sum())
        noise = math.sqrt(float(tried.scatter.sum()) / freedom) if freedom else 0.0
        half = noise * (stdtrit(freedom, (1 + LEVEL) / 2) if noise else 0.0) / np.sqrt(tried.counts)
    sign = -tried.problem.objectives[0].sign
    here, *its = (
        Estimate(mean, (mean - float(half[i]), mean + float(half[i])))
        for i in ((best,) if baseline is None else (best, baseline))
        for mean in (value if i == best else sign * float(tried.values[i]),)
    )
    chance = math.nan
    if baseline not in (None, best) and not math.isnan(noise):
        chance = 0.5 if noise else 0.0
    others = tuple(tried.first[i] for i in tried.candidates if i != best)
    called = "" if baseline is None else tried.first[baseline].note
    return Recommendation(
        tried.first[best], here.mean, here.interval, noise, its[0] if its else None, called, chance,
        others, observed, False, value,
    )  # fmt: skip


def modelled(tried: Tried[Any], columns: Floats, features: Features, named: list[int]) -> Ints:
    """The places of what is modelled: all, or what is `named`, what is foreseen as best, its neighbours, and others.

    Foreseen by others, evenly spaced in time: those that measured best among thousands are all lucky,
    and a model of them would take that for the truth.
    """
    m = len(tried.values)
    if m <= MOST:
        return np.arange(m)
    ends = [int(np.argmin(tried.values)), int(np.argmax(tried.values))]  # so not all are equal
    spread = np.union1d(np.linspace(0, m - 1, MOST).astype(int), ends)
    if not np.ptp(tried.values):  # there is nothing to be foreseen
        return np.union1d(spread, named).astype(int)
    foreseen = fitted(scaled(tried.some(spread, columns))[0], features).at(columns)
    shrink = features.layout.shrink(Prior.of(features.layout, features.size).mean)
    return np.union1d(chosen(columns, foreseen, shrink, MOST), [*named, *ends])


def _flat(problem: Problem[Any], truth: Truth, features: Features, units: Floats) -> Floats:
    """By how much the mean over configurations nearby is better than that of units (n, d) itself (n,)."""
    here = truth.at(features(units))
    total, count = np.zeros(len(units)), np.ones(len(units))
    for j, parameter in enumerate(problem.space.parameters.values()):
        levels = parameter.cardinality
        if isinstance(parameter, Categorical) or levels == 1:
            continue
        step = STEP if levels is None else max(STEP, 1 / levels)
        active = ~np.isnan(units[:, j])
        for side in (-step, step):
            moved = units.copy()
            moved[:, j] = np.clip(moved[:, j] + side, 0.0, 1.0)
            total += np.where(active, truth.at(features(moved)) - here, 0.0)
            count += active
    return np.asarray(total / count)
