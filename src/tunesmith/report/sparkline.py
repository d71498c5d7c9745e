"""A line of a text: how the best value came about, in blocks that every terminal has."""

from typing import Any

import numpy as np

from tunesmith.numerics.arrays import Floats
from tunesmith.plots.reading import Outcomes
from tunesmith.records import History

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 40  # characters


def sparkline(values: Floats, width: int = WIDTH) -> str:
    """Return finite values (n,) as at most so many blocks, the lowest as the lowest one.

    Of more values than blocks the last of each part counts.

    Example:
        >>> sparkline(np.array([5.0, 3.0, 3.0, 1.0]))
        '█▅▅▁'
    """
    ends = np.linspace(0, len(values), min(width, len(values)) + 1)[1:].round().astype(int) - 1
    values = values[ends]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    places = np.zeros(len(values), dtype=int)
    if high > low:
        places = ((values - low) / (high - low) * (len(BLOCKS) - 1)).round().astype(int)
    return "".join(BLOCKS[place] for place in places)


def incumbents(history: History[Any], objective: str | None = None) -> Floats:
    """Return the best value after each trial that completed (n,), in the objective's sign and units.

    Args:
        history: Of a study.
        objective: Which, where there are several.

    Raises:
        NoTrials: Nothing is known of any trial.
    """
    seen = Outcomes.of(history, objective)
    return seen.objective.sign * np.minimum.accumulate(seen.losses[seen.complete])


def trail(history: History[Any], objective: str | None = None, width: int = WIDTH) -> str:
    """Return how the best value came about: "0.94 ▁▃▆▆█ 0.98"; empty: no trial has completed.

    Args:
        history: Of a study.
        objective: Which, where there are several.
        width: Of the line in characters, its ends not counted.

    Raises:
        NoTrials: Nothing is known of any trial.
    """
    best = incumbents(history, objective)
    if not len(best) or best[0] == best[-1]:
        return "".join(f"{value:.4g}" for value in best[:1])
    return f"{best[0]:.4g} {sparkline(best, width)} {best[-1]:.4g}"
