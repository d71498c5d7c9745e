import csv
import io
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith._core.words import number
from tunesmith.cli import COMMANDS, commands


def call(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(commands, list(words), input=stdin)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with one study of eight trials, two of them failed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    monkeypatch.delitem(sys.modules, "fit", raising=False)  # the script of another test
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {
        "lr": ts.Float(1e-5, 1e-1, log=True, default=1e-3),
        "warm": ts.Categorical([False, True], default=False),
        "opt": ts.Choice({"sgd": {"momentum": ts.Float(0, 1)}, "adam": {}}),
        "layers": ts.List(ts.Int(8, 64), length=(1, 2)),
    }
    study = ts.Study(space, minimize="loss", name="digits", seed=3)

    def objective(trial: ts.Trial[dict[str, float]]) -> float:
        if trial.number in (3, 5):
            raise ValueError("out of luck [sic]")
        return trial.params["lr"]

    study.run(objective, trials=6, progress=False)
    return tmp_path


def test_each_command_is_described_in_one_place_and_the_other() -> None:
    """The list of commands says what each one's own help begins with."""
    for name, words in COMMANDS.items():
        help_ = import_module(f"tunesmith.cli.{name}").command.help
        assert help_.splitlines()[0] == words


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_and_json(name: str) -> None:
    """`--help` of each works, and each takes --json."""
    result = call(name, "--help")

    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_help_loads_next_to_nothing() -> None:
    """`tunesmith --help` imports click and no numerical library."""
    code = (
        "import sys\nfrom tunesmith.cli import main\nsys.argv[1:] = ['--help']\n"
        "try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "verify" in done.stdout
    assert not {"numpy", "rich", "msgspec", "sqlite3"} & set(done.stderr.split())


def test_list() -> None:
    """Name, objective, trials, failures, best beside the default."""
    line = call("list").stdout.splitlines()[1]
    (data,) = json.loads(call("list", "--json").stdout)

    best = ts.load(None, "digits").best.value
    assert line.split() == [
        "digits", "minimize", "loss", "8", "2", number(best), "(centre", "0.001)",
    ]  # fmt: skip
    assert (data["name"], data["trials"], data["failed"]) == ("digits", 8, 2)


def test_show() -> None:
    """Best beside default, the last trials, and why some failed, with square brackets intact."""
    shown = call("show", "--last", "2").stdout
    best = ts.load(None, "digits").best

    assert (
        "digits: minimize loss, kept in ./tunesmith.db, seed 3\n8 trials: 6 complete, 2 failed"
        in shown
    )
    assert f"best (trial {best.number})" in shown
    assert "centre (trial 0)" in shown
    assert [line.split()[0] for line in shown.splitlines() if "complete" in line][1:] == ["6", "7"]
    assert "2 x error: ValueError: out of luck [sic] (trial 5)" in shown


def test_show_as_json() -> None:
    """The same, for programs."""
    data = json.loads(call("show", "digits", "--last", "3", "--json").stdout)

    assert [trial["number"] for trial in data["last"]] == [5, 6, 7]
    assert data["last"][0]["failure"]["kind"] == "error"
    assert data["best"][0]["number"] == ts.load(None, "digits").best.number


def test_json_says_which_evaluation_a_trial_is() -> None:
    """Of its configuration, from 0; null where nothing is evaluated again."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="again", replicates=2)
    study.run(lambda trial: trial["x"], trials=2, progress=False)
    repeated = json.loads(call("show", "again", "--last", "4", "--json").stdout)["last"]
    plain = json.loads(call("show", "digits", "--last", "1", "--json").stdout)["last"]

    assert sorted(trial["replicate"] for trial in repeated) == [0, 0, 1, 1]
    assert plain[0]["replicate"] is None


def test_show_a_study_without_results() -> None:
    """It says so."""
    ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="new")

    assert "no trial has completed yet" in call("show", "new").stdout


def test_best() -> None:
    """Params as JSON, as flags, or with everything."""
    best = ts.load(None, "digits").best
    params = json.loads(call("best").stdout)

    assert params == dict(best.params)
    assert isinstance(params["layers"], list)
    words = call("best", "--args").stdout.split()
    assert f"--lr={params['lr']!r}" in words
    assert ("--warm" in words) is params["warm"]
    assert json.loads(call("best", "--json").stdout)["values"] == {"loss": best.value}


def test_best_of_several_objectives_is_a_list() -> None:
    """Every trial that no other beats."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="a", maximize="b", name="two")
    study.run(lambda t: {"a": t["x"], "b": t["x"]}, trials=3, progress=False)

    assert len(json.loads(call("best", "two").stdout)) == 3
    assert len(call("best", "two", "--args").stdout.splitlines()) == 3


def test_export(folder: Path) -> None:
    """A row for each trial, the same by CSV, JSON, and file."""
    table = list(csv.DictReader(io.StringIO(call("export").stdout)))
    data = json.loads(call("export", "--json").stdout)
    call("export", "-o", "all.csv")
    call("export", "digits", "-o", "all.json")

    history = ts.load(None, "digits").history
    assert [float(row["params.lr"]) for row in table] == [r.logged["lr"] for r in history]
    assert [trial["params"]["lr"] for trial in data] == [r.logged["lr"] for r in history]
    assert (folder / "all.csv").read_text() == call("export").stdout
    assert json.loads((folder / "all.json").read_text()) == data


def test_enqueue() -> None:
    """What is given is tried next; the rest is completed."""
    result = call("enqueue", "digits", "lr=0.01", "opt=adam", "layers=[8, 16]", "--note", "mine")
    assert result.exit_code == 0, result.stderr
    call("enqueue", "warm=true", "--json")

    first, second = ts.load(None, "digits").ask(2)
    assert (first["lr"], first["opt"], first["layers"]) == (0.01, "adam", [8, 16])
    assert second["warm"] is True


def test_verify() -> None:
    """The log gives every suggestion; as JSON, too."""
    assert call("verify").stdout == "digits: 8 decisions agree\n"
    assert json.loads(call("verify", "--json").stdout)["agrees"] is True


def test_delete_asks() -> None:
    """Only with --yes not; without anybody to ask it refuses."""
    refused = call("delete", "digits", stdin="y\n")
    assert (refused.exit_code, ts.studies()) == (2, ["digits"])
    assert "--yes" in refused.stderr

    done = call("delete", "digits", "--yes", "--json")

    assert json.loads(done.stdout) == {"name": "digits", "deleted": True, "trials": 8}
    assert ts.studies() == []


def test_another_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """--storage and $TUNESMITH_STORAGE name it; nothing is made by looking."""
    assert call("list", "--storage", "other.db").stdout == "no study in ./other.db\n"
    monkeypatch.setenv("TUNESMITH_STORAGE", "third.db")
    assert call("list").stdout == "no study in ./third.db\n"
    assert not Path("other.db").exists()
    assert not Path("third.db").exists()


@pytest.mark.parametrize(
    "words, code, sentence",
    [
        (["show", "nope"], 1, "there is no study 'nope'"),
        (["best", "--storage", "none.db"], 1, "there is no study in ./none.db"),
        (["enqueue", "lr=3"], 2, "lr: 3 is not in Float"),
        (["enqueue", "rate=3"], 2, "there is no parameter 'rate'"),
        (["enqueue", "digits"], 2, "nothing to try; add params"),
        (["enqueue", "digits", "lr"], 2, "a parameter is written NAME=VALUE, got 'lr'"),
        (["export", "-o", "no/where.csv"], 1, "no/where.csv"),
        (["delete", "nope", "--yes"], 1, "there is no study 'nope'"),
        (["sow"], 2, "No such command 'sow'"),
    ],
)
def test_errors_are_one_sentence(words: list[str], code: int, sentence: str) -> None:
    """On standard error, without a traceback; standard output stays empty."""
    result = call(*words)

    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_without_a_name_the_only_study_is_meant() -> None:
    """With two, the names are listed."""
    ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="second")

    result = call("best")

    assert result.exit_code == 1
    assert "holds 2 studies; name one of digits, second" in result.stderr


def test_a_worker_joins_and_leaves() -> None:
    """With a function or a program, in a study that exists; it says what came out."""
    Path("fit.py").write_text("def fit(trial):\n    return trial['lr']\n")

    result = call("worker", "tunesmith.db", "digits", "fit.py:fit", "--trials", "8", "-q")
    assert result.exit_code == 0, result.output
    assert "best: trial" in result.stdout
    result = call(
        "worker",
        "tunesmith.db",
        "digits",
        "--trials",
        "9",
        "--json",
        "-q",
        "--",
        "echo",
        "loss: 1",
        "{args}",
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["complete"] == 9
    result = call("worker", "tunesmith.db", "letters", "fit.py:fit")
    assert result.exit_code == 1
    assert "there is no study 'letters'" in result.stderr


def test_a_worker_without_an_end_goes_on_until_it_is_stopped() -> None:
    """`stop` ends it, and says what it does; a trial can be stopped alone."""
    Path("fit.py").write_text(
        "import time\ndef fit(trial):\n"
        "    for step in range(1, 10_000):\n        trial.report(step, loss=1.0)\n        time.sleep(0.01)\n"
    )
    program = "from tunesmith.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "worker", "tunesmith.db", "digits", "fit.py:fit"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    storage, study = ts.storage.connect("tunesmith.db"), ts.load(None, "digits")
    before = len(study.history)
    while len(study.history) == before or not study.history[before].reports:
        storage.wait("digits", len(storage.read("digits")), 0.2)
    assert call("stop", "digits", "--trial", str(before)).stdout == (
        f"digits: trial {before} ends at its next report\n"
    )
    while len(study.history) == before + 1 or not study.history[before + 1].reports:
        storage.wait("digits", len(storage.read("digits")), 0.2)
    assert json.loads(call("stop", "--json").stdout)["running"] == 1
    _, said = process.communicate(timeout=20)

    assert process.returncode == 0
    assert f"trial {before}: stopped after step" in said
    assert "stopped by command" in said
    assert [(r.state, r.why) for r in study.history[before:]] == [
        ("stopped", "command"), ("paused", "interrupted"),
    ]  # fmt: skip


def test_a_study_is_paused_and_resumed() -> None:
    """Nothing begins in between; a run that waits goes on by itself."""
    paused = call("pause", "digits")
    assert paused.stdout == "digits: no trial begins until `tunesmith resume digits`\n"
    with pytest.raises(ts.StudyError, match="is paused"):
        ts.load(None, "digits").ask()
    assert "; paused, `tunesmith resume` lets it go on" in call("show").stdout

    assert json.loads(call("pause", "--json").stdout) == {"name": "digits", "paused": True}
    assert json.loads(call("resume", "--json").stdout) == {"name": "digits", "paused": False}
    assert "runs that wait go on by themselves" in call("resume").stdout
    assert ts.load(None, "digits").ask().number == 8


def test_stopping_what_does_not_run() -> None:
    """It says so."""
    assert call("stop").stdout == "digits: nothing is running\n"


def test_a_worker_takes_a_number_of_trials_to_add() -> None:
    """To those that the study has."""
    Path("fit.py").write_text("def fit(trial):\n    return trial['lr']\n")

    result = call("worker", "tunesmith.db", "digits", "fit.py:fit", "--more", "2", "-q")

    assert result.exit_code == 0, result.output
    assert ts.load(None, "digits").history.count("complete") == 8


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--timeout", "nan"], "--timeout is a number of seconds above 0, got nan"),
        (["--retries", "-1"], "--retries is a whole number from 0 on, got -1"),
        (["--lease", "0", "--more", "1"], "--lease is a number of seconds above 0, got 0.0"),
        (["--trials", "9", "--more", "2"], "--trials 9 is the number of trials the study shall"),
        (
            ["--more", "1", "--trial-timeout", "3"],
            "needs a worker process, which can be killed; add --workers 1",
        ),
        (["--more", "1", "--trial-memory", "much"], "is a number of bytes such as 400MB or 2GB"),
        (["--more", "1", "--workers", "0"], "--workers is a whole number from 1 on, got 0"),
    ],
)
def test_bounds_are_called_as_they_are_typed(words: list[str], sentence: str) -> None:
    """What the library refuses is said in the words of the command line."""
    Path("fit.py").write_text("def fit(trial):\n    return trial['lr']\n")

    result = call("worker", "tunesmith.db", "digits", "fit.py:fit", *words)

    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--workers", "0"], "--workers is a whole number from 1 on, got 0"),
        (["--trial-timeout", "3"], "such as -- timeout 600 echo {args}"),
        (["--trial-memory", "2GB"], "--trial-memory is for functions"),
        (["--executor", "ray"], "--executor is for functions"),
    ],
)
def test_bounds_that_programs_do_not_have(words: list[str], sentence: str) -> None:
    """One sentence, with another way if there is one."""
    result = call("worker", "tunesmith.db", "digits", *words, "--", "echo", "{args}")

    assert result.exit_code == 2
    assert sentence in result.stderr


SIGNATURE = """
from typing import Annotated
import tunesmith as ts

def fit(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    return x
"""


@pytest.mark.parametrize(
    "words, code, sentence",
    [
        (["worker", "nosuch.db", "digits", "fit.py:fit"], 1, "nosuch.db; is that the right place?"),
        (
            ["run", "fit.py:fit", "--minimize", "loss", "--trials", "3", "--name", "digits"],
            1,
            "Give this one another --name, or remove that one with `tunesmith delete digits`",
        ),
        (
            ["run", "fit.py:fit", "--minimize", "loss", "--sampler", "random"],
            2,
            "--trials 100 (in all), --more 50 or --timeout 3600 (seconds)",
        ),
    ],
)
def test_advice_that_only_python_can_follow_is_not_given(
    words: list[str], code: int, sentence: str
) -> None:
    """Other ways out are, where there are some."""
    Path("fit.py").write_text(SIGNATURE)

    result = call(*words)

    assert result.exit_code == code
    assert result.stderr.endswith(f"{sentence}\n")


def test_the_words_of_a_trial_are_left_alone() -> None:
    """Only the advice after them is ours."""
    Path("fit.py").write_text("def fit(trial):\n    raise ValueError('workers=3 is not prime')\n")

    result = call("worker", "tunesmith.db", "digits", "fit.py:fit", "--max-failures", "0", "-q")

    assert result.exit_code == 1
    assert "workers=3 is not prime. Everything is kept; --max-failures allows more" in result.stderr
