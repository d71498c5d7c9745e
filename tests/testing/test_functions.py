import math
from typing import Any

import pytest

from tunesmith.testing.functions import KNOWN

BEST: dict[str, dict[str, Any]] = {
    "sphere": {"x0": 1.0, "x1": 1.0, "x2": 1.0},
    "branin": {"x": math.pi, "y": 2.275},
    "rosenbrock": {"x0": 1.0, "x1": 1.0, "x2": 1.0, "x3": 1.0},
    "conditional": {"kind": "tree", "lr": 1e-3, "depth": 7},
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_best_value_is_reached_and_not_beaten(name: str) -> None:
    """The known best configuration has the known loss; 2,000 others have no lower one."""
    import numpy as np

    known = KNOWN[name]
    others = known.space.sample(np.random.default_rng(0), 2000)

    assert known.loss(BEST[name]) == pytest.approx(known.best, abs=1e-12)
    assert min(map(known.loss, others)) >= known.best
