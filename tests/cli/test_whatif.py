import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, ["whatif", *words])


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    """A curve that falls towards x."""
    for step in trial.steps():
        trial.report(step, loss=trial["x"] + 1 / step)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a study of 20 trials, all trained to the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    make("full", scheduler=None)
    return tmp_path


def make(name: str, **options: Any) -> None:
    """Run a study."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", max=9), name=name,
        sampler=ts.samplers.Random(), seed=1, **options,
    )  # fmt: skip
    study.run(train, trials=20, progress=False)


def test_it_says_what_would_have_been_spent() -> None:
    """A sentence and a row for each scheduler that was named, beside what was."""
    result = call("full", "--scheduler", "asha", "--scheduler", "asha:factor=2", "--workers", "8")

    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][:2] == ["full:", "loss"]
    assert [line[0] for line in lines[3:6]] == ["as", "asha", "asha:factor=2"]
    assert "with 8 workers and asha it would have reached this with" in result.stdout
    assert "% of the epochs" in result.stdout


def test_without_a_scheduler_all_that_fit_are_tried() -> None:
    """Also none; one that cannot do what the study asks is left out."""
    data = json.loads(call("--json").stdout)

    assert {"none", "asha", "hyperband", "successivehalving"} <= data["whatif"].keys()
    assert "race" not in data["whatif"]
    assert data["recorded"]["spent"] == data["whatif"]["none"]["spent"] == 180
    assert data["whatif"]["none"]["share"] == 1.0
    assert 0 < data["whatif"]["asha"]["share"] < 1
    assert data["unit"] == "epoch"
    best = ts.load(None, "full").best.number
    assert data["whatif"]["hyperband"]["best"]["number"] == best


def test_the_file_is_enough_where_it_holds_one_study() -> None:
    """`tunesmith whatif tunesmith.db` means the study in it."""
    assert call("tunesmith.db", "--scheduler", "none").stdout.startswith("full: ")


def test_what_is_not_known_is_counted() -> None:
    """Trials that were stopped might have been better."""
    make("stopped")
    result = call("stopped", "--scheduler", "none")

    assert "would have gone on where their curve was cut short" in result.stdout


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--scheduler", "ashes"], "there is no scheduler 'ashes'"),
        (["--scheduler", "race"], "Race compares the folds"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], sentence: str) -> None:
    """In one sentence, with exit code 2."""
    result = call("full", *words)

    assert result.exit_code == 2
    assert sentence in result.output
