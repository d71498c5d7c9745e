from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Ablation, ablation

SPACE = {
    "big": ts.Float(0, 1, default=0.0),
    "middle": ts.Int(0, 8, default=0),
    "small": ts.Categorical(["off", "on"], default="off"),
    "idle": ts.Float(0, 1, default=0.5),
}


@pytest.fixture(scope="module")
def study() -> ts.Study[dict[str, Any]]:
    """Of which four parameters gain 4, 2, 0.5 and nothing."""
    study = ts.Study(SPACE, maximize="score", seed=1, sampler=ts.samplers.Random())
    study.enqueue({"big": 1.0, "middle": 8, "small": "on", "idle": 0.75})
    for trial in study.ask(80):
        score = 4 * trial["big"] + trial["middle"] / 4 + 0.5 * (trial["small"] == "on")
        study.tell(trial, score)
    return study


@pytest.fixture(scope="module")
def found(study: ts.Study[dict[str, Any]]) -> Ablation:
    return study.ablation(1)


def test_what_gains_most_comes_first(found: Ablation) -> None:
    """Each step gains what the function gives, in order."""
    assert [step.parameters for step in found.steps] == [
        ("big",),
        ("middle",),
        ("small",),
        ("idle",),
    ]
    for step, gain in zip(found.steps, [4, 2, 0.5, 0], strict=True):
        assert step.gain == pytest.approx(gain, abs=0.1)
        assert step.interval[0] - 0.05 <= gain <= step.interval[1] + 0.05
    assert (found.steps[1].before, found.steps[1].after) == ({"middle": 0}, {"middle": 8})


def test_steps_add_up_to_the_whole(found: Ablation) -> None:
    """Gains are differences of one joint model."""
    assert found.start.mean + sum(step.gain for step in found.steps) == pytest.approx(
        found.end.mean
    )
    assert found.steps[-1].value == pytest.approx(found.end.mean)
    assert found.end.mean == pytest.approx(6.5, abs=0.1)


def test_by_default_it_goes_to_what_is_recommended(study: ts.Study[dict[str, Any]]) -> None:
    """And a record does as well as a number."""
    assert study.ablation().trial == study.recommend().record.number
    assert study.ablation(study.history[7]) == study.ablation(7)


def test_on_the_way_something_may_get_worse(study: ts.Study[dict[str, Any]]) -> None:
    """To a trial that is worse in one parameter, that one comes last, with a loss."""
    worse = next(r for r in study.history if r.logged["small"] == "off" and r.number > 1)
    way = study.ablation(worse)

    assert way.trial == worse.number
    assert "small" not in {name for step in way.steps for name in step.parameters}
    assert [step.gain for step in way.steps] == sorted((s.gain for s in way.steps), reverse=True)


def test_a_branch_moves_with_its_choice() -> None:
    """The way to another branch takes its parameters along, and never leaves the space."""
    space = {
        "kind": ts.Choice(
            {"a": {"p": ts.Float(0, 1)}, "b": {"q": ts.Float(0, 1), "r": ts.Float(0, 1)}}
        ),
        "x": ts.Float(0, 1, default=0.2),
    }
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(60):
        logged: dict[str, Any] = study.history[trial.number].logged
        study.tell(trial, logged["x"] + (1.0 if logged["kind"] == "a" else logged["kind.b.q"]))
    target = next(r for r in study.history if r.logged["kind"] == "b")
    way = study.ablation(target)
    [branch] = [step for step in way.steps if "kind" in step.parameters]

    assert set(branch.parameters) == {"kind", "kind.a.p", "kind.b.q", "kind.b.r"}
    assert set(branch.after) == {"kind", "kind.b.q", "kind.b.r"}
    assert "kind.a.p" not in str(branch)
    assert len(way.steps) == 2


def test_where_constraints_allow_no_single_step_all_are_one() -> None:
    """Two that must be equal move together."""
    space = ts.Space(
        {"a": ts.Int(0, 9, default=0), "b": ts.Int(0, 9, default=0)}, constraints=["a == b"]
    )
    study = ts.Study(space, maximize="score", seed=1)
    for value in range(1, 10):
        study.enqueue({"a": value, "b": value})
    for trial in study.ask(10):
        study.tell(trial, trial["a"] + np.random.default_rng(trial.seed).normal(0, 0.1))
    way = study.ablation(next(r for r in study.history if r.logged["a"] == 5))

    assert [step.parameters for step in way.steps] == [("a", "b")]


def test_to_the_default_there_is_no_way(study: ts.Study[dict[str, Any]]) -> None:
    """It says so."""
    assert study.ablation(0).steps == ()
    assert str(study.ablation(0)).startswith("trial 0 is the default: score ")


def test_it_is_said_in_words(found: Ablation) -> None:
    """From, to, and each change with its gain."""
    head, *lines = str(found).splitlines()

    assert head.startswith("score from the default (")
    assert "to trial 1 (6." in head
    assert lines[0].startswith("  big 0 -> 1: +3.99 (+3.98 to +4.01)")
    assert lines[2].startswith("  small off -> on: +0.5")


def test_what_has_not_completed_is_refused(study: ts.Study[dict[str, Any]]) -> None:
    """And what is not there."""
    other = ts.Study(SPACE, maximize="score", seed=1)
    for trial in other.ask(9):
        other.tell(trial, trial["big"])
    open_ = other.ask()

    with pytest.raises(ts.SettingError, match="trial 9 has not"):
        ablation(other.history, open_.number)
    with pytest.raises(ts.SettingError, match="there is no trial 99; the study has 10"):
        ablation(other.history, 99)
