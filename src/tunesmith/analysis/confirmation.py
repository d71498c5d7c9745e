"""What a confirmation says: finalists on seeds that no search has used, and which cannot be told apart.

Values are taken for configuration + seed + noise. Differences between configurations do not depend on how
lucky a seed is for all of them; what a configuration is worth on a new seed does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, final

import numpy as np
from scipy.special import stdtr, stdtrit

from tunesmith._core.errors import NoTrials
from tunesmith._core.types import P
from tunesmith.analysis.recommendation import Estimate
from tunesmith.analysis.spread import LEVEL, Spread, drawn, finest
from tunesmith.numerics import additive
from tunesmith.records import History, Record

BEYOND_DOUBT = 0.95  # chance of being better than the default
WORTH_IT = 0.8  # chance from which on a change of the default is worth it
CHEAPER = 0.8  # of the best one's time, for a finalist to be called cheaper,
WORTH_S = 1.0  # and seconds less


@final
@dataclass(frozen=True)
class Finalist(Generic[P]):
    """A configuration that was confirmed.

    Attributes:
        record: Its trial in the search; of a baseline, its first evaluation.
        mean: Of the objective, as it would be on all seeds that were used.
        interval: In which its true mean lies with 90 %.
        evaluations: How often it was evaluated.
        seconds: How long an evaluation took, on average.
        level: Whether it cannot be told apart from the best.
        baseline: Whether it is the baseline that was given, and in no space.
    """

    record: Record[P]
    mean: float
    interval: tuple[float, float]
    evaluations: int
    seconds: float
    level: bool
    baseline: bool = False

    @property
    def number(self) -> int | None:
        """Of its trial in the search; None: it is the baseline."""
        return None if self.baseline else self.record.number

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return "the baseline" if self.baseline else f"trial {self.record.number}"

    def __str__(self) -> str:
        said = Estimate(self.mean, self.interval)
        return f"{self.name}: {said} ({self.evaluations} evaluations)"


@final
@dataclass(frozen=True)
class Confirmation(Generic[P]):
    """The outcome of a confirmation.

    Attributes:
        finalists: The best mean first; the default, or the baseline, among them, if it was evaluated.
        choice: The finalist to take: of those within one standard error of the best the one that takes
            clearly less time, else the one that differs least from the default. The default itself unless that
            one is better with a chance of 80 % at least.
        why: Why that one.
        estimate: What the choice is worth on a new seed, corrected for having been chosen.
        interval: Of it, 90 %.
        default: What stands now: the baseline, if one was given, else the default configuration; None: it was not
            evaluated.
        gain: By how much the best of the others is better than the default, on common seeds and corrected for
            having been chosen; NaN without a default.
        gain_interval: Of the gain, 90 %.
        chance: That it is better than the default; NaN without one.
        evaluations: How many were spent.
        varies: Whether any configuration had different values on different seeds.
        left_out: Finalists of which an evaluation failed, or whose means break a limit.
    """

    finalists: tuple[Finalist[P], ...]
    choice: Finalist[P]
    why: str
    estimate: float
    interval: tuple[float, float]
    default: Finalist[P] | None
    gain: float
    gain_interval: tuple[float, float]
    chance: float
    evaluations: int
    varies: bool
    left_out: tuple[Record[P], ...] = ()

    @property
    def params(self) -> P:
        """The params of the choice, in the form in which objectives get them; of a baseline none: {}."""
        return self.choice.record.params

    @property
    def beats_default(self) -> bool:
        """Whether something better than the default was found beyond doubt: with a chance of 95 % at least."""
        return self.chance >= BEYOND_DOUBT

    def __str__(self) -> str:
        said = Estimate(self.estimate, self.interval)
        parts = [f"{self.choice.name}: {said}"]
        standing = stands(self.default)
        if self.default is not self.choice and self.default is not None:
            parts.append(f"{standing} has {Estimate(self.default.mean, self.default.interval)}")
        elif self.default is not None and not self.default.baseline:
            parts.append("it is the default")
        others = sum(one.level for one in self.finalists if one is not self.choice)
        if others:
            verb = "one other" if others == 1 else f"{others} others"
            parts.append(f"{verb} cannot be told apart from it")
        lines = ["; ".join(parts), f"taken: {self.why}"]
        low, high = self.gain_interval
        if math.isnan(self.chance):
            pass
        elif not self.beats_default:
            lines.append(
                f"{standing} is not beaten beyond doubt: the gain is {self.gain:.2g}, between {low:.2g} and "
                f"{high:.2g} (better with a chance of {self.chance:.0%})"
            )
        else:
            lines.append(
                f"better than {standing} by {self.gain:.2g}, between {low:.2g} and {high:.2g}"
            )
        if self.left_out:
            numbers = ", ".join(str(record.number) for record in self.left_out)
            lines.append(f"failed, or broke a limit, on a fresh seed: trial {numbers}")
        if not self.varies:
            lines.append(
                "every evaluation of a configuration gave the same value: if that does not follow trial.seed, this "
                "says nothing of luck"
            )
        return "\n".join(lines)


def confirmed(
    search: History[P],
    again: History[P],
    default: int | None,
    baseline: History[Any] | None = None,
) -> Confirmation[P]:
    """Return what evaluations on fresh seeds say of a search's finalists.

    Args:
        search: The trials of the search.
        again: Those of its confirmation: the finalists, each on several seeds.
        default: The number of the default configuration in the search; None: it has none.
        baseline: The evaluations of what stands in its place, on the same seeds; None: there is nothing.

    Raises:
        NoTrials: No finalist has completed two evaluations and keeps the limits.

    References:
        J. C. Hsu. Constrained simultaneous confidence intervals for multiple comparisons with the best.
        Annals of Statistics 12, 1984: who cannot be told apart from the best; with Bonferroni's bound in
        place of Dunnett's quantile, and the pooled variance of the additive model.
    """
    evaluated = _evaluated(again)
    groups = [group for group, counts in evaluated if counts]
    if not groups:
        limits = " and ".join(limit.text for limit in search.problem.limits)
        kept = f" and keeps {limits}" * bool(limits)
        failures = [r.failure for r in again if r.failure is not None]
        said = [line for failure in failures[-1:] for line in failure.text.splitlines()[-1:]]
        last = "".join(f"; the last failed with: {line}" for line in said)
        raise NoTrials(f"no finalist has completed an evaluation on a fresh seed{kept}{last}")
    sign = search.problem.objectives[0].sign
    key = search.problem.space.key
    places = {key(r.logged): r for r in reversed(search) if r.source != "replicate"}
    records: list[Record[Any]] = [places[key(group[0].logged)] for group in groups]
    ended = [group for group, _ in evaluated if all(r.finished for r in group)]
    left_out = {r.number: r for r in (places[key(group[0].logged)] for group in ended)}
    for record in records:
        left_out.pop(record.number, None)
    at_default = next((i for i, r in enumerate(records) if r.number == default), None)
    aside = [] if baseline is None else [group for group, counts in _evaluated(baseline) if counts]
    if aside:
        at_default = len(groups)
        groups, records = [*groups, aside[0]], [*records, aside[0][0]]
    losses, shared = finest(groups)
    if not (np.isfinite(losses).sum(axis=1) > 1).any():
        raise NoTrials("no finalist has completed evaluations on two fresh seeds yet")
    model = additive.fit(losses)
    spread = Spread.of(model, losses, shared)
    best = int(model.rows.argmin())
    found = [
        Finalist(
            record=record,
            mean=sign * float(model.rows[i]),
            interval=_interval(sign, float(model.rows[i]), spread.own(i)),
            evaluations=sum(r.state == "complete" for r in groups[i]),
            seconds=_seconds(groups[i]),
            level=i == best or bool(model.rows[i] - model.rows[best] <= spread.apart(i, best)),
            baseline=bool(aside) and i == at_default,
        )
        for i, record in enumerate(records)
    ]
    rivals = [i for i in range(len(found)) if i != at_default] or [0]
    pick, why = _pick(
        found, model, spread, rivals, {} if default is None else search[default].logged
    )
    if baseline is not None and not aside:
        why += "; the baseline has no value to compare with"
    luck = spread.noise * (1 / spread.counts + spread.shared)
    estimate = drawn(float(model.rows[pick]), model.rows[rivals], float(luck[rivals].mean()))
    gain, half, chance = math.nan, math.nan, math.nan
    if at_default is not None and at_default != pick:
        gain = float(model.rows[at_default]) - estimate
        error = spread.between(pick, at_default)
        lead = gain / error if error > 0 else math.copysign(math.inf, gain) if gain else 0.0
        chance = float(stdtr(spread.freedom, lead))
        half = error * float(stdtrit(spread.freedom, (1 + LEVEL) / 2))
        if chance < WORTH_IT:
            name = stands(found[at_default])
            why = f"what was found is better than {name} with a chance of {chance:.0%} only"
            pick, estimate = at_default, float(model.rows[at_default])
    order = np.argsort(model.rows, kind="stable")
    return Confirmation(
        finalists=tuple(found[i] for i in order),
        choice=found[pick],
        why=why,
        estimate=sign * estimate,
        interval=_interval(sign, estimate, spread.own(pick)),
        default=None if at_default is None else found[at_default],
        gain=gain,
        gain_interval=(gain - half, gain + half),
        chance=chance,
        evaluations=sum(one.evaluations for one in found),
        varies=bool((np.nanmax(losses, axis=1) > np.nanmin(losses, axis=1)).any()),
        left_out=tuple(left_out.values()),
    )


def _evaluated(history: History[P]) -> list[tuple[list[Record[P]], bool]]:
    """The evaluations of each configuration, and whether they count: none failed, and they keep the limits."""
    table = history.replicates
    counts = (table.done > 0) & table.keeps
    firsts = [history.find(uid) for uid in table.firsts]
    return [(history.evaluations(r), bool(c)) for r, c in zip(firsts, counts, strict=True) if r]


def stands(default: Finalist[Any] | None) -> str:
    """What that is called which the others are compared with."""
    return "the baseline" if default is not None and default.baseline else "the default"


def _interval(sign: float, loss: float, half: float) -> tuple[float, float]:
    return sign * loss - half, sign * loss + half


def _seconds(group: Sequence[Record[Any]]) -> float:
    return float(np.mean([r.duration_s for r in group if r.state == "complete"]))


def _pick(
    found: Sequence[Finalist[Any]],
    model: additive.Additive,
    spread: Spread,
    rivals: Sequence[int],
    default: dict[str, Any],
) -> tuple[int, str]:
    """Which of the rivals to take, and why: the best, or one within a standard error of it.

    The one-standard-error rule of L. Breiman et al., Classification and Regression Trees, 1984, 3.4.3.
    """
    best = min(rivals, key=lambda i: float(model.rows[i]))
    close = [
        i for i in rivals
        if i == best or model.rows[i] - model.rows[best] <= spread.between(i, best)
    ]  # fmt: skip
    longest = found[best].seconds
    quickest = min(close, key=lambda i: found[i].seconds)
    if found[quickest].seconds < min(CHEAPER * longest, longest - WORTH_S):
        share = found[quickest].seconds / longest
        return quickest, f"as good as the best within a standard error, in {share:.0%} of its time"
    changes = [_changed(found[i].record.logged, default) for i in close]
    simplest = close[changes.index(min(changes))]
    if default and simplest != best and changes.count(min(changes)) == 1:
        return (
            simplest,
            "as good as the best within a standard error, it differs less from the default",
        )
    if len(found) == 1:
        return best, "it is the only one"
    alone = sum(one.level for one in found) == 1
    return best, "it is better than the others" if alone else "it has the best mean"


def _changed(params: dict[str, Any], default: dict[str, Any]) -> int:
    """How many parameters differ."""
    names = params.keys() | default.keys()
    return sum(params.get(name) != default.get(name) for name in names)
