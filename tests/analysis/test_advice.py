import math
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Advice


def told(space: dict[str, Any], f: Any, n: int = 80, **more: Any) -> dict[str, Advice]:
    """Advice by parameter, after n random trials."""
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random(), **more)
    for trial in study.ask(n):
        luck = np.random.default_rng(trial.seed).normal(0, 0.02)
        study.tell(trial, float(f(trial.params) + luck))
    return {one.parameter: one for one in study.advice()}


@pytest.fixture(scope="module")
def found() -> dict[str, Advice]:
    space = {
        "rate": ts.Float(1e-5, 1e-1, log=True),
        "decay": ts.Float(1e-6, 1, log=True),
        "batch": ts.Int(1, 512),
        "kind": ts.Categorical(["a", "b", "c"]),
        "idle": ts.Float(0.5, 0.99, default=0.9),
    }

    def f(p: Any) -> float:
        bowl = 0.3 * (math.log10(p["decay"]) + 3) ** 2 + 0.05 * math.log(p["batch"] / 4) ** 2
        return float(0.5 * (1 - math.log10(p["rate"])) + bowl + (p["kind"] == "b"))

    return told(space, f, 150)


def test_a_range_that_ends_too_early(found: dict[str, Advice]) -> None:
    """The best is at its upper end: it is to go further, by a quarter of its length on its own scale."""
    one = found["rate"]

    assert one.kind == "range too narrow"
    assert (one.low, one.high) == (None, 1.0)
    assert "lies at the upper end" in str(one)
    assert str(one).endswith("widen it to 1")


def test_a_range_that_is_too_wide(found: dict[str, Advice]) -> None:
    """It may be narrowed around the best."""
    one = found["decay"]

    assert one.kind == "narrow it"
    assert one.text.startswith("all outside ")
    assert 1e-6 < one.low < 1e-3 < one.high < 1


def test_a_scale_that_is_not_fit(found: dict[str, Advice]) -> None:
    """Only the lowest part of a linear range of hundreds is any good."""
    assert found["batch"].kind == "wrong scale"
    assert "use log=True" in found["batch"].text


def test_a_choice_that_is_worse(found: dict[str, Advice]) -> None:
    """The others are to be kept."""
    assert found["kind"].kind == "narrow it"
    assert found["kind"].text.startswith("b costs ")
    assert found["kind"].text.endswith("keep a, c")


def test_a_parameter_that_does_nothing(found: dict[str, Advice]) -> None:
    """It is to be fixed at its default."""
    one = found["idle"]

    assert one.kind == "no effect"
    assert one.low == one.high == 0.9
    assert str(one).startswith("idle: no effect on loss beyond ± ")


def test_what_gains_most_comes_first(found: dict[str, Advice]) -> None:
    """What does nothing is last."""
    assert list(found)[-1] == "idle"


def test_natural_ends_are_left() -> None:
    """A share does not go beyond 1, nor below 0."""
    one = told({"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, lambda p: p["x"] - 3 * p["y"])

    assert {advice.kind for advice in one.values()} <= {"narrow it"}


def test_few_trials_and_luck_advise_nothing() -> None:
    """Neither a handful of trials, nor equal values, nor noise."""
    space = {"x": ts.Float(0, 2), "y": ts.Float(0, 2)}

    assert told(space, lambda p: p["x"], 12) == {}
    assert told(space, lambda _: 0.0, 60) == {}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [ts.samplers.Random(), ts.samplers.TPE()])
def test_noise_rarely_advises_anything(sampler: Any) -> None:
    """At most 5 % of studies of nothing but noise are advised: above 14 of 100 has a probability of 1e-4."""
    alarms = 0
    for seed in range(100):
        study = ts.Study(
            {f"x{j}": ts.Float(0, 1) for j in range(5)}, minimize="loss", seed=seed, sampler=sampler
        )
        rng = np.random.default_rng(seed)
        for _ in range(40):
            study.tell(study.ask(), float(rng.standard_normal()))
        alarms += any(one.kind != "no effect" for one in study.advice())

    assert alarms <= 14


@pytest.mark.parametrize("power", [-996, 996])
def test_huge_and_tiny_values_are_like_others(power: int) -> None:
    """Advice on values of 1e±300 is that on usual ones; nothing overflows."""

    def f(p: Any, size: float = 1.0) -> float:
        return size * float((p["x"] - 0.3) ** 2 + 2 * (p["kind"] == "b"))

    space = {"x": ts.Float(0, 1), "kind": ts.Categorical(["a", "b"])}
    found = []
    for size in (1.0, math.ldexp(1.0, power)):
        study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
        for trial in study.ask(40):
            study.tell(trial, f(trial.params, size))
        found.append([(one.parameter, one.kind, one.low, one.high) for one in study.advice()])
        assert np.isfinite(study.surface("x", "kind").sd).any()

    assert found[0] == found[1] != []
