from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tunesmith.models import Features, Observations, targets
from tunesmith.models.observations import COMPLETE, FAILED, PENDING, STOPPED, UNKNOWN
from tunesmith.records import Limit, Objective, Problem
from tunesmith.samplers import Random
from tunesmith.space import Float, Space
from tunesmith.testing.samplers import LOSS, PROBLEMS, Fate, Play

SPACE: Space[Any] = Space({"x": Float(0, 1)})


def observed(problem: Problem[Any], fates: list[Fate | None]) -> tuple[Observations, Play]:
    """What is known of one trial per fate; None: it is running."""
    play = Play(Random(), problem)
    for i, fate in enumerate(fates):
        record = play.start({"x": i / 100})
        if fate is not None:
            play.finish(record, fate)
    known = Observations(problem, Features(problem.space))
    known.note(play.told)
    return known, play


def test_states() -> None:
    """A crash by the params is learned from; a bug says nothing."""
    known, _ = observed(
        Problem(SPACE, LOSS), ["complete", "infeasible", "diverged", "error", None, "stopped"]
    )

    assert known.state[:5].tolist() == [COMPLETE, FAILED, FAILED, UNKNOWN, PENDING]
    assert known.state[5] == STOPPED


def test_what_is_paused_has_ended_early() -> None:
    """As far as it is known; when it goes on it is pending again."""
    play = Play(Random(), Problem(SPACE, LOSS))
    paused = play.pause(play.start({"x": 0.5}))
    known = Observations(play.problem, SPACE.grains)
    known.note(play.told)
    before = known.count(STOPPED)
    known.note([play.resume(paused)])

    assert (before, known.count(STOPPED), known.count(PENDING)) == (1, 0, 1)


def test_pieces_do_not_matter() -> None:
    """In whichever pieces trials are told, and however many there are."""
    problem = PROBLEMS["conditional"]
    play = Play(Random(), problem)
    for _ in range(150):
        play.turn()
    whole, single = (Observations(problem, problem.space.grains) for _ in range(2))
    whole.note(play.told)
    for record in play.told:
        single.note([record])

    assert whole.n == single.n == 150
    assert whole.rows == single.rows
    for name in ("units", "columns", "losses", "excess", "steps", "state"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(single, name))


def test_it_grows() -> None:
    """Hundreds of trials are kept in order, units and columns alike."""
    known, play = observed(Problem(SPACE, LOSS), ["complete"] * 100)
    values = [record.values["loss"] for record in play.told if record.finished]

    assert_allclose(known.units[:, 0], np.arange(100) / 100)
    assert_allclose(known.columns[:, 0], np.arange(100) / 100 - 0.5)
    assert_allclose(known.losses[:, 0], values)


def test_limits_are_measured_from_their_edge() -> None:
    """Whichever way a limit points, above 0 means broken."""
    problem = Problem(SPACE, LOSS, limits=(Limit.parse("loss <= 1"), Limit.parse("loss >= 1")))
    known, play = observed(problem, ["complete"])
    [loss] = [record.values["loss"] for record in play.told if record.finished]

    assert_allclose(known.excess, [[loss - 1, 1 - loss]])


@pytest.mark.parametrize("sign, broken", [("<=", False), (">=", False), ("<", True), (">", True)])
def test_a_limit_that_is_met_exactly(sign: str, broken: bool) -> None:
    """A strict one is broken, by next to nothing."""
    edge = observed(Problem(SPACE, LOSS), ["complete"])[0].losses[0, 0]
    limit = Limit.parse(f"loss {sign} {float(edge)!r}")
    known, _ = observed(Problem(SPACE, LOSS, limits=(limit,)), ["complete"])

    assert (known.excess[0, 0] > 0) == broken
    assert_allclose(known.excess[0, 0], 0, atol=1e-99)


def test_a_limit_that_was_not_measured() -> None:
    """NaN: it is neither kept nor broken."""
    known, _ = observed(Problem(SPACE, LOSS, limits=(Limit.parse("ms <= 1"),)), ["complete"])

    assert np.isnan(known.excess).all()


def test_targets_order_trials() -> None:
    """The best has the largest target, failed ones the smallest, stopped ones at most the median."""
    fates: list[Fate | None] = ["complete"] * 9
    known, _ = observed(Problem(SPACE, LOSS), [*fates, "infeasible", "error", None, "stopped"])

    target = targets.of_objectives(known, np.ones(1))

    assert target.rows.tolist() == [*range(10), 12]
    values = target.values
    assert np.argmax(values) == np.argmin(known.losses[:9, 0])
    assert np.argmin(values) == 9
    assert values[10] <= np.median(values[:9])
    assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-12)


@pytest.mark.parametrize("place", [0, 1])
def test_a_weight_of_one_is_that_objective(place: int) -> None:
    """Seen through (1, 0), the trial that is best in the first objective is best."""
    problem = Problem(SPACE, (*LOSS, Objective("accuracy", "maximize")))
    known, _ = observed(problem, ["complete"] * 12)

    target = targets.of_objectives(known, np.eye(2)[place])

    assert np.argmax(target.values) == np.argmin(known.losses[:, place])


def test_limit_targets_keep_their_sign() -> None:
    """Above 0 where the limit is kept, in the order of what is measured."""
    problem = Problem(SPACE, LOSS, limits=(Limit.parse("loss <= 0.2"),))
    known, _ = observed(problem, ["complete"] * 12)

    target = targets.of_limit(known, 0)

    assert np.array_equal(target.values > 0, known.excess[:, 0] < 0)
    assert np.array_equal(np.argsort(target.values), np.argsort(-known.excess[:, 0]))
