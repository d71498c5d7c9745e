from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import forecast
from tunesmith.records import History, Objective, Problem, Record
from tunesmith.space import Params, Space


def history(
    values: list[float],
    spans: list[tuple[float, float]] | None = None,
    space: dict[str, Any] | None = None,
    direction: Any = "minimize",
) -> History[Params]:
    """Trials that completed with these values, each from and until a moment."""
    problem = Problem(Space(space or {"x": ts.Float(0, 1)}), (Objective("loss", direction),))
    kept: History[Params] = History(problem)
    for number, value in enumerate(values):
        begun, ended = spans[number] if spans else (number, number + 1)
        kept.put(
            Record(
                problem=problem, number=number, uid=f"0.{number}", logged={"x": number / 1000},
                started=begun, seed=1, basis=0, state="complete", values={"loss": value}, ended=ended,
            )
        )  # fmt: skip
    return kept


def test_a_search_that_improves_gains_more_than_one_that_is_done() -> None:
    """Steady progress is forecast to go on; the same best for long is not."""
    improving = forecast(history([1 / (n + 1) for n in range(40)]))
    done = forecast(history([0.02, *(1 / (n % 10 + 1) for n in range(39))]))

    assert improving.chance > 0.8
    assert done.chance < 0.5
    assert improving.interval[1] > improving.gain > done.gain == 0


def test_what_is_maximised_gains_alike() -> None:
    """A forecast of the mirrored values is the same, of the mirrored best."""
    values = [0.3, 0.8, 0.5, 0.4, 0.9, 0.2, 0.7, 0.6, 0.25]
    down = forecast(history(values))
    up = forecast(history([-value for value in values], direction="maximize"))

    assert (up.gain, up.interval, up.chance) == (down.gain, down.interval, down.chance)
    assert up.best == -down.best == -0.2


def test_times_are_those_of_trials_side_by_side() -> None:
    """Two at once for 4 s each, a night in between: 50 more take 100 s, and without scatter just that."""
    spans = [(8.0 * (n // 2), 8.0 * (n // 2) + 4) for n in range(20)]
    spans[10:] = [(a + 40_000, b + 40_000) for a, b in spans[10:]]
    told = forecast(history([1.0 + n % 7 for n in range(20)], spans))

    assert told.seconds == pytest.approx(100)
    assert list(told.seconds_interval) == pytest.approx([100, 100])


def test_scatter_makes_the_time_uncertain() -> None:
    """Trials of 1 and of 9 s: the interval holds the mean, and both sides."""
    spans = [(10.0 * n, 10.0 * n + 1 + 8 * (n % 2)) for n in range(20)]
    told = forecast(history([1.0 + n % 7 for n in range(20)], spans), 10)
    low, high = told.seconds_interval

    assert told.seconds == pytest.approx(50)
    assert 10 < low < 40
    assert 60 < high < 90


def test_no_more_trials_than_there_are_configurations() -> None:
    """Of 12 configurations 10 are tried: two are left, and then none."""
    space = {"x": ts.Categorical([n / 1000 for n in range(12)])}
    values = [1.0 + n % 7 for n in range(12)]

    assert forecast(history(values[:10], space=space)).trials == 2
    assert forecast(history(values, space=space)).chance == 0


def test_what_cannot_be_forecast_is_refused() -> None:
    """Too few trials, several objectives, a number of trials that is none."""
    several = ts.Study({"x": ts.Float(0, 1)}, minimize=["loss", "ms"])

    with pytest.raises(ts.NoTrials, match="needs 8 completed trials, there are 3"):
        forecast(history([1.0, 2.0, 3.0]))
    with pytest.raises(ts.NotSupported, match="one objective, the study has loss, ms"):
        several.forecast()
    with pytest.raises(ts.SettingError, match=r"forecast\(trials\)"):
        forecast(history([1.0] * 9), 0)


def test_it_is_said_in_words() -> None:
    """Gain, interval, chance and time; of noise only what is known."""
    text = str(forecast(history([1 / (n + 1) for n in range(40)])))

    assert text.startswith("50 more trials: loss 0.025 gets better by ")
    assert "at all with a chance of" in text
    assert text.endswith("that takes 50 s (50 s to 50 s)")


def test_what_is_evaluated_repeatedly_counts_once() -> None:
    """By the mean of its evaluations; more trials are more configurations, which take as many evaluations."""
    space = {"x": ts.Int(0, 19)}
    study = ts.Study(space, minimize="loss", replicates=3, sampler=ts.samplers.Random(), seed=1)
    study.run(lambda trial: trial["x"] + trial.replicate, trials=10, progress=False)
    told = study.forecast(5)

    assert told.best == study.best.value
    assert told.trials == 5
    assert study.forecast(50).trials == 10
    assert study.overtuning().validation[-1] == study.best.value
    assert len(study.overtuning().trials) == 10


def test_who_was_lucky_once_is_not_the_best() -> None:
    """Where the best are evaluated again, a single better value is none yet, for the stop rule neither."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", seed=1, sampler=ts.samplers.Random(),
        replicates=ts.replication.Racing(share=0.2),
    )  # fmt: skip
    for _ in range(80):
        trial = study.ask()
        study.tell(trial, float(np.random.default_rng([trial.seed, trial.number]).normal()))
    lucky = min(r.value for r in study.history.contenders())

    assert study.best.value > lucky
    assert study.forecast(20).best == study.best.value


def test_trials_that_keep_the_limits_are_too_few() -> None:
    """That, and not that none has completed."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", subject_to="ms <= 1", seed=1)
    study.run(lambda trial: {"loss": 0.0, "ms": 2.0}, trials=9, progress=False)

    with pytest.raises(ts.NoTrials, match="8 completed trials that keep ms <= 1, there are 0"):
        study.forecast()
    with pytest.raises(ts.NoTrials, match="none of 9 completed trials keeps ms <= 1"):
        study.overtuning()


def test_too_few_are_counted_as_what_they_are() -> None:
    """One is not "are 1", and evaluations of one configuration are none of several trials."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1, replicates=2)
    for _ in range(2):
        study.tell(study.ask(), 1.0)

    with pytest.raises(ts.NoTrials, match="needs 8 completed configurations, there is 1;"):
        study.forecast()


def test_what_is_left_is_counted_in_words() -> None:
    """One more trial is no "trials", and of none left no gain is foretold."""
    study = ts.Study({"x": ts.Int(0, 8)}, minimize="loss", seed=1)
    for _ in range(8):
        study.tell(study.ask(), 1.0)
    assert str(study.forecast(50)).startswith("1 more trial: loss 1 gets better by ")
    study.tell(study.ask(), 1.0)
    assert str(study.forecast(50)) == "every configuration has been tried: loss stays 1"
