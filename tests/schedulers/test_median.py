from typing import Any

import pytest

import tunesmith as ts
from tunesmith.schedulers import Median

X = {"x": ts.Float(0, 1)}
EPOCHS = ts.Resource("epoch", max=20)


def study_of(scheduler: Median, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0, **options)


def reported(trial: ts.Trial[Any], losses: list[float]) -> int:
    """Report losses until the trial is ended; return how many."""
    for step, loss in enumerate(losses, 1):
        if trial.decide(step, loss=loss):
            return step
    return len(losses)


def test_the_best_so_far_is_held_against_the_averages_of_others() -> None:
    """After the grace of two steps, a trial ends that was never better than half of the averages."""
    study = study_of(Median(first=4))
    trials = study.ask(6)
    for n, trial in enumerate(trials[:4]):
        assert reported(trial, [1.0 + n / 10] * 5) == 5

    assert reported(trials[4], [2.0, 2.0, 2.0, 2.0]) == 3
    assert reported(trials[5], [1.0, 2.0, 2.0, 2.0, 2.0]) == 5


def test_nobody_is_judged_by_few() -> None:
    """As long as fewer than `first` others have come to a step, everything goes on."""
    study = study_of(Median(grace=0, first=2))
    trials = study.ask(3)

    assert reported(trials[0], [0.1] * 3) == 3
    assert reported(trials[1], [0.9] * 3) == 3


def test_an_accuracy_is_judged_the_other_way_round() -> None:
    """Higher is better where the study maximises."""
    study = ts.Study(
        X, maximize="accuracy", resource=EPOCHS, scheduler=Median(grace=0, first=2), seed=0
    )
    trials = study.ask(4)
    ended = [
        trial.decide(1, accuracy=value)
        for trial, value in zip(trials, [0.8, 0.9, 0.1, 0.95], strict=True)
    ]

    assert ended == [False, False, True, False]


@pytest.mark.parametrize("settings", [{"grace": -1}, {"grace": 2.5}, {"first": 0}])
def test_settings_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    """The sentence names the setting."""
    with pytest.raises(ts.SettingError, match=rf"Median\({next(iter(settings))}="):
        study_of(Median(**settings))


@pytest.mark.parametrize("grace", [19, 20, 100])
def test_a_grace_that_nobody_outlives_is_refused(grace: int) -> None:
    """It would never judge anybody: at the last step nothing is decided."""
    with pytest.raises(ts.NotSupported, match=rf"grace={grace}\) judges from step {grace + 1} on"):
        study_of(Median(grace=grace))


def test_several_objectives_are_refused() -> None:
    """The sentence says who ranks them."""
    with pytest.raises(ts.NotSupported, match="ASHA"):
        ts.Study(X, minimize=["loss", "ms"], resource=EPOCHS, scheduler=Median())
