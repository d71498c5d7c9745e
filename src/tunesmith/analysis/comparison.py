"""`compare`: which of several methods, of which each made some studies, is better, and how surely."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, Protocol, TypeAlias, final

import numpy as np
from scipy.special import stdtrit

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith.analysis.forecast import averages
from tunesmith.analysis.modelling import seen
from tunesmith.analysis.recommendation import within
from tunesmith.models.noise import losses_of, shared_by
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.ranking import friedman, holm, ranks, shift, signed_rank
from tunesmith.records import History, Record

LEVEL = 0.9  # of intervals
ALPHA = 0.05  # below which a difference is no luck
SIX = 6  # pairs, the fewest whose agreement is so seldom luck
MOMENTS = 100  # of the common budget, at which incumbents are looked at

Budget: TypeAlias = Literal["trials", "steps", "seconds"]


class Kept(Protocol):
    """A study, as far as it is looked at here."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def seed(self) -> int:
        """The seed of everything random in it."""
        ...

    @property
    def history(self) -> History[Any]:
        """Its trials."""
        ...


One: TypeAlias = Kept | History[Any]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """What the studies of one method reached.

    Attributes:
        name: Its name.
        values: The best value of each study at the end of the common budget (n,), as it was measured.
        rank: The mean of its places among the methods, 1 being the best.
        middle: The median of its studies' best values at each moment of the grid (g,), NaN before all have one.
        low: The lower quartile (g,).
        high: The upper quartile (g,).
    """

    name: str
    values: Floats
    rank: float
    middle: Floats
    low: Floats
    high: Floats


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """Two methods against each other.

    Attributes:
        a: The name of the one.
        b: The name of the other.
        difference: By how much values of `a` are above those of `b`, in the objective's units: the median of all means of two
            differences.
        interval: Where that lies with a probability of 90 %; infinite for fewer than five pairs.
        p: How likely a difference as large is luck: by Wilcoxon's signed rank test, exactly; for more than two methods after
            Holm, so that it is the probability of any false alarm.
        better: The name of the better one; empty: they cannot be told apart.
    """

    a: str
    b: str
    difference: float
    interval: tuple[float, float]
    p: float
    better: str


@final
@dataclass(frozen=True, slots=True)
class Duel:
    """The best configurations of two studies against each other.

    Attributes:
        a: The number of the best trial of the one.
        b: That of the other.
        difference: By how much the value of `a` is above that of `b`, in the objective's units; NaN: they share nothing.
        interval: Where that lies with a probability of 90 %.
        by: What they share: "seeds", "folds"; empty: nothing, so that nothing can be told.
        n: How many of these.
        better: "a" or "b"; empty: they cannot be told apart.
    """

    a: int
    b: int
    difference: float
    interval: tuple[float, float]
    by: str
    n: int
    better: str


@final
@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several methods on the same budget.

    Attributes:
        objective: What is compared.
        direction: minimize or maximize.
        budget: What all had the same of: trials, steps or seconds.
        grid: Moments of it (g,), the last one being all of it.
        paired: What makes a pair of studies: "seed" or "order".
        n: How many pairs there are.
        methods: The best first, by mean rank.
        pairs: Each two of them.
        p: How likely it is luck that they differ as much: of two that of the pair, of more by Friedman's test.
        duel: Of two single studies: their best configurations.
    """

    objective: str
    direction: str
    budget: Budget
    grid: Floats
    paired: str
    n: int
    methods: tuple[Method, ...]
    pairs: tuple[Pair, ...]
    p: float
    duel: Duel | None

    def __str__(self) -> str:
        names = [method.name for method in self.methods]
        amount = f"{self.grid[-1]:,.0f} {self.budget if self.grid[-1] != 1 else self.budget[:-1]}"
        head = f"{self.objective} after {amount}: " + ", ".join(
            f"{method.name} {float(np.median(method.values)):.5g}" for method in self.methods
        )
        if self.n == 1:
            return "\n".join(
                [
                    head,
                    "one study of each proves nothing about the methods: another seed may turn it round",
                    *([] if self.duel is None else [_dueled(self.duel, names)]),
                ]
            )
        many = f"{self.n} pairs of studies by {self.paired}"
        head += f" (medians of {self.n} studies each)"
        if len(self.methods) == 2:
            return f"{head}\n{_told(self.pairs[0], many, self.n)}"
        places = ", ".join(f"{method.name} {method.rank:.2f}" for method in self.methods)
        lines = [head, f"mean ranks: {places}"]
        if self.p >= ALPHA:
            lines.append(f"they cannot be told apart by {many} (Friedman's test: p = {self.p:.2g})")
        else:
            lines.append(f"they are not all alike (Friedman's test: p = {self.p:.2g})")
        lines += [_told(pair, many, self.n) for pair in self.pairs if pair.better]
        if self.p < ALPHA and not any(pair.better for pair in self.pairs):
            lines.append(f"no two of them can be told apart by {many}")
        return "\n".join(lines)


def compare(
    studies: Mapping[str, One | Sequence[One]] | One,
    other: One | None = None,
    *,
    objective: str | None = None,
    budget: Budget | None = None,
) -> Comparison:
    """Say which of several methods is better, from studies of each.

    Studies of the same seed are a pair, or, where seeds differ, those that stand at the same place. Compared is the best value as
    it was measured, after as much as the shortest study has had.

    Args:
        studies: The studies of each method, by its name; or one study.
        other: Then the other one.
        objective: Which, if there are several.
        budget: What shall be the same for all: trials that ended, steps of the resource, or seconds since the first
            trial began; by default steps, where the trials of all studies report some of a resource, else trials.

    Raises:
        NoTrials: A study has not completed a trial within the common budget.
        SettingError: There is but one method, they have other objectives, or no pairs.

    References:
        J. Demšar. Statistical comparisons of classifiers over multiple data sets. JMLR 7, 2006. Sections 3.1.3, 3.2.2.
    """
    groups = _groups(studies, other)
    found = {name: [_seen(one, objective) for one in several] for name, several in groups.items()}
    every = [history for several in found.values() for history in several]
    first = every[0].problem.objectives[0]
    for history in every:
        theirs = history.problem.objectives[0]
        if theirs != first:
            raise SettingError(
                f"studies are compared by one objective, got {first.direction} {first.name} and {theirs.direction} "
                f"{theirs.name}"
            )
    paired, rows = _pairs(groups)
    if budget is None:
        budget = "steps" if all(map(_stepped, every)) else "trials"
    elif budget not in ("trials", "steps", "seconds"):
        raise SettingError(f'budget= is "trials", "steps" or "seconds", got {budget!r}')
    runs = {
        name: [_run(found[name][i], name, budget) for i in chosen] for name, chosen in rows.items()
    }
    end = min(run.end for several in runs.values() for run in several)
    for name, several in runs.items():
        if any(run.spent[0] > end for run in several):
            raise NoTrials(
                f"a study of {name} has not completed a trial within {end:g} {budget}, all that another one had; let "
                "that go on first"
            )
    grid = np.linspace(0, end, MOMENTS + 1)[1:]
    if budget != "seconds":
        grid = np.unique(np.ceil(grid))
    curves = {name: np.array([run.at(grid) for run in several]) for name, several in runs.items()}
    table = np.column_stack([curve[:, -1] for curve in curves.values()])  # (n, k)
    places = np.array([ranks(row) for row in table]).mean(axis=0)
    methods = [
        _method(name, first.sign * curve, float(place))
        for (name, curve), place in zip(curves.items(), places, strict=True)
    ]
    methods.sort(key=lambda one: one.rank)
    values = {method.name: method.values for method in methods}
    pairs = _compared(values, first.sign)
    n = len(table)
    chance = pairs[0].p if len(methods) == 2 else friedman(table) if n > 1 else 1.0
    duel = None
    if n == 1 and len(methods) == 2:
        duel = _duel(*(found[method.name][rows[method.name][0]] for method in methods))
    return Comparison(
        first.name, first.direction, budget, grid, paired, n, tuple(methods), pairs, chance, duel
    )


def _groups(
    studies: Mapping[str, One | Sequence[One]] | One, other: One | None
) -> dict[str, list[One]]:
    if isinstance(studies, Mapping):
        if other is not None:
            raise SettingError(
                "compare takes a mapping from names to studies, or two studies, not both"
            )
        groups = {str(name): _listed(several) for name, several in studies.items()}
    elif other is None:
        raise SettingError(
            'compare takes two studies, or the studies of each method by name: {"asha": [...], "median": [...]}'
        )
    else:
        names = [one.name if not isinstance(one, History) else "" for one in (studies, other)]
        names = names if names[0] != names[1] and all(names) else ["a", "b"]
        groups = dict(zip(names, ([studies], [other]), strict=True))
    if len(groups) < 2 or not all(groups.values()):
        raise SettingError(
            f"compare needs studies of two methods at least, got {', '.join(groups) or 'none'}"
        )
    return groups


def _listed(several: One | Sequence[One]) -> list[One]:
    """One study or several as a list; a history, a sequence itself, is one."""
    if isinstance(several, Sequence) and not isinstance(several, History):
        return list(several)
    return [several]


def _seen(one: One, objective: str | None) -> History[Any]:
    return seen(one if isinstance(one, History) else one.history, objective)


def _pairs(groups: dict[str, list[One]]) -> tuple[str, dict[str, list[int]]]:
    """What makes pairs, and the places of the studies of each method, pair by pair."""
    seeds = {
        name: [None if isinstance(one, History) else one.seed for one in several]
        for name, several in groups.items()
    }
    common = set.intersection(*(set(theirs) for theirs in seeds.values())) - {None}
    unique = all(len(set(theirs)) == len(theirs) for theirs in seeds.values())
    counts = {name: len(several) for name, several in groups.items()}
    if unique and len(common) == max(counts.values()):
        ordered = sorted(seed for seed in common if seed is not None)
        return "seed", {n: [theirs.index(s) for s in ordered] for n, theirs in seeds.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise SettingError(
            f"studies are compared in pairs, so there must be as many of each, got {said}; leave some out"
        )
    return "order", {name: list(range(count)) for name, count in counts.items()}


def _stepped(history: History[Any]) -> bool:
    """Whether its trials did steps of a resource."""
    return history.problem.resource is not None and any(record.step for record in history)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """The best loss of a study by what it had spent.

    Attributes:
        spent: When a trial completed (n,), ascending.
        best: The best loss from then on (n,).
        end: What it spent in all.
    """

    spent: Floats
    best: Floats
    end: float

    def at(self, grid: Floats) -> Floats:
        """Return the best loss at moments (g,), NaN before there is one."""
        place = np.searchsorted(self.spent, grid, side="right") - 1
        return np.where(place >= 0, self.best[place], np.nan)


def _run(history: History[Any], name: str, budget: Budget) -> _Run:
    ended = sorted(
        (record for record in history if record.ended is not None),
        key=lambda record: (record.ended or 0.0, record.number),
    )
    if budget == "trials":
        spent = np.arange(1.0, len(ended) + 1)
    elif budget == "steps":
        spent = np.cumsum([float(record.step - record.fork_step) for record in ended])
    else:
        begun = min((record.started for record in history), default=0.0)
        spent = np.array([(record.ended or 0.0) - begun for record in ended])
    when = {record.number: float(cost) for record, cost in zip(ended, spent, strict=True)}
    told = sorted(averages(history), key=lambda record: when[record.number])
    if not told:
        raise NoTrials(f"a study of {name} has not completed a trial yet; run it first")
    if budget == "steps" and not spent[-1]:
        raise NotSupported(f'a study of {name} has no steps; compare by budget="trials"')
    best = np.minimum.accumulate(losses_of(told))
    return _Run(np.array([when[record.number] for record in told]), best, float(spent[-1]))


def _method(name: str, values: Floats, place: float) -> Method:
    """A method of the best values (n, g) of its studies."""
    known = ~np.isnan(values).any(axis=0)
    low, middle, high = np.full((3, values.shape[1]), np.nan)
    low[known], middle[known], high[known] = np.quantile(
        values[:, known], (0.25, 0.5, 0.75), axis=0
    )
    return Method(name, values[:, -1], place, middle, low, high)


def _compared(values: dict[str, Floats], sign: float) -> tuple[Pair, ...]:
    couples = list(combinations(values, 2))
    apart = [values[a] - values[b] for a, b in couples]
    chances = holm([signed_rank(differences) for differences in apart])
    found = []
    for (a, b), differences, p in zip(couples, apart, chances, strict=True):
        middle, low, high = shift(differences, LEVEL)
        better = "" if p >= ALPHA else a if sign * middle < 0 else b
        found.append(Pair(a, b, middle, (low, high), p, better))
    return tuple(found)


def _told(pair: Pair, many: str, n: int) -> str:
    """A pair in words."""
    low, high = pair.interval
    between = f"{abs(pair.difference):.2g}"
    if math.isfinite(low):
        ends = sorted((low, high) if pair.difference >= 0 else (-low, -high))
        between = within(abs(pair.difference), (ends[0], ends[1]))
    p = f"p = {pair.p:.2g}"
    if pair.better:
        worse = pair.b if pair.better == pair.a else pair.a
        return f"{pair.better} is better than {worse}, by {between}: {p} by {many}"
    text = f"{pair.a} and {pair.b} cannot be told apart by {many}: a difference of {between}, {p}"
    return text + f"; it takes {SIX} pairs at least" * (n < SIX)


def _duel(a: History[Any], b: History[Any]) -> Duel:
    """The best configurations of two studies, by what both were evaluated on."""
    one, two = a.best, b.best
    theirs = [
        {r.seed: r.value for r in history.evaluations(best) if r.state == "complete"}
        for history, best in ((a, one), (b, two))
    ]
    common = [seed for seed in theirs[0] if seed in theirs[1]]
    if len(common) > 1:
        differences = np.array([theirs[0][seed] - theirs[1][seed] for seed in common])
        return _dueling(one, two, differences, 0.0, "seeds")
    folds = [record.reported(a.problem.objectives[0].name)[1] for record in (one, two)]
    k = len(folds[0])
    data = [record.provenance.data for record in (one, two)]
    if (
        a.problem.value == b.problem.value == "mean"
        and k == len(folds[1]) > 1
        and data[0] == data[1]
    ):
        return _dueling(one, two, folds[0] - folds[1], shared_by(k), "folds")
    return Duel(one.number, two.number, math.nan, (-math.inf, math.inf), "", 0, "")


def _dueling(
    one: Record[Any], two: Record[Any], differences: Floats, shared: float, by: str
) -> Duel:
    """By Student's t; of folds with the variance of Nadeau and Bengio 2003, see `analysis.spread`."""
    n, middle = len(differences), float(differences.mean())
    error = float(differences.std(ddof=1)) * math.sqrt(1 / n + shared)
    half = error * float(stdtrit(n - 1, (1 + LEVEL) / 2))
    ahead = one.problem.objectives[0].sign * middle < 0
    better = "" if abs(middle) <= half else "a" if ahead else "b"
    return Duel(one.number, two.number, middle, (middle - half, middle + half), by, n, better)


def _dueled(duel: Duel, names: list[str]) -> str:
    """A duel in words."""
    a, b = (f"trial {duel.a} of {names[0]}", f"trial {duel.b} of {names[1]}")
    if not duel.by:
        return (
            f"whether {a} is better than {b} cannot be told either: they share no seeds and no folds; let replicates="
            "10 in studies of one seed tell it"
        )
    low, high = sorted(math.copysign(1.0, duel.difference) * end for end in duel.interval)
    told = f"by {abs(duel.difference):.2g} on {duel.n} common {duel.by}"
    if not duel.better:
        return f"{a} and {b} cannot be told apart: they differ {told} ({low:z.2g} to {high:z.2g})"
    better, worse = (a, b) if duel.better == "a" else (b, a)
    return f"{better} is better than {worse} {told} ({low:.2g} to {high:.2g})"
