import math
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Why

SPACE = {
    "rate": ts.Float(1e-5, 1e-1, log=True, default=1e-5),
    "kind": ts.Categorical(["a", "b", "c"], default="a"),
    "depth": ts.Int(1, 12, default=3),
    "idle": ts.Float(0, 1, default=0.5),
}


def value(p: Any) -> float:
    """A rate of 1e-2 and kind b gain 0.9 and 0.4; a depth of 9 gains 0.03."""
    return float(
        0.1 * (math.log10(p["rate"]) + 2) ** 2
        - 0.4 * (p["kind"] == "b")
        + 0.005 * abs(p["depth"] - 9)
    )


@pytest.fixture(scope="module")
def study() -> ts.Study[dict[str, Any]]:
    """With the best of all as trial 1."""
    study = ts.Study(SPACE, minimize="loss", seed=1, sampler=ts.samplers.Random())
    study.enqueue({"rate": 1e-2, "kind": "b", "depth": 9, "idle": 0.3})
    for trial in study.ask(100):
        luck = np.random.default_rng(trial.seed).normal(0, 0.01)
        study.tell(trial, value(trial) + luck)
    return study


@pytest.fixture(scope="module")
def found(study: ts.Study[dict[str, Any]]) -> Why:
    return study.why(1)


def test_the_smallest_change_keeps_the_gain(found: Why) -> None:
    """Of four changes two make nine tenths of the gain and more: 1.3 of 1.33."""
    assert found.changes == 4
    assert found.smallest == {"rate": 1e-2, "kind": "b"}
    assert found.kept == pytest.approx(1.3 / 1.33, abs=0.03)
    assert found.interval[0] - 0.02 <= 1.3 / 1.33 <= found.interval[1] + 0.02
    assert found.gain == pytest.approx(1.33, abs=0.08)


def test_costs_are_those_of_the_function(found: Why) -> None:
    """A rate three times lower or higher, another kind: what it costs lies in the interval, or close by."""
    best = {"rate": 1e-2, "kind": "b", "depth": 9, "idle": 0.3}

    assert found.costs[0].parameter == "kind"
    for step in found.costs:
        true = value({**best, step.parameter: step.to}) - value(best)
        assert step.interval[0] - 0.02 <= true <= step.interval[1] + 0.02
    rates = sorted(step.to for step in found.costs if step.parameter == "rate")
    assert rates == pytest.approx([1e-2 / 3, 3e-2])


def test_it_is_said_in_words(found: Why) -> None:
    """What gains, by which of the changes, what a move would cost, and what costs nothing."""
    text = str(found)

    assert text == found.text
    assert text.startswith("trial 1 is better than the default by 1.3")
    assert "by 4 changes\nrate = 0.01, kind = b alone keep 9" in text
    assert "kind = " in text
    assert " instead of b would cost 0.4" in text
    assert "rate three times " in text
    assert "no certain cost: " in text
    assert "idle" in text.splitlines()[-1]


def test_what_is_maximised_costs_as_much() -> None:
    """Signs are those of people: a cost is for the worse."""
    study = ts.Study(
        {"x": ts.Float(0, 1, default=0.1)}, maximize="score", seed=1, sampler=ts.samplers.Random()
    )
    for trial in study.ask(40):
        study.tell(trial, -((trial["x"] - 0.6) ** 2))
    found = study.why()

    assert found.gain == pytest.approx(0.25, abs=0.02)
    assert found.costs[0].change < 0
    assert "would cost 0.0" in str(found)


def test_the_default_is_why_enough(study: ts.Study[dict[str, Any]]) -> None:
    """Nothing was changed, so nothing is kept; moves have their costs all the same."""
    found = study.why(0)

    assert (found.changes, found.smallest) == (0, {})
    assert str(found).startswith("trial 0 is the default\n")


def test_no_certain_gain_is_said() -> None:
    """Where all is luck."""
    study = ts.Study(
        {"x": ts.Float(0, 1, default=0.5)}, minimize="loss", seed=1, sampler=ts.samplers.Random()
    )
    for trial in study.ask(30):
        study.tell(trial, float(np.random.default_rng(trial.seed).normal()))
    found = study.why(7)

    assert found.smallest == {}
    assert math.isnan(found.kept)
    assert str(found).startswith(
        "it is not certain that trial 7 is better than the default: a gain of "
    )
    assert "nan" not in str(found)


def test_where_all_are_equal_nothing_costs() -> None:
    """It is the default."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in study.ask(10):
        study.tell(trial, 1.0)

    assert study.why().costs == ()
    assert str(study.why()) == "trial 0 is the centre"


def test_what_is_worse_is_said_to_be_worse() -> None:
    """With a positive figure, and not as a gain below nothing that is not certain."""
    study = ts.Study({"x": ts.Float(0, 1, default=0.0)}, minimize="loss", seed=1)
    for trial in study.ask(20):
        study.tell(trial, trial["x"])
    worse = max(study.history, key=lambda record: record.value).number

    assert study.why(worse).text.startswith(f"trial {worse} is worse than the default by ")
    assert " by -" not in study.why(worse).text
