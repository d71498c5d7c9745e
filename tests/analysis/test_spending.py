from collections.abc import Sequence
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.analysis import Spending, spending
from tunesmith.records import Fold, History
from tunesmith.records.events import (
    AnyEvent,
    Finished,
    Paused,
    PauseReason,
    Reported,
    Resumed,
    Saved,
    Started,
)
from tunesmith.testing.logs import created

SPACE: ts.Space[dict[str, Any]] = ts.Space({"x": ts.Float(0, 1)})


def started(n: int, time: float, **more: Any) -> Started:
    return Started(
        time=time, uid=f"0.{n}", owner="a", params={"x": n / 100}, basis=1, seed=n, **more
    )


def ended(n: int, time: float, state: Any = "complete", **more: Any) -> Finished:
    return Finished(time=time, uid=f"0.{n}", state=state, values={"loss": n}, **more)


def paused(n: int, time: float, why: PauseReason = "scheduler", attempt: int = 1) -> Paused:
    return Paused(time=time, uid=f"0.{n}", attempt=attempt, why=why)


def resumed(
    n: int, time: float, attempt: int = 2, why: Any = "scheduler", key: str = ""
) -> Resumed:
    return Resumed(time=time, uid=f"0.{n}", attempt=attempt, owner="b", why=why, basis=1, key=key)


def history_of(events: Sequence[AnyEvent]) -> History[dict[str, Any]]:
    fold = Fold(created(SPACE), SPACE)
    for event in events:
        fold.apply(event)
    return fold.history


def shares(found: Spending) -> dict[str, float]:
    return {one.kind: one.seconds for one in found.by_state}


def test_time_goes_where_trials_went() -> None:
    """Two workers for 100 s: one failed early, one was stopped, and one half of the time was idle."""
    found = spending(
        history_of(
            [
                started(0, 0.0), started(1, 0.0), ended(1, 20.0, "failed"), started(2, 20.0, ask_s=5.0),
                ended(2, 50.0, "stopped"), ended(0, 100.0),
            ]
        )
    )  # fmt: skip

    assert shares(found) == {"complete": 100.0, "stopped": 30.0, "failed": 20.0}
    assert [one.kind for one in found.by_state] == ["complete", "stopped", "failed"]
    assert (found.work_s, found.wall_s, found.workers) == (150.0, 100.0, 2)
    assert found.utilisation == pytest.approx(0.75)
    assert found.asking_s == 5.0
    assert found.best_s == 150.0


def test_pauses_are_no_work() -> None:
    """A trial that waited for its scheduler worked 10 s and 5 s."""
    history = history_of(
        [started(0, 0.0), paused(0, 10.0), resumed(0, 30.0), ended(0, 35.0, attempt=2)]
    )

    assert shares(spending(history)) == {"complete": 15.0}
    assert history[0].spells == ((0.0, 10.0, "scheduler"),)
    assert history[0].begun_at == 30.0
    assert history[0].duration_s == 35.0


def test_a_lost_attempt_counts_to_its_last_report() -> None:
    """What died after a report at 8 s took 8 s, and is told apart; what never reported took nothing."""
    report = Reported(time=8.0, uid="0.0", step=1, values={"loss": 1.0})
    events: list[AnyEvent] = [
        started(0, 0.0), report, resumed(0, 50.0, why="lost"), resumed(0, 60.0, attempt=3, why="lost"),
        ended(0, 70.0, attempt=3),
    ]  # fmt: skip
    found = spending(history_of(events))

    assert shares(found) == {"complete": 10.0, "lost": 8.0}
    assert {one.kind: one.trials for one in found.by_state} == {"complete": 1, "lost": 1}
    assert "56% for what completed, 44% for what was lost" in str(found)


def test_what_was_dropped_while_it_was_paused_ended_without_work() -> None:
    """Its scheduler ended it long after."""
    found = spending(history_of([started(0, 0.0), paused(0, 10.0), ended(0, 500.0, "stopped")]))

    assert shares(found) == {"stopped": 10.0}


def test_reports_before_a_checkpoint_do_not_count_twice() -> None:
    """A resumed attempt begins when it begins, not at the reports that it goes on from."""
    events: list[AnyEvent] = [
        started(0, 0.0), Reported(time=4.0, uid="0.0", step=1, values={"loss": 1.0}, resumable=True),
        Saved(time=4.5, uid="0.0", step=1, key="k"), paused(0, 5.0, "pre-empted"),
        resumed(0, 20.0, why="handed back", key="k"),
    ]  # fmt: skip
    history = history_of(events)

    assert history[0].reports == 1
    assert history[0].seen_at == 20.0
    assert shares(spending(history)) == {"running": 5.0}


def test_breaks_are_left_out() -> None:
    """Between two runs of an hour lies a night; each has its own number of workers."""
    found = spending(
        history_of(
            [
                started(0, 0.0), started(1, 0.0), ended(0, 3600.0), ended(1, 3600.0),
                started(2, 40_000.0), ended(2, 43_600.0),
            ]
        )
    )  # fmt: skip

    assert (found.wall_s, found.breaks, found.workers) == (7200.0, 1, 2)
    assert found.utilisation == pytest.approx(1.0)
    assert str(found).startswith(
        "3 h of work in 2 h, at most 2 trials at once: workers were busy 100% of it, with 1 break"
    )


def test_what_runs_counts_to_the_last_sign_of_life_of_any() -> None:
    """The log has no later moment."""
    found = spending(history_of([started(0, 0.0), started(1, 0.0), ended(1, 30.0)]))

    assert shares(found) == {"complete": 30.0, "running": 30.0}


def test_steps_replicates_and_costs() -> None:
    """Of a study with a resource and repeated evaluations."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", seed=1, replicates=2, resource=ts.Resource("epoch", max=3),
        scheduler=None,
    )  # fmt: skip

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        for epoch in trial.steps():
            trial.report(epoch, loss=trial["x"])

    found = study.run(train, trials=4, progress=False).spending()
    again = spending(history_of([started(0, 0.0), ended(0, 5.0, cost={"usd": 0.25})]))

    assert (found.steps, found.resource) == (24, "epoch")
    assert found.again_s > 0
    assert "in further evaluations of configurations" in str(found)
    assert again.cost == {"usd": 0.25}


def test_nothing_began() -> None:
    """It says so; and of what took no time that no time was spent."""
    with pytest.raises(ts.NoTrials, match="no trial has begun"):
        spending(history_of([]))
    assert str(spending(history_of([started(0, 1.0), ended(0, 1.0)]))) == (
        "the log tells of no time that was spent"
    )
