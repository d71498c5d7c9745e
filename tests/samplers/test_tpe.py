from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith._core.errors import SettingError
from tunesmith.samplers import TPE, QuasiRandom
from tunesmith.testing.samplers import PROBLEMS, Play

LINE = {"x": ts.Float(0, 1)}


def run(
    space: Mapping[str, Any], objective: Callable[[Mapping[str, Any]], Any], n: int, **options: Any
) -> list[dict[str, Any]]:
    """The params of n trials, in order; an objective that returns None is infeasible."""
    study = ts.Study(space, sampler=TPE(), seed=1, **options)
    params = []
    for _ in range(n):
        trial = study.ask()
        params.append(dict(trial.params))
        result = objective(trial.params)
        if result is None:
            study.fail(trial, ts.Infeasible("not here"))
        else:
            study.tell(trial, result)
    return params


def share(params: list[dict[str, Any]], where: Callable[[dict[str, Any]], bool]) -> float:
    """In how many of the trials after the start it holds."""
    late = params[len(params) // 2 :]
    return sum(map(where, late)) / len(late)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_it_begins_with_sobol_points(name: str) -> None:
    """Until ten trials have finished, and however many run, it suggests what QuasiRandom does."""
    ours, theirs = Play(TPE(), PROBLEMS[name]), Play(QuasiRandom(), PROBLEMS[name])
    for _ in range(9):
        suggestions = ours.ask()
        assert suggestions == theirs.ask()
        for suggestion in suggestions:
            for play in (ours, theirs):
                play.finish(play.start(suggestion.params, suggestion.memo))

    assert ours.ask(30) == theirs.ask(30)


def test_it_goes_on_with_sobol_points_while_everything_fails() -> None:
    """Nothing is known of what is good."""
    ours, theirs = Play(TPE(), PROBLEMS["numeric"]), Play(QuasiRandom(), PROBLEMS["numeric"])
    for _ in range(20):
        [suggestion] = ours.ask()
        assert [suggestion] == theirs.ask()
        for play in (ours, theirs):
            play.finish(play.start(suggestion.params, suggestion.memo), "diverged")


def test_a_good_value_is_followed() -> None:
    """The best of 60 trials is near the minimum, in five dimensions and on a log scale."""
    space = {f"x{i}": ts.Float(1e-4, 1, log=True) for i in range(5)}
    params = run(
        space, lambda p: sum((np.log10(p[name]) + 1) ** 2 for name in p), 60, minimize="loss"
    )
    best = min(sum((np.log10(v) + 1) ** 2 for v in p.values()) for p in params)

    assert best < 1  # 20 in the middle of random ones


def test_the_better_branch_is_taken_and_tuned() -> None:
    """Of two options that which promises more, near its own optimum, jointly with what is above."""
    space = {
        "x": ts.Float(0, 1),
        "o": ts.Choice({"a": {"y": ts.Float(0, 1)}, "b": {"y": ts.Float(0, 1)}}),
    }

    def objective(p: Mapping[str, Any]) -> float:
        return float(abs(p["o.a.y"] - p["x"]) if "o.a.y" in p else 0.4 + p["o.b.y"])

    params = run(space, objective, 80, minimize="loss")

    assert share(params, lambda p: p["o"] == "a") > 0.8
    assert share(params, lambda p: objective(p) < 0.1) > 0.4


def test_failures_are_avoided() -> None:
    """Where the best lies at their border, what is tried lies there too, but not far beyond."""
    params = run(LINE, lambda p: None if p["x"] > 0.5 else -p["x"], 60, minimize="loss")

    assert share(params, lambda p: p["x"] > 0.6) < 0.1
    assert share(params, lambda p: 0.4 < p["x"] <= 0.6) > 0.8


def test_limits_are_learnt() -> None:
    """What breaks a limit is left, but for its border, though its loss is better."""
    params = run(
        LINE,
        lambda p: {"loss": -p["x"], "ms": 40 * p["x"]},
        60,
        minimize="loss",
        subject_to=["ms <= 20"],
    )

    assert share(params, lambda p: p["x"] > 0.6) < 0.1
    assert share(params, lambda p: 0.4 < p["x"] <= 0.6) > 0.8


def test_the_front_of_two_objectives_is_covered() -> None:
    """Suggestions gather along the line between both optima, over its whole length."""
    space = {"x": ts.Float(0, 1), "y": ts.Float(0, 1)}
    params = run(
        space,
        lambda p: {"a": p["x"] + 3 * p["y"], "b": 1 - p["x"] + 3 * p["y"]},
        80,
        minimize=["a", "b"],
    )
    near = [p["x"] for p in params if p["y"] < 0.2]

    assert share(params, lambda p: p["y"] < 0.2) > 0.6
    assert min(np.histogram(near, bins=4, range=(0, 1))[0]) > 3


def test_trials_that_run_at_the_same_time_spread() -> None:
    """A batch lies farther apart than as many suggestions that do not know of one another."""
    play = Play(TPE(), PROBLEMS["one float"])
    for x in np.linspace(-1, 1, 21):
        play.start({"x": float(x)})
    for record in list(play.told):
        play.finish(record)
    batch = play.ask(15)
    alone = [TPE().ask(play.state, np.random.default_rng(i), 1)[0] for i in range(15)]

    def closest(suggestions: list[ts.samplers.Suggestion]) -> float:
        x = np.sort([s.params["x"] for s in suggestions])
        return float(np.median(np.diff(x)))

    assert closest(batch) > 1.5 * closest(alone)


def test_pending_trials_count_as_others() -> None:
    """What runs already is not suggested again right beside it."""
    play = Play(TPE(), PROBLEMS["one float"])
    for _ in range(12):
        [suggestion] = play.ask()
        play.finish(play.start(suggestion.params, suggestion.memo))
    first = play.ask()
    before = play.ask(1)
    play.start(first[0].params)

    assert before == first
    assert play.ask(1) != first


def test_thousands_of_trials_do_not_matter() -> None:
    """Beyond the number that is used of them, suggestions come as before."""
    play = Play(TPE(), PROBLEMS["conditional"])
    for params in play.problem.space.sample(np.random.default_rng(0), 1500):
        play.finish(play.start(params))
    for suggestion in play.ask(5):
        play.problem.space.check(suggestion.params)


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"start": 0}, r"TPE\(start=...\) is a whole number from 1 on, got 0"),
        ({"share": 0}, r"TPE\(share=...\) is above 0 and at most 1, got 0"),
        ({"share": 1.5}, r"TPE\(share=...\) is above 0 and at most 1, got 1.5"),
        ({"candidates": 2.5}, r"TPE\(candidates=...\) is a whole number from 1 on, got 2.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], sentence: str) -> None:
    """The sentence says what came and what is allowed."""
    with pytest.raises(SettingError, match=sentence):
        TPE(**settings)
