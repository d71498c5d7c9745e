import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Problem
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler
from tunesmith.simulator import Course, Recorded, simulate

EPOCHS = ts.Resource("epoch", max=9)
PROBLEM = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", resource=EPOCHS).problem


def falling(record: ts.Record[dict[str, Any]]) -> Course:
    """A curve that falls towards x; each step takes 2 s."""
    return Course({"loss": [record.params["x"] + 1 / step for step in range(1, 10)]}, seconds=2.0)


def recorded(
    scheduler: Any = None,
    steps: int = 270,
    course: Callable[[ts.Record[Any]], Course] = falling,
    *,
    resumable: bool = True,
) -> ts.Study[Any]:
    """A study that was run by one worker."""
    return simulate(
        PROBLEM, course, sampler=ts.samplers.Random(), scheduler=scheduler, steps=steps,
        resumable=resumable, seed=2,
    )  # fmt: skip


def test_under_the_same_settings_it_is_what_it_was() -> None:
    """Trials, steps, result and time come out again."""
    study = recorded()
    again = Recorded(study.history)

    assert again.under(None) == again.outcome
    assert again.outcome.spent == 270
    assert again.outcome.reached == 9 * (study.best.number + 1)
    assert again.outcome.reached_s == 2.0 * again.outcome.reached
    assert again.outcome.open == ()


def test_a_scheduler_comes_to_the_same_best_with_fewer_steps() -> None:
    """Curves that never cross: the best trial is found, and the others are not trained to the end."""
    again = Recorded(recorded().history)
    outcome = again.under(ts.schedulers.SuccessiveHalving(), workers=4)

    assert outcome.best is not None
    assert again.outcome.best is not None
    assert outcome.best.params == again.outcome.best.params
    assert outcome.reached is not None
    assert outcome.spent < 0.5 * again.outcome.spent
    assert outcome.complete < 10
    assert outcome.open == ()


def test_more_workers_take_less_time_for_the_same_steps() -> None:
    """30 full trainings by 3 workers."""
    again = Recorded(recorded().history)
    one, three = again.under(None), again.under(None, workers=3)

    assert one.spent == three.spent
    assert one.reached_s is not None
    assert three.reached_s is not None
    assert three.reached_s <= one.reached_s / 3 + 18


def test_what_is_not_known_is_said() -> None:
    """Trials that were stopped would have gone on if nobody had stopped them: their numbers come out."""
    study = recorded(ts.schedulers.ASHA(), resumable=False)
    stopped = {r.number for r in study.history if r.state in ("stopped", "running")}
    outcome = Recorded(study.history).under(None)

    assert set(outcome.open) == stopped
    assert stopped
    assert outcome.complete == study.history.count("complete")


def test_failures_come_again() -> None:
    """At the step at which they were, and are nothing that would have gone on."""
    study = recorded(
        course=lambda record: (
            Course({"loss": [1.0, math.nan]}) if record.number % 2 else falling(record)
        )
    )
    outcome, before = Recorded(study.history).under(None), Recorded(study.history).outcome

    assert (outcome.best, outcome.spent, outcome.complete) == (
        before.best, before.spent, before.complete,
    )  # fmt: skip
    assert outcome.open == tuple(r.number for r in study.history if r.state == "running")


@dataclass(frozen=True)
class Forking(Scheduler[dict[str, int]]):
    """Pauses each trial once, and goes on with a copy of it."""

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> dict[str, int]:
        return {}

    def tell(self, state: dict[str, int], records: Sequence[ts.Record[Any]]) -> dict[str, int]:
        return state | {record.uid: record.step for record in records if record.scheduled}

    def due(self, state: dict[str, int], record: ts.Record[Any]) -> int:
        return 3

    def decide(self, state: dict[str, int], record: ts.Record[Any]) -> Decision:
        return "pause"

    def revive(
        self, state: dict[str, int], rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        forks: list[Resume | Fork] = [Fork(uid, at, {"x": 0.5}) for uid, at in state.items()]
        return forks[:n]

    def room(self, state: dict[str, int]) -> None:
        return None

    def keeps(self, state: dict[str, int]) -> set[tuple[str, int]]:
        return set(state.items())


def test_a_scheduler_that_changes_params_is_refused() -> None:
    """What a trial would have reported under params of another is in no record."""
    with pytest.raises(ts.NotSupported, match="Forking goes on with a trial under other params"):
        Recorded(recorded().history).under(Forking())


def test_a_simulated_fork_goes_on_along_the_course_of_its_own_params() -> None:
    """From the step at which it was made."""
    study = recorded(Forking(), steps=7)
    fork = next(record for record in study.history if record.source == "fork")

    assert fork.fork_step == 3
    steps, losses = fork.reported("loss")
    assert steps[0] == 4
    assert losses[0] == 0.5 + 1 / 4


def test_what_breaks_a_limit_does_not_count() -> None:
    """A trial is as good as the best one only if it keeps the limits, too."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", subject_to=["size <= 1"], resource=EPOCHS,
        scheduler=None, seed=0,
    )  # fmt: skip
    for x, size in ((0.1, 2.0), (0.5, 0.5), (0.3, 0.7)):
        study.enqueue({"x": x})
        trial = study.ask()
        if not trial.number:  # the default comes before what is queued
            study.fail(trial)
            trial = study.ask()
        for step in trial.steps():
            trial.report(step, loss=x + 1 / step, size=size)
        study.tell(trial)
    outcome = Recorded(study.history).under(None)

    assert outcome.best is not None
    assert outcome.best.params == {"x": 0.3}
    assert outcome.reached == outcome.spent == 27


def test_without_a_resource_the_longest_curve_is_one() -> None:
    """A study that reported has curves, whether or not it declared how long they are."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", sampler=ts.samplers.Random(), seed=0)

    def train(trial: ts.Trial[Any]) -> None:
        for step in range(1, 10):
            trial.report(step, loss=trial["x"] + 1 / step)

    study.run(train, trials=20, progress=False)
    again = Recorded(study.history)

    assert again.problem.resource == ts.Resource("step", max=9)
    assert not again.resumable
    assert again.under(ts.schedulers.ASHA()).spent < 180


@pytest.mark.parametrize(
    "options, reports, sentence",
    [
        ({"minimize": "loss"}, False, "no trial has reported loss step by step"),
        ({"minimize": ["loss", "ms"]}, False, r"several objectives \(loss, ms\)"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    options: dict[str, Any], reports: bool, sentence: str
) -> None:
    """The sentence says what is missing."""
    study = ts.Study({"x": ts.Float(0, 1)}, **options)
    study.tell(study.ask(), loss=1.0, ms=2.0)
    with pytest.raises(ts.TunesmithError, match=sentence):
        Recorded(study.history)


def test_a_study_without_a_result_is_refused() -> None:
    """There is nothing to reach."""
    with pytest.raises(ts.NoTrials, match="no trial has completed"):
        Recorded(ts.Study({"x": ts.Float(0, 1)}, minimize="loss").history)
