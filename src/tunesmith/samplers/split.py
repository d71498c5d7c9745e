"""Which trials are the best, and how much better: what the Parzen estimator tells apart."""

import numpy as np

from tunesmith.models.observations import (
    COMPLETE,
    STOPPED,
    TOUCHED,
    UNKNOWN,
    Observations,
)
from tunesmith.numerics import pareto
from tunesmith.numerics.arrays import Bools, Floats, Ints


def split(trials: Observations, k: int) -> tuple[Ints, Ints]:
    """Return the numbers of the `k` best trials, best first, and of the others, ascending.

    Complete ones within the limits come first, among them what ended early as what it would have come to;
    then, where that cannot be told, what was stopped, at the later step first; then what breaks
    the limits, less first. Failed and pending ones are never among the best;
    those that say nothing are in neither part.
    """
    state = trials.state
    known = np.flatnonzero((state == COMPLETE) | (state == STOPPED))
    over = _overs(_broken(trials.excess[known]))
    finals = trials.finals[known]
    told = (state[known] == STOPPED) & np.isfinite(finals)
    behind = np.where((state[known] == STOPPED) & ~told, -trials.steps[known], -np.inf)
    losses = np.where(told[:, None], finals[:, None], trials.losses[known])
    losses = np.where(np.isnan(losses), np.inf, losses)
    merit = _merit(losses, (over == 0) & (behind == -np.inf), k)
    best = known[np.lexsort((merit, behind, over))[:k]]
    others = state != UNKNOWN
    others[best] = False
    return best, np.flatnonzero(others)


def weights(trials: Observations, best: Ints, others: Ints) -> Floats:
    """Return the weights (k + 1,) of the best trials: by how much they improve on the others' best.

    The prior, last, has their mean. Where that tells nothing, all are equal: with several
    objectives, with trials that have no loss to compare, or all of the same.
    """
    equal = np.ones(len(best) + 1)
    whole = (trials.state == COMPLETE) & ~_broken(trials.excess).any(axis=1)  # (n,)
    compared = others[whole[others]]
    if trials.losses.shape[1] > 1 or not len(compared) or not whole[best].all():
        return equal
    gains = trials.losses[compared, 0].min() - trials.losses[best, 0]
    if not np.isfinite(gains).all() or gains.max() <= 0:
        return equal
    gains = np.maximum(gains, 1e-12 * gains.max())
    return np.append(gains, gains.mean())


def _broken(excess: Floats) -> Floats:
    """By how much each limit is broken (n, l): 0 if it is kept, infinite if it was not measured."""
    return np.where(np.isnan(excess), np.inf, np.maximum(excess, 0.0))


def _overs(broken: Floats) -> Floats:
    """By how much (n,) the limits are broken in all; each one's own (n, l) scale it."""
    total = np.zeros(len(broken))
    for column in broken.T:
        measured = column[(column > TOUCHED) & np.isfinite(column)]
        total += column / (np.median(measured) if len(measured) else 1.0)
    return total


def _merit(losses: Floats, ahead: Bools, k: int) -> Floats:
    """What (n,) tells the better of two trials, smaller is better, from losses (n, m).

    Of several objectives: the first fronts of those `ahead`, for the best `k`; for all others the
    sum of their ranks in each.
    """
    if losses.shape[1] == 1:
        return losses[:, 0]
    ranks = losses.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    merit: Floats = ranks.sum(axis=1).astype(np.float64)
    first = np.flatnonzero(ahead)
    best = first[pareto.best(losses[first], k)]
    merit[best] = np.arange(len(best)) - len(best)
    return merit
