from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import tunesmith as ts


@pytest.fixture(scope="module")
def study() -> ts.Study[Any]:
    """A loss whose middle lies at a rate of 1e-3, worse by 1 with kind b; half of the trials have momentum."""
    space = {
        "rate": ts.Float(1e-5, 1e-1, log=True, default=1e-4),
        "kind": ts.Categorical(["a", "b"]),
        "optimizer": ts.Choice({"adam": {}, "sgd": {"momentum": ts.Float(0, 1)}}),
        "depth": ts.Int(1, 4),
        "fixed": ts.Int(3, 3),
    }
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(100):
        p: Mapping[str, Any] = trial.params
        loss = (
            (np.log10(p["rate"]) + 3) ** 2
            + (p["kind"] == "b")
            + p.get("optimizer.sgd.momentum", 0.5)
        )
        study.tell(trial, float(loss))
    return study


def test_a_curve_is_that_of_the_function(study: ts.Study[Any]) -> None:
    """Up to a constant, in the objective's units, over the range; the best and the default are named."""
    [curve] = study.effects("rate")
    true = (np.log10(np.array(curve.values)) + 3) ** 2

    assert curve.values[0] == 1e-5
    assert curve.values[-1] == 0.1
    assert curve.mean - curve.mean.min() == pytest.approx(true - true.min(), abs=0.3)
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()
    assert curve.best == pytest.approx(1e-3, rel=0.9)
    assert curve.default == 1e-4
    assert curve.active == 1.0


def test_categories_and_whole_numbers_have_a_point_each(study: ts.Study[Any]) -> None:
    """Their values are those that the log keeps."""
    kind, depth = study.effects(["kind", "depth"])

    assert kind.values == ("a", "b")
    assert kind.best == "a"
    assert kind.mean[1] - kind.mean[0] == pytest.approx(1.0, abs=0.15)
    assert depth.values == (1, 2, 3, 4)
    assert np.ptp(depth.mean) < 0.15


def test_a_conditional_parameter_is_moved_where_it_is_active(study: ts.Study[Any]) -> None:
    """Its share of the trials is told."""
    [curve] = study.effects("optimizer.sgd.momentum")

    assert 0.3 < curve.active < 0.7
    assert curve.mean[-1] - curve.mean[0] == pytest.approx(1.0, abs=0.3)


def test_all_that_can_vary(study: ts.Study[Any]) -> None:
    """Without names, all parameters that have several values."""
    assert [curve.parameter for curve in study.effects()] == [
        "rate", "kind", "optimizer", "optimizer.sgd.momentum", "depth",
    ]  # fmt: skip
    assert str(study.effects("fixed")[0]) == "fixed: 3 is its only value"


def test_it_is_said_in_words(study: ts.Study[Any]) -> None:
    """Where it is best, and where worst."""
    text = str(study.effects("kind")[0])

    assert text.startswith("kind: loss is best at a, ")
    assert "; at b it is " in text


def test_the_sign_is_the_objectives() -> None:
    """Of what is maximised more is better."""
    mirrored = ts.Study(
        {"x": ts.Float(0, 1)}, maximize="score", seed=1, sampler=ts.samplers.Random()
    )
    for trial in mirrored.ask(30):
        mirrored.tell(trial, 10 * trial.params["x"])
    [curve] = mirrored.effects()

    assert curve.best == 1.0
    assert curve.mean[-1] == pytest.approx(10.0, abs=0.7)
    assert (curve.low <= curve.high).all()


def test_constraints_are_kept() -> None:
    """A value stands only for configurations that may have it."""
    space = ts.Space({"low": ts.Float(0, 1), "high": ts.Float(0, 1)}, constraints=["low <= high"])
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(60):
        study.tell(trial, trial.params["high"] - trial.params["low"])
    surface = study.surface("low", "high")

    assert np.isnan(surface.mean[-1, 0])
    assert np.isfinite(surface.mean[0]).all()
    assert surface.mean[0, -1] - surface.mean[0, 0] == pytest.approx(1.0, abs=0.2)


def test_what_was_never_active_is_said() -> None:
    """Of a branch that nobody took there is no curve; asked for by name, a sentence says why."""
    space = {"kind": ts.Choice({"a": {"x": ts.Float(0, 1)}, "b": {"y": ts.Float(0, 1)}})}
    study = ts.Study(space, minimize="loss", seed=1)
    for i in range(10):
        study.enqueue({"kind": "a", "kind.a.x": i / 10})
        trial = study.ask()
        study.tell(trial, trial.params["kind.a.x"])

    assert [curve.parameter for curve in study.effects()] == ["kind", "kind.a.x"]
    with pytest.raises(ts.NotSupported, match=r"no trial tells of kind\.b\.y"):
        study.effects("kind.b.y")
    assert np.isnan(study.surface("kind", "kind.b.y").mean).all()


def test_constraints_that_leave_only_what_was_tried() -> None:
    """Where no other value is possible, the values are those of the trials."""
    space = ts.Space(
        {"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, constraints=["x <= y", "y <= x + 0.001"]
    )
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(12):
        study.tell(trial, trial.params["x"])

    assert all(np.isfinite(curve.mean).all() for curve in study.effects())


def test_a_surface_is_that_of_the_function(study: ts.Study[Any]) -> None:
    """Values on both sides, and the mean and deviation of each pair."""
    surface = study.surface("rate", "kind")

    assert surface.y == ("a", "b")
    assert surface.mean.shape == surface.sd.shape == (len(surface.x), 2)
    assert surface.mean[:, 1] - surface.mean[:, 0] == pytest.approx(
        np.ones(len(surface.x)), abs=0.4
    )


def test_what_cannot_be_asked(study: ts.Study[Any]) -> None:
    """A name that there is not, one name twice, too few trials: a sentence each."""
    with pytest.raises(ts.SettingError, match="there is no parameter 'lr'; the space has rate"):
        study.effects("lr")
    with pytest.raises(ts.SettingError, match="two parameters, got 'rate' twice"):
        study.surface("rate", "rate")
    with pytest.raises(ts.NoTrials, match="completed"):
        ts.Study({"x": ts.Float(0, 1)}, minimize="loss").effects()


def test_equal_values_make_flat_curves() -> None:
    """Nothing differs, and that is sure."""
    flat = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in flat.ask(10):
        flat.tell(trial, 2.0)
    [curve] = flat.effects()

    assert set(curve.mean) == set(curve.low) == set(curve.high) == {2.0}
