from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Problem, Record
from tunesmith.samplers.trials import COMPLETE, FAILED, IGNORED, PENDING, STOPPED, Trials
from tunesmith.space import Choice, Float, Int, Space
from tunesmith.testing.samplers import LOSS, PROBLEMS, Fate, Play

BRANCHED = Space({"o": Choice({"a": {"x": Float(0, 1)}, "b": {"n": Int(1, 4)}})})


def study(results: Sequence[Mapping[str, float] | None], **options: Any) -> ts.Study[Any]:
    """A study whose trials had these results; None: still running."""
    made = ts.Study({"x": ts.Float(0, 1)}, **options)
    for result in results:
        trial = made.ask()
        if result is not None:
            made.tell(trial, result)
    return made


def events(made: ts.Study[Any]) -> list[Record[Any]]:
    history = list(made.history)
    return [r.begun() for r in history] + [r for r in history if r.finished]


def trials(made: ts.Study[Any]) -> Trials:
    found = Trials(made.history.problem)
    found.put(events(made))
    return found


def parts(found: Trials, k: int) -> tuple[list[int], list[int]]:
    best, others = found.split(k)
    return best.tolist(), others.tolist()


def test_the_best_come_first() -> None:
    """Ordered by loss, the earlier of equals first; the others by number, pending ones included."""
    made = study([{"v": v} for v in (3.0, 1, 2, 1)] + [None], minimize="v")

    assert parts(trials(made), 3) == ([1, 3, 2], [0, 4])


def test_what_is_maximised_is_best_where_it_is_large() -> None:
    """The sign is the problem's."""
    made = study([{"v": v} for v in (3.0, 1, 2)], maximize="v")

    assert parts(trials(made), 1) == ([0], [1, 2])


def test_failures_are_bad_and_accidents_are_nothing() -> None:
    """What diverged counts among the others, whatever is asked for; an error does not count."""
    made = study([{"v": 1.0}, {"v": float("nan")}], minimize="v")
    made.fail(made.ask(), "a bug")
    found = trials(made)

    assert parts(found, 5) == ([0], [1])
    assert [found.count(f) for f in (COMPLETE, STOPPED, FAILED, PENDING, IGNORED)] == [
        1, 0, 1, 0, 1,
    ]  # fmt: skip


def test_limits_come_before_losses() -> None:
    """What breaks a limit is behind all that keeps it, by how much it does, in that limit's measure."""
    values = [(5, 0, 0), (1, 2000, 0), (2, 1000, 0), (0, 1000, 3), (9, 0, 1), (7, 10, 0.5)]
    made = study(
        [{"v": v, "ms": 20 + ms, "mb": 1 - mb} for v, ms, mb in values],
        minimize="v",
        subject_to=["ms <= 20", "mb >= 1"],
    )

    assert parts(trials(made), 6) == ([0, 5, 2, 4, 1, 3], [])


def test_a_strict_limit_that_is_met_exactly_is_broken() -> None:
    """By less than anything else."""
    made = study(
        [{"v": 0, "ms": 20}, {"v": 9, "ms": 19}, {"v": 0, "ms": 21}],
        minimize="v",
        subject_to=["ms < 20"],
    )

    assert parts(trials(made), 3) == ([1, 0, 2], [])


def test_several_objectives_are_judged_by_fronts() -> None:
    """No row that is left out dominates one that is taken; of a front the ends come first."""
    values = [(4, 4), (0, 3), (1, 1), (3, 0), (5, 5), (0.9, 1.2)]
    made = study([{"a": a, "b": b} for a, b in values], minimize=["a", "b"])

    assert set(parts(trials(made), 2)[0]) == {1, 3}
    assert set(parts(trials(made), 4)[0]) == {1, 2, 3, 5}
    assert parts(trials(made), 5)[0][-1] == 0


def test_stopped_trials_are_behind_complete_ones() -> None:
    """However lucky they looked early."""
    play = Play(ts.samplers.Random(), PROBLEMS["resource"])
    fates: list[Fate] = ["stopped", "complete", "stopped", "complete"]
    for fate in fates:
        play.finish(play.start(play.ask()[0].params), fate)
    found = Trials(play.problem)
    found.put(play.told)

    assert set(parts(found, 2)[0]) == {1, 3}
    assert found.count(STOPPED) == 2


def test_arrays_grow_and_pieces_do_not_matter() -> None:
    """However many trials there are and in whichever pieces they are told."""
    problem = Problem(BRANCHED, LOSS)
    play = Play(ts.samplers.Random(), problem)
    for _ in range(150):
        play.turn()
    whole, single = Trials(problem), Trials(problem)
    whole.put(play.told)
    for record in play.told:
        single.put([record])

    assert whole.n == single.n == 150
    for ours, theirs in zip(whole.split(20), single.split(20), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(whole.units[:150], single.units[:150])


def test_units_are_those_of_the_params() -> None:
    """NaN where inactive; grains beside them."""
    problem = Problem(BRANCHED, LOSS)
    play = Play(ts.samplers.Random(), problem)
    told = [play.start({"o": "a", "o.a.x": 0.25}), play.start({"o": "b", "o.b.n": 4})]
    found = Trials(problem)
    found.put(told)

    assert found.n == 2
    np.testing.assert_allclose(found.units[:2], [[0.25, 0.25, np.nan], [0.75, np.nan, 0.875]])
    assert found.grains[:2, 0].tolist() == [0.5, 0.5]
    assert found.grains[1, 2] == pytest.approx(0.25)
