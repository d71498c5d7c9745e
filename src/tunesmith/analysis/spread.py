"""How far means of measurements may be off, where configurations share seeds or folds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import stdtrit

from tunesmith.models.noise import shared_by
from tunesmith.numerics import additive
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Record

LEVEL = 0.9  # of intervals and of the confidence set
FOUR = 4  # means from which on their spread says something


def finest(groups: Sequence[Sequence[Record[Any]]]) -> tuple[Floats, float]:
    """The losses of each configuration, by what all have in common, and how much of their luck is shared.

    That is a seed; or, where a trial counts as the mean of its folds, a fold.

    Returns:
        Losses (rows, columns), NaN where there are none; and the part of an evaluation's variance that
        further evaluations do not average out, of folds; see `shared_by`.
    """
    problem = groups[0][0].problem
    objective = problem.objectives[0]
    done = [[r for r in group if r.state == "complete"] for group in groups]
    folds = max(r.reports for group in done for r in group) if problem.value == "mean" else 0
    width = max(1, folds)
    repeated = (r.replicate[1] for group in done for r in group if r.replicate is not None)
    seeds = 1 + max(repeated, default=0)
    losses = np.full((len(done), seeds * width), np.nan)
    for row, group in enumerate(done):
        for record in group:
            begin = width * (0 if record.replicate is None else record.replicate[1])
            _, values = record.reported(objective.name) if folds else ([], np.array([record.value]))
            losses[row, begin : begin + len(values)] = objective.sign * values
    return losses, shared_by(folds) if folds else 0.0


@final
@dataclass(frozen=True)
class Folds:
    """What is luck in means over folds that configurations share.

    Attributes:
        losses: By configuration and fold (m, k), NaN where there are none.
        shared: See `finest`.
    """

    losses: Floats
    shared: float

    def own(self, i: int) -> float:
        """Return the standard error of configuration i's mean."""
        return float(self._error(self.losses[[i]])[0])

    def apart(self, i: int) -> Floats:
        """Return the standard errors (m,) of its difference from each, fold by fold; 0 from itself."""
        return self._error(self.losses - self.losses[i])

    def _error(self, table: Floats) -> Floats:
        """Standard errors (r,) of the means of rows; 0 where there are fewer than two values."""
        known = np.isfinite(table)
        n = known.sum(axis=1)
        some = np.where(known, table, 0.0)
        means = some.sum(axis=1) / np.maximum(n, 1)
        squares = np.where(known, (some - means[:, None]) ** 2, 0.0).sum(axis=1)
        variances = squares / np.maximum(n - 1, 1)
        return np.asarray(np.sqrt(variances * (1 / np.maximum(n, 1) + self.shared)))


@final
@dataclass(frozen=True)
class Spread:
    """How far means may be off.

    Attributes:
        counts: Evaluations, or folds, of each configuration (r,).
        noise: Variance of one around configuration and seed.
        freedom: Degrees of freedom of it.
        whole: Variance of one on a new seed.
        whole_freedom: Degrees of freedom of that.
        shared: See `finest`.
    """

    counts: Floats
    noise: float
    freedom: float
    whole: float
    whole_freedom: float
    shared: float

    @classmethod
    def of(cls, model: additive.Additive, losses: Floats, shared: float) -> "Spread":
        known = np.isfinite(losses)
        seeds = known.any(axis=0)
        k, freedom = int(seeds.sum()), max(1, model.freedom)
        noise = 0.0 if math.isnan(model.variance) else model.variance
        # the columns' effects spread as the seeds do, and by the noise that is left in their means
        moved = float(model.columns[seeds].var(ddof=1)) if k > 1 else 0.0
        rest = noise * (1 - float((1 / known[:, seeds].sum(axis=0)).mean()))
        whole = moved + rest
        parts = moved**2 / max(1, k - 1) + rest**2 / freedom  # Satterthwaite
        # a few scores that are all of one grid, such as accuracies, may show no noise at all by chance: one
        # degree of freedom more says that seeds are not shared
        noise = (freedom * noise + whole) / (freedom + 1)
        counts = known.sum(axis=1).astype(float)
        own_freedom = whole**2 / parts if parts > 0 else 1.0
        return cls(counts, noise, freedom, whole, own_freedom, shared)

    def own(self, i: int) -> float:
        """Half the interval of what configuration i is worth."""
        error = math.sqrt(self.whole * (1 / self.counts[i] + self.shared))
        return error * float(stdtrit(self.whole_freedom, (1 + LEVEL) / 2))

    def between(self, i: int, j: int) -> float:
        """The standard error of the difference of two configurations."""
        parts = 1 / self.counts[i] + 1 / self.counts[j] + 2 * self.shared
        return math.sqrt(self.noise * parts)

    def apart(self, i: int, best: int) -> float:
        """The difference from the best beyond which a configuration is worse, of all at once."""
        tail = (1 - LEVEL) / max(1, len(self.counts) - 1)
        return self.between(i, best) * float(stdtrit(self.freedom, 1 - tail))


def drawn(one: float, all_: Floats, error: float) -> float:
    """Return the mean of the best of several, drawn to the mean of all as far as they differ by chance.

    Args:
        one: The mean of the one that was chosen for it.
        all_: The means of all (r,), itself among them; fewer than four say too little of how far they differ.
        error: The variance of each by chance.

    References:
        C. N. Morris. Parametric empirical Bayes inference. JASA 78, 1983. Section 1.
    """
    r = len(all_)
    if r < FOUR or not error:
        return one
    between = max(0.0, float(all_.var(ddof=1)) - error)
    share = (r - 3) / (r - 1) * error / (error + between)
    return float(one + share * (all_.mean() - one))
