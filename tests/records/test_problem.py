import math
from typing import Any

import pytest
from hypothesis import given

import tunesmith as ts
from tunesmith.records import Limit, Objective, Problem
from tunesmith.testing.logs import problems


@given(problems())
def test_a_problem_survives_the_log(problem: Problem[Any]) -> None:
    """Written and read, a problem is the same, but for objects that the log keeps labels of."""
    text = problem.to_text()
    again = Problem.from_text(text, ts.Space.from_json(text.space))

    assert again.to_text() == text
    assert again.space.difference(problem.space) == []


def test_losses_are_minimised() -> None:
    """Maximised metrics change their sign; missing ones are NaN."""
    objectives = (Objective("loss", "minimize"), Objective("accuracy", "maximize"))
    problem: Problem[Any] = Problem(ts.Space({}), objectives)

    assert problem.losses({"loss": 0.5, "accuracy": 0.75}).tolist() == [0.5, -0.75]
    assert math.isnan(problem.losses({"loss": 0.5})[1])


@pytest.mark.parametrize(
    "text, value, holds",
    [
        ("ms <= 20", 20.0, True),
        ("ms < 20", 20.0, False),
        ("ms>=-1e-3", 0.0, True),
        ("eval.ms > 2.5", 2.5, False),
        ("ms <= 20", math.nan, False),
    ],
)
def test_limits_compare(text: str, value: float, holds: bool) -> None:
    """Each sign compares as written; what was not measured does not hold."""
    limit = Limit.parse(text)

    assert limit.holds({limit.name: value}) == holds
    assert not limit.holds({})


@pytest.mark.parametrize(
    "text", ["", "ms", "ms <= x", "ms == 3", "20 >= ms", "ms <= 20 ms", "ms <= nan"]
)
def test_other_limits_are_refused(text: str) -> None:
    """The sentence shows the form."""
    with pytest.raises(ts.SettingError, match="such as 'latency_ms <= 20', got"):
        Limit.parse(text)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"max": 0}, r"max=...\) is a whole number from 1 on, got 0"),
        ({"max": 3, "min": 4}, "needs 1 <= min <= max"),
        ({"max": 2.5}, "is a whole number from 1 on"),
        ({"max": True}, "is a whole number"),
    ],
)
def test_resources_that_mean_nothing_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Steps are whole and ascending."""
    with pytest.raises(ts.SettingError, match=sentence):
        ts.Resource("epoch", **arguments)
