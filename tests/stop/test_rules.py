from typing import Any

import numpy as np
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


def told(losses: list[float], **more: list[float]) -> ts.Study[dict[str, Any]]:
    """A study whose trials had these losses, and other metrics."""
    study = ts.Study(X, minimize="loss", seed=0, sampler=ts.samplers.Random())
    for n, loss in enumerate(losses):
        study.tell(
            study.ask(), {"loss": loss, **{name: values[n] for name, values in more.items()}}
        )
    return study


@pytest.mark.parametrize("trials", [40, 60, 100])
def test_what_still_improves_is_worth_going_on(trials: int) -> None:
    """A loss that falls by a percent with each trial does not end, nor does anything before 40 trials."""
    falling = told([0.99**n for n in range(trials)])
    early = told([1.0] * 39)
    rule = ts.stop.NoWorthwhileGain()

    assert rule.reason(falling.history, 0.0) == ""
    assert rule.reason(early.history, 0.0) == ""


def test_what_has_settled_is_not() -> None:
    """The best came at trial 20 and again and again; or gains are far below what was asked for."""
    settled = told([1 / (min(n, 20) + 1) for n in range(100)])
    slow = told([1 - 1e-4 * n for n in range(60)])

    assert "with a chance of" in ts.stop.NoWorthwhileGain().reason(settled.history, 0.0)
    assert ts.stop.NoWorthwhileGain(gain=0.1).reason(slow.history, 0.0)
    assert not ts.stop.NoWorthwhileGain(gain=0.001).reason(slow.history, 0.0)


def test_luck_is_not_worth_going_on() -> None:
    """Values that differ by luck alone end where folds say how large that is, and go on where nobody does.

    Of 10 such studies of 100 trials at least 6 end with the errors of their folds, and none without.
    """
    ended = 0
    for seed in range(10):
        losses = np.random.default_rng(seed).standard_normal(100).tolist()
        known = told(losses, loss_se=[1.0] * 100)
        ended += bool(ts.stop.NoWorthwhileGain().reason(known.history, 0.0))
        assert not ts.stop.NoWorthwhileGain().reason(told(losses).history, 0.0)

    assert ended >= 6


def test_a_run_ends_by_the_forecast() -> None:
    """A run whose objective is flat ends by itself, with the reason of the rule."""
    study = ts.Study({"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, minimize="loss", seed=0)
    study.run(lambda t: round(t["x"], 1), until=ts.stop.NoWorthwhileGain(), progress=False)

    assert 40 <= len(study.history) < 120


def test_of_very_many_trials_some_are_looked_at() -> None:
    """Of 700 trials the best and the last tell the same as all."""
    settled = told([0.001 if n == 100 else 1 + (n % 7) for n in range(700)])
    falling = told([1.0 + 1 / (n + 1) ** 0.1 for n in range(700)])

    assert ts.stop.NoWorthwhileGain().reason(settled.history, 0.0)
    assert not ts.stop.NoWorthwhileGain(gain=0.0).reason(falling.history, 0.0)


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"gain": -1.0}, "0 or above, got -1.0"),
        ({"gain": float("nan")}, "0 or above|number"),
        ({"chance": 0.0}, "between 0 and 1, got 0.0"),
        ({"trials": 0}, r"NoWorthwhileGain\(trials\)"),
    ],
)
def test_worth_has_bounds(wrong: dict[str, Any], sentence: str) -> None:
    """Gains, chances and numbers of trials that are none are refused by name."""
    with pytest.raises(ts.SettingError, match=sentence):
        ts.stop.NoWorthwhileGain(**wrong)
