from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.testing.samplers import SPACES


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_many_are_encoded_as_one_by_one(space: ts.Space[Any]) -> None:
    """Going by columns changes nothing."""
    params = space.sample(np.random.default_rng(0), 80)

    one_by_one = [space.encode([one])[0] for one in params]

    assert np.array_equal(space.encode(params), np.reshape(one_by_one, (80, -1)), equal_nan=True)


@pytest.mark.parametrize("wrong", [{"zz": 1}, {"x": "a"}, {"x": [1]}, {"x": 7.0}])
def test_one_that_is_wrong_among_many_is_refused(wrong: dict[str, Any]) -> None:
    """By the same sentence as alone."""
    space = SPACES["one float"]
    with pytest.raises(ts.SpaceError) as alone:
        space.encode([wrong])

    with pytest.raises(ts.SpaceError) as among:
        space.encode([*space.sample(np.random.default_rng(0), 60), wrong])

    assert str(among.value) == str(alone.value)
