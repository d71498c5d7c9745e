from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.models.noise import completed, measured_noise, shared_by


def study(space: dict[str, Any] | None = None, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(space or {"x": ts.Float(0, 1)}, minimize="loss", seed=0, **options)


def test_folds_tell_the_noise_of_their_mean() -> None:
    """Five folds of deviation 1: s^2 (1 / 5 + 1 / 4), the training samples that they share counted."""
    rng = np.random.default_rng(0)
    folds = study(value="mean")
    for trial in folds.ask(20):
        for step in range(1, 6):
            trial.report(step, loss=10 * trial["x"] + rng.standard_normal())
        folds.tell(trial)
    noise = measured_noise(completed(folds.history))

    assert noise.by == "folds"
    assert noise.sd == pytest.approx((1 / 5 + 1 / 4) ** 0.5, rel=0.4)


@pytest.mark.parametrize("folds, shared", [(10, 1 / 9), (4, 1 / 3), (3, 1 / 3), (2, 1 / 3)])
def test_few_folds_count_as_four(folds: int, shared: float) -> None:
    """Two halves share no training sample, but are no two samples of what a third one would say."""
    assert shared_by(folds) == pytest.approx(shared)
    steps = study(value="mean")
    trial = steps.ask()
    for step in range(1, folds + 1):
        trial.report(step, loss=float(step))
    steps.tell(trial)
    variance = float(np.var(range(folds), ddof=1))

    told = measured_noise(completed(steps.history))
    assert told.sd == pytest.approx((variance * (1 / folds + shared)) ** 0.5)


def test_equal_configurations_tell_the_noise() -> None:
    """A grid of four, each tried 100 times: what differs within each."""
    rng = np.random.default_rng(0)
    replicated = study({"x": ts.Int(0, 3)}, sampler=ts.samplers.Random())
    for x in range(400):
        replicated.enqueue({"x": x % 4})
        trial = replicated.ask()
        replicated.tell(trial, 10 * trial["x"] + rng.normal(0, 0.1))
    noise = measured_noise(completed(replicated.history))

    assert noise.by == "replicates"
    assert noise.sd == pytest.approx(0.1, rel=0.15)


def test_without_either_no_noise_is_claimed() -> None:
    """Different configurations, once each, tell none; nor do no trials."""
    plain = study()
    for trial in plain.ask(10):
        plain.tell(trial, trial["x"])

    assert measured_noise(completed(plain.history)).by == ""
    assert measured_noise([]).by == ""


def test_trials_that_failed_or_break_a_limit_are_left_out() -> None:
    """Only what may be the best counts."""
    limited = study(subject_to=["ms <= 1"])
    for trial, ms in zip(limited.ask(3), (0.5, 2.0, 0.5), strict=True):
        limited.tell(trial, loss=1.0, ms=ms)
    limited.fail(limited.ask(), "no")

    assert [record.number for record in completed(limited.history)] == [0, 2]
