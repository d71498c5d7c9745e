import math
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.simulator import Course, simulate

PROBLEM = ts.Study(
    {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", max=9)
).problem
SCHEDULERS = [
    None,
    ts.schedulers.ASHA(),
    ts.schedulers.SuccessiveHalving(),
    ts.schedulers.Hyperband(),
]


def falling(record: ts.Record[dict[str, Any]]) -> Course:
    """A curve that falls towards x."""
    return Course({"loss": [record.params["x"] + 1 / step for step in range(1, 10)]})


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("resumable", [True, False])
def test_with_one_worker_it_is_the_study_that_is_run(scheduler: Any, resumable: bool) -> None:
    """Trials, reports and ends are those of a study whose objective reports the same."""
    options: dict[str, Any] = {"sampler": ts.samplers.TPE(), "scheduler": scheduler, "seed": 3}
    real = ts.Study(PROBLEM.space, minimize="loss", resource=PROBLEM.resource, **options)

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        if resumable:
            trial.resumable()
        for step in trial.steps():
            trial.report(step, loss=trial["x"] + 1 / step)

    real.run(train, trials=24, progress=False)
    steps = sum(record.step for record in real.history[:12])
    simulated = simulate(PROBLEM, falling, steps=steps, resumable=resumable, **options)

    for one, other in zip(simulated.history[:8], real.history[:8], strict=True):
        assert (one.params, one.seed, one.source) == (other.params, other.seed, other.source)
    if not resumable:  # else the real run may have come back to a trial at its end
        for one, other in zip(simulated.history[:8], real.history[:8], strict=True):
            assert (one.state, one.step, one.values) == (other.state, other.step, other.values)
    assert simulated.verify()


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_times_in_the_log_are_virtual(scheduler: Any) -> None:
    """Four workers do 90 steps of 2 seconds in 45; the log begins at 0, and it can be verified."""
    study = simulate(
        PROBLEM,
        lambda record: Course({"loss": [record.params["x"]] * 9}, seconds=2.0),
        sampler=ts.samplers.Random(),
        scheduler=scheduler,
        workers=4,
        steps=90,
    )

    assert study.history.spent == 90
    assert study.history[0].started == 0.0
    times = [time for record in study.history if record.curve for time in record.curve.times]
    assert sorted(times)[:4] == [2.0] * 4
    assert max(times) == pytest.approx(45, abs=2)
    assert study.verify()


def test_steps_may_take_different_times() -> None:
    """A trial that is quick reports first, and a report may stand for several steps."""
    study = simulate(
        PROBLEM,
        lambda record: (
            Course({"loss": [1.0, 0.5]}, steps=[3, 9], seconds=10.0)
            if record.number
            else Course({"loss": [1.0, 0.5]}, steps=[3, 9], seconds=[5.0, 7.0])
        ),
        sampler=ts.samplers.Random(),
        scheduler=None,
        workers=2,
        steps=18,
    )

    first, second = study.history[:2]
    assert first.curve is not None
    assert second.curve is not None
    assert list(first.curve.times) == [5.0, 12.0]
    assert list(second.curve.times) == [30.0, 90.0]


def test_a_trial_that_is_paused_goes_on_where_it_was() -> None:
    """Its curve has each step once, and its later steps come later in time."""
    study = simulate(
        PROBLEM, falling, sampler=ts.samplers.Random(), steps=60, seed=1,
        scheduler=ts.schedulers.SuccessiveHalving(),
    )  # fmt: skip
    best = study.best

    assert best.attempt > 1
    assert best.curve is not None
    assert list(best.curve.steps) == list(range(1, 10))
    assert best.curve.times[-1] - best.curve.times[0] > 8


def test_what_fails_or_diverges_ends_so() -> None:
    """A failure has its words; a loss that is no number is a divergence; what is cut is not known."""
    courses = [
        Course({"loss": [1.0]}, failure="the disk is full"),
        Course({"loss": [1.0, math.nan, 1.0]}),
        Course({"loss": [1.0, 0.9], "accuracy": [math.nan, 0.5]}, cut=True),
        Course({"loss": [1.0]}, result={"loss": 0.25}),
    ]
    study = simulate(
        PROBLEM, lambda record: courses[record.number % 4], sampler=ts.samplers.Random(),
        scheduler=None, steps=6,
    )  # fmt: skip
    failed, diverged, cut, returned = study.history[:4]

    assert failed.failure is not None
    assert failed.failure.text == "the disk is full"
    assert diverged.failure is not None
    assert (diverged.failure.kind, diverged.step) == ("diverged", 2)
    assert cut.failure is not None
    assert "after step 2" in cut.failure.text
    assert returned.value == 0.25


def test_a_sampler_that_is_exhausted_ends_it() -> None:
    """Without a number of steps all that there is is tried."""
    study = simulate(PROBLEM, falling, sampler=ts.samplers.Grid(5), scheduler=None, workers=3)

    assert len(study.history) == 5
    assert study.history.count("complete") == 5


@pytest.mark.parametrize("options", [{"workers": 0}, {"steps": 0}, {"workers": 1.5}])
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    """By the name of the argument."""
    with pytest.raises(ts.SettingError, match=rf"simulate\({next(iter(options))}="):
        simulate(PROBLEM, falling, **options)
