from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Limit, Objective, Problem, Record, Resource
from tunesmith.schedulers.rungs import Rung, levels

LOSS = Objective("loss", "minimize")
PROBLEM = Problem(ts.Space({"x": ts.Float(0, 1)}), (LOSS,), (Limit.parse("ms <= 20"),))
TWO = Problem(PROBLEM.space, (LOSS, Objective("accuracy", "maximize")))


def record(number: int, problem: Problem[Any] = PROBLEM, **values: float) -> Record[Any]:
    return Record(
        problem=problem, number=number, uid=f"0.{number}", logged={}, started=0, seed=0, basis=0,
        values=values,
    )  # fmt: skip


@pytest.mark.parametrize(
    "resource, factor, steps",
    [
        (ts.Resource("epoch", max=27), 3, (1, 3, 9, 27)),
        (ts.Resource("epoch", max=30), 3, (1, 3, 10, 30)),
        (ts.Resource("tree", max=1000, min=50), 3, (111, 333, 1000)),
        (ts.Resource("fold", max=5, min=5), 3, (5,)),
        (ts.Resource("epoch", max=4), 1.2, (1, 2, 3, 4)),
    ],
)
def test_levels_divide_the_resource_down_to_its_min(
    resource: Resource, factor: float, steps: tuple[int, ...]
) -> None:
    """Steps are whole, each is there once, and none is below the least that can be judged."""
    assert levels(resource, factor) == steps


def test_of_equals_the_earlier_is_better() -> None:
    """A tie is decided by the trial's number, whoever reported first."""
    rung = Rung(1)
    for number in (2, 0, 1):
        rung.add(record(number, loss=1.0))

    assert rung.best() == ["0.0", "0.1", "0.2"]
    assert [rung.is_among(f"0.{n}", 2) for n in range(3)] == [True, True, False]


def test_the_first_result_counts() -> None:
    """A trial that is begun again does not improve its result; what is no number is none."""
    rung = Rung(1)
    rung.add(record(0, loss=float("inf")))
    rung.add(record(0, ms=3.0))
    assert len(rung) == 0
    rung.add(record(0, loss=2.0))
    rung.add(record(0, loss=1.0))

    assert rung.losses["0.0"].tolist() == [2.0]


def test_what_breaks_a_limit_stands_behind() -> None:
    """A limit that was not measured yet condemns nobody."""
    rung = Rung(1)
    rung.add(record(0, loss=0.0, ms=30.0))
    rung.add(record(1, loss=1.0, ms=10.0))
    rung.add(record(2, loss=0.5))

    assert rung.best() == ["0.2", "0.1", "0.0"]


def test_several_objectives_are_ranked_by_fronts() -> None:
    """Nobody is worse than one whom they beat in both."""
    rung = Rung(1)
    rng = np.random.default_rng(0)
    points = rng.random((40, 2))
    for number, (loss, accuracy) in enumerate(points):
        rung.add(record(number, TWO, loss=loss, accuracy=accuracy))
    ranked = [points[int(uid[2:])] for uid in rung.best()]

    assert rung.best(7) == rung.best()[:7]
    for place, (loss, accuracy) in enumerate(ranked):
        assert not any(low <= loss and high >= accuracy for low, high in ranked[place + 1 :])
