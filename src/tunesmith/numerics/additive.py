"""Rows and columns that add up: what of a table with gaps is due to each, and how much is noise."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.sparse.csgraph import connected_components

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
        weights = mask[:, used].astype(float)
        parts, part = connected_components(weights.T @ weights, directed=False)
        columns[used] = _columns(weights, given[:, used], np.eye(parts)[part])
        shifts = np.where(mask, columns, 0.0)
        rest = np.where(mask, centred - (shifts - shifts.sum(axis=1, keepdims=True) / of), 0.0)
        freedom = int(mask.sum() - len(mask) - used.sum() + parts)
        if freedom > 0:
            variance = float((rest**2).sum() / freedom)
    adjusted = np.where(known, values - columns, 0.0).sum(axis=1)
    rows = np.where(counts > 0, adjusted / np.maximum(counts, 1), np.nan)
    return Additive(rows, columns, variance, freedom)


def _columns(weights: Floats, values: Floats, parts: Floats) -> Floats:
    """The effects of columns (c,), of sum 0 in each part of the table that no row ties to another.

    Solved for are rows or columns, whatever is less, the others eliminated: a few rows on hundreds of columns are
    as quick as the reverse.

    Args:
        weights: Whether there is a value (r, c), somewhere in each row and column.
        values: (r, c), 0 where there is none.
        parts: Which part each column is in (c, parts).
    """
    by_row, by_column = weights.sum(axis=1), weights.sum(axis=0)
    of_rows, of_columns = values.sum(axis=1), values.sum(axis=0)
    if len(by_column) <= len(by_row):
        normal = np.diag(by_column) - weights.T @ (weights / by_row[:, None])
        right = of_columns - weights.T @ (of_rows / by_row)
        effects = np.linalg.pinv(normal, hermitian=True) @ right
    else:
        normal = np.diag(by_row) - (weights / by_column) @ weights.T
        right = of_rows - weights @ (of_columns / by_column)
        rows = np.linalg.pinv(normal, hermitian=True) @ right
        effects = (of_columns - weights.T @ rows) / by_column
    centre: Floats = parts @ (parts.T @ effects / parts.sum(axis=0))
    return np.asarray(effects - centre)
