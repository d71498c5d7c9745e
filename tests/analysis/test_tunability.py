from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Tunability, tunability

SPACE = {
    "rate": ts.Float(1e-4, 1, log=True, default=1e-2),
    "kind": ts.Categorical(["u", "v", "w"], default="u"),
    "depth": ts.Int(1, 9, default=5),
    "idle": ts.Float(0, 1, default=0.5),
}


def loss(p: Any) -> float:
    """Best at 0.1, w and 5; the kind matters only above a rate of 0.05, where it is worth 1."""
    far = abs(np.log10(p["rate"]) + 1)
    return float(far + (p["kind"] != "w") * (p["rate"] > 0.05) + 0.1 * abs(p["depth"] - 5))


def study_of(
    function: Callable[[Any], float], trials: int, space: Any = SPACE, **more: Any
) -> ts.Study[dict[str, Any]]:
    """Random search of a function without noise."""
    more = {"minimize": "loss", "sampler": ts.samplers.Random(), "seed": 1, **more}
    study = ts.Study(space, **more)
    for trial in study.ask(trials):
        study.tell(trial, function(study.history[trial.number].logged))
    return study


@pytest.fixture(scope="module")
def found() -> Tunability:
    """Of a hundred and fifty random trials, not too rough a function."""

    def smooth(p: Any) -> float:
        far = np.log10(p["rate"]) + 1
        return float(far**2 + 0.5 * (p["kind"] != "w") + 0.1 * abs(p["depth"] - 5))

    return study_of(smooth, 150).tunability()


def test_gains_of_each_parameter_are_those_of_a_grid(found: Tunability) -> None:
    """1 of the rate, 0.5 of the kind, nothing of the rest: in the intervals, and close."""
    true = {"rate": 1.0, "kind": 0.5, "depth": 0.0, "idle": 0.0}

    for gain in found.single:
        low, high = gain.interval
        assert low <= gain.gain <= high
        assert low - 0.04 <= true[gain.parameters[0]] <= high + 0.04
        assert gain.gain == pytest.approx(true[gain.parameters[0]], abs=0.1)
    assert [gain.parameters[0] for gain in found.single[:2]] == ["rate", "kind"]
    assert [gain.sure for gain in found.single] == [True, True, False, False]


def test_where_to_is_said(found: Tunability) -> None:
    """The rate goes to 0.1, the kind to w, and nothing else with them."""
    to = {gain.parameters[0]: gain.to for gain in found.single}

    assert set(to["rate"]) == {"rate"}
    assert np.log10(to["rate"]["rate"]) == pytest.approx(-1, abs=0.25)
    assert to["kind"] == {"kind": "w"}


def test_everything_gains_more_than_any_part(found: Tunability) -> None:
    """1.5 in all; two together gain at least as much as each."""
    single = {gain.parameters[0]: gain.gain for gain in found.single}

    assert found.total.interval[0] <= 1.5 <= found.total.interval[1] + 0.02
    assert found.total.gain >= max(pair.gain for pair in found.pairs) - 0.05
    for pair in found.pairs:
        assert pair.gain >= max(single[name] for name in pair.parameters) - 0.1
    assert {tuple(sorted(pair.parameters)) for pair in found.pairs} == set(
        combinations(sorted(SPACE), 2)
    )
    assert set(found.pairs[0].parameters) == {"rate", "kind"}
    assert found.pairs[0].beyond is not None
    assert found.pairs[0].beyond.mean == pytest.approx(0.5, abs=0.15)


def test_what_pays_only_together_is_seen() -> None:
    """Of two that must change together neither gains alone."""

    def both(p: Any) -> float:
        return float(1 + (p["a"] - 0.25) * (0.25 - p["b"]))

    space = {"a": ts.Float(0, 1, default=0.25), "b": ts.Float(0, 1, default=0.25)}
    found = study_of(both, 60, space).tunability()

    assert max(gain.gain for gain in found.single) < 0.03
    assert found.pairs[0].gain == pytest.approx(0.5625, abs=0.05)
    assert found.pairs[0].beyond is not None
    assert found.pairs[0].beyond.interval[0] > 0.45


def test_signs_are_those_of_the_objective() -> None:
    """What is maximised gains as much as its negative that is minimised."""
    down = study_of(loss, 60).tunability()
    up = study_of(lambda p: -loss(p), 60, minimize=None, maximize="loss").tunability()

    assert up.default.mean == pytest.approx(-down.default.mean)
    assert up.single == down.single
    assert up.total == down.total


def test_a_branch_is_moved_with_what_it_hangs_on() -> None:
    """A parameter that the default does not have moves its choice, too; what else comes with it is at its default."""
    space = {
        "kind": ts.Choice(
            {
                "plain": {"size": ts.Float(0, 1, default=0.5)},
                "deep": {"width": ts.Float(0, 1, default=0.1), "bias": ts.Float(0, 1, default=0.9)},
            },
            default="plain",
        )
    }

    def value(p: Any) -> float:
        deep = 1.5 - p.get("kind.deep.width", 0.0) - 0.2 * p.get("kind.deep.bias", 0.0)
        return float(1.0 if p["kind"] == "plain" else deep)

    found = study_of(value, 60, space).tunability()
    told = {gain.parameters: gain for gain in found.single}

    assert told["kind",].gain < 0.03  # with a width of 0.1 it is worse
    assert set(told["kind.deep.width",].to) == {"kind", "kind.deep.width"}
    assert told["kind.deep.width",].gain == pytest.approx(1 - (1.5 - 1 - 0.18), abs=0.06)
    assert told["kind.plain.size",].gain < 0.03
    assert not any(
        len({"kind.deep.width", "kind.deep.bias"} & set(p.parameters)) for p in found.pairs
    )


def test_elements_of_lists_bring_the_length_along() -> None:
    """The fourth layer is not there by default."""
    space = {"layers": ts.List(ts.Int(1, 9, default=2), length=(1, 4))}
    study = study_of(lambda p: -float(p.get("layers.3", 0)), 60, space)
    told = {gain.parameters: gain for gain in study.tunability().single}

    assert study.space.default()[0]["layers"] == 3
    assert set(told["layers.3",].to) == {"layers", "layers.3"}
    assert told["layers.3",].gain == pytest.approx(9, abs=1)


def test_constraints_limits_and_failures_are_kept() -> None:
    """What is told to change keeps the constraints, is expected to keep the limits, and does not fail."""
    space = ts.Space(
        {
            "a": ts.Float(0, 1, default=0.1),
            "b": ts.Float(0, 1, default=0.1),
            "c": ts.Float(0, 1, default=0.1),
        },
        constraints=["a <= 0.6"],
    )
    study = ts.Study(space, maximize="score", subject_to=["ms <= 50"], seed=1)
    study = ts.Study(
        space, maximize="score", subject_to=["ms <= 50"], seed=1, sampler=ts.samplers.Random()
    )
    for trial in study.ask(80):
        a, b, c = (trial[name] for name in "abc")
        if c > 0.5:
            study.fail(trial, ts.Infeasible("too much of c"))
        else:
            study.tell(trial, score=a + b + c, ms=100 * b)
    to = {gain.parameters[0]: gain.to for gain in study.tunability().single}

    assert 0.5 < to["a"]["a"] <= 0.6
    assert 0.4 < to["b"]["b"] <= 0.52
    assert 0.4 < to["c"]["c"] <= 0.52


def test_a_default_that_failed_is_refused() -> None:
    """There is nothing to gain over; it says how it failed."""
    study = ts.Study({"x": ts.Float(0, 1, default=0.9)}, minimize="loss", seed=1)
    for trial in study.ask(20):
        if trial["x"] > 0.8:
            study.fail(trial, ts.Infeasible("too large"))
        else:
            study.tell(trial, trial["x"])

    with pytest.raises(ts.NotSupported, match=r"the default failed \(infeasible\)"):
        study.tunability()
    with pytest.raises(ts.NotSupported, match="the default failed"):
        study.ablation()
    assert "came to its end, which the default did not (infeasible)" in str(study.why())


def test_nothing_is_gained_where_all_are_equal() -> None:
    """And a parameter that has but one value is not among them."""
    space = ts.Space({"x": ts.Float(0, 1), "y": ts.Float(0, 1)}).fix(y=0.5)
    found = study_of(lambda _: 1.0, 10, space).tunability()

    assert [(gain.parameters, gain.to, gain.gain) for gain in found.single] == [(("x",), {}, 0.0)]
    assert found.total.interval == (0.0, 0.0)
    assert str(found).endswith("no certain gain alone: x")


def test_of_several_objectives_one_is_named() -> None:
    """Each has its own gains; without a name it is refused."""
    study = ts.Study(
        {"x": ts.Float(0, 1, default=0.5), "y": ts.Float(0, 1, default=0.5)},
        minimize=["a", "b"], seed=1, sampler=ts.samplers.Random(),
    )  # fmt: skip
    for trial in study.ask(40):
        study.tell(trial, a=trial["x"], b=trial["y"])

    assert study.tunability("a").single[0].parameters == ("x",)
    assert study.tunability("b").single[0].parameters == ("y",)
    with pytest.raises(ts.SettingError, match="a, b"):
        study.tunability()


def test_few_trials_are_refused() -> None:
    """Eight it takes."""
    with pytest.raises(ts.NoTrials, match="8 completed trials"):
        study_of(loss, 7).tunability()


def test_it_is_said_in_words(found: Tunability) -> None:
    """The default, everything, each certain one with its value, and the rest by name."""
    text = str(found)

    assert text.startswith(
        f"loss of the default is {found.default}; tuning everything gains 1.45 ("
    )
    assert "  kind = w: 0." in text
    assert "no certain gain alone: " in text
    assert "nan" not in text
    assert tunability(study_of(loss, 30).history).called == "default"
