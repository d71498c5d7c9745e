from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

import tunesmith as ts
from tunesmith.records import Curve, Objective, Problem, Record

X = {"x": ts.Float(0, 1)}
EPOCHS = ts.Resource("epoch", max=9)


def study_of(scheduler: ts.schedulers.Scheduler[Any] | None = None) -> ts.Study[dict[str, Any]]:
    chosen = scheduler or ts.schedulers.ASHA()
    return ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=chosen, seed=0)


def stops(trial: ts.Trial[Any], step: int, **values: float) -> bool:
    return trial.decide(step, values)


def test_the_first_of_a_rung_goes_on_if_it_cannot_save() -> None:
    """Then it goes by who came before: the best third, rounded up."""
    study = study_of()
    trials = study.ask(5)
    losses = [0.5, 0.4, 0.45, 0.44, 0.46]

    ended = [stops(t, 1, loss=loss) for t, loss in zip(trials, losses, strict=True)]
    assert ended == [False, False, True, False, True]


def test_equal_results_are_no_reason_to_go_on() -> None:
    """Of nine equal trials the first three pass."""
    study = study_of()
    assert [stops(t, 1, loss=1.0) for t in study.ask(9)] == [False] + [True] * 2 + [True] * 6


def test_a_report_without_a_result_is_not_judged() -> None:
    """The next one with a result is, wherever it comes."""
    study = study_of()
    first, second, third = study.ask(3)
    assert not stops(first, 1, loss=0.1)
    assert not stops(second, 1, train_loss=0.1)
    assert not stops(third, 2, train_loss=0.1)
    assert stops(second, 2, loss=0.9)
    assert not stops(third, 3, loss=0.9)  # the first in the rung at 3


def test_what_jumps_over_a_rung_is_compared_where_it_lands() -> None:
    """Three steps of training are not held against one."""
    study = study_of()
    first, jumper, third = study.ask(3)
    assert not stops(first, 1, loss=0.5)
    assert not stops(jumper, 3, loss=0.1)
    assert not stops(third, 1, loss=0.4)  # better than the only one that reported there


def test_a_rung_that_was_passed_is_not_judged_again() -> None:
    """A trial that was lost and begins anew goes on as far as it was let go on before."""
    scheduler = ts.schedulers.ASHA()
    problem = Problem(ts.Space(X), (Objective("loss", "minimize"),), resource=EPOCHS)
    state = scheduler.init(problem, np.random.default_rng(0))
    trials = [
        Record(problem=problem, number=n, uid=f"0.{n}", logged={}, started=0, seed=0, basis=0)
        for n in range(7)
    ]
    for trial in trials:
        state = scheduler.tell(state, [trial])
        curve = Curve()
        curve.append(1, 0.0, {"loss": 1 - trial.number / 10})
        report = replace(
            trial, curve=curve, reports=1, reporting=True, values={"loss": 1 - trial.number / 10}
        )
        state = scheduler.tell(state, [report])
        assert scheduler.decide(state, report) == "continue"

    again = replace(trials[0], attempt=2, why="lost")
    assert scheduler.due(scheduler.tell(state, [again]), again) == 3


@pytest.mark.parametrize("factor", ["3", 1, 0.5, float("nan"), None])
def test_a_factor_that_is_none_is_refused(factor: Any) -> None:
    """The sentence says what a factor is."""
    with pytest.raises(ts.SettingError, match=r"ASHA\(factor="):
        study_of(ts.schedulers.ASHA(factor))


@pytest.mark.parametrize("tells", [True, False])
def test_a_low_rung_has_to_prove_itself(*, tells: bool) -> None:
    """Ten trials pass the first rung, and all of them where its order says nothing of the next one's."""
    study = ts.Study(X, minimize="loss", resource=ts.Resource("epoch", max=81), seed=0)
    rng = np.random.default_rng(0)
    passed = []
    for trial in study.ask(40):
        first = rng.random()
        ended = trial.decide(1, loss=first)
        passed.append(not ended)
        if not ended and not trial.decide(3, loss=first if tells else rng.random()):
            trial.decide(9, loss=first)

    assert all(passed[:10])
    assert sum(passed[10:]) < 15 if tells else all(passed[10:])
