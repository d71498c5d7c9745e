import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tunesmith as ts
from tunesmith._core.codec import from_logged, to_float, to_logged
from tunesmith._core.optional import need


@given(st.dictionaries(st.text(), st.floats()))
def test_any_float_survives_the_log(values: dict[str, float]) -> None:
    """Floats come back as they were, those that JSON has no word for included."""
    back = from_logged(json.loads(json.dumps(to_logged(values), allow_nan=False)))

    assert back.keys() == values.keys()
    for name, value in values.items():
        assert back[name] == value or (math.isnan(back[name]) and math.isnan(value))


@pytest.mark.parametrize("value", [1, 1.5, True, np.float32(0.5), np.int64(3), np.array(2.0)])
def test_whatever_has_a_float_is_a_number(value: float) -> None:
    """Python's and NumPy's numbers become a float."""
    assert type(to_float(value, "it")) is float
    assert to_float(value, "it") == float(value)


@pytest.mark.parametrize("value", ["1", b"1", None, [1], {}, 1j, np.array([1.0, 2.0]), 10**400])
def test_what_is_no_number_is_refused(value: object) -> None:
    """Texts, containers and numbers too large get one sentence."""
    with pytest.raises(ts.ResultError, match=r"^it must be "):
        to_float(value, "it")


def test_a_missing_package_is_named_with_its_extra() -> None:
    """The sentence says what to install."""
    with pytest.raises(ts.MissingExtra, match=r"pip install 'tunesmith\[pandas\]'"):
        need("a_package_that_is_not_there", "pandas")
