"""Problems whose best value is known, to see whether a sampler finds it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

from tunesmith.space import Categorical, Float, Int, Space


@final
@dataclass(frozen=True)
class Known:
    """A function to minimise.

    Attributes:
        space: Where.
        loss: What a configuration costs, given as a mapping of the active parameters.
        best: The least loss in the space.
        source: Where it comes from.
    """

    space: Space[dict[str, Any]]
    loss: Callable[[dict[str, Any]], float]
    best: float
    source: str


def _branin(p: dict[str, Any]) -> float:
    x, y = p["x"], p["y"]
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def _rosenbrock(p: dict[str, Any]) -> float:
    x = [p[f"x{i}"] for i in range(4)]
    return float(sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)))


def _conditional(p: dict[str, Any]) -> float:
    if p["kind"] == "linear":
        return float(0.5 + abs(math.log10(p["lr"]) + 2))
    return float(abs(p["depth"] - 7) / 10 + (math.log10(p["lr"]) + 3) ** 2)


KNOWN: dict[str, Known] = {
    "sphere": Known(
        Space({f"x{i}": Float(-5, 5) for i in range(3)}),
        lambda p: float(sum((v - 1) ** 2 for v in p.values())),
        0.0,
        "textbook, moved off the centre",
    ),
    "branin": Known(
        Space({"x": Float(-5, 10), "y": Float(0, 15)}),
        _branin,
        0.39788735772973816,
        "F. H. Branin, IBM J. Res. Dev. 16, 1972; constants of Dixon and Szegö, 1978",
    ),
    "rosenbrock": Known(
        Space({f"x{i}": Float(-2, 2) for i in range(4)}),
        _rosenbrock,
        0.0,
        "H. H. Rosenbrock, Comput. J. 3, 1960",
    ),
    "conditional": Known(
        Space(
            {
                "kind": Categorical(["linear", "tree"]),
                "lr": Float(1e-5, 1.0, log=True),
                "depth": Int(1, 12, when={"kind": "tree"}),
            }
        ),
        _conditional,
        0.0,
        "ours: the better branch has a parameter of its own",
    ),
}
