import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.numerics import additive


@given(st.integers(0, 2**31), st.floats(0.2, 1))
def test_a_table_without_noise_is_told_exactly(seed: int, share: float) -> None:
    """Whatever is missing, as long as the columns are connected by the first row."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.normal(size=6), rng.normal(size=4)
    table = rows[:, None] + columns
    table[1:][rng.random((5, 4)) > share] = np.nan
    fitted = additive.fit(table)

    known = np.isfinite(table).any(axis=1)
    assert fitted.rows[known] - fitted.rows[0] == pytest.approx(rows[known] - rows[0])
    assert fitted.freedom == 0 or fitted.variance == pytest.approx(0, abs=1e-20)
    assert np.isnan(fitted.rows[~known]).all()


def test_noise() -> None:
    """The variance is unbiased: over 400 tables its mean is within 4 s.e. (false alarms: 6e-5)."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        table = rng.normal(size=(6, 1)) + rng.normal(size=5) + 0.5 * rng.normal(size=(6, 5))
        table[rng.random((6, 5)) < 0.3] = np.nan
        fitted = additive.fit(table)
        found.append(fitted.variance)
    assert abs(np.mean(found) - 0.25) < 4 * np.std(found) / 20


def test_one_value_per_row_says_nothing_of_noise() -> None:
    """Then rows are what they are, and the variance is not known."""
    fitted = additive.fit(np.array([[1.0, np.nan], [np.nan, 2.0], [np.nan, np.nan]]))

    assert fitted.freedom == 0
    assert np.isnan(fitted.variance)
    assert fitted.rows[:2].tolist() == [1, 2]


@given(st.integers(0, 2**31), st.floats(0.1, 1))
def test_few_rows_and_few_columns_are_solved_alike(seed: int, share: float) -> None:
    """Which side is eliminated changes nothing: both are the least squares of least norm."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rng.integers(2, 7), rng.integers(2, 7)))
    table[rng.random(table.shape) > share] = np.nan
    known = np.isfinite(table)
    known[known.sum(axis=1) < 2] = False
    rows, columns = np.nonzero(known)
    design = np.zeros((len(rows), sum(table.shape)))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), len(table) + columns] = 1
    fitted = additive.fit(table)
    if len(rows):
        rest = np.linalg.lstsq(design, table[known], rcond=None)[0] @ design.T - table[known]
        assert fitted.freedom == len(rows) - np.linalg.matrix_rank(design)
        if fitted.freedom:
            assert fitted.variance == pytest.approx(rest @ rest / fitted.freedom, abs=1e-12)


def test_hundreds_of_seeds_take_no_time() -> None:
    """Five finalists on 400 seeds: what is solved for has five unknowns."""
    table = np.random.default_rng(0).normal(size=(5, 400))
    began = time.perf_counter()
    for _ in range(10):
        additive.fit(table)
    assert time.perf_counter() - began < 1
