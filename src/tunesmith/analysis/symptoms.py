"""What is wrong with one trial: rules on its curves, by themselves and beside the best trial's.

Every rule asks for two things: that it is no chance (a test, at `ALPHA`) and that it matters (a share of the
way that the curve came down, or could have). Where there is too little to tell, nothing is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np

from tunesmith.analysis.curves import LEAST, Curve
from tunesmith.numerics.trends import rising, slope, zigzag

Kind: TypeAlias = Literal[
    "diverged", "unstable", "overshooting", "too slow", "still improving", "overfitting", "underfitting"
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "diverged", "unstable", "overshooting", "too slow", "still improving", "overfitting", "underfitting",
)  # fmt: skip

ALPHA = 0.005
"""False-alarm rate of a test. Six values that rise one by one have p 0.0043: hence 12 reports, 6 in a half."""
FEW = 6  # values from which on a test can come below ALPHA
SOME = 0.1
"""A share of the way that matters."""
SLOW = 0.35
"""Share of the way made in the second half of the steps. exp(-t / T) has it if it ends at t = 1.2 T, 30 % of
the way before its floor; one that goes down evenly has 0.5."""
MISSING = 0.2
"""Share of the way to the best trial's level that a trial which has settled never makes."""
JUMP = 0.25
"""Share of the way that a jump up undoes."""
CLEAR = 8.0
"""Standard deviations of the noise above which a single value tells, whatever the noise's tails are."""
PLAIN = 4.0
"""Standard deviations of the noise above which a difference of levels tells: noise that resembles itself from
report to report (0.7) looks half as large as it is, by its second differences."""
ROUGHER = 3.0
"""How many times rougher than the good trials a curve is that bounces. Twice the error of a ratio of two
such estimates from 8 reports is about 2.4."""


@final
@dataclass(frozen=True, slots=True)
class Symptom:
    """What is wrong with a trial.

    Attributes:
        kind: What.
        trial: Its number.
        metric: Where it shows.
        strength: Its share of the way, from 0 to 1 or more: diverged, what it rose of all its way up and down
            (1: to what is no number); unstable, what the greatest jump undid of the way down; overshooting,
            the noise; too slow and still improving, what came in the second half; overfitting, what was
            lost since its best; underfitting, what is missing to the best trial's level.
        text: The same in words.
    """

    kind: Kind
    trial: int
    metric: str
    strength: float
    text: str

    def __str__(self) -> str:
        return f"trial {self.trial}: {self.kind}: {self.text}"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A trial as its rules see it.

    Attributes:
        trial: Its number.
        metric: What counts.
        training: What the training is judged by, in words; empty: nothing is reported of it.
        failed: Whether it ended as diverged.
        whole: Whether it ran to its end.
        curve: Of the metric.
        fit: Of the training; empty if not reported.
        unit: What a step is, in words.
    """

    trial: int
    metric: str
    training: str
    failed: str
    whole: bool
    curve: Curve
    fit: Curve
    unit: str

    @property
    def own(self) -> Curve:
        """What shows how the training goes: its own metric, else the one that counts."""
        return self.fit if len(self.fit) >= len(self.curve) and len(self.fit) else self.curve

    @property
    def own_metric(self) -> str:
        """The name of `own`."""
        return self.training if self.own is self.fit else self.metric

    @property
    def judged(self) -> bool:
        """Whether its curve is long enough to tell a trend."""
        return len(self.curve) >= LEAST and self.curve.finite

    def found(self, kind: Kind, metric: str, strength: float, text: str) -> Symptom:
        """Return a symptom of it."""
        return Symptom(kind, self.trial, metric, float(strength), text)


@final
@dataclass(frozen=True, slots=True)
class Peers:
    """What a trial is held against: the best third of those that ran to their end.

    Attributes:
        best: The best of them.
        noise: The median of the noise of their training.
        alike: Whether the best's curve of the training is there, and measures the same.
    """

    best: Case
    noise: float
    alike: bool


def symptoms(case: Case, peers: Peers | None) -> Iterator[Symptom]:
    """Yield what is wrong with a trial; what explains the rest comes alone.

    Args:
        case: The trial.
        peers: The good trials; None: there are too few.
    """
    diverged = _diverged(case)
    if diverged is not None:
        yield diverged
        return
    if not case.judged:
        return
    found = [_unstable(case), _overshooting(case, peers), _unfinished(case), _overfitting(case)]
    yield from (one for one in found if one is not None)
    if peers is not None and not any(found):
        missing = _underfitting(case, peers)
        if missing is not None:
            yield missing


def _diverged(case: Case) -> Symptom | None:
    """It is no number, or it got worse from its beginning, or the training fell and then rose for good."""
    own = case.own
    if case.failed:
        return case.found("diverged", case.metric, 1.0, case.failed)
    if not own.finite or not case.curve.finite:
        return case.found("diverged", case.metric, 1.0, f"{case.metric} is not finite")
    if len(own) < FEW:
        return None
    first = bool(np.argmin(own.medians) < max(1, len(own) // 4))
    risen = own.end - own.start
    if first and risen > max(own.way, CLEAR * own.noise) and rising(own.y) < ALPHA:
        text = f"{case.own_metric} gets worse from its beginning to its end"
        return case.found("diverged", case.own_metric, risen / (risen + own.way), text)
    lost = own.end - own.low
    turned = own.since((own.x[np.argmin(own.medians)] - own.x[0]) / (own.x[-1] - own.x[0]))
    if case.training and lost > own.way / 2 and lost > CLEAR * own.noise and _rises(turned):
        text = f"{case.own_metric}, of the training itself, fell and then rose for good"
        return case.found("diverged", case.own_metric, lost / (lost + own.way), text)
    return None


def _rises(part: Curve) -> bool:
    return len(part) >= FEW and rising(part.y) < ALPHA


def _unstable(case: Case) -> Symptom | None:
    """A step up that undoes much of the way, and that no noise makes (loss spikes).

    References:
        M. Wortsman et al. Small-scale Proxies for Large-scale Transformer Training Instabilities. 2023.
    """
    own = case.own
    up = np.diff(own.y)  # (n - 1,)
    # noise of a difference: of two values
    jumps = up > max(JUMP * own.way, CLEAR * np.sqrt(2) * own.noise)
    if own.way <= CLEAR * own.noise or not jumps.any():
        return None
    share = float(up.max()) / own.way
    steps = own.x[1:][jumps]
    times = "once" if len(steps) == 1 else f"{len(steps)} times"
    text = (
        f"{case.own_metric} jumped up {times}, at {case.unit} {own.x[1 + np.argmax(up)]:.0f} by "
        f"{share:.0%} of all that it had come down"
    )
    return case.found("unstable", case.own_metric, share, text)


def _overshooting(case: Case, peers: Peers | None) -> Symptom | None:
    """It goes to and fro: more often than chance, or far more than the good trials do.

    References:
        J. Cohen et al. Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability. ICLR
        2021: with steps above 2 / sharpness the loss no longer falls at each.
        L. Bottou, F. E. Curtis, J. Nocedal. Optimization Methods for Large-Scale Machine Learning. SIAM
        Review 60, 2018, Theorem 4.6: with constant steps the loss ends in noise in proportion to them.
    """
    own = case.own
    rough = own.noise
    if own.way > 0 and rough > SOME * own.way and zigzag(own.y) < ALPHA:
        text = f"{case.own_metric} goes up and down at nearly every {case.unit}"
        return case.found("overshooting", case.own_metric, rough / own.way, text)
    if peers is None:
        return None
    possible = own.start - peers.best.own.end
    if possible > 0 and rough > SOME * possible and rough > ROUGHER * peers.noise:
        text = (
            f"{case.own_metric} bounces by {rough / possible:.0%} of the way to trial "
            f"{peers.best.trial}'s, and does not settle"
        )
        return case.found("overshooting", case.own_metric, rough / possible, text)
    return None


def _unfinished(case: Case) -> Symptom | None:
    """It ran to its end and got better all through the second half; how much tells which."""
    half = case.curve.since(0.5)
    gained = case.curve.start - case.curve.end
    if (
        not case.whole
        or gained <= PLAIN * case.curve.noise
        or len(half) < FEW
        or rising(-half.y) >= ALPHA
    ):
        return None
    share = -slope(half.x, half.y) * float(half.x[-1] - half.x[0]) / gained
    if share < SOME:
        return None
    kind: Kind = "too slow" if share >= SLOW else "still improving"
    text = f"{share:.0%} of what it gained in {case.metric} came in the second half of its steps"
    return case.found(kind, case.metric, min(share, 1.0), text)


def _overfitting(case: Case) -> Symptom | None:
    """It was better before, and got worse while the training did not.

    References:
        L. Prechelt. Early Stopping - But When? 1998: the loss in generalisation since the best epoch.
    """
    curve = case.curve
    lost = curve.end - curve.low
    scale = max(curve.way, lost)
    if lost <= max(SOME / 2 * scale, PLAIN * curve.noise):
        return None
    for share in (1 / 8, 1 / 4, 1 / 2):  # three tests
        part = curve.since(share)
        if len(part) < FEW or rising(part.y) >= ALPHA / 3:
            continue
        fit = case.fit.since(share)
        if len(fit) >= FEW and rising(fit.y) < 0.05:
            return None
        best = curve.x[np.argmin(curve.medians)]
        text = f"{case.metric} was best at {case.unit} {best:.0f} and then lost {lost / scale:.0%} of its gain"
        if not case.training:
            text += "; report the training's, too, to be sure that it is overfitting"
        return case.found("overfitting", case.metric, lost / scale, text)
    return None


def _underfitting(case: Case, peers: Peers) -> Symptom | None:
    """It has settled, and even in training does not come to where the best trial is in validation.

    It must lie behind the best and have come less far: trials may differ by where they began.
    """
    best = peers.best
    if not case.whole or case is best:
        return None
    known = peers.alike and len(case.fit) >= LEAST
    own, other = (case.fit, best.fit) if known else (case.curve, best.curve)
    least = MISSING if known else 1 - SOME  # else it may as well overfit, or have had a poor start
    came = other.start - other.end
    if came < CLEAR * other.noise or came <= 0:
        return None
    goal = max(best.curve.end, other.end)
    missing = own.end - goal
    behind = came - (own.start - own.end)
    if min(missing, behind) < PLAIN * own.noise or behind < least * came:
        return None
    if missing <= 0 or missing < least * (own.start - goal):
        return None
    if case.curve.end - best.curve.end < least * (case.curve.start - best.curve.end):
        return None
    if rising(-own.since(0.5).y) < 0.05 and not known:  # on its way
        return None
    share = min(1.0, missing / (own.start - goal)) if own.start > goal else 1.0
    goes = f"trial {best.trial}'s {case.metric}"
    text = f"even in training {share:.0%} of the way to {goes} is missing, and it has settled"
    if not known:
        text = f"{case.metric} hardly moved: {share:.0%} of the way to {goes} is missing"
    return case.found("underfitting", case.metric, share, text)
