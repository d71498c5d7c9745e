from typing import Any

import pytest

import tunesmith as ts

X = {"x": ts.Float(-10, 10)}


def square(trial: ts.Trial[dict[str, Any]]) -> float:
    return float((trial["x"] - 2) ** 2)


def test_rules_compose() -> None:
    """Either rule ends a run with |, both must agree with &."""
    stop = ts.stop
    either = ts.Study(X, minimize="loss").run(
        square, until=stop.Trials(3) | stop.Target(-1), progress=False
    )
    both = ts.Study(X, minimize="loss", seed=3).run(
        square, until=stop.Trials(3) & stop.Target(1.0), progress=False
    )

    assert len(either.history) == 3
    assert len(both.history) > 3
    assert both.best.value <= 1.0
    assert both.history[len(both.history) - 1] == both.best


def test_no_improvement_counts_trials_after_the_best() -> None:
    """The run ends when 4 further trials brought nothing better."""
    study = ts.Study(X, minimize="loss").run(
        lambda t: 1.0 if t.number < 2 else 0.5 if t.number == 2 else 2.0,
        until=ts.stop.NoImprovement(4),
        progress=False,
    )

    assert study.best.number == 2
    assert len(study.history) == 7


def test_spent_counts_steps() -> None:
    """The run ends when all trials together reported 10 steps."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        for step in trial.steps():
            trial.report(step, 1.0)

    study = ts.Study(X, minimize="loss", resource=ts.Resource("epoch", max=4), scheduler=None)
    study.run(train, until=ts.stop.Spent(10), progress=False)

    assert len(study.history) == 3


@pytest.mark.parametrize("arguments", [{"timeout": 1e-9}, {"until": ts.stop.Seconds(1e-9)}])
def test_time_ends_a_run(arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """When the seconds are over no further trial begins, and the last line says why."""
    study = ts.Study(X, minimize="loss")
    study.run(square, **arguments)

    assert len(study.history) <= 1
    assert "1e-09 s " in capsys.readouterr().err


@pytest.mark.parametrize("rule", [ts.stop.Target(1.0), ts.stop.NoImprovement(3)], ids=str)
def test_rules_of_one_objective_refuse_several(rule: ts.stop.StopRule) -> None:
    """They say so before anything is run."""
    study = ts.Study(X, minimize=["a", "b"])

    with pytest.raises(ts.NotSupported, match="needs one objective, this study has a, b"):
        study.run(lambda t: {"a": 1.0, "b": 1.0}, until=rule, progress=False)

    assert len(study.history) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: ts.stop.Trials(0),
        lambda: ts.stop.Trials("3"),  # type: ignore[arg-type]
        lambda: ts.stop.Seconds(-1),
        lambda: ts.stop.Seconds("3"),  # type: ignore[arg-type]
        lambda: ts.stop.Target("a"),  # type: ignore[arg-type]
        lambda: ts.stop.NoImprovement(2.5),  # type: ignore[arg-type]
        lambda: ts.stop.Spent(0),
        lambda: ts.stop.Trials(3) | 5,  # type: ignore[operator]
    ],
)
def test_settings_that_mean_nothing_are_refused(make: Any) -> None:
    """Each with one sentence."""
    with pytest.raises(ts.SettingError, match=", got "):
        make()
