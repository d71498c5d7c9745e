from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tunesmith.models import Features
from tunesmith.space import Categorical, Choice, Float, Int, Ordinal, Params, Space

SPACE = Space(
    {
        "rate": Float(1e-4, 1, log=True),
        "kind": Categorical(["a", "b", "c"]),
        "flag": Categorical([True, False]),
        "size": Ordinal([1, 10, 100]),
        "one": Int(5, 5),
        "method": Choice({"x": {"p": Float(0, 1), "q": Int(1, 3)}, "y": {}}),
    }
)
BASE: Params = {"rate": 0.01, "kind": "a", "flag": True, "size": 10, "one": 5, "method": "y"}


def distance(**changes: Any) -> float:
    """How far apart the base and a changed one lie."""
    other = {**BASE, **changes}
    first, second = Features(SPACE)(SPACE.encode([BASE, other]))
    return float(np.linalg.norm(first - second))


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"rate": 0.1}, 0.25),  # a quarter of the logarithmic range
        ({"size": 100}, 1 / 3),
        ({"kind": "b"}, 1.0),
        ({"kind": "c"}, 1.0),
        ({"flag": False}, 1.0),
    ],
)
def test_distances(changes: Params, expected: float) -> None:
    """Numbers differ by their units, categories by 1 whichever they are (Hamming)."""
    assert_allclose(distance(**changes), expected)


def test_activity_counts() -> None:
    """Of parameters that are switched on together only the switch and the values from the middle count."""
    middle: Params = {"method": "x", "method.x.p": 0.5, "method.x.q": 2}

    assert_allclose(distance(**middle), np.sqrt(1 + 1))  # the category, and the gate
    aside: Params = {**middle, "method.x.p": 1.0}
    assert_allclose(distance(**aside), np.sqrt(1 + 1 + 0.25))


def test_groups() -> None:
    """One lengthscale a parameter of several values, one a gate; labels share theirs."""
    features = Features(SPACE)

    assert (
        features.layout.n_groups == 8
    )  # rate, flag, size, method, p and q; kind; the gate of p and q
    assert len(features.layout.group) == features(SPACE.encode([BASE])).shape[1]


def test_size_is_the_number_of_active_parameters_on_average() -> None:
    """The single-valued one does not count; two of the six others count half."""
    assert_allclose(Features(SPACE).size, 5 + 2 * 0.5, atol=0.2)


def test_empty_space() -> None:
    """No parameters, no columns."""
    features = Features(Space({}))

    assert features(np.empty((3, 0))).shape == (3, 0)
    assert features.size == 1.0
