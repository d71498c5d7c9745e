"""From what was measured to what a Gaussian process is fitted to: rows and targets.

A target is greater where it is better, bounded on the bad side by ranks, of mean 0 and deviation 1.
What ended early counts as what it would have come to (`tunesmith.models.fidelity`), or, where that cannot
be told, as no better than the median; what failed by its params is worse than all.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.models.observations import COMPLETE, FAILED, STOPPED, TOUCHED, Observations
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.numerics.warps import half_rank, standard

SHARE_OF_SUM = 0.05
EDGE = 0.1  # how far from a limit counts what meets it exactly


@final
@dataclass(frozen=True, slots=True)
class Target:
    """One outcome to be modelled.

    Attributes:
        rows: Trials that tell of it (n,).
        values: What they tell (n,).
    """

    rows: Ints
    values: Floats


def measured(known: Observations) -> Ints:
    """Return the trials that have ended, early or not, with all losses."""
    ended = (known.state == COMPLETE) | (known.state == STOPPED)
    return np.flatnonzero(ended & np.isfinite(known.losses).all(axis=1))


def of_objectives(known: Observations, weights: Floats) -> Target:
    """Return what is to be large: one objective, or several seen through `weights`.

    Several become one by the augmented Chebyshev function, max_i w_i f_i + 0.05 sum_i w_i f_i, f
    being losses between 0 (the best seen) and 1 (the worst, its size forgotten).

    Args:
        known: The trials; one has ended with a result, at least.
        weights: Of the objectives (m,), 0 and above.

    References:
        J. Knowles. ParEGO. IEEE Trans. Evolutionary Computation 10, 2006. Equations (1) and (2).
    """
    state, ended = known.state, measured(known)
    losses = known.losses[ended]
    early = state[ended] == STOPPED
    finals = known.finals[ended]
    told = early & np.isfinite(finals)
    losses = np.where(told[:, None], finals[:, None], losses)
    values = -_one(losses, weights)
    early &= ~told
    if not early.all():
        values[early] = np.minimum(values[early], np.median(values[~early]))
    failed = np.flatnonzero(state == FAILED)
    worst = np.full(len(failed), values.min() - max(1.0, float(np.ptp(values))))
    rows = np.concatenate([ended, failed])
    values = standard(half_rank(np.concatenate([values, worst])))
    order = np.argsort(rows)  # no history is told by how it was sorted into states
    return Target(rows[order], values[order])


def _one(losses: Floats, weights: Floats) -> Floats:
    """Losses (n, m) as one (n,)."""
    # over powers of two, so that squares of the largest floats do not overflow
    _, exponents = np.frexp(np.abs(losses).max(axis=0))
    losses = np.ldexp(losses, -exponents)
    if losses.shape[1] == 1:
        return losses[:, 0]
    scaled = np.stack([-half_rank(-column) for column in losses.T], axis=1)
    scaled -= scaled.min(axis=0)
    scaled /= np.maximum(scaled.max(axis=0), 1e-12)
    weighted = scaled * weights
    return np.asarray(weighted.max(axis=1) + SHARE_OF_SUM * weighted.sum(axis=1))


def of_limit(known: Observations, place: int) -> Target:
    """Return by how much the limit at `place` is kept, 0 being the edge, in robust units.

    The logarithm on both sides of the edge keeps its sign and forgets how far beyond it things are.
    What meets it exactly lies a little on the side on which that counts.

    References:
        D. Eriksson and M. Poloczek. Scalable Constrained Bayesian Optimization. AISTATS 2021. The
        bilog transform, section 3.
    """
    excess = known.excess[:, place]
    rows = np.flatnonzero((known.state == COMPLETE) & np.isfinite(excess))
    kept = -excess[rows]
    off = np.abs(kept) > TOUCHED
    side = np.where(kept >= 0, EDGE, -EDGE)
    scale = float(np.median(np.abs(kept[off]))) if off.any() else 1.0
    values = np.where(off, np.sign(kept) * np.log1p(np.abs(kept) / scale), side)
    spread = float(values.std()) if len(rows) else 0.0
    return Target(rows, values / (spread or 1.0))
