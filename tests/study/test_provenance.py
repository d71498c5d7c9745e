import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Provenance, changes
from tunesmith.study.origin import Command, origin

PROGRAM = """
import sys
import tunesmith as ts
from helper import scale

def train(trial):
    import inside
    return scale(trial["x"]) + inside.OFFSET

if __name__ == "__main__":
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", seed=1)
    study.run(train, trials=2)
"""


def git(folder: Path, *words: str) -> None:
    own = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program of three files in a git repository."""
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "helper.py").write_text("def scale(x):\n    return 2 * x\n")
    (tmp_path / "inside.py").write_text("OFFSET = 1.0\n")
    (tmp_path / "unused.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def run(folder: Path, *words: str, code: int = 0) -> str:
    """Run the program of a folder; what it says on standard error."""
    program = words or ("train.py",)
    done = subprocess.run(
        [sys.executable, *program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def more(folder: Path, trials: int) -> None:
    """Let the program run so many trials, and change nothing else of it."""
    text = (folder / "train.py").read_text()
    text = "".join(
        f"    study.run(train, trials={trials})\n" if "study.run" in line else line
        for line in text.splitlines(keepends=True)
    )
    (folder / "train.py").write_text(text)


def test_a_trial_knows_what_it_was_run_with(folder: Path) -> None:
    """Own files, those imported inside functions too; commit, packages, machine, command line."""
    run(folder, "train.py", "--api-key", "verysecret")
    said = ts.load(folder / "tunesmith.db").history[1].provenance

    assert said.objective == "train:train"
    assert sorted(said.files) == ["helper.py", "inside.py", "train.py"]
    assert len(said.commit) == 40
    assert said.dirty == ""
    assert said.packages.keys() >= {"tunesmith", "numpy"}
    assert said.python == ".".join(map(str, sys.version_info[:3]))
    assert said.cpu
    assert said.cores > 0
    assert said.memory_bytes > 1e8
    assert said.command == ["train.py", "--api-key", "***"]
    assert ts.load(folder / "tunesmith.db").provenance == said


def test_no_secret_is_in_the_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the environment nor from the command line."""
    monkeypatch.setenv("MY_TOKEN", "fromtheenvironment")
    run(folder, "train.py", "--token=fromtheline", "https://me:frominside@host/x")
    kept = (folder / "tunesmith.db").read_bytes()

    assert b"train:train" in kept
    assert [text for text in (b"fromthe", b"frominside") if text in kept] == []


def test_the_same_program_is_not_stale_however_many_trials_it_shall_run(folder: Path) -> None:
    """Neither a larger budget nor a file that it does not import is named."""
    run(folder)
    more(folder, 4)
    (folder / "unused.py").write_text("X = 1")
    git(folder, "commit", "-qam", "two")

    assert "another" not in run(folder)


def test_changed_code_is_named_with_its_commits(folder: Path) -> None:
    """A file that is imported inside of the function counts; the line says which, and since when."""
    run(folder)
    (folder / "inside.py").write_text("OFFSET = 5.0\n")
    more(folder, 3)
    said = run(folder)
    git(folder, "commit", "-qam", "two")
    more(folder, 5)
    again = run(folder)
    commits = subprocess.run(
        ["git", "log", "--format=%h"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.split()

    assert f"2 of 2 trials ran with another inside.py at {commits[1][:7]} (now " in said
    assert "tunesmith rerun" in said
    assert f"2 of 3 trials ran with another inside.py at {commits[1][:7]} (now " in again


def test_stale_says_which_trials_and_what_changed(folder: Path) -> None:
    """Each with its changes; one that ran since is none of them."""
    run(folder)
    (folder / "helper.py").write_text("def scale(x):\n    return 3 * x\n")
    more(folder, 3)
    run(folder)
    ask = (
        "import json, tunesmith as ts, train; study = ts.load('tunesmith.db'); "
        "found = study.stale(train.train); "
        "print(json.dumps({n: [str(c) for c in some] for n, some in found.trials.items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=folder, capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == {"0": ["helper.py changed"], "1": ["helper.py changed"]}


def test_what_is_redefined_in_one_process_is_another_objective(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a notebook: the process says again what it is, and the earlier trials are named."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trials, body in ((2, "t['x']"), (4, "t['x']"), (5, "2 * t['x']")):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(f"def train(t): return {body}", names)
        study.run(names["train"], trials=trials)
    joined = study.history.problem.joined

    assert len(joined) == 2
    assert [r.ran for r in study.history] == [(min(joined),)] * 4 + [(max(joined),)]
    assert "4 of 4 trials ran with another <train>;" in capsys.readouterr().err
    assert list(study.stale().trials) == [0, 1, 2, 3]
    assert bool(study.verify())


def test_packages_and_python_are_compared_and_our_own_version_is_not() -> None:
    """A machine that differs is told, and makes nothing stale."""
    before = Provenance(
        files={"a.py": "1", "gone.py": "2"}, packages={"numpy": "2.1", "tunesmith": "0.1"}, python="3.11.1",
        cpu="A", commit="a" * 40,
    )  # fmt: skip
    now = Provenance(
        files={"a.py": "1"}, packages={"numpy": "2.2", "tunesmith": "0.2"}, python="3.12.1", cpu="B",
        commit="b" * 40, dirty="c",
    )  # fmt: skip
    found = changes(before, now)

    assert [str(one) for one in found if one.matters] == [
        "python 3.11.1 -> 3.12.1",
        "numpy 2.1 -> 2.2",
    ]
    assert [str(one) for one in found if not one.matters] == [
        "tunesmith 0.1 -> 0.2",
        "commit aaaaaaa -> bbbbbbb+",
        "cpu A -> B",
    ]


@pytest.mark.parametrize(
    "one, other",
    [
        (np.arange(3), np.arange(4)),
        ({"X": np.ones((2, 3)), "y": [1, 2]}, {"X": np.ones((3, 2)), "y": [1, 2]}),
        (b"v1", b"v2"),
    ],
)
def test_a_study_goes_on_with_its_own_data_alone(tmp_path: Path, one: Any, other: Any) -> None:
    """The same data, wherever they come from; others are refused with the ways out."""

    def study(data: Any) -> ts.Study[dict[str, Any]]:
        return ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", storage=path, data=data)

    path = tmp_path / "s.db"
    study(one).run(lambda trial: trial["x"], trials=1, progress=False)
    assert len(study(one).history) == 1
    assert study(one).history[0].provenance.data == study(one).settings["data"]
    with pytest.raises(ts.StudyError, match=r"data: .* here, .* there \(leave data= out"):
        study(other)
    with pytest.raises(ts.StudyError, match="Give this one another name"):
        ts.load(path, "s", data=other)
    assert len(study(None).history) == 1


def test_data_that_come_later_count_from_then_on(tmp_path: Path) -> None:
    """A study that began without saying on what is held to the first that is said."""
    path = tmp_path / "s.db"
    space = {"x": ts.Float(0, 1)}
    for data in (None, b"v1", None):
        study = ts.Study(space, minimize="loss", name="s", storage=path, data=data)
        study.run(lambda trial: trial["x"], more=1, progress=False)

    with pytest.raises(ts.StudyError, match="data: "):
        ts.load(path, "s", data=b"v2")


def test_the_objective_is_found_behind_whatever_wraps_it() -> None:
    """Partials, methods and objects that are called come down to a function of a file."""
    from functools import partial

    class Trainer:
        def __call__(self, trial: Any) -> float:
            return 0.0

        def fit(self, trial: Any) -> float:
            return 0.0

    objectives: list[Callable[..., Any]] = [partial(test_data_that_come_later_count_from_then_on)]
    objectives += [Trainer(), Trainer().fit]
    said = [origin(objective) for objective in objectives]

    assert [one.objective.rpartition(".")[2] for one in said] == [
        "test_provenance:test_data_that_come_later_count_from_then_on", "__call__", "fit",
    ]  # fmt: skip
    assert all(Path(__file__).name in str(one.files) for one in said)


def test_a_module_that_a_program_runs_is_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m` names it as imports do; words that name files count, too."""

    class Tuned(Command):
        words = ("python", "-m", "pack.train", "--conf", "a.toml", "{args}", "x" * 5000)

    (tmp_path / "pack").mkdir()
    for name in ("pack/train.py", "a.toml"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    said = origin(Tuned())

    assert said.objective == f"python -m pack.train --conf a.toml '{{args}}' {'x' * 5000}"
    assert len(said.files.keys() & {"train.py", "../a.toml"}) == 2


def test_what_cannot_be_read_keeps_nobody_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A working directory that is gone, words that are no UTF-8, a user without a home."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "argv", ["program", "\udc80"])
    monkeypatch.delenv("HOME")
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    study.run(lambda trial: trial["x"], trials=1, progress=False)

    assert study.history[0].provenance.command == ["program", "\\udc80"]


def test_a_fork_has_the_work_of_its_parent() -> None:
    """What a trial goes on from counts: forks and resumptions have all who worked on them."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", 6), seed=1,
        scheduler=ts.schedulers.PBT(population=4, interval=2),
    )  # fmt: skip

    def train(trial: ts.Trial[dict[str, float]]) -> None:
        trial.resumable()
        for epoch in trial.steps():
            trial.report(epoch, loss=trial["x"] / epoch)

    study.run(train, trials=4, progress=False)
    forks = [record for record in study.history if record.source == "fork"]

    assert forks
    assert all(record.ran == study.history[0].ran != () for record in forks)
