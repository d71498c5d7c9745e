"""What partial trainings would come to: losses at lower rungs in terms of those at the full resource.

A trial that ended early is known at its last step only. Those that went further were there, too: what
they came to, by their order at that step, is what it would have come to, drawn towards the middle the less
that order told. So one model learns from all rungs (scikit-learn's folds and epochs alike), and early luck
is never taken for more than the best that was really trained to the end.
"""

from collections.abc import Callable

import numpy as np

from tunesmith.numerics.arrays import Bools, Floats

LEAST = 3  # trials that went further, from which on their order is a scale
BELIEF = 0.7  # rank correlation between a rung and the end, before anything is known
WEIGHT = 3.0  # trials that this is worth


def equivalents(
    losses: Floats, steps: Floats, complete: Bools, partial: Bools, at: Callable[[int], Floats]
) -> Floats:
    """Return losses (n,) as they would be at the full resource; NaN where that cannot be told.

    Args:
        losses: Of the trials (n,), at their last step.
        steps: Their last steps (n,).
        complete: Which are whole (n,): theirs are returned as they are.
        partial: Which ended before (n,).
        at: What all trials had at a step (n,), NaN where they had nothing.

    References:
        D. Salinas et al. Optimizing Hyperparameters with Conformal Quantile Regression. ICML 2023.
        Section 4 models the last value of each trial as it is; here it is matched by quantile first.
    """
    finals = np.where(complete, losses, np.nan)
    for step in sorted(set(steps[partial].tolist()), reverse=True):
        here = at(int(step))
        known = np.flatnonzero(np.isfinite(finals) & np.isfinite(here))
        those = np.flatnonzero(partial & (steps == step) & np.isfinite(here))
        if not len(those):
            continue
        if len(known) < LEAST:
            if not np.isfinite(finals).any():  # nobody went further: this is the scale
                finals[those] = here[those]
            continue
        finals[those] = _matched(here[those], here[known], finals[known])
    return finals


def _matched(values: Floats, here: Floats, finals: Floats) -> Floats:
    """Values (k,) on the scale of `here` (n,) on that of `finals` (n,), by quantile."""
    low, high = np.sort(here), np.sort(finals)
    place = np.interp(values, low, np.arange(len(low)))
    found = np.interp(place, np.arange(len(low)), high)
    slope = np.std(high) / (np.std(low) or 1.0)
    found += slope * np.maximum(values - low[-1], 0.0)  # worse than all: as much worse there
    n = len(here)
    ranks = (x.argsort(kind="stable").argsort(kind="stable") for x in (here, finals))
    a, b = (rank - (n - 1) / 2 for rank in ranks)
    told = float(a @ b) / max(float(a @ a), 1e-12)
    trust = max(0.0, (BELIEF * WEIGHT + told * n) / (WEIGHT + n))
    middle = float(np.median(high))
    found = np.where(found < middle, middle + trust * (found - middle), found)
    return np.asarray(np.maximum(found, high[0]))
