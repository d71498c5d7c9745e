from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Sensitivity, sensitivity


def replicated(noise: float, configurations: int = 20, seed: int = 0) -> ts.Study[dict[str, Any]]:
    """Configurations of variance 1, each evaluated five times."""
    rng = np.random.default_rng(seed)
    study = ts.Study({"x": ts.Int(0, configurations - 1)}, minimize="loss", seed=1)
    means = rng.standard_normal(configurations)
    for _ in range(5):
        for x in range(configurations):
            study.enqueue({"x": x})
            trial = study.ask()
            study.tell(trial, means[trial["x"]] + noise * rng.standard_normal())
    return study


@pytest.fixture(scope="module")
def bowl() -> Sensitivity:
    """A loss that depends on the learning rate, a little on the kind, and on nothing else."""
    space = {
        "lr": ts.Float(1e-5, 1e-1, log=True),
        "kind": ts.Categorical(["a", "b", "c"]),
        "depth": ts.Int(1, 12),
        "idle": ts.Float(0, 1),
    }
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(80):
        luck = np.random.default_rng(trial.seed).normal(0, 0.05)
        study.tell(trial, (np.log10(trial["lr"]) + 3) ** 2 + (trial["kind"] == "b") + luck)
    return study.sensitivity()


def test_what_matters_comes_first(bowl: Sensitivity) -> None:
    """The kind and the learning rate cost something to move, the others nothing that is certain."""
    worst: dict[str, float] = {}
    for step in bowl.steps:
        worst[step.parameter] = max(worst.get(step.parameter, 0.0), step.change)

    assert bowl.steps[0].parameter in ("lr", "kind")
    assert min(worst["lr"], worst["kind"]) > 3 * max(worst["idle"], worst["depth"])
    assert {step.parameter for step in bowl.steps if step.worse} <= {"lr", "kind"}


def test_every_parameter_moves_a_step(bowl: Sensitivity) -> None:
    """A number to both sides, a choice to each other one; each with an interval around the change."""
    moves = [step.parameter for step in bowl.steps]

    assert moves.count("kind") == 2
    assert 1 <= moves.count("lr") <= 2
    assert all(step.interval[0] <= step.change <= step.interval[1] for step in bowl.steps)


def test_a_model_tells_luck_where_there_are_no_replicates(bowl: Sensitivity) -> None:
    """The noise of 0.05 lies in its interval, as a small share of the spread."""
    assert bowl.seeds.by == "model"
    assert 0.02 < bowl.seeds.sd < 0.12
    assert bowl.seeds.interval[0] <= bowl.seeds.share <= bowl.seeds.interval[1] < 0.2


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_replicates_tell_luck(noise: float) -> None:
    """The share of the variance that is noise, found and in its interval."""
    seeds = sensitivity(replicated(noise).history).seeds
    true = noise**2 / (noise**2 + 1)

    assert seeds.by == "replicates"
    assert seeds.configurations == 20
    assert seeds.sd == pytest.approx(noise, rel=0.2)
    assert seeds.interval[0] <= true <= seeds.interval[1]


def test_racing_tells_luck_too() -> None:
    """It repeats the best alone, which hardly differ; the spread is still that of all configurations."""
    study = ts.Study(
        {"x": ts.Float(-3, 3)}, maximize="score", seed=2, sampler=ts.samplers.Random(),
        replicates=ts.replication.Racing(),
    )  # fmt: skip
    for _ in range(150):
        trial = study.ask()
        luck = np.random.default_rng([trial.seed, trial.number]).normal()
        study.tell(trial, trial["x"] + luck)
    seeds = study.sensitivity().seeds
    of_all = 1 / (1 + 3)  # the variance of x is 3

    assert seeds.by == "replicates"
    assert seeds.configurations < 60
    assert seeds.interval[0] <= of_all <= seeds.interval[1] < 0.6


def test_nothing_is_luck_where_nothing_differs() -> None:
    """Replicates that are all equal, and values that are all equal."""
    flat = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in flat.ask(10):
        flat.tell(trial, 1.0)

    assert sensitivity(replicated(0.0).history).seeds.share == 0
    assert flat.sensitivity().seeds.share == 0
    assert flat.sensitivity().steps == ()


def test_constraints_and_branches_are_kept() -> None:
    """No step leaves the space; what is not active does not move."""
    space = ts.Space(
        {
            "kind": ts.Choice({"one": {"a": ts.Float(0, 1)}, "two": {"b": ts.Float(0, 1)}}),
            "low": ts.Float(0, 1),
            "high": ts.Float(0, 1),
        },
        constraints=["low <= high"],
    )
    study = ts.Study(space, maximize="score", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(30):
        study.tell(trial, trial["low"] + trial.get("kind.a", 0.5))
    found = study.sensitivity()
    best = study.best.logged

    assert {step.parameter for step in found.steps} <= set(best)
    for step in found.steps:
        if step.parameter in ("low", "high"):
            moved = {**best, step.parameter: step.to}
            assert moved["low"] <= moved["high"]


def test_it_is_said_in_words(bowl: Sensitivity) -> None:
    """Who tells what, and each step with its interval."""
    text = str(bowl)

    assert "of the spread is seeds" in text
    assert "as far as a model explains them" in text
    assert f"loss around trial {bowl.trial}, if one parameter moves:" in text
    assert "  kind = b: +" in text


def test_around_another_trial_and_of_many() -> None:
    """Any completed trial may be in the middle, of 300, more than a model takes in; no other."""
    study = ts.Study({"x": ts.Float(-1, 1)}, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(300):
        study.tell(trial, trial["x"] ** 2)
    middle = min(study.history, key=lambda record: abs(record.params["x"] - 0.5))
    study.ask()

    found = sensitivity(study.history, middle)
    changes = {step.to: step.change for step in found.steps}

    assert found.trial == middle.number
    for to, change in changes.items():
        assert change == pytest.approx(to**2 - middle.value, abs=0.03)
    with pytest.raises(ts.SettingError, match="trial 300 has not"):
        sensitivity(study.history, study.history[300])


def test_of_equal_values_no_move_is_told() -> None:
    """It says so, in place of a heading with nothing below."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in study.ask(10):
        study.tell(trial, 0.5)

    assert str(study.sensitivity()).endswith(
        "no move of one parameter around trial 0 is known to change loss"
    )
