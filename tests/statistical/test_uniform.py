"""Whether draws are uniform, by chi-square tests with fixed seeds.

Each of the tests below makes at most 40 comparisons, each of which fails by chance once in 10^8
seeds: together less than one false alarm in 10^6.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.stats import chisquare

from tunesmith.records import Objective, Problem
from tunesmith.samplers import QuasiRandom, Random, Sampler
from tunesmith.space import Categorical, Choice, Float, Int, Ordinal, Params, Space
from tunesmith.testing.samplers import Play

N = 20_000
FALSE_ALARM = 1e-8
CELLS = 32

Draw: TypeAlias = Callable[[Space[Any]], list[Params]]

FLAT = Space(
    {
        "rate": Float(1e-6, 1, log=True),
        "share": Float(-3, 5),
        "coarse": Float(0, 1, step=0.1),
        "n": Int(1, 20),
        "units": Int(1, 512, log=True),
        "kind": Categorical(["a", "b", "c"]),
        "size": Ordinal([1, 10, 100, 1000]),
    }
)
BRANCHED = Space({"o": Choice({"sgd": {"lr": Float(0, 1)}, "adam": {"n": Int(1, 5)}, "none": {}})})
CONSTRAINED = Space({"a": Int(0, 9), "b": Int(0, 9)}, constraints=["a + b <= 6"])
HALF = Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y <= 1"])


def _sampled(space: Space[Any]) -> list[Params]:
    return space.sample(np.random.default_rng(1), N)


def _suggested(sampler: Sampler[Any]) -> Draw:
    def draw(space: Space[Any]) -> list[Params]:
        play = Play(sampler, Problem(space, (Objective("loss", "minimize"),)))
        return [s.params for s in play.ask(N)]

    return draw


ALL = pytest.mark.parametrize(
    "draw",
    [_sampled, _suggested(Random()), _suggested(QuasiRandom())],
    ids=["space", "random", "quasirandom"],
)

pytestmark = pytest.mark.slow


def assert_uniform(observed: Sequence[Any], cells: int, what: str) -> None:
    """Compare how often each value occurs with equal shares over `cells` values."""
    counts = list(Counter(observed).values())
    assert len(counts) == cells, what
    assert chisquare(counts).pvalue > FALSE_ALARM, what


@ALL
def test_each_parameter_is_uniform_in_units(draw: Draw) -> None:
    """Continuous ones fill equal cells of their units equally, others take each value as often.

    Discrete ones on a log scale own unequal masses: they are tested against those.
    """
    drawn = draw(FLAT)
    units = FLAT.encode(drawn)
    for column, (name, parameter) in enumerate(FLAT.parameters.items()):
        values = [params[name] for params in drawn]
        if name == "units":
            edges = np.log(np.arange(0.5, 513))
            masses = np.diff(edges) / (edges[-1] - edges[0])
            observed = np.bincount(np.array(values, dtype=int), minlength=513)[1:]
            assert (
                chisquare(
                    observed[:64], masses[:64] * observed[:64].sum() / masses[:64].sum()
                ).pvalue
                > FALSE_ALARM
            )
        elif parameter.cardinality is None:
            assert_uniform((units[:, column] * CELLS).astype(int).tolist(), CELLS, name)
        else:
            assert_uniform(values, parameter.cardinality, name)


@ALL
def test_branches_and_what_is_in_them_are_uniform(draw: Draw) -> None:
    """Each option comes as often; inside an option, parameters are uniform."""
    drawn = draw(BRANCHED)
    rates = [params["o.sgd.lr"] for params in drawn if "o.sgd.lr" in params]

    assert_uniform([params["o"] for params in drawn], 3, "o")
    assert_uniform((np.array(rates) * CELLS).astype(int).tolist(), CELLS, "o.sgd.lr")
    assert_uniform([params["o.adam.n"] for params in drawn if "o.adam.n" in params], 5, "o.adam.n")


def test_feasible_configurations_come_equally_often() -> None:
    """Within a constraint, each of the 28 feasible pairs is as likely as any."""
    drawn = _sampled(CONSTRAINED)

    assert_uniform([(params["a"], params["b"]) for params in drawn], 28, "pairs")


@ALL
def test_a_constrained_square_is_filled_uniformly(draw: Draw) -> None:
    """Within x + y <= 1, the sum of both is distributed as its square root is uniform."""
    sums = np.array([float(params["x"]) + float(params["y"]) for params in draw(HALF)])  # type: ignore[arg-type]  # they are floats

    assert_uniform((sums**2 * CELLS).astype(int).tolist(), CELLS, "(x + y)^2")
