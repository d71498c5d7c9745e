import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts

X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: the output goes there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    return tmp_path


def until(study: ts.Study[Any], holds: Callable[[], bool]) -> None:
    """Follow the log until something holds."""
    storage = ts.storage.connect("tunesmith.db")
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        storage.wait(study.name, len(storage.read(study.name)), 0.2)


def test_a_run_goes_on_in_the_background(capfd: pytest.CaptureFixture[str]) -> None:
    """`run` returns at once, the study fills, closures travel, the output is in a file."""
    scale = 3.0
    study = ts.Study(X, minimize="loss", seed=0, name="far away")

    study.run(lambda t: scale * t["x"], trials=5, workers=2, wait=False)
    until(study, lambda: study.history.count("complete") == 5)

    assert all(r.value == 3 * r.params["x"] for r in study.history)
    assert str(os.getpid()) not in {r.owner.split("/")[-2] for r in study.history}
    assert "study.stop() ends it" in capfd.readouterr().err
    until(study, lambda: "5 of 5 trials" in Path("far away.log").read_text())
    assert "trial 4: loss" in Path("far away.log").read_text()


def test_stop_ends_it() -> None:
    """What runs is handed back, and another run goes on."""
    study = ts.Study(X, minimize="loss", seed=0, name="s")

    def slow(trial: T) -> None:
        time.sleep(60)

    study.run(slow, trials=5, workers=2, wait=False, progress=False)
    until(study, lambda: study.history.count("running") == 2)
    study.stop()
    until(study, lambda: study.history.count("paused") == 2)

    study.run(lambda t: t["x"], trials=3, progress=False)
    assert [(r.state, r.attempt) for r in study.history] == [("complete", 2)] * 2 + [
        ("complete", 1)
    ]


def test_a_coordinator_that_is_killed_leaves_its_trials_to_the_next() -> None:
    """Its workers end with it, and nothing that it acknowledged is lost."""
    study = ts.Study(X, minimize="loss", seed=0, name="s")

    def pids(trial: T) -> None:
        trial.report(1, loss=1.0, pid=os.getpid(), coordinator=os.getppid())
        if trial.number >= 2:
            time.sleep(60)

    study.run(pids, trials=9, workers=2, wait=False, progress=False)
    until(study, lambda: len(study.history) == 4 and all(r.reports for r in study.history))
    coordinator = int(study.history[0].values["coordinator"])
    its = os.pidfd_open(coordinator)
    os.kill(coordinator, signal.SIGKILL)
    assert select.select([its], [], [], 10) == ([its], [], [])
    os.close(its)

    study.run(lambda t: t["x"], trials=5, progress=False)
    assert [r.state for r in study.history] == ["complete"] * 5
    assert [r.attempt for r in study.history] == [1, 1, 2, 2, 1]


def test_a_bug_is_in_the_log() -> None:
    """Whoever follows the study finds what ended the run; the traceback is in the file."""
    study = ts.Study(X, minimize="loss", seed=0, name="s")

    def broken(trial: T) -> float:
        raise ZeroDivisionError("a typo")

    study.run(broken, trials=5, wait=False, progress=False)
    until(study, lambda: bool(study.notes))

    assert "the run in the background ended: ZeroDivisionError: a typo" in study.notes[0].text
    until(study, lambda: "in broken" in Path("s.log").read_text())


class Unreadable:
    """Cannot be made anew in another process."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return int, ("no number",)


def test_what_cannot_run_there_is_refused() -> None:
    """With one sentence each; nothing has begun."""
    in_memory = ts.Study(X, minimize="loss")
    with pytest.raises(ts.SettingError, match="needs a study that other processes can reach"):
        in_memory.run(lambda t: t["x"], trials=2, wait=False)
    study = ts.Study(X, minimize="loss", name="s")
    with pytest.raises(ts.SettingError, match="executor= is of this process"):
        study.run(lambda t: t["x"], trials=2, executor=ts.executors.Threads(2), wait=False)
    thing = Unreadable()
    with pytest.raises(ts.StudyError, match=r"did not come up: .*no number"):
        study.run(lambda t: float(id(thing)), trials=2, wait=False)

    assert len(study.history) == 0
