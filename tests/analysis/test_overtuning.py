import math
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Overtuning, overtuning


def study(rows: list[dict[str, float]], **options: Any) -> ts.Study[Any]:
    """A study whose trials returned these metrics."""
    made = ts.Study({"x": ts.Float(0, 1)}, seed=0, **(options or {"maximize": "accuracy"}))
    for metrics in rows:
        made.tell(made.ask(), metrics)
    return made


def guarded(validation: list[float], test: list[float]) -> Overtuning:
    rows = zip(validation, test, strict=True)
    return study([{"accuracy": v, "test_accuracy": t} for v, t in rows]).overtuning()


def test_the_incumbent_is_followed_on_both_samples() -> None:
    """By validation it is chosen, whatever its test; between changes it stays."""
    found = guarded([0.5, 0.7, 0.6, 0.8], [0.5, 0.6, 0.9, 0.55])

    assert found.test == "test_accuracy"
    assert found.validation.tolist() == [0.5, 0.7, 0.7, 0.8]
    assert found.tested.tolist() == [0.5, 0.6, 0.6, 0.55]
    assert found.trials.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "test, relative",
    [
        ([0.5, 0.6, 0.8], 0.0),
        ([0.5, 0.7, 0.65], 0.25),
        ([0.5, 0.6, 0.5], 1.0),
        ([0.5, 0.6, 0.4], 2.0),
        ([0.5, 0.4, 0.3], math.nan),
    ],
)
def test_relative_overtuning(test: list[float], relative: float) -> None:
    """What was lost again, over what was gained; not defined where nothing ever was."""
    assert guarded([0.5, 0.6, 0.7], test).relative == pytest.approx(relative, nan_ok=True)


def test_losses_are_followed_like_scores() -> None:
    """Minimised metrics mirror maximised ones."""
    rows = [{"val_loss": v, "test_loss": t} for v, t in ((3.0, 3.0), (2.0, 1.0), (1.0, 2.0))]
    found = study(rows, minimize="val_loss").overtuning()

    assert found.tested.tolist() == [3.0, 1.0, 2.0]
    assert found.relative == 0.5


def test_from_when_on_going_on_did_not_pay() -> None:
    """The test gains much until trial 3; what comes later is less than a hundredth of that."""
    validation = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found = guarded(validation, [0.1, 0.2, 0.3, 0.5, 0.501, 0.502])

    assert found.paid == 3
    assert "up to trial 3 going on made test_accuracy better" in str(found)
    assert "the 2 trials after it did not" in str(found)


def test_noise_of_folds_does_not_count_as_gain() -> None:
    """Steps of 0.01 are nothing where folds say that an evaluation is off by more."""
    rows = [{"accuracy": 0.5 + n / 100, "accuracy_se": 0.1, "test_accuracy": 0.5 + n / 100} for n in range(8)]  # fmt: skip

    assert study(rows).overtuning().paid == 0


def test_a_metric_may_be_named_and_of_another_kind() -> None:
    """`test=` takes any metric; a score is better high, whatever the objective is."""
    rows = [{"loss": v, "held_out_f1": t} for v, t in ((3.0, 0.2), (2.0, 0.6), (1.0, 0.4))]
    found = study(rows, minimize="loss").overtuning("held_out_f1")

    assert found.relative == pytest.approx(0.5)
    with pytest.raises(ts.SettingError, match="'f2'; they have loss, held_out_f1"):
        study(rows, minimize="loss").overtuning("f2")


@pytest.mark.parametrize("other", ["test_loss", "train_accuracy", "accuracy_se", "test_time"])
def test_what_is_no_test_of_the_objective_is_none(other: str) -> None:
    """Neither another measure, nor training, nor errors, nor times are the test that is meant."""
    found = study([{"accuracy": 0.1 * n, other: 0.2 * n} for n in range(4)]).overtuning()

    assert found.test == ""
    assert math.isnan(found.relative)
    assert "return test_accuracy beside it" in str(found)


def test_a_copy_of_the_objective_is_no_test() -> None:
    """scikit-learn calls the score of validation a test score: the same numbers say nothing new."""
    assert guarded([0.5, 0.7, 0.6], [0.5, 0.7, 0.6]).test == ""


def test_without_a_test_there_are_noise_and_forecast() -> None:
    """Validation alone: when it last got better, and what is to come."""
    found = study([{"accuracy": math.sin(n)} for n in range(12)]).overtuning()

    assert found.forecast is not None
    assert "nothing is known of overtuning" in str(found)
    assert "50 more trials: accuracy" in str(found)


def test_some_trials_may_lack_the_test() -> None:
    """Where it was not measured it is unknown, and the rest counts."""
    rows: list[dict[str, float]] = [{"accuracy": 0.1}]
    rows += [{"accuracy": v, "test_accuracy": t} for v, t in ((0.2, 0.4), (0.3, 0.8), (0.4, 0.6))]
    found = study(rows).overtuning()

    assert np.isnan(found.tested[0])
    assert found.relative == pytest.approx(0.5)


def test_no_decision_looks_at_the_test() -> None:
    """Suggestions, stops and the best are the same, with a test metric or without."""

    def fit(trial: ts.Trial[dict[str, Any]], *, tested: bool) -> dict[str, float]:
        loss = (trial["x"] - 0.3) ** 2
        return {"loss": loss, **({"test_loss": -loss} if tested else {})}

    with_test, without = (
        ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1).run(
            lambda trial, tested=tested: fit(trial, tested=tested), trials=15, progress=False,
            until=ts.stop.NoWorthwhileGain(),
        )
        for tested in (True, False)
    )  # fmt: skip

    assert [r.params for r in with_test.history] == [r.params for r in without.history]
    assert with_test.best.number == without.best.number


def test_before_any_trial_there_is_nothing_to_say() -> None:
    """No trials, or several objectives."""
    with pytest.raises(ts.NoTrials, match="no trial has completed"):
        study([]).overtuning()
    with pytest.raises(ts.NotSupported, match="one objective"):
        overtuning(ts.Study({"x": ts.Float(0, 1)}, minimize=["a", "b"]).history)


def test_nothing_got_better() -> None:
    """Then going on is not said to have helped."""
    told = str(study([{"accuracy": value} for value in (0.9, 0.5)]).overtuning())

    assert "no trial after trial 0 made accuracy better\n" in told
    assert "in 2 trials" in told


def test_what_counts_as_better_is_said() -> None:
    """Where noise is not known a hundredth of the gain does: later trials that gained less are not denied."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial, value in zip(study.ask(4), [1.0, 0.1, 0.0999, 0.0998], strict=True):
        study.tell(trial, value)

    text = str(study.overtuning())
    assert "up to trial 1 going on made loss better by more than 1% of all that was gained" in text
