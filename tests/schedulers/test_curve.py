from typing import Any

import pytest

import tunesmith as ts
from tunesmith.schedulers import Curve

X = {"x": ts.Float(0, 1)}
EPOCHS = ts.Resource("epoch", max=30)


def study_of(scheduler: Curve, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0,
        sampler=ts.samplers.Random(), **options,
    )  # fmt: skip


def early(trial: ts.Trial[dict[str, Any]]) -> None:
    """What it will be shows from the beginning."""
    for step in trial.steps():
        trial.report(step, loss=trial["x"] + 0.5 / step)


def late(trial: ts.Trial[dict[str, Any]]) -> None:
    """For two thirds of the time all look alike; then the best fall deepest."""
    for step in trial.steps():
        noise = ((trial.number * 31 + step * 17) % 13) / 1000
        trial.report(step, loss=1 + noise - (1 - trial["x"]) * max(0, step - 20) / 10)


def test_the_hopeless_are_stopped_and_the_best_is_found() -> None:
    """Of forty trials most end early, the best one goes to the end, and all of it follows from the log."""
    study = study_of(Curve())
    study.run(early, trials=40, progress=False)

    assert study.history.spent < 0.6 * 40 * 30
    assert study.best.params["x"] == min(record.params["x"] for record in study.history)
    assert study.verify()


def test_who_blooms_late_is_protected() -> None:
    """Few end before the time at which curves part, and not the best."""
    study = study_of(Curve())
    study.run(late, trials=40, progress=False)

    assert sum(record.step < 20 for record in study.history) < 10
    assert study.best.params["x"] == min(record.params["x"] for record in study.history)


def test_the_first_are_trained_to_the_end() -> None:
    """Without whole curves nothing is known."""
    study = study_of(Curve(first=8))
    study.run(early, trials=8, progress=False)

    assert [record.state for record in study.history] == ["complete"] * 8


@pytest.mark.parametrize("settings", [{"chance": 0}, {"chance": 1}, {"chance": "x"}, {"first": 0}])
def test_settings_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    """The sentence names the setting."""
    with pytest.raises(ts.SettingError, match=rf"Curve\({next(iter(settings))}="):
        study_of(Curve(**settings))
