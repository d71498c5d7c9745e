import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tunesmith as ts
from tunesmith.records import Fold, freeze, thaw
from tunesmith.records.events import (
    AnyEvent,
    Created,
    Enqueued,
    Finished,
    Part,
    Paused,
    Reported,
    Resumed,
    Saved,
    Started,
    from_lines,
    to_line,
)
from tunesmith.testing.logs import created, logs

SPACE: ts.Space[dict[str, Any]] = ts.Space({"x": ts.Float(0, 1)})
CREATED = created(SPACE)


def started(uid: str = "0.0", x: float = 0.5, **more: Any) -> Started:
    return Started(time=1.0, uid=uid, owner="a", params={"x": x}, basis=1, seed=3, **more)


def finished(uid: str = "0.0", attempt: int = 1, loss: float = 0.5) -> Finished:
    return Finished(time=2.0, uid=uid, attempt=attempt, state="complete", values={"loss": loss})


def reported(step: int, uid: str = "0.0", attempt: int = 1) -> Reported:
    return Reported(time=1.5, uid=uid, attempt=attempt, step=step, values={"loss": 1 / step})


def resumed(attempt: int, key: str = "", uid: str = "0.0") -> Resumed:
    return Resumed(time=1.7, uid=uid, attempt=attempt, owner="b", key=key, why="lost", basis=3)


def folded(*events: AnyEvent) -> "Fold[dict[str, Any]]":
    fold = Fold(CREATED, SPACE)
    for event in events:
        fold.apply(event)
    return fold


def test_what_attempts_used_is_put_together() -> None:
    """Amounts add up, the highest of peaks remains; where it ran last is said, and nothing hears of it twice."""
    events: list[AnyEvent] = [
        started(device="GPU 0"),
        Paused(time=2.0, uid="0.0", why="out of memory", cost={"usd": 2.0, "peak_bytes": 7.0}),
        resumed(2),
        Paused(time=3.0, uid="0.0", attempt=2, why="interrupted"),
        Resumed(time=4.0, uid="0.0", attempt=3, why="handed back", basis=3, worker="b", device="GPU 1"),
    ]  # fmt: skip
    (record,) = folded(*events).history
    told = Finished(
        time=5.0, uid="0.0", attempt=3, state="complete", values={"loss": 0.5},
        cost={"usd": 1.0, "peak_bytes": 3.0},
    )  # fmt: skip
    (ended,) = folded(*events, told, told).history

    assert record.cost == {"usd": 2.0, "peak_bytes": 7.0}
    assert ended.cost == {"usd": 3.0, "peak_bytes": 7.0}
    assert (ended.worker, ended.device, ended.alone) == ("b", "GPU 1", True)
    assert ended.begun().device == ""


def test_a_repeated_event_has_no_effect() -> None:
    """Start, report and end told twice are told once."""
    events: list[AnyEvent] = [started(), reported(1), reported(2), finished()]
    once = folded(*events)
    twice = folded(*(event for event in events for _ in range(2)))

    assert once.history == twice.history
    assert (once.length, twice.length) == (5, 9)
    assert once.decisions == twice.decisions == 1


def test_the_first_end_counts() -> None:
    """A second end, by whomever, changes nothing."""
    fold = folded(started(), finished(loss=0.5), finished(loss=0.1))

    assert fold.history[0].value == 0.5
    assert fold.apply(finished(loss=0.0)) is None


def test_a_superseded_attempt_has_no_effect() -> None:
    """After another process has resumed a trial, the first one's words are void."""
    fold = folded(started(), reported(1), resumed(2), reported(2), finished(attempt=1))

    assert fold.history[0].state == "running"
    assert fold.history[0].reports == 0
    fold.apply(finished(attempt=2, loss=0.25))
    assert fold.history[0].value == 0.25


def test_the_first_resumption_wins() -> None:
    """Two processes resume the same orphan; the second must try again with the next attempt."""
    fold = folded(started(), resumed(2))

    assert fold.apply(resumed(2)) is None
    assert fold.apply(resumed(4)) is None
    assert fold.history[0].attempt == 2
    assert fold.history[0].lost == 1


def test_resuming_cuts_reports_back_to_the_checkpoint() -> None:
    """Reports after the checkpoint's step are dropped from the record; earlier ones stay."""
    saved = Saved(time=1.6, uid="0.0", step=2, key="k")
    events: list[AnyEvent] = [started(), reported(1), reported(2), saved, reported(3)]

    assert folded(*events, resumed(2, key="k")).history[0].step == 2
    assert folded(*events, resumed(2)).history[0].step == 0
    assert folded(*events, resumed(2, key="k"), reported(3, attempt=2)).history[0].step == 3


def test_steps_strictly_increase() -> None:
    """A report that does not go on from the last has no effect."""
    assert folded(started(), reported(3), reported(2), reported(3)).history[0].reports == 1


def test_a_record_remembers_what_it_saw() -> None:
    """A record taken before a report does not change with it."""
    fold = folded(started(), reported(1))
    before = fold.history[0]
    fold.apply(reported(2))

    assert (before.reports, before.step) == (1, 1)
    assert (fold.history[0].reports, fold.history[0].step) == (2, 2)
    assert before.reported("loss")[1].tolist() == [1.0]


def test_a_late_end_counts_while_nobody_resumed() -> None:
    """A paused trial may still be told by the attempt that was interrupted."""
    pause = Paused(time=1.6, uid="0.0", why="interrupted")

    assert folded(started(), pause, finished()).history[0].state == "complete"
    assert folded(started(), pause, resumed(2), finished()).history[0].state == "running"


def test_queued_items_are_taken_by_their_start() -> None:
    """An item leaves the queue when a trial of it starts; told twice, it comes once."""
    item = Enqueued(time=1.0, id="q", params={"x": 0.25})
    fold = folded(item, item)

    assert list(fold.queue) == ["q"]
    fold.apply(started(item="q"))
    assert not fold.queue


def test_budget_counts() -> None:
    """Complete, stopped, running and scheduler-paused trials take the budget; others do not."""
    fold = folded(
        *(started(f"0.{n}") for n in range(6)),
        finished("0.0"),
        Finished(time=2.0, uid="0.1", state="stopped", why="scheduler"),
        Finished(time=2.0, uid="0.2", state="failed"),
        Paused(time=2.0, uid="0.3", why="scheduler"),
        Paused(time=2.0, uid="0.4", why="interrupted"),
    )

    assert fold.history.taken == 4
    fold.apply(resumed(2, uid="0.3"))
    fold.apply(resumed(2, uid="0.4"))
    assert fold.history.taken == 5


def test_forks_take_no_budget_and_know_where_they_come_from() -> None:
    """A fork goes on with the budget of the trial that began anew; its schedule is the whole line's."""
    fold = folded(
        started("0.0", x=0.1),
        *(reported(step) for step in range(1, 5)),
        Paused(time=2.0, uid="0.0", why="scheduler"),
        started("0.1", x=0.2, source="fork", parent="0.0", fork_step=4),
        reported(5, "0.1"),
        started("0.2", x=0.3, source="fork", parent="0.1", fork_step=5),
    )
    history = fold.history

    assert history.taken == 1
    fold.apply(finished("0.2"))
    fold.apply(Finished(time=2.0, uid="0.1", state="failed"))
    assert history.taken == 1
    assert history.lineage(history[2]) == history[:3]
    assert history[2].schedule == [(1, {"x": 0.1}), (5, {"x": 0.2}), (6, {"x": 0.3})]
    assert history[0].schedule == [(1, {"x": 0.1})]


events = logs({"x": 0.5})


@given(events)
def test_any_order_of_events_folds(sequence: list[AnyEvent]) -> None:
    """Whatever comes, numbers are whole, counts add up, and unfinished trials are known."""
    history = folded(*sequence).history

    assert [r.number for r in history] == list(range(len(history)))
    states = ("running", "paused", "complete", "stopped", "failed")
    assert [history.count(state) for state in states] == [  # type: ignore[arg-type]
        sum(r.state == state for r in history) for state in states
    ]
    assert history.unfinished == [r for r in history if not r.finished]
    assert history.open == [r for r in history.unfinished if not r.scheduled]


@given(events)
def test_replay_equals_live(sequence: list[AnyEvent]) -> None:
    """Written, read and folded again, a log gives the same study."""
    lines = [to_line(event) for event in sequence]

    assert folded(*from_lines(lines)).history == folded(*sequence).history


@given(events)
def test_a_kept_fold_is_the_fold(sequence: list[AnyEvent]) -> None:
    """Frozen and thawed, a fold and what was heard go on alike."""
    fold = Fold(CREATED, SPACE)
    records = [record for event in sequence if (record := fold.apply(event)) is not None]
    heard = [r.number if r.event == "started" else r for r in records]

    thawed = thaw(freeze(fold, heard), CREATED, SPACE)

    assert thawed is not None
    again, told = thawed
    assert again.history == fold.history
    assert told == heard
    assert (again.length, again.decisions, again.queue, again.notes) == (
        fold.length, fold.decisions, fold.queue, fold.notes,
    )  # fmt: skip
    follow: list[AnyEvent] = [started("0.9"), reported(9), finished("0.9"), resumed(3)]
    assert [again.apply(e) for e in follow] == [fold.apply(e) for e in follow]


def test_a_kept_fold_of_another_log_is_not_taken() -> None:
    """Bytes of another study, another version or no bytes of ours at all are left aside."""
    fold = folded(started())
    other = created(SPACE, seed=8)

    assert thaw(freeze(fold, []), other, SPACE) is None
    assert thaw(b"garbage", CREATED, SPACE) is None


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "logs").glob("*.jsonl")), ids=str)
def test_stored_logs_of_every_format_are_read(path: Path) -> None:
    """A log of each released format folds to what stands beside it."""
    lines = path.read_text().splitlines()
    created, *rest = from_lines(lines)
    assert isinstance(created, Created)
    fold: Fold[Any] = Fold(created)
    for event in rest:
        fold.apply(event)
    table = fold.history.to_dict()

    expected = json.loads(path.with_suffix(".json").read_text())
    assert json.loads(json.dumps(table).replace("NaN", "null")) == expected


@pytest.mark.parametrize(
    "line, sentence",
    [
        ('{"event":"started"}', "line 5 of the log is no event"),
        ('{"event":"danced","time":1.0}', "line 5 of the log is no event"),
        ('{"event":"joined","time":1.0,"owner":"a","handle":0,"colour":"red"}', "unknown field"),
        ("{", "line 5 of the log is no event"),
    ],
)
def test_lines_that_are_no_events_are_refused(line: str, sentence: str) -> None:
    """The sentence has the line's position and what is wrong with it."""
    with pytest.raises(ts.LogError, match=sentence):
        from_lines([to_line(started()), line], start=4)


def test_a_newer_format_is_refused() -> None:
    """A log of a later version is not misread."""
    newer = Created(time=0.0, format=2, problem=CREATED.problem, seed=8, sampler=Part("random"))

    with pytest.raises(ts.LogError, match="format 2, this version reads 1"):
        Fold(newer, SPACE)


def test_stretches_of_work_are_told_apart() -> None:
    """Until a pause, until the last report of what was lost, and the current one."""
    paused = Paused(time=4.0, uid="0.0", attempt=2, why="scheduler")
    again = Resumed(time=9.0, uid="0.0", attempt=3, owner="b", why="scheduler", basis=3)
    [record] = folded(started(), reported(1), resumed(2), paused, again).history

    assert record.spells == ((1.0, 1.5, "lost"), (1.7, 4.0, "scheduler"))
    assert record.begun_at == record.seen_at == 9.0


@given(logs({"x": 0.5}), st.integers(0, 30))
def test_a_copy_of_a_history_stays_as_it_is(events: list[AnyEvent], cut: int) -> None:
    """Whatever comes after it, it is the history of the log up to there."""
    fold = folded(*events[:cut])
    copied = fold.history.copy()
    for event in events[cut:]:
        fold.apply(event)
    then = folded(*events[:cut]).history

    assert copied == then
    assert copied.unfinished == then.unfinished
    assert copied.open == then.open
    assert (copied.taken, copied.spent, copied.since_best) == (
        then.taken, then.spent, then.since_best
    )  # fmt: skip
