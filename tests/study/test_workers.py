import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts

X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=1, **options)


def test_workers_run_closures_with_reports_and_notes(tmp_path: Path) -> None:
    """Four processes: numbers are whole, reports and notes are kept, every decision is verified."""
    scale = 2.0

    def train(trial: T) -> None:
        trial.note("seen")
        for step in range(1, 4):
            trial.report(step, loss=scale * trial["x"] / step, pid=os.getpid())

    study = study_of(name="s", storage=tmp_path / "s.db")
    study.run(train, trials=20, workers=4, progress=False)

    assert [r.state for r in study.history] == ["complete"] * 20
    assert all(r.value == 2 * r.params["x"] / 3 and r.reports == 3 for r in study.history)
    assert len(study.notes) == 20
    pids = {r.values["pid"] for r in study.history}
    assert len(pids) <= 4  # a trial is short: three may have done all before the fourth begins
    assert os.getpid() not in pids
    assert study.verify()
    assert list(ts.load(tmp_path / "s.db", "s").history) == list(study.history)


@pytest.mark.parametrize(
    "harm, kind, attempts",
    [
        (lambda: ctypes.string_at(0), "lost", 2),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "lost", 2),
        (lambda: os._exit(3), "lost", 2),
        (lambda: sys.exit(3), "error", 1),
        (lambda: time.sleep(60), "timed out", 1),
    ],
    ids=["segfault", "killed", "left", "sys.exit", "hung"],
)
def test_only_the_harmful_trial_fails(harm: Callable[[], object], kind: str, attempts: int) -> None:
    """It fails with the right kind, after its retries; the others go on."""

    def objective(trial: T) -> float:
        if trial.number == 2:
            harm()
        return float(trial["x"])

    study = study_of().run(
        objective, trials=6, workers=2, trial_timeout=8.0 if kind == "timed out" else None,
        progress=False,
    )  # fmt: skip

    failed = [r for r in study.history if r.state == "failed"]
    assert [(r.number, r.failure and r.failure.kind, r.attempt) for r in failed] == [
        (2, kind, attempts)
    ]
    assert study.history.count("complete") == 6


def leak() -> None:
    kept = []
    while True:
        kept.append(bytearray(10_000_000))


def fork() -> None:
    if os.fork() == 0:
        return
    if os.fork() == 0:
        time.sleep(3600)


class Grudge:
    """Raises when it is dropped."""

    def __del__(self) -> None:
        raise RuntimeError("in __del__")


@pytest.mark.parametrize(
    "harm, kinds",
    [
        (leak, ["out of memory"]),
        (fork, []),
        (lambda: print("x" * 5_000_000), []),
        (Grudge, []),
    ],
    ids=["leaks", "forks", "shouts", "drops"],
)
def test_what_a_trial_leaves_behind_harms_no_other(
    harm: Callable[[], object], kinds: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Memory has a limit, processes that it forked tell nothing, what it prints passes."""

    def objective(trial: T) -> float:
        if trial.number == 2:
            harm()
        return float(trial["x"])

    study = study_of().run(objective, trials=6, workers=2, trial_memory=300_000_000, progress=False)

    assert [r.failure.kind for r in study.history if r.failure] == kinds
    assert study.history.count("complete") == 6


def test_a_lost_trial_is_begun_again() -> None:
    """With the next attempt, the same seed and params."""

    def objective(trial: T) -> float:
        if trial.number == 1 and trial.attempt == 1:
            os._exit(1)
        return float(trial.seed)

    study = study_of().run(objective, trials=3, workers=2, progress=False)

    record = study.history[1]
    assert (record.state, record.attempt, record.lost) == ("complete", 2, 1)
    assert record.value == record.seed


def test_a_bug_in_a_worker_is_raised_with_its_traceback() -> None:
    """Until one trial has succeeded; what ran beside it is handed back, too."""

    def broken(trial: T) -> float:
        raise ZeroDivisionError("a typo")

    study = study_of()
    with pytest.raises(ZeroDivisionError, match="a typo") as caught:
        study.run(broken, trials=4, workers=2, progress=False)

    assert "in broken" in "".join(caught.value.__notes__)
    assert {r.state for r in study.history} == {"paused"}
    study.run(lambda t: t["x"], trials=4, workers=2, progress=False)
    assert [r.state for r in study.history] == ["complete"] * 4


def test_the_timeout_ends_trials_at_their_next_report() -> None:
    """They end as stopped, with what they reported."""

    def train(trial: T) -> None:
        for step in range(1, 10_000):
            time.sleep(0.01)
            trial.report(step, loss=1 / step)

    study = study_of().run(train, trials=4, workers=2, timeout=2.0, progress=False)

    assert {(r.state, r.why) for r in study.history} == {("stopped", "timeout")}
    assert study.best.step >= 1


def test_the_timeout_kills_on_request() -> None:
    """Trials that do not report are handed back, and the run ends on time."""
    begun = time.monotonic()
    study = study_of().run(
        lambda t: time.sleep(60),
        trials=4,
        workers=2,
        timeout=0.5,
        timeout_kills=True,
        progress=False,
    )

    assert time.monotonic() - begun < 10
    assert {(r.state, r.why) for r in study.history} == {("paused", "interrupted")}


def test_what_cannot_be_killed_is_handed_back_likewise() -> None:
    """Threads and coroutines are told to end; that is no error of theirs."""

    def thread(trial: T) -> None:
        time.sleep(0.9)
        trial.report(1, loss=1.0)

    async def coroutine(trial: T) -> None:
        await asyncio.sleep(60)

    for objective, executor in ((thread, "threads"), (coroutine, None)):
        study = study_of().run(
            objective, trials=4, workers=2, executor=executor, timeout=0.2, timeout_kills=True, progress=False
        )  # fmt: skip
        assert {(r.state, r.why) for r in study.history} == {("paused", "interrupted")}


def test_async_objectives_wait_together() -> None:
    """64 coroutines in one process take as long as one, and may report."""

    async def call(trial: T) -> float:
        await asyncio.sleep(0.3)
        trial.report(1, loss=1.0)
        return float(trial["x"])

    begun = time.monotonic()
    study = study_of().run(call, trials=64, workers=64, progress=False)

    assert time.monotonic() - begun < 5
    assert study.history.count("complete") == 64


@pytest.mark.parametrize(
    "arguments",
    [
        {"executor": ts.executors.Threads(3)},
        {"executor": "threads", "workers": 3},
        {"executor": "serial", "confirm": True},
    ],
)
def test_an_executor_may_be_given(arguments: dict[str, Any]) -> None:
    """Or named; what is named may run more than once."""
    study = study_of().run(lambda t: t["x"], trials=10, progress=False, **arguments)

    assert study.history.count("complete") == 10


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"workers": 0}, "workers= is a whole number from 1 on"),
        ({"executor": 4}, "executor= takes a name .* got 4"),
        ({"executor": "proceses"}, "there is no executor 'proceses'; there are .*processes"),
        ({"executor": "processes"}, "executor='processes' needs workers="),
        ({"executor": "serial", "workers": 2}, "workers= needs an executor that runs several"),
        ({"executor": "threads://here", "workers": 2}, "'threads://here' is no place to run"),
        ({"resources": {"gpu": 1}}, 'resources= needs a cluster .* executor="ray"'),
        ({"executor": "ray", "trial_memory": 9}, r'with Ray, resources=\{"memory": 4e9\}'),
        (
            {"executor": "ray", "resources": {"gpus": "one"}},
            "resources= says how much a trial takes",
        ),
        ({"trial_timeout": 3}, "trial_timeout= needs a worker process, .* add workers=1"),
        ({"workers": 2, "executor": ts.executors.Serial()}, "executor= brings its own workers"),
        ({"workers": 2, "trial_memory": 0}, "trial_memory= is a whole number from 1 on"),
        ({"retries": -1}, "retries= is a whole number"),
    ],
)
def test_arguments_that_contradict_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Each with one sentence, before anything begins."""
    study = study_of()
    with pytest.raises(ts.SettingError, match=sentence):
        study.run(lambda t: t["x"], trials=3, progress=False, **arguments)

    assert len(study.history) == 0
