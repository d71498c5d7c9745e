from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.models.surrogate import Surrogate


def surrogate(noise: float, *, trials: int = 60, huge: float = 0.0) -> Surrogate:
    """That of x^2 + y over random points, of which one has a huge loss."""
    rng = np.random.default_rng(1)
    space = {"x": ts.Float(-1, 1), "y": ts.Float(0, 1)}
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(trials):
        loss = trial["x"] ** 2 + trial["y"] + noise * rng.standard_normal()
        study.tell(trial, huge if huge and trial.number == 5 else loss)
    return Surrogate(list(study.history))


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
def test_it_tells_noise_from_the_function(noise: float) -> None:
    """The noise of evaluations is found, and lies in its interval."""
    model = surrogate(noise)
    low, high = model.noise_interval()

    assert model.noise == pytest.approx(noise, rel=0.35, abs=0.01)
    assert low <= noise <= high


@pytest.mark.parametrize("huge", [0.0, 1e300])
def test_it_predicts_in_the_objectives_units(huge: float) -> None:
    """Expected losses are those of the function, whatever a lost trial had."""
    model = surrogate(0.0, huge=huge)
    losses, covariances = model.losses(np.array([[0.5, 0.0], [0.75, 0.5]]))

    assert losses == pytest.approx([0.0, 0.75], abs=0.1)
    assert np.linalg.eigvalsh(covariances).min() > -1e-9


def test_equal_values_are_a_plain() -> None:
    """No spread, no noise, and nothing breaks."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in study.ask(10):
        study.tell(trial, 3.0)
    model = Surrogate(list(study.history))

    assert model.noise == model.spread == 0
    assert model.losses(np.array([[0.5]]))[0] == pytest.approx([3.0])


def test_more_trials_than_it_takes_in() -> None:
    """Of 400 trials those that matter most are modelled."""
    rng = np.random.default_rng(0)
    space: dict[str, Any] = {"x": ts.Float(-1, 1), "k": ts.Categorical(["a", "b", "c"])}
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(400):
        study.tell(trial, abs(trial["x"]) + (trial["k"] == "b") + 0.01 * rng.standard_normal())
    model = Surrogate(list(study.history))
    units = study.space.encode([{"x": 0.0, "k": "a"}, {"x": 0.5, "k": "a"}, {"x": 0.0, "k": "b"}])

    assert model.losses(units)[0] == pytest.approx([0.0, 0.5, 1.0], abs=0.15)
