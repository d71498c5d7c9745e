from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tunesmith as ts
from tunesmith.report import incumbents, sparkline, trail


@given(arrays(float, st.integers(1, 200), elements=st.floats(-1e6, 1e6)), st.integers(1, 60))
def test_a_line_is_as_wide_as_it_may_be(values: Any, width: int) -> None:
    """One block for a value, or for a part of the values; the last one stands for the last value."""
    said = sparkline(values, width)

    assert len(said) == min(width, len(values))
    if len(set(said)) > 1 and values[-1] == values.max():
        assert said[-1] == "█"


def test_of_nothing_there_is_no_line() -> None:
    """No values, no blocks."""
    assert sparkline(np.empty(0)) == ""


def test_the_best_never_gets_worse(line: ts.Study[Any]) -> None:
    """After each trial that completed, the best value so far, which ends at that of the best."""
    best = incumbents(line.history)

    assert len(best) == 24
    assert (np.diff(best) <= 0).all()
    assert best[-1] == line.best.value


def test_a_trail_has_its_ends(line: ts.Study[Any], make: Any) -> None:
    """The first and the last best around the line; a single value stands alone."""
    first, blocks, last = trail(line.history).split()
    one = make({"x": ts.Float(0, 1)}, lambda t: 0.5, 1)

    assert (first, last) == (f"{line.history[0].value:.4g}", f"{line.best.value:.4g}")
    assert (len(blocks), blocks[-1]) == (24, "▁")
    assert trail(one.history) == "0.5"


def test_nothing_is_known_of_a_study_without_results(make: Any) -> None:
    """Then there is no trail."""
    with pytest.raises(ts.NoTrials):
        trail(make({"x": ts.Float(0, 1)}, lambda t: 1.0, 0).history)
