"""How a process leaves a study: told to, commanded to, suspended or dead."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts

LEAVER = Path(__file__).with_name("leaver.py")
X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=0, **options)


def start(path: Path, objective: str, workers: int = 0) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(LEAVER), str(path), objective, str(workers)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(max(1, workers)):
        assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
@pytest.mark.parametrize(
    "objective, workers",
    [
        ("reporting", 0),
        ("deciding", 2),
        ("silent", 0),
        ("silent", 2),
        ("waiting", 2),
        ("nested", 0),
    ],
)
def test_what_runs_is_handed_back_on_a_signal(
    tmp_path: Path, number: signal.Signals, objective: str, workers: int
) -> None:
    """With exit code 0 and a sentence, long before the cluster would kill; the next run goes on."""
    process = start(tmp_path / "s.db", objective, workers)
    process.send_signal(number)
    _, said = process.communicate(timeout=8)

    assert process.returncode == 0
    assert "pre-empted after 0 of 4 trials" in said
    study = ts.load(tmp_path / "s.db", "s")
    assert {(r.state, r.why) for r in study.history} == {("paused", "pre-empted")}
    study.run(lambda t: t["x"], trials=4, progress=False)
    assert [(r.state, r.attempt) for r in study.history][: max(1, workers)] == [
        ("complete", 2)
    ] * max(1, workers)


def test_whoever_insists_is_not_kept_waiting(tmp_path: Path) -> None:
    """A second signal does not wait for a report."""
    process = start(tmp_path / "s.db", "silent", 2)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=5)

    assert process.returncode == 0


def test_an_echo_is_no_second_signal(tmp_path: Path) -> None:
    """What a cluster tells a process, and the script that started it once more, is waited for all the same."""
    process = start(tmp_path / "s.db", "slowly")
    for name in ("told", "told again"):
        process.send_signal(signal.SIGTERM)
        (tmp_path / name).touch()
        time.sleep(0.1)
    process.communicate(timeout=8)

    assert process.returncode == 0
    (record,) = ts.load(tmp_path / "s.db", "s").history
    assert (record.state, record.step) == ("paused", 2)


def signalling(trial: T) -> float:
    os.kill(os.getpid(), signal.SIGUSR1)
    return 1.0


def test_a_handler_of_ones_own_stays() -> None:
    """A program that listens to SIGUSR1 itself goes on doing so while it runs a study."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    default = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        study_of().run(signalling, trials=2, progress=False)
        now = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.signal(signal.SIGTERM, default)

    assert heard == [signal.SIGUSR1] * 2
    assert now is signal.SIG_DFL


def test_a_command_stops_the_run() -> None:
    """What reports is handed back at its next report; the run returns, and another goes on."""
    study = study_of()

    def train(trial: T) -> None:
        for step in (1, 2, 3):
            trial.report(step, loss=trial["x"])
            if (trial.number, trial.attempt, step) == (2, 1, 1):
                study.stop()

    study.run(train, trials=5, progress=False)
    assert [(r.state, r.step) for r in study.history] == [
        ("complete", 3), ("complete", 3), ("paused", 2),
    ]  # fmt: skip

    study.run(train, trials=5, progress=False)
    assert [r.state for r in study.history] == ["complete"] * 5


def test_a_command_stops_processes_elsewhere(tmp_path: Path) -> None:
    """Workers that never report are ended, too."""
    process = start(tmp_path / "s.db", "silent", 2)
    ts.load(tmp_path / "s.db", "s").stop()
    out, said = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "stopped by command" in said
    assert "paused" in out


def test_a_command_stops_one_trial(tmp_path: Path) -> None:
    """It ends at its next report with what it reported; who has finished cannot be stopped."""
    study = study_of()

    def train(trial: T) -> None:
        for step in (1, 2, 3):
            trial.report(step, loss=trial["x"])
            if (trial.number, step) == (1, 1):
                study.stop(trial)

    study.run(train, trials=3, progress=False)

    assert [(r.state, r.why, r.step) for r in study.history] == [
        ("complete", "returned", 3), ("stopped", "command", 2), ("complete", "returned", 3),
    ]  # fmt: skip
    with pytest.raises(ts.StudyError, match=r"trial 1 has finished already \(stopped\)"):
        study.stop(1)
    with pytest.raises(ts.StudyError, match="there is no trial 9; the study has 3"):
        study.stop(9)


def test_a_paused_study_waits_for_who_lets_it_go_on() -> None:
    """Nothing is handed out meanwhile, what reports is handed back, and the run goes on by itself."""
    study = study_of()

    def train(trial: T) -> None:
        for step in (1, 2):
            trial.report(step, loss=trial["x"])
            if (trial.number, trial.attempt, step) == (1, 1, 1):
                study.pause()

    paused = threading.Event()
    found: list[Any] = []

    class Looking(ts.stop.StopRule):
        """Stops nothing; says when the study stands still."""

        def reason(self, history: Any, elapsed_s: float) -> str:
            if len(history) == 2 and history[1].state == "paused":
                paused.set()
            return ""

    def let_go_on() -> None:
        paused.wait(20)
        with pytest.raises(ts.StudyError, match=r"is paused; study\.resume\(\) lets it go on"):
            study.ask()
        found.extend(study.history)
        study.resume()

    thread = threading.Thread(target=let_go_on)
    thread.start()
    study.run(train, trials=4, until=Looking(), progress=False)
    thread.join()

    assert [(r.state, r.why) for r in found] == [
        ("complete", "returned"),
        ("paused", "study paused"),
    ]
    assert [(r.state, r.attempt) for r in study.history] == [
        ("complete", 1), ("complete", 2), ("complete", 1), ("complete", 1),
    ]  # fmt: skip


def test_a_suspended_process_loses_its_trial_and_changes_nothing(tmp_path: Path) -> None:
    """When its lease is over, another goes on; when it comes back, its word has no effect."""
    process = start(tmp_path / "s.db", "suspending")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    study = ts.load(tmp_path / "s.db", "s")
    storage = ts.storage.connect(tmp_path / "s.db")
    assert study.ask().number == 1  # its lease still holds
    length = len(storage.read("s"))
    while storage.alive("s") - {study.history[1].owner}:
        storage.wait("s", length, 0.1)
    trial = study.ask()
    study.tell(trial, 1.0)
    process.send_signal(signal.SIGCONT)
    out, said = process.communicate(timeout=10)

    assert (trial.number, trial.attempt) == (0, 2)
    assert process.returncode == 0, said
    assert study.history[0].value == 1.0
    assert "('complete', 1.0), ('running', nan), ('complete', 7.0)" in out
    assert study.verify()


def test_a_trial_that_ends_its_process_is_not_begun_for_ever(tmp_path: Path) -> None:
    """Once more, then it has failed as lost, and the study goes on."""
    for _ in range(2):
        process = start(tmp_path / "s.db", "dying")
        process.communicate()
        assert process.returncode == 1
    study = ts.load(tmp_path / "s.db", "s").run(lambda t: t["x"], trials=2, progress=False)

    first = study.history[0]
    assert (first.state, first.why, first.attempt) == ("failed", "lost", 2)
    assert first.failure is not None
    assert "the process that ran attempt 2 is gone" in first.failure.text
    assert study.history.count("complete") == 2


def test_a_lease_is_given_back_at_the_end(tmp_path: Path) -> None:
    """While a process may have trials it beats; when it has left, nobody waits for it."""
    process = start(tmp_path / "s.db", "reporting", 2)
    storage = ts.storage.connect(tmp_path / "s.db")
    before = storage.alive("s")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert [owner.split("/")[-2] for owner in before] == [str(process.pid)]
    assert storage.alive("s") == set()


def forking(trial: T) -> float:
    """Ends a process of its own, forked after a report."""
    trial.report(1, loss=1.0)
    heard, said = os.pipe()

    def sleep() -> None:
        os.write(said, b".")
        time.sleep(30)

    process = multiprocessing.get_context("fork").Process(target=sleep)
    process.start()
    os.read(heard, 1)
    os.close(heard)
    os.close(said)
    begun = time.monotonic()
    process.terminate()
    process.join()
    return time.monotonic() - begun


def test_processes_that_a_trial_forks_hear_signals_as_ever() -> None:
    """What they inherit from a run does not keep them alive."""
    study = study_of().run(forking, trials=1, progress=False)

    assert study.history[0].value < 5


def test_a_trial_given_up_as_lost_is_superseded(tmp_path: Path) -> None:
    """Whoever ran it and comes back is told so; its run goes on with other trials."""
    process = start(tmp_path / "s.db", "suspending")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    study = ts.load(tmp_path / "s.db", "s")
    storage = ts.storage.connect(tmp_path / "s.db")
    while storage.alive("s"):
        storage.wait("s", len(storage.read("s")), 0.1)
    study.run(lambda t: t["x"], trials=2, retries=0, progress=False)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=10)

    assert process.returncode == 0, said
    assert (study.history[0].state, study.history[0].why) == ("failed", "lost")


def test_two_runs_of_one_process_leave_each_other_alone() -> None:
    """A bug in one hands back its own trials only, and not what was asked by hand."""
    storage = ts.storage.Memory()
    first = study_of(name="s", storage=storage)
    by_hand = first.ask()
    second = study_of(name="s", storage=storage)

    def broken(trial: T) -> float:
        raise ZeroDivisionError("a typo")

    with pytest.raises(ZeroDivisionError):
        second.run(broken, trials=3, progress=False)

    assert [(r.state, r.why) for r in first.history] == [("running", ""), ("paused", "error")]
    assert first.tell(by_hand, 1.0).state == "complete"


def test_only_the_timeout_kills(tmp_path: Path) -> None:
    """A rule that ends the run lets what runs end by itself, also with `timeout_kills`."""
    gate = tmp_path / "gate"

    def objective(trial: T) -> float:
        if trial.number == 1:
            while not gate.exists():
                time.sleep(0.01)
        elif trial.number == 2:
            gate.touch()
        return float(trial.number)

    study = study_of().run(
        objective, until=ts.stop.Trials(3), timeout=100, timeout_kills=True, workers=2,
        progress=False,
    )  # fmt: skip

    assert {r.state for r in study.history} == {"complete"}


def test_a_paused_study_with_nothing_to_do_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """A run waits only for what it could do."""
    study = study_of().run(lambda t: t["x"], trials=2, progress=False)
    study.pause()
    study.run(lambda t: t["x"], trials=2)

    assert "nothing to do: 2 of 2 trials" in capsys.readouterr().err


def test_failures_elsewhere_do_not_count() -> None:
    """`max_failures` is about the trials of this run."""
    storage = ts.storage.Memory()
    study = study_of(name="s", storage=storage)
    other = study_of(name="s", storage=storage)
    study.tell(study.ask(), 1.0)

    def objective(trial: T) -> float:
        for _ in range(3):
            other.fail(other.ask(), "elsewhere")
        return float(trial["x"])

    study.run(objective, trials=4, max_failures=2, progress=False)

    assert study.history.count("complete") == 4
