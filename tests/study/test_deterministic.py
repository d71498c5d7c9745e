import os
import random
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunesmith as ts

X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]
WORKER = Path(__file__).with_name("deterministic_worker.py")


@dataclass(frozen=True)
class Nosy(ts.samplers.HistorySampler):
    """Depends on every detail of every record that it is shown."""

    def propose(
        self, problem: ts.Problem[Any], history: Any, rng: Any, n: int
    ) -> list[ts.samplers.Suggestion]:
        seen = [
            (r.uid, r.logged, r.started, r.basis, r.state, r.values, r.ended, r.attempt, r.owner,
             r.curve and (list(r.curve.times), list(r.curve.steps)), r.ask_s, r.item, r.parent)
            for r in history
        ]  # fmt: skip
        share = zlib.crc32(repr(seen).encode()) / 2**32
        x = (share + rng.random(n)) % 1
        return [ts.samplers.Suggestion({"x": float(value)}) for value in x]


def study_of(width: int, **options: Any) -> ts.Study[dict[str, Any]]:
    options = {"sampler": Nosy(), "seed": 3, **options}
    return ts.Study(X, minimize="loss", deterministic=width, **options)


def told(study: ts.Study[dict[str, Any]]) -> list[Any]:
    return [
        (r.number, r.logged, r.seed, r.state, r.values, r.reports, r.failure and r.failure.kind)
        for r in study.history
    ]


def by_chance(width: int, trials: int, luck: random.Random) -> ts.Study[dict[str, Any]]:
    """A study asked and told by hand, each time as chance will have it."""
    study = study_of(width)
    running: list[T] = []
    while len(study.history) < trials or running:
        if luck.random() < 0.6 and len(study.history) < trials:
            try:
                running.append(study.ask())
            except ts.StudyError:
                continue
        elif running:
            trial = running.pop(luck.randrange(len(running)))
            trial.report(1, loss=trial["x"] + 1)
            if luck.random() < 0.3:
                study.note("in mid-run")
            if trial.number % 5 == 3:
                study.fail(trial, ts.Infeasible("no"))
            else:
                study.tell(trial, trial["x"])
    return study


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(), st.integers())
def test_the_order_of_results_changes_nothing(width: int, one: int, other: int) -> None:
    """Whoever is quick: the sampler sees the same, so that all trials are the same; verified."""
    first, second = (by_chance(width, 15, random.Random(luck)) for luck in (one, other))

    assert told(first) == told(second)
    assert first.verify(Nosy()), str(first.verify(Nosy()))


def jittery(trial: T) -> None:
    for step in (1, 2):
        time.sleep(random.Random(os.urandom(4)).random() * 0.02)  # its duration is nobody's choice
        trial.report(step, loss=abs(trial["x"] - 0.3) + step)
    if trial.number % 7 == 5:
        raise ts.Infeasible("seven")


@pytest.mark.parametrize("options", [{}, {"workers": 2}, {"workers": 6}], ids=str)
def test_the_number_of_workers_changes_nothing(options: dict[str, Any]) -> None:
    """One process or six, with failures that are tried again: the trials are the same."""
    reference = study_of(4).run(jittery, trials=30, progress=False, workers=4)
    study = study_of(4).run(jittery, trials=30, progress=False, **options)

    assert told(study) == told(reference)
    assert study.history.taken == 30
    assert study.history.count("failed") > 0


def test_more_than_the_width_may_not_be_open() -> None:
    """`ask` says which trial it waits for; a list is as long as it may be."""
    study = study_of(3)
    trials = study.ask(5)

    assert [t.number for t in trials] == [0, 1, 2]
    with pytest.raises(ts.StudyError, match="hands out trial 3 when trial 0 has finished"):
        study.ask()
    with pytest.raises(ts.StudyError, match="waits for trial 0, which was asked by hand"):
        study.run(jittery, trials=10, progress=False)
    study.tell(trials[0], 1)
    assert study.ask().number == 3


def test_a_run_takes_over_the_orphan_it_waits_for(tmp_path: Path) -> None:
    """A trial whose process is gone is begun again, and the rest goes on."""
    path = tmp_path / "s.db"
    script = (
        "import tunesmith as ts, sys; study = ts.Study({'x': ts.Float(0, 1)}, minimize='loss', "
        "deterministic=2, seed=3, name='s', storage=sys.argv[1]); study.ask(2)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)

    study = ts.load(path, "s").run(lambda t: float(t["x"]), trials=5, progress=False)

    assert [r.attempt for r in study.history] == [2, 2, 1, 1, 1]
    assert study.verify()


def test_processes_share_one_order(tmp_path: Path) -> None:
    """Three processes that join when they like make the trials of one alone."""
    paths = [tmp_path / "alone.db", tmp_path / "shared.db"]
    for path, n in zip(paths, (1, 3), strict=True):
        workers = [
            subprocess.Popen([sys.executable, str(WORKER), str(path), "30"]) for _ in range(n)
        ]
        assert [worker.wait() for worker in workers] == [0] * n

    alone, shared = (ts.load(path, "s") for path in paths)
    assert told(shared)[:30] == told(alone)
    assert shared.verify()


def test_a_stop_rule_sees_what_the_sampler_sees() -> None:
    """So that it ends every run after the same trial."""
    rule = ts.stop.NoImprovement(6)
    reference = study_of(4).run(jittery, until=rule, workers=4, progress=False)
    study = study_of(4).run(jittery, until=rule, progress=False)

    assert len(study.history) > 6
    assert told(study) == told(reference)


def test_nothing_is_enqueued_into_a_run() -> None:
    """Before it and after it, configurations may be enqueued."""
    study = study_of(2)
    study.enqueue({"x": 0.5})
    trials = study.ask(2)
    with pytest.raises(ts.StudyError, match="enqueue before the run, or after it"):
        study.enqueue({"x": 0.7})
    for trial in trials:
        study.tell(trial, 1)
    study.enqueue({"x": 0.7})

    assert [study.ask()["x"], trials[1]["x"]] == [0.7, 0.5]


def test_the_width_belongs_to_the_study(tmp_path: Path) -> None:
    """Opening it with another is refused; leaving it out takes the study's own."""
    study_of(2, name="s", storage=tmp_path / "s.db", sampler=None)

    with pytest.raises(ts.StudyError, match="deterministic: 3 here, 2 there"):
        study_of(3, name="s", storage=tmp_path / "s.db", sampler=None)
    study = ts.Study(X, minimize="loss", name="s", storage=tmp_path / "s.db")
    assert len(study.ask(3)) == 2
    with pytest.raises(ts.SettingError, match="deterministic= is a whole number from 1 on, got 0"):
        study_of(0)


@pytest.mark.parametrize("delay_s", [0.0, 0.6])
def test_whether_an_exception_is_a_bug_does_not_depend_on_who_is_quick(delay_s: float) -> None:
    """One that comes while an earlier trial runs is a failure, as it would be later."""

    def objective(trial: T) -> float:
        time.sleep({0: 0.3, 1: delay_s}.get(trial.number, 0))
        if trial.number == 1:
            raise ValueError("out of luck")
        return float(trial["x"])

    study = study_of(2).run(objective, trials=4, workers=2, progress=False)

    assert [r.state for r in study.history] == ["complete", "failed"] + ["complete"] * 3
