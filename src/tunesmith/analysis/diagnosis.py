"""`diagnose`: from the curves of trials to what is wrong with them, and which parameter to move."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.analysis.curves import LEAST, View, curve_of, level_of, views
from tunesmith.analysis.moves import Move, moves
from tunesmith.analysis.symptoms import (
    ALPHA,
    FEW,
    KINDS,
    SOME,
    Case,
    Kind,
    Peers,
    Symptom,
    symptoms,
)
from tunesmith.numerics.trends import rank_correlation
from tunesmith.records import Record

PEERS = 8  # trials that ran to their end, from which on the best third of them is a measure


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """A symptom over a study.

    Attributes:
        kind: What.
        metric: Of which objective.
        trials: The numbers of the trials that have it.
        judged: How many trials could be judged for it.
        strength: The median strength of its symptoms; see `Symptom`.
        text: What it means for the study.
        moves: Which parameters to move, the strongest evidence first.
    """

    kind: Kind
    metric: str
    trials: tuple[int, ...]
    judged: int
    strength: float
    text: str
    moves: tuple[Move, ...]

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.trials[:8])) + (", …" if len(self.trials) > 8 else "")
        head = f"{self.kind}: {len(self.trials)} of {self.judged} (trial {numbers}). {self.text}"
        return "\n".join([head, *(f"  - {move}" for move in self.moves)])


@final
@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found; true if anything was.

    Attributes:
        findings: Over the study, the most frequent first.
        symptoms: Of single trials, by number.
        judged: How many trials have a curve that is long enough for trends, in some objective.
        trials: How many there are.
        remark: Why nothing, or not everything, can be said; empty: all can.
    """

    findings: tuple[Finding, ...]
    symptoms: Mapping[int, tuple[Symptom, ...]]
    judged: int
    trials: int
    remark: str

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        said = [str(finding) for finding in self.findings]
        said += [self.remark] if self.remark else []
        return "\n".join(said or [f"nothing is wrong with {self.judged} curves"])


def diagnose(trials: Iterable[Record[Any]] | Record[Any]) -> Diagnosis:
    """Say what is wrong with trainings, by the curves that they reported.

    A trial diverged, is unstable, overshoots, is too slow, still improves at its end, overfits, or
    underfits; of each symptom it says which parameter the trials with it differ in. Where there is too
    little to tell it says nothing: fewer than 12 reports, folds, which are no curve, and trials
    that were stopped, of which nobody knows how they would have ended.

    Args:
        trials: A study's history, or some records of it; or a single one, which is then judged by itself.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study({"lr": ts.Float(1e-3, 10, log=True)}, minimize="loss", seed=1)
        >>> def train(trial):
        ...     w = 1.0
        ...     for step in range(1, 21):
        ...         w -= trial["lr"] * w
        ...         trial.report(step, loss=w * w)
        >>> found = diagnose(study.run(train, trials=20, progress=False).history)
        >>> print(found.findings[0].moves[0].to, found.findings[0].moves[0].parameter)
        raise lr
    """
    records = [trials] if isinstance(trials, Record) else list(trials)
    if not records:
        return Diagnosis((), {}, 0, 0, "there are no trials yet")
    problem = records[0].problem
    findings: list[Finding] = []
    by_trial: dict[int, list[Symptom]] = {}
    judged: set[int] = set()
    for view in views(problem, records):
        cases = [_case(record, view) for record in records]
        judged |= {case.trial for case in cases if case.judged}
        peers = _peers(cases, view) if len(problem.objectives) == 1 else None
        found = [one for case in cases for one in symptoms(case, peers)]
        if len(problem.objectives) == 1:
            found += _beyond_the_best(records, view, {s.trial for s in found})
        for one in found:
            if one not in by_trial.get(one.trial, ()):  # a failure shows in each objective
                by_trial.setdefault(one.trial, []).append(one)
        for kind in KINDS:
            those = [one for one in found if one.kind == kind]
            if _matters(kind, those, cases, peers):
                findings.append(_finding(kind, view, those, records, cases, peers))
    findings.sort(key=lambda finding: (-len(finding.trials), KINDS.index(finding.kind)))
    kept = {number: tuple(by_trial[number]) for number in sorted(by_trial)}
    return Diagnosis(
        tuple(findings), kept, len(judged), len(records), _remark(records, len(judged))
    )


def _case(record: Record[Any], view: View) -> Case:
    resource = record.problem.resource
    failed = record.failure is not None and record.failure.kind == "diverged"
    return Case(
        trial=record.number,
        metric=view.metric,
        training=view.training,
        failed=record.failure.text if failed and record.failure else "",
        whole=record.state == "complete" and (resource is None or record.step >= resource.max),
        curve=curve_of(record, view.metric, view.sign),
        fit=curve_of(record, view.training, view.training_sign),
        unit="step" if resource is None else resource.name,
    )


def _peers(cases: list[Case], view: View) -> Peers | None:
    """The best third of the trials that ran to their end; None: there are too few."""
    whole = [case for case in cases if case.whole and case.judged]
    if len(whole) < PEERS:
        return None
    good = sorted(whole, key=lambda case: case.curve.end)[: math.ceil(len(whole) / 3)]
    noise = float(np.median([case.own.noise for case in good]))
    alike = view.alike and len(good[0].fit) >= LEAST
    return Peers(good[0], noise, alike)


def _beyond_the_best(records: list[Record[Any]], view: View, explained: set[int]) -> list[Symptom]:
    """Trials that fit the training better than the best one, and are the worse in validation for it.

    Single ones may be luck; so it is said only where, among all of these trials, a better fit goes with
    a worse validation.

    References:
        T. Mitchell. Machine Learning. 1997, section 3.7: a hypothesis overfits if another has more error in
        training and less over the whole distribution.
    """
    whole = [r for r in records if r.state == "complete"]
    if not view.alike or len(whole) < PEERS:
        return []
    fit = np.array([level_of(record, view.training, view.training_sign) for record in whole])
    valid = np.array([level_of(record, view.metric, view.sign) for record in whole])
    known = np.isfinite(fit) & np.isfinite(valid)
    if known.sum() < PEERS:
        return []
    best = int(np.argmin(np.where(known, valid, np.inf)))
    beyond = known & (fit < fit[best])
    if beyond.sum() < FEW:
        return []
    r, p = rank_correlation(fit[beyond], valid[beyond])
    if r > 0 or p >= ALPHA:
        return []
    range_ = float(np.quantile(valid[known], 0.9) - valid[best])
    found = []
    for i in np.flatnonzero(beyond):
        record = whole[i]
        share = float(valid[i] - valid[best]) / range_ if range_ > 0 else 0.0
        if share > 2 * SOME and record.number not in explained:
            text = (
                f"{view.training} is better than that of trial {whole[best].number}, the best, and "
                f"{view.metric} worse"
            )
            found.append(Symptom("overfitting", record.number, view.metric, share, text))
    return found


def _judged(kind: Kind, cases: list[Case], those: list[Symptom]) -> set[int]:
    """The trials that could have a symptom."""
    early = kind in ("diverged", "unstable", "overshooting", "overfitting")
    able = {c.trial for c in cases if (c.judged and (early or c.whole)) or c.failed}
    return able | {one.trial for one in those}


def _matters(kind: Kind, those: list[Symptom], cases: list[Case], peers: Peers | None) -> bool:
    """Whether so many trials have a symptom that it is the study's: single ones may be luck.

    No luck is what ended as no number, what the best trial has, and what a single one is asked for.
    """
    ended = any(one.strength >= 1 for one in those) and kind == "diverged"
    if ended or len(cases) == 1 or (peers and peers.best.trial in {one.trial for one in those}):
        return bool(those)
    return len(those) >= max(2.0, SOME * len(_judged(kind, cases, those)))


def _finding(
    kind: Kind,
    view: View,
    those: list[Symptom],
    records: list[Record[Any]],
    cases: list[Case],
    peers: Peers | None,
) -> Finding:
    """A kind of symptom over all trials."""
    affected = {one.trial for one in those}
    able = _judged(kind, cases, those)
    judged = [record for record in records if record.number in able]
    best = peers is not None and peers.best.trial in affected
    strength = float(np.median([one.strength for one in those]))
    numbers = tuple(sorted(affected))
    text = _meaning(kind, strength, records[0], view, best=best)
    chosen = tuple(moves(kind, judged, affected))
    return Finding(kind, view.metric, numbers, len(judged), strength, text, chosen)


def _meaning(kind: Kind, strength: float, record: Record[Any], view: View, *, best: bool) -> str:
    """What a symptom means, in words."""
    unit = "step" if record.problem.resource is None else record.problem.resource.name
    match kind:
        case "diverged":
            text = "Their loss ran away or became no number."
        case "unstable":
            text = f"They jumped up, at worst by {strength:.0%} of the way they had come."
        case "overshooting":
            text = f"They bounce, by {strength:.0%} of the way, where others settle."
        case "too slow":
            text = (
                f"They were far from settled at their last {unit}: {strength:.0%} of what they "
                "gained came in the second half."
            )
        case "still improving":
            text = f"{strength:.0%} of what they gained came in the second half."
            if best:
                text += f" So does the best trial: more {unit}s would pay."
        case "overfitting":
            text = f"{view.metric} got worse again, by {strength:.0%} of its gain."
        case "underfitting":
            text = f"They settled with {strength:.0%} of the way to the best trial still missing."
    return text


def _remark(records: list[Record[Any]], judged: int) -> str:
    """Why not everything can be said."""
    if records[0].problem.value == "mean":
        return "reports are folds here, which have no order: nothing is said of trends"
    if judged < len(records):
        short = len(records) - judged
        return f"{short} of {len(records)} trials have fewer than {LEAST} reports, too few to tell a trend"
    return ""
