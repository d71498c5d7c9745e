from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith.records import Objective, Problem
from tunesmith.samplers import Grid
from tunesmith.space import Categorical, Choice, Float, Int, Space
from tunesmith.study.parts import settings
from tunesmith.testing.samplers import Play

LOSS = (Objective("loss", "minimize"),)


def problem(space: Space[Any]) -> Problem[Any]:
    return Problem(space, LOSS)


def test_every_combination_comes_in_order() -> None:
    """The last parameter changes fastest; the end is the end."""
    space = Space({"a": Int(1, 2), "c": Categorical(["p", "q"])})
    play = Play(Grid(), problem(space))
    given = [tuple(s.params.values()) for _ in range(6) for s in play.turn()]

    assert given == [(1, "p"), (1, "q"), (2, "p"), (2, "q")]


def test_levels_of_continuous_parameters() -> None:
    """They are evenly spaced in units, both ends included."""
    space = Space({"lr": Float(1e-4, 1, log=True), "x": Float(0, 1)})
    play = Play(Grid(levels={"lr": 5, "x": 2}), problem(space))
    given = [s.params for s in play.ask(99)]

    assert [p["lr"] for p in given[::2]] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert [p["x"] for p in given] == [0, 1] * 5


def test_named_levels_thin_out_a_finite_parameter() -> None:
    """A finite parameter takes all values unless its levels are named; the middle is that of logs."""
    space = Space({"n": Int(1, 1024, log=True), "b": Int(0, 1)})
    given = [s.params for s in Play(Grid(levels={"n": 3}), problem(space)).ask(99)]

    assert [p["n"] for p in given] == [1, 1, 23, 23, 1024, 1024]


@pytest.mark.parametrize(
    "levels, sentence",
    [
        (None, r"x, y; write Grid\(levels=5\) for all, Grid\(levels=\{'x': 5, 'y': 5\}\)"),
        ({"x": 3}, r"here y; write"),
        ({"z": 3}, r"names 'z', which is no parameter of this space; it has x, y, n"),
    ],
)
def test_what_the_space_needs_and_lacks_is_named(
    levels: Mapping[str, int] | None, sentence: str
) -> None:
    """Continuous parameters without levels, and levels of unknown parameters, are refused."""
    space = Space({"x": Float(0, 1), "y": Float(0, 1), "n": Int(1, 3)})

    with pytest.raises(NotSupported, match=sentence):
        Play(Grid(levels), problem(space))
    with pytest.raises(NotSupported, match=sentence):
        Grid(levels).size(problem(space))


@pytest.mark.parametrize(
    "levels, sentence",
    [
        (0, "the number of levels is a whole number from 1 on, got 0"),
        ({"x": 2.5}, "the number of levels of 'x' is a whole number from 1 on, got 2.5"),
        (True, "got True"),
        ("many", "got 'many'"),
        ({"x": None}, "got None"),
    ],
)
def test_levels_that_are_no_numbers(levels: int, sentence: str) -> None:
    """Levels are checked when the sampler is made."""
    with pytest.raises(SettingError, match=sentence):
        Grid(levels)


@pytest.mark.parametrize(
    "space, levels, size",
    [
        (Space({}), None, 1),
        (Space({"a": Int(1, 3), "x": Float(0, 1)}), 4, 12),
        (Space({"a": Int(1, 10**9), "b": Int(1, 10**9)}), None, 10**18),
        (Space({"a": Int(1, 3), "b": Int(1, 3)}, constraints=["a < b"]), None, 3),
        (Space({"o": Choice({"none": {}, "sgd": {"lr": Float(0, 1)}})}), 5, 6),
        (Space({"a": Int(1, 400), "b": Int(1, 400)}, constraints=["a >= 1"]), None, 160_000),
    ],
)
def test_size_is_known_beforehand(space: Space[Any], levels: int | None, size: int) -> None:
    """Conditions are counted, constraints up to 100,000 points; beyond, the number is a bound."""
    assert Grid(levels).size(problem(space)) == size


def test_levels_may_come_out_of_an_array() -> None:
    """NumPy's whole numbers are whole numbers, and the log keeps Python's."""
    sampler = Grid(levels=np.int64(3))  # type: ignore[arg-type]

    assert repr(sampler) == "Grid(levels=3)"
    assert settings(Grid({"x": np.int64(2)})) == {"levels": {"x": 2}}  # type: ignore[dict-item]


def test_what_was_started_is_passed_over() -> None:
    """Queued configurations, in whatever order, are not tried again."""
    space = Space({"a": Int(0, 9)})
    play = Play(Grid(), problem(space))
    for a in (0, 3, 4, 9):
        play.start({"a": a}, source="queue")
    given = [s.params["a"] for _ in range(10) for s in play.turn()]

    assert given == [1, 2, 5, 6, 7, 8]


def test_a_point_that_was_drafted_and_not_started_comes_again() -> None:
    """Only what was started counts: a suggestion that was replaced by a queued item is not lost."""
    space = Space({"a": Int(0, 5)})
    play = Play(Grid(), problem(space))
    first, second = play.ask(2)
    play.start(second.params, second.memo)

    assert [s.params["a"] for s in play.ask(9)] == [0, 2, 3, 4, 5]
    assert play.ask() == [first]


def test_a_grid_of_10_to_the_8_points_is_walked_lazily() -> None:
    """The first points of a huge grid come at once."""
    space = Space({name: Int(1, 100) for name in "abcd"})
    play = Play(Grid(), problem(space))
    given = [s.params["d"] for _ in range(5) for s in play.turn(40)]

    assert given == [*range(1, 101), *range(1, 101)]
