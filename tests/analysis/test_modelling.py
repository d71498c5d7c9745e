from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis.modelling import Model


def study_of(values: list[float]) -> ts.Study[dict[str, Any]]:
    """The first of them is the default's."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial, value in zip(study.ask(len(values)), values, strict=True):
        study.tell(trial, value)
    return study


@pytest.mark.parametrize("default,straight", [(1.0, True), (30.0, True), (3000.0, False)])
def test_values_as_far_as_a_default_that_is_no_outlier_count_as_they_are(
    default: float, straight: bool
) -> None:
    """Most are close to the best, as after a search; twenty spread as far as 20."""
    luck = np.random.default_rng(0)
    values = [default, *luck.uniform(0, 20, 20), *luck.uniform(0, 0.1, 60)]
    truth = Model.of(study_of(values).history).surrogate.truth

    assert truth is not None
    slopes = np.diff(truth.scale.targets) / np.maximum(np.diff(truth.scale.values), 1e-12)
    rest = truth.scale.values[:-1] >= -min(default, 20) - 1e-9
    assert bool(np.ptp(slopes[rest]) < 1e-6 * slopes[rest].max()) is straight


def test_one_objective_is_seen_at_a_time() -> None:
    """By name; the others are as if they were not."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize=["a", "b"], seed=1)
    for trial in study.ask(10):
        study.tell(trial, a=trial["x"], b=-trial["x"])
    model = Model.of(study.history, "b")

    assert model.objective.name == "b"
    assert model.history[3].value == study.history[3].values["b"]
