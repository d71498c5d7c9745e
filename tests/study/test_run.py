import math
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.records.events import Commanded, to_line

X = {"x": ts.Float(-10, 10)}


def square(trial: ts.Trial[dict[str, Any]]) -> float:
    return float((trial["x"] - 2) ** 2)


def test_the_budget_is_the_number_of_trials_of_the_study() -> None:
    """trials=10 twice makes 10 trials; more=5 adds 5 to what is there."""
    study = ts.minimize(square, X, trials=10, progress=False)
    study.run(square, trials=10, progress=False)
    assert len(study.history) == 10

    study.run(square, more=5, progress=False)

    assert len(study.history) == 15


def test_failed_trials_do_not_take_the_budget() -> None:
    """Trials that fail after a success are recorded, and others take their place."""

    def sometimes(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number in (3, 4):
            raise RuntimeError("no luck")
        return square(trial)

    study = ts.minimize(sometimes, X, trials=10, progress=False)

    assert [r.number for r in study.history if r.state == "failed"] == [3, 4]
    assert len(study.history) == 12
    failure = study.history[3].failure
    assert failure is not None
    assert failure.kind == "error"
    assert failure.text.splitlines()[-1] == "RuntimeError: no luck"


def test_too_many_failures_end_the_run() -> None:
    """More than `max_failures` failed trials raise one sentence with the last error."""

    def mostly(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number:
            raise RuntimeError("no luck")
        return 1.0

    study = ts.Study(X, minimize="loss")
    with pytest.raises(ts.StudyError, match=r"^4 trials failed in this run, 3 may; .*no luck"):
        study.run(mostly, trials=10, max_failures=3, progress=False)


def study_of_another_machine(trials: int, failed: int) -> ts.Study[dict[str, Any]]:
    """A study that a machine of another name has begun."""

    def some(trial: ts.Trial[dict[str, Any]]) -> float:
        if 0 < trial.number <= failed:
            raise RuntimeError("no luck")
        return 1.0

    there, here = ts.storage.Memory(), ts.storage.Memory()
    study = ts.Study(X, minimize="loss", name="s", storage=there, seed=0)
    study.run(some, trials=trials - failed, max_failures=failed, progress=False)
    here.append("s", [line.replace(f"{gethostname()}/", "elsewhere/") for line in there.read("s")])
    return ts.load(here, "s")


def test_a_machine_that_lacks_something_leaves_soon() -> None:
    """Where trials go well on others, and none on this one, three failures are enough."""

    def lacking(trial: ts.Trial[dict[str, Any]]) -> float:
        return float(Path("no/such/data").read_text())

    study = study_of_another_machine(trials=20, failed=0)
    with pytest.raises(
        ts.StudyError,
        match=r"^all 3 trials of this run failed, on other machines 0 of 20 did: .* may lack something; "
        r"the last, trial 22, with: FileNotFoundError.*data'. Everything is kept, the others go on$",
    ):
        study.run(lacking, trials=40, progress=False)
    assert study.history.taken == 20


def test_what_params_came_to_is_no_fault_of_the_machine() -> None:
    """Trials that are infeasible or diverge say what the objective says, and that it runs here."""

    def bad(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number < 23:
            raise ts.Infeasible("too large")
        return math.nan if trial.number < 26 else 1.0

    study = study_of_another_machine(trials=20, failed=0)
    study.run(bad, trials=21, progress=False)
    assert study.history.count("failed") == 6
    assert study.history.taken == 21


def test_fewer_than_three_failures_say_nothing_of_the_machine() -> None:
    """However well trials went elsewhere."""

    def late(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number < 302:
            raise RuntimeError("no luck")
        return 1.0

    study = study_of_another_machine(trials=300, failed=0)
    study.run(late, trials=301, progress=False)
    assert study.history.count("failed") == 2


def test_what_others_have_trained_is_handed_back_by_who_cannot() -> None:
    """A trial that came far is not failed by a machine that cannot load it; three of them are believed."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        if lacking:
            raise FileNotFoundError("no data")
        trial.resumable()
        for step in trial.steps():
            if (trial.number, trial.attempt, step) == (3, 1, 6):
                study.stop()
            trial.report(step, loss=trial["x"] / step)

    lacking = False
    study = ts.Study(
        X, minimize="loss", resource=ts.Resource("epoch", 9), scheduler=None, name="s", seed=0,
        storage=ts.storage.Memory(),
    )  # fmt: skip
    study.run(train, trials=5, progress=False)
    assert (study.history[3].state, study.history[3].saved) == ("paused", 6)
    lacking = True
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            study.run(train, trials=5, progress=False)
        assert (study.history[3].state, study.history[3].saved) == ("paused", 6)
    lacking = False
    study.run(train, trials=5, progress=False)
    assert (study.history[3].state, study.history[3].step) == ("complete", 9)
    assert study.verify()


def test_what_nobody_can_go_on_with_fails() -> None:
    """After three runs that ended by it a trial has failed, and the study goes on."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable()
        if trial.attempt > 1:
            raise ValueError("damaged")
        for step in trial.steps():
            if (trial.number, step) == (1, 6):
                study.stop()
            trial.report(step, loss=trial["x"] / step)

    study = ts.Study(
        X, minimize="loss", resource=ts.Resource("epoch", 9), scheduler=None, name="s", seed=0,
        storage=ts.storage.Memory(),
    )  # fmt: skip
    study.run(train, trials=3, progress=False)
    for _ in range(3):
        with pytest.raises(ValueError, match="damaged"):
            study.run(train, trials=3, progress=False)
    study.run(train, trials=3, progress=False)
    assert [r.state for r in study.history] == ["complete", "failed", "complete", "complete"]


def test_failures_that_others_have_too_are_no_reason_to_leave() -> None:
    """Where half of the trials fail on all machines, or some here went well, a run goes on."""
    begun = 0

    def unlucky(trial: ts.Trial[dict[str, Any]]) -> float:
        nonlocal begun
        begun += 1
        if begun <= 5:
            raise RuntimeError("no luck")
        return 1.0

    study_of_another_machine(trials=20, failed=10).run(unlucky, more=3, progress=False)
    assert begun == 8

    def lucky_once(trial: ts.Trial[dict[str, Any]]) -> float:
        nonlocal begun
        begun += 1
        if 9 < begun < 15:
            raise RuntimeError("no luck")
        return 1.0

    study_of_another_machine(trials=20, failed=0).run(lucky_once, more=3, progress=False)
    assert begun == 16


def test_a_bug_is_raised_and_its_trial_handed_back() -> None:
    """Until one trial has succeeded, the objective's exception is the caller's, nothing is lost."""
    study = ts.Study(X, minimize="loss")

    def broken(trial: ts.Trial[dict[str, Any]]) -> float:
        raise ZeroDivisionError("a typo")

    with pytest.raises(ZeroDivisionError, match="a typo"):
        study.run(broken, trials=3, progress=False)
    assert [(r.state, r.why) for r in study.history] == [("paused", "error")]

    study.run(square, trials=3, progress=False)

    assert [(r.number, r.state, r.attempt) for r in study.history] == [
        (0, "complete", 2),
        (1, "complete", 1),
        (2, "complete", 1),
    ]
    assert study.history[0].source == "default"


def test_a_result_that_is_none_is_a_bug() -> None:
    """A function that returns and reports nothing gets the sentence that names the fix."""
    study = ts.Study(X, minimize="loss")

    with pytest.raises(ts.ResultError, match="nothing was returned or reported"):
        study.run(lambda trial: None, trials=3, progress=False)


def test_values_that_are_not_finite_fail_the_trial() -> None:
    """NaN ends a trial as diverged, not as an error, and never as the best."""
    study = ts.minimize(
        lambda t: float("nan") if t.number == 1 else square(t), X, trials=5, progress=False
    )

    failure = study.history[1].failure
    assert failure is not None
    assert failure.kind == "diverged"
    assert study.best.number != 1


@pytest.mark.parametrize("value", ["last", "best"])
@pytest.mark.parametrize("loss", [float("inf"), float("nan")], ids=str)
def test_a_diverging_report_ends_the_trial(loss: float, value: Any) -> None:
    """A report that is not finite raises Stopped at once; the trial has failed as diverged."""
    seen = []

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        for step in trial.steps():
            seen.append((trial.number, step))
            trial.report(step, loss=loss if trial.number == 1 and step == 2 else 1 / step)

    resource = ts.Resource("epoch", max=3)
    study = ts.Study(X, minimize="loss", resource=resource, value=value, scheduler=None)
    study.run(train, trials=2, progress=False)

    assert [step for number, step in seen if number == 1] == [1, 2]
    failure = study.history[1].failure
    assert failure is not None
    assert failure.kind == "diverged"


def test_a_callback_that_returns_after_decide_has_diverged() -> None:
    """decide says that the trial must end; returning then is no missing result."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        if trial.decide(1, loss=float("nan") if trial.number else 1.0):
            return

    study = ts.Study(X, minimize="loss")
    with pytest.raises(ts.StudyError, match="2 trials failed in this run, 1 may"):
        study.run(train, trials=5, max_failures=1, progress=False)

    assert [r.failure.kind for r in study.history if r.failure] == ["diverged", "diverged"]


def test_an_objective_that_cannot_take_a_trial_is_refused_by_name() -> None:
    """Before any trial begins: the sentence shows how to call it."""

    def fit(lr: float, depth: int) -> float:
        return lr * depth

    study = ts.Study(X, minimize="loss")
    with pytest.raises(ts.SettingError, match=r"fit takes lr, depth.*lambda trial: fit\(\*\*trial"):
        study.run(fit, trials=3, progress=False)
    assert len(study.history) == 0


def test_an_exception_keeps_its_context_and_loses_our_frames() -> None:
    """What the objective raised is shown as it raised it."""

    def broken(trial: ts.Trial[dict[str, Any]]) -> float:
        try:
            empty: dict[str, float] = {}
            return empty["deep"]
        except KeyError:
            raise ValueError("outer")  # noqa: B904 - users do not write `from`

    study = ts.Study(X, minimize="loss")
    with pytest.raises(ValueError, match="outer") as caught:
        study.run(broken, trials=3, progress=False)
    assert isinstance(caught.value.__context__, KeyError)
    assert not caught.value.__suppress_context__

    study.run(square, trials=1, progress=False)
    with pytest.raises(ts.StudyError):
        study.run(broken, trials=2, max_failures=0, progress=False)
    failure = study.history[1].failure
    assert failure is not None
    assert "running.py" not in failure.text
    assert "KeyError: 'deep'" in failure.text


def test_a_limit_that_is_not_measured_is_a_bug() -> None:
    """A misspelt metric in subject_to is noticed at the first trial."""
    study = ts.Study(X, minimize="loss", subject_to=["latency <= 20"])

    with pytest.raises(ts.ResultError, match="needs the metric 'latency', the result has loss, ms"):
        study.run(lambda t: {"loss": 1.0, "ms": 3}, trials=3, progress=False)


def test_a_text_that_utf8_cannot_hold_is_kept_escaped() -> None:
    """A lone surrogate in an exception is no reason to lose the trial."""

    def broken(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number:
            raise RuntimeError("bad file \udcff")
        return 1.0

    study = ts.Study(X, minimize="loss")
    with pytest.raises(ts.StudyError, match="bad file"):
        study.run(broken, trials=2, max_failures=0, progress=False)
    failure = study.history[1].failure
    assert failure is not None
    assert failure.text.endswith("bad file \\udcff")


def test_a_commanded_stop_ends_a_trial_at_its_next_report(tmp_path: Path) -> None:
    """Somebody appends a stop; the trial ends as stopped, its last report is its value."""
    study = ts.Study(X, minimize="loss", name="s", storage=tmp_path / "s.db")
    trial = study.ask()
    storage = ts.storage.connect(tmp_path / "s.db")
    stop = Commanded(time=1.0, id="c", command="stop", target=trial.uid)
    storage.append("s", [to_line(stop)])
    study.note("reads on")

    assert trial.decide(1, loss=0.5)
    with pytest.raises(ts.Stopped):
        trial.report(2, loss=0.25)


def test_infeasible_is_a_failure_of_its_own_kind() -> None:
    """`raise ts.Infeasible` is a statement about the configuration, never a bug."""

    def picky(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial["x"] < 0:
            raise ts.Infeasible("x must not be negative")
        return square(trial)

    study = ts.minimize(picky, X, trials=5, seed=1, progress=False)

    failures = [r.failure for r in study.history if r.failure]
    assert failures
    assert {(f.kind, f.text) for f in failures} == {("infeasible", "x must not be negative")}


def test_reports_are_the_result_of_a_trial_that_returns_nothing() -> None:
    """The last counts; with value="best" the best, with "mean" all; what is returned wins."""

    def train(trial: ts.Trial[dict[str, Any]]) -> float | None:
        for step, loss in enumerate([3.0, 1.0, 2.0], start=1):
            trial.report(step, loss=loss, step_s=0.1)
        return 0.5 if trial.number == 1 else None

    last = ts.Study(X, minimize="loss").run(train, trials=2, progress=False)
    best = ts.Study(X, minimize="loss", value="best").run(train, trials=2, progress=False)
    mean = ts.Study(X, minimize="loss", value="mean").run(train, trials=2, progress=False)

    assert [r.value for r in last.history] == [2.0, 0.5]
    assert [r.value for r in best.history] == [1.0, 0.5]
    assert [r.value for r in mean.history] == [2.0, 0.5]
    assert mean.history[0].values["loss_se"] == pytest.approx(3**-0.5)
    assert last.history[0].values == {"loss": 2.0, "step_s": 0.1}
    steps, values = last.history[0].reported("loss")
    assert steps.tolist() == [1, 2, 3]
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_a_last_report_may_leave_the_objective_out() -> None:
    """With a validation every second epoch, the last one counts; also where none came after it."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        for step in range(1, 6):
            trial.report(step, {"loss": 1 / step} if step % 2 == 0 else {}, seconds=0.1)

    study = ts.Study(X, minimize="loss", resource=ts.Resource("epoch", max=5), scheduler=None)
    study.run(train, trials=2, progress=False)

    assert [record.values for record in study.history] == [{"loss": 0.25, "seconds": 0.1}] * 2
    assert study.history.count("complete") == 2
    assert study.verify()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({}, "a run needs an end"),
        ({"trials": 5, "more": 5}, "give one of them"),
        ({"trials": -1}, "trials= is a whole number"),
        ({"trials": 2.5}, "trials= is a whole number"),
        ({"timeout": 0}, "timeout= is a number of seconds above 0"),
        ({"until": 3}, "until= takes a rule"),
    ],
)
def test_bounds_that_mean_nothing_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Each gets one sentence that says what is allowed."""
    with pytest.raises(ts.SettingError, match=sentence):
        ts.Study(X, minimize="loss").run(square, progress=False, **arguments)


def test_a_run_says_what_it_kept_and_how_to_go_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The last line has best, default, place and what goes on; a second run says why it does not."""
    path = tmp_path / "s.db"
    study = ts.Study(
        {"x": ts.Float(-10, 10, default=5.0)}, minimize="loss", name="s", storage=path, seed=1
    )
    study.run(square, trials=5)
    study.run(square, trials=5)

    out, err = capsys.readouterr()
    first, done, nothing = err.splitlines()
    assert not out
    assert first == f"s: kept in {path}"
    assert (
        done
        == f"best {study.best.value:.4g} (default 9) · 5 of 5 trials · kept in {path} · with more trials it goes on"
    )
    assert "nothing to do: 5 of 5 trials" in nothing


def test_ctrl_c_hands_the_trial_back(tmp_path: Path) -> None:
    """SIGINT ends the program with code 130 and one line; the next run begins with that trial."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, signal, sys
            import tunesmith as ts

            def objective(trial):
                if trial.number == 3 and trial.attempt == 1:
                    os.kill(os.getpid(), signal.SIGINT)
                return trial["x"]

            study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", storage="s.db", seed=5)
            study.run(objective, trials=6)
            """
        )
    )

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    first = run()
    assert first.returncode == 128 + signal.SIGINT
    assert "Traceback" not in first.stderr
    last = first.stderr.splitlines()[-1]
    assert "interrupted after 3 of 6 trials · kept in ./s.db · the same line goes on" in last

    second = run()
    assert second.returncode == 0, second.stderr
    history = ts.load(tmp_path / "s.db", "s").history
    assert [(r.number, r.attempt, r.state) for r in history] == [
        (n, 2 if n == 3 else 1, "complete") for n in range(6)
    ]
    uninterrupted = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=5).run(
        lambda t: t["x"], trials=6, progress=False
    )
    assert [(r.logged, r.seed, r.value) for r in history] == [
        (r.logged, r.seed, r.value) for r in uninterrupted.history
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.db", "script.py"]


@pytest.mark.parametrize(
    "given, name",
    [
        ({"workers": 2}, "workers="),
        ({"gpus": [0]}, "gpus="),
        ({"trial_timeout": 9}, "trial_timeout="),
        ({"wait": False}, "wait=False"),
    ],
)
def test_what_has_no_meaning_under_torchrun(
    given: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All ranks run each trial, in the processes that there are: what says otherwise is refused by its name."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    study = ts.Study(X, minimize="loss")
    with pytest.raises(ts.SettingError, match=f"^under torchrun .* so {name} has no meaning"):
        study.run(lambda trial: trial["x"], trials=1, **given)
