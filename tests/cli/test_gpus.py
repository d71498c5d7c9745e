import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands

SPACE = """
[parameters]
lr = {type = "Float", low = 1e-5, high = 0.1, log = true, default = 1e-3}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a space and a model, and no GPU hidden."""
    monkeypatch.chdir(tmp_path)
    for name in ("TUNESMITH_STORAGE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "space.toml").write_text(SPACE)
    (tmp_path / "model.py").write_text(
        "import os, tunesmith as ts\n"
        "from typing import Annotated\n"
        "def fit(x: Annotated[float, ts.Float(0, 1)]) -> dict[str, float]:\n"
        "    return {'loss': x, 'gpu': float(os.environ['CUDA_VISIBLE_DEVICES'])}\n"
    )
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, words)


def apart(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own, which imports what it tunes."""
    code = "from tunesmith.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


def run(script: str, *more: str) -> Result:
    """Tune a shell script."""
    options = ["--space", "space.toml", "--metric", "loss", *more, "--name", "s"]
    return call("run", *options, "--", "bash", "-c", script, "program", "{lr}")


def test_programs_see_their_own_gpus() -> None:
    """Which stand in their environment, and with the trial."""
    result = run(
        'echo "{\\"loss\\": 1, \\"gpu\\": $CUDA_VISIBLE_DEVICES}"', "--trials", "6", "--gpus", "2,5"
    )
    history = ts.load(None, "s").history

    assert (result.exit_code, len(history)) == (0, 6)
    assert [r.device for r in history] == [f"GPU {r.values['gpu']:.0f}" for r in history]
    assert {r.device for r in history[:2]} == {"GPU 2", "GPU 5"}


def test_functions_see_their_own_gpus() -> None:
    """Likewise; `show` says where a trial ran, and what memory it needed."""
    done = apart("run", "model.py:fit", "--metric", "loss", "--trials", "2", "--gpus", "7", "-q")
    (record, _) = ts.load(None, "model:fit").history
    told = call("show", "model:fit", "0").stdout
    data = json.loads(call("show", "model:fit", "0", "--json").stdout)

    assert done.returncode == 0
    assert (record.device, record.values["gpu"]) == ("GPU 7", 7.0)
    assert "  device: GPU 7\n" in told
    assert f"  peak memory: {record.cost['peak_memory_bytes'] / 1e6:.3g} MB\n" in told
    assert (data["device"], data["cost"]) == ("GPU 7", record.cost)


def test_what_runs_is_shown_with_its_gpu() -> None:
    """A column of its own, where there are GPUs."""

    def train(trial: ts.Trial[dict[str, float]]) -> float:
        shown.append(call("show", "model:fit").stdout)
        return float(trial["x"])

    shown: list[str] = []
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="model:fit")
    executor = ts.executors.Threads(1, gpus=[3])
    study.run(train, trials=1, executor=executor, progress=False)

    heads, line = shown[0].split("running  step")[1].splitlines()[:2]
    assert heads.split()[:2] == ["for", "on"]
    assert " GPU 3 " in line


def test_a_program_that_ran_out_of_memory_beside_others_is_tried_again_alone(
    folder: Path,
) -> None:
    """Known by what it wrote to standard error."""
    script = """
        touch began-$TUNESMITH_TRIAL
        if [ $TUNESMITH_TRIAL = 1 ] && [ ! -e failed ]; then
            until [ -e began-0 ]; do sleep 0.01; done
            touch failed
            echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB" >&2
            exit 1
        fi
        until [ -e failed ]; do sleep 0.01; done
        echo '{"loss": 1}'
    """
    result = run(script, "--trials", "3", "--gpus", "0", "--workers", "2")
    record = ts.load(None, "s").history[1]

    assert result.exit_code == 0
    assert (record.state, record.attempt, record.alone) == ("complete", 2, True)
    assert "trial 1 ran out of memory beside others, and is tried again alone\n" in result.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        (["--gpus", "0,1", "--workers", "3"], "2 GPUs do not go evenly into --workers 3"),
        (["--gpus", "first"], "'all' or a list of numbers and ids"),
    ],
)
def test_gpus_that_cannot_be_given_are_refused(words: list[str], message: str) -> None:
    """In one sentence, for programs as for functions."""
    assert message in run("true", "--trials", "1", *words).stderr
    assert (
        message in apart("run", "model.py:fit", "--metric", "loss", "--trials", "1", *words).stderr
    )
