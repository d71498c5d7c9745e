from typing import Any

import numpy as np
from scipy.stats import qmc

from tunesmith.records import Objective, Problem
from tunesmith.samplers import QuasiRandom
from tunesmith.space import Categorical, Choice, Float, Int, Space
from tunesmith.testing.samplers import Play

LOSS = (Objective("loss", "minimize"),)
SQUARE = Space({"x": Float(0, 1), "y": Float(0, 1)})


def problem(space: Space[Any]) -> Problem[Any]:
    return Problem(space, LOSS)


def test_sixteen_suggestions_fill_sixteen_cells() -> None:
    """Asked one by one, the first 16 points lie in different cells of a 4 x 4 grid."""
    play = Play(QuasiRandom(), problem(SQUARE))
    units = SQUARE.encode([s.params for _ in range(16) for s in play.turn()])

    assert len({tuple(cell) for cell in (units * 4).astype(int).tolist()}) == 16


def test_suggestions_are_more_even_than_random_ones() -> None:
    """The discrepancy of 128 suggestions is below a quarter of that of random points."""
    play = Play(QuasiRandom(), problem(SQUARE))
    units = SQUARE.encode([s.params for s in play.ask(128)])
    random = np.random.default_rng(0).random((128, 2))

    assert qmc.discrepancy(units) < qmc.discrepancy(random) / 4


def test_batches_do_not_matter() -> None:
    """One call for 12 gives what 12 calls for one give."""
    whole, single = (Play(QuasiRandom(), problem(SQUARE)) for _ in range(2))

    assert whole.ask(12) == [s for _ in range(12) for s in single.turn()]


def test_the_sequence_goes_on_after_the_highest_index_started() -> None:
    """Queued trials do not move it; another process's trial does, and leaves no gap."""
    play = Play(QuasiRandom(), problem(SQUARE))
    expected = play.ask(4)
    play.start({"x": 0.25, "y": 0.75}, source="queue")
    other = play.ask()[0]
    play.start(other.params, other.memo)

    assert [other, *play.ask(3)] == expected
    assert [s.memo for s in expected] == [{"sobol": i} for i in range(4)]


def test_two_processes_never_start_the_same_point() -> None:
    """Who comes second to the log asks anew, having heard of the first, and gets the next point."""
    play = Play(QuasiRandom(), problem(SQUARE))
    keys = set()
    for _ in range(5):
        ours, theirs = play.ask()[0], play.ask()[0]
        assert ours == theirs
        keys.add(SQUARE.key(play.start(theirs.params, theirs.memo).logged))
        again = play.ask()[0]
        keys.add(SQUARE.key(play.start(again.params, again.memo).logged))

    assert len(keys) == 10


def test_infeasible_points_are_skipped() -> None:
    """Points beyond a constraint leave gaps in the indices; what is kept is as even as before."""
    space = Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y <= 1"])
    play = Play(QuasiRandom(), problem(space))
    suggestions = [s for _ in range(64) for s in play.turn()]
    indices = [s.memo["sobol"] for s in suggestions]

    assert indices == sorted(set(indices))
    assert 100 < indices[-1] < 160


def test_a_narrow_constraint_falls_back_on_random_draws() -> None:
    """Where thousands of points in a row break a constraint, suggestions come all the same."""
    space = Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x <= 0.015", "y <= 0.015"])
    suggestions = Play(QuasiRandom(), problem(space)).ask(30)
    for suggestion in suggestions:
        space.check(suggestion.params)

    assert len(suggestions) == 30


def test_categories_come_equally_often() -> None:
    """Of 64 suggestions, each of 4 categories takes 16."""
    space = Space({"x": Float(0, 1), "c": Categorical(["a", "b", "c", "d"])})
    drawn = [s.params["c"] for s in Play(QuasiRandom(), problem(space)).ask(64)]

    assert [drawn.count(c) for c in "abcd"] == [16] * 4


def test_more_coordinates_than_the_table_has() -> None:
    """400 parameters are no obstacle."""
    space = Space({f"x{i}": Float(0, 1) for i in range(400)})
    (suggestion,) = Play(QuasiRandom(), problem(space)).ask()
    space.check(suggestion.params)

    assert len(set(suggestion.params.values())) == 400


def test_conditional_coordinates_are_read_where_active() -> None:
    """Each branch gets its share of an even sequence."""
    space = Space({"o": Choice({"a": {"x": Float(0, 1)}, "b": {"n": Int(1, 4)}})})
    drawn = [s.params for s in Play(QuasiRandom(), problem(space)).ask(64)]

    assert sum("o.a.x" in params for params in drawn) == 32
    assert all(("o.a.x" in params) != ("o.b.n" in params) for params in drawn)
