import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands

MODEL = """
import numpy as np
from typing import Annotated
import tunesmith as ts

def fit(trial: ts.Trial, lr: Annotated[float, ts.Float(0, 1)] = 0.5) -> float:
    return lr + np.random.default_rng(trial.seed).normal()
"""
SPACE = "[parameters]\nlr = {type = 'Float', low = 0.1, high = 1.0}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a function in a script."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.py").write_text(MODEL)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


def tunesmith(*words: str, code: int = 0) -> str:
    """What the command prints, in a process of its own."""
    program = Path(sys.executable).with_name("tunesmith")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def program(*more: str, script: str = "echo loss: $1$TUNESMITH_TRIAL") -> tuple[str, ...]:
    return (
        "run", "--space", "space.toml", "--metric", "loss", "--trials", "2", "--name", "s", *more,
        "--", "bash", "-c", script, "program", "{lr}",
    )  # fmt: skip


def test_a_function_is_found_again_in_the_command_that_ran_it() -> None:
    """And named, it need not be; a change makes the exit code 1."""
    tunesmith("run", "models/model.py:fit", "--minimize", "--trials", "2", "--name", "s", "-q")

    assert "trial 1 matches exactly" in tunesmith("rerun", "tunesmith.db", "1")
    Path("models/model.py").write_text(MODEL.replace("return lr", "return 2 * lr"))
    said = tunesmith("rerun", "tunesmith.db", "1", "--study", "s", "models/model.py:fit", code=1)
    assert "trial 1 differs" in said
    assert "model.py changed" in said


def test_a_program_is_run_again_as_the_log_has_it() -> None:
    """From nothing, in a folder of its own, which is removed; its files count as its code."""
    script = "mkdir -p $TUNESMITH_CHECKPOINT; ls $TUNESMITH_CHECKPOINT | wc -l > n; touch $TUNESMITH_CHECKPOINT/x; echo loss: $1"
    Path("run.sh").write_text(script)
    words = ("--space", "space.toml", "--metric", "loss", "--trials", "2", "--name", "s", "-q")
    tunesmith("run", *words, "--", "bash", "run.sh", "{lr}")
    said = ts.load("tunesmith.db").history[1].provenance

    assert said.objective == "bash run.sh '{lr}'"
    assert list(said.files) == ["run.sh"]
    assert "trial 1 matches exactly" in tunesmith("rerun", "tunesmith.db", "1")
    assert Path("n").read_text().strip() == "0"
    assert [path.name for path in Path(".tunesmith").iterdir()] == ["s"]


def test_a_rerun_says_what_it_needs() -> None:
    """A trial run from Python, one of a bundle, and one that is not there."""
    call(*program("-q"))
    study = ts.load("tunesmith.db")
    study.bundle("s.tunesmith")

    for storage, why in (
        ("tunesmith.db", "it was not run by `tunesmith`"),
        ("s.tunesmith", "what a bundle names is not run unasked"),
    ):
        result = call("rerun", storage, "0")
        assert result.exit_code == 2
        assert why in result.stderr
    assert "there is no trial 9" in call("rerun", "tunesmith.db", "9").stderr


def test_a_rerun_is_json_and_a_note() -> None:
    """With every value, what changed, and the finding in words."""
    call("run", "models/model.py:fit", "--minimize", "--trials", "1", "--name", "s", "-q")
    sys.modules.pop("model", None)
    result = call("rerun", "tunesmith.db", "0", "--json", "--note", "models/model.py:fit")
    sys.modules.pop("model", None)
    data = json.loads(result.stdout)

    assert (data["matches"], data["exactly"], data["difference"]) == (True, True, 0.0)
    assert data["compared"][0]["metric"] == "value"
    assert [note.text for note in ts.load("tunesmith.db").notes] == [
        "run once more: matches exactly, in 1 value"
    ]


def test_a_trial_is_shown_with_what_it_was_run_with() -> None:
    """Values, params and provenance; as JSON, too."""
    call(*program("-q"))
    shown = call("show", "s", "1").stdout
    data = json.loads(call("show", "s", "1", "--json").stdout)

    assert shown.startswith("s, trial 1: complete\n\nvalues\n  loss: ")
    assert "\nrun with\n  objective: bash -c" in shown
    assert data["provenance"]["objective"].startswith("bash -c")
    assert "there is no trial 7" in call("show", "s", "7").stderr


def made(name: str, storage: str, **more: Any) -> ts.Study[dict[str, Any]]:
    study = ts.Study(
        {"lr": ts.Float(0, more.pop("high", 1))},
        minimize="loss",
        name=name,
        storage=storage,
        **more,
    )
    return study.run(lambda trial: trial["lr"], trials=3, progress=False)


def test_two_studies_are_compared() -> None:
    """By name, by file, by both, and bundles; what is the same is left out."""
    made("a", "one.db", seed=1)
    made("b", "one.db", seed=1, high=2, sampler=ts.samplers.Random())
    made("c", "two.db", seed=1).bundle("c.tunesmith")
    table = call("diff", "a", "b", "--storage", "one.db").stdout
    rows = [line.split() for line in table.splitlines()[1:]]

    assert ["space", "lr", "Float(0.0,", "1.0)", "Float(0.0,", "2.0)"] in rows
    assert ["settings", "sampler", "auto", "random"] in rows
    assert "seed" not in table
    assert "differ in nothing" in call("diff", "one.db:a", "two.db").stdout
    assert "differ in nothing" in call("diff", "one.db:a", "c.tunesmith").stdout
    assert json.loads(call("diff", "one.db:a", "one.db:b", "--json").stdout)[0] == {
        "part": "space", "name": "lr", "a": "Float(0.0, 1.0)", "b": "Float(0.0, 2.0)",
    }  # fmt: skip


def test_two_trials_are_compared() -> None:
    """Params and values, with all their digits."""
    study = made("a", "tunesmith.db", seed=1)
    table = call("diff", "0", "2").stdout

    assert "trial 0" in table
    assert repr(study.history[2].params["lr"]) in table
    assert "there is no trial 9" in call("diff", "0", "9").stderr


def test_a_bundle_is_made_and_read() -> None:
    """With a name that is a file's; every command that reads takes it as a storage."""
    made("a/b", "tunesmith.db", seed=1)
    result = call("bundle", "tunesmith.db")

    assert result.stdout == "3 trials and 0 checkpoints packed into a-b.tunesmith\n"
    assert "3 trials: 3 complete" in call("show", "--storage", "a-b.tunesmith").stdout
    assert call("verify", "--storage", "a-b.tunesmith").exit_code == 0
    assert "read and not written" in call("stop", "a/b", "--storage", "a-b.tunesmith").stderr
    data = json.loads(call("bundle", "tunesmith.db", "-o", "x.tunesmith", "--json").stdout)
    assert data == {"name": "a/b", "file": "x.tunesmith", "trials": 3, "checkpoints": 0}


def test_data_are_held_to() -> None:
    """Of a file that changed the command says so, in its own words."""
    Path("rows.csv").write_text("1")
    assert call(*program("--data", "rows.csv", "-q")).exit_code == 0
    Path("rows.csv").write_text("2")
    result = call(*program("--data", "rows.csv", "-q"))

    assert result.exit_code == 1
    assert "data: " in result.stderr
    assert "leave --data out to go on all the same" in result.stderr


def test_a_run_that_confirms() -> None:
    """What is confirmed is shown, in words and as JSON."""
    line = ("run", "models/model.py:fit", "--minimize", "--trials", "9", "--seed", "1", "-q")
    said = json.loads(tunesmith(*line, "--confirm", "--json"))["confirmation"]

    assert said["evaluations"] == 6
    assert said["interval"][0] < said["estimate"] < said["interval"][1]
    assert "\nconfirmed: trial " in tunesmith("show")
    assert json.loads(tunesmith("show", "--json"))["confirmation"] == said


def test_a_baseline_is_shown_as_what_it_is() -> None:
    """It has no number, and is named in words; the study need not be."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", storage="tunesmith.db")
    study.run(lambda trial: float(trial["x"]), trials=5, progress=False)
    study.confirm(lambda trial: 1.0 + trial.seed, baseline=lambda trial: 0.0, progress=False)
    said = json.loads(call("show", "--json").output)["confirmation"]

    assert said["number"] is None
    assert said["params"] == {}
    assert said["evaluations"] == 6
    assert None in said["level"]
    assert "\nconfirmed: the baseline: " in call("show").output
    assert call("verify", "s-confirm-baseline").exit_code == 0


def test_programs_are_not_confirmed() -> None:
    """That is said before anything runs."""
    program = (
        "--space",
        "space.toml",
        "--metric",
        "loss",
        "--trials",
        "3",
        "--confirm",
        "--",
        "echo",
    )
    refused = call("run", *program, "loss: {lr}")

    assert refused.exit_code == 2
    assert "--confirm is for functions" in refused.output
    assert not Path("tunesmith.db").exists()
