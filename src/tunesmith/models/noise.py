"""How far one evaluation lies from another of the same configuration, as far as a study has measured that."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record

SURE = 3  # degrees of freedom from which on replicates tell a noise
TOP = 10  # trials whose folds tell it
FEWEST = 4  # folds that a split counts as which is one of few: a third of the samples over the rest


@final
@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one evaluation.

    Attributes:
        sd: Its standard deviation, in the objective's units; 0: none, or none is known.
        by: What tells it: "folds", "replicates", "model"; empty: nothing does.
    """

    sd: float
    by: str

    def __str__(self) -> str:
        if not self.by:
            return "the noise of an evaluation is not known"
        return f"the noise of an evaluation is {self.sd:.2g}, by {self.by}"


def completed(trials: Iterable[Record[Any]]) -> list[Record[Any]]:
    """Return the trials that completed and keep the limits, in their order."""
    return [r for r in trials if r.state == "complete" and r.problem.meets_limits(r.values)]


def losses_of(records: Sequence[Record[Any]]) -> Floats:
    """Return the losses of the only objective (n,)."""
    if not records:
        return np.empty(0)
    [objective] = records[0].problem.objectives
    return np.array([objective.sign * record.values[objective.name] for record in records])


def outlook(history: History[Any], records: Sequence[Record[Any]]) -> Floats:
    """Return the losses (n,) of which the best is the study's.

    Where configurations are evaluated repeatedly that is one whose mean is sure; those that have measured
    better, once and by luck, are left out.

    Args:
        history: Of one objective.
        records: Configurations of it that completed and keep the limits, with their means; see `History.averaged`.
    """
    losses = losses_of(records)
    if not len(history.replicates):
        return losses
    [best] = losses_of([history.best])
    return np.asarray(losses[losses >= best])


def groups(records: Iterable[Record[Any]]) -> list[list[Record[Any]]]:
    """Return the trials by configuration."""
    found: dict[Hashable, list[Record[Any]]] = defaultdict(list)
    for r in records:
        found[r.replicate[0] if r.replicate else r.problem.space.key(r.logged)].append(r)
    return list(found.values())


def shared_by(folds: int) -> float:
    """Return which part of the variance of a fold's value stays in the mean of ever so many.

    Folds share training samples, so that the mean of many varies more than their spread says: that of k by
    s^2 (1 / k + 1 / (k - 1)). The second term is the share of a fold in the samples over the rest.

    References:
        C. Nadeau and Y. Bengio. Inference for the generalization error. Machine Learning 52, 2003. Section 3.
    """
    return 1 / (max(folds, FEWEST) - 1)


def measured_noise(records: Sequence[Record[Any]]) -> Noise:
    """Return the noise that folds tell, else replicates, else none.

    That of folds is the standard error of their mean at the ten best trials, the median of it, made
    larger for the training samples that folds share (`shared_by`).

    Args:
        records: Trials that completed.
    """
    if not records:
        return Noise(0.0, "")
    name = f"{records[0].problem.objectives[0].name}_se"
    with_errors = [r for r in records if r.values.get(name, 0.0) > 0]
    if with_errors:
        best = losses_of(with_errors).argsort(kind="stable")[:TOP]
        return Noise(float(np.median([_corrected(with_errors[i], name) for i in best])), "folds")
    groups_ = [losses_of(those) for those in groups(records)]
    freedom = sum(len(group) - 1 for group in groups_)
    if freedom < SURE:
        return Noise(0.0, "")
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups_)
    return Noise(math.sqrt(within / freedom), "replicates")


def _corrected(record: Record[Any], name: str) -> float:
    k = record.reports
    return record.values[name] * math.sqrt(1 + k * shared_by(k) if k else 1)
