"""Rows and columns that add up: what of a table with gaps is due to each, and how much is noise."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from tunesmith.numerics.arrays import Floats


@final
@dataclass(frozen=True, slots=True)
class Additive:
    """A fit of value = row + column + noise; see `fit`.

    Attributes:
        rows: The mean of each row as it would be over all columns (r,); NaN where nothing is known.
        columns: By how much each column lies above their mean (c,); 0 where that is not known.
        variance: Of the noise, corrected for what was fitted; NaN without degrees of freedom.
        freedom: Degrees of freedom of the variance.
    """

    rows: Floats
    columns: Floats
    variance: float
    freedom: int


def fit(table: Floats) -> Additive:
    """Fit an additive model by least squares.

    Rows with one value say nothing of columns and noise; of the others each counts with the spread
    around its own mean, so that which rows have which columns does not matter.

    Args:
        table: Values (r, c), NaN where there are none.
    """
    known = np.isfinite(table)
    counts = known.sum(axis=1)
    values = np.where(known, table, 0.0)
    several = counts > 1
    columns = np.zeros(table.shape[1])
    variance, freedom = math.nan, 0
    if several.any():
        mask, given, of = known[several], values[several], counts[several, None]
        centred = np.where(mask, given - given.sum(axis=1, keepdims=True) / of, 0.0)
        used = mask.any(axis=0)
        weights = mask.astype(float)
        normal = np.diag(weights.sum(axis=0)) - weights.T @ (weights / of)
        columns = np.linalg.pinv(normal, hermitian=True) @ centred.sum(axis=0)
        shifts = np.where(mask, columns, 0.0)
        rest = np.where(mask, centred - (shifts - shifts.sum(axis=1, keepdims=True) / of), 0.0)
        tied = int(np.linalg.matrix_rank(normal, hermitian=True)) if used.any() else 0
        freedom = int(mask.sum() - len(mask) - tied)
        if freedom > 0:
            variance = float((rest**2).sum() / freedom)
    adjusted = np.where(known, values - columns, 0.0).sum(axis=1)
    rows = np.where(counts > 0, adjusted / np.maximum(counts, 1), np.nan)
    return Additive(rows, columns, variance, freedom)
