from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

import tunesmith as ts
from tunesmith.models import Observations
from tunesmith.records import Limit, Problem, Record
from tunesmith.samplers.split import split, weights
from tunesmith.testing.samplers import LOSS, PROBLEMS, Fate, Play


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


def noted(problem: Problem[Any], records: Sequence[Record[Any]]) -> Observations:
    found = Observations(problem, problem.space.grains)
    found.note(records)
    return found


def trials(made: ts.Study[Any]) -> Observations:
    return noted(made.history.problem, events(made))


def parts(found: Observations, k: int) -> tuple[list[int], list[int]]:
    best, others = split(found, k)
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

    assert parts(trials(made), 5) == ([0], [1])


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

    assert set(parts(noted(play.problem, play.told), 2)[0]) == {1, 3}


def test_the_later_of_stopped_trials_is_better() -> None:
    """Whatever they measured; what was stopped before it measured anything comes last."""
    play = Play(ts.samplers.Random(), PROBLEMS["one float"])
    ends = [(2, {"loss": 0.0}), (0, {}), (4, {"loss": 9.0}), (4, {"loss": 8.0})]
    started = [play.start({"x": i / 10}) for i in range(len(ends))]
    stopped = [
        replace(record, state="stopped", fork_step=step, values=values)
        for record, (step, values) in zip(started, ends, strict=True)
    ]

    assert parts(noted(play.problem, started + stopped), 4) == ([3, 2, 0, 1], [])


def test_limits_that_were_not_measured_are_broken_most() -> None:
    """Behind whatever breaks them by a finite amount."""
    problem = Problem(ts.Space({"x": ts.Float(0, 1)}), LOSS, limits=(Limit.parse("ms <= 20"),))
    play = Play(ts.samplers.Random(), problem)
    silent, slow = (play.finish(play.start({"x": x})) for x in (0.1, 0.2))
    slow = replace(slow, values={"loss": 9.0, "ms": 1e9})

    assert parts(noted(problem, [silent.begun(), slow.begun(), silent, slow]), 2) == ([1, 0], [])


def test_weights_are_gains() -> None:
    """Over the best of the others that is within the limits; the prior's is their mean."""
    values = [(1.0, 0), (3, 0), (6, 0), (0, 9)]
    made = study([{"v": v, "ms": ms} for v, ms in values], minimize="v", subject_to=["ms <= 5"])
    found = trials(made)

    assert weights(found, *split(found, 2)).tolist() == [5, 3, 4]


@pytest.mark.parametrize("results", [[{"v": 1.0}] * 3, [{"v": 1.0}, {"v": 2.0}]])
def test_weights_that_nothing_tells_are_equal(results: list[dict[str, float]]) -> None:
    """All losses are the same, or there is no other trial."""
    found = trials(study(results, minimize="v"))

    assert weights(found, *split(found, 2)).tolist() == [1, 1, 1]
