import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose validation overtunes: its test is best at 0.5."""
    path = tmp_path_factory.mktemp("kept") / "studies.db"
    study = ts.Study(
        {"x": ts.Float(0, 1), "idle": ts.Float(0, 1)}, minimize="loss", name="line", storage=path, seed=1
    )  # fmt: skip
    for trial in study.ask(20):
        study.tell(trial, {"loss": -trial["x"], "test_loss": (trial["x"] - 0.5) ** 2})
    return path


def call(path: Path, *words: str) -> Result:
    return CliRunner().invoke(commands, [*words, "--storage", str(path)])


def test_forecast_says_what_holds_and_what_is_to_come(kept: Path) -> None:
    """Validation and test of the incumbent, and the gain of as many more trials as asked for."""
    text = call(kept, "forecast", "--trials", "30").stdout

    assert text.startswith("loss went from ")
    assert "test_loss" in text
    assert "30 more trials: loss" in text


def test_forecast_as_data(kept: Path) -> None:
    """With --json arrays are lists, and what is not known is null."""
    data = json.loads(call(kept, "forecast", "--json").stdout)

    assert data["name"] == "line"
    assert len(data["validation"]) == len(data["tested"]) == 20
    assert data["forecast"]["trials"] == 50


def test_a_test_that_nobody_measured_is_refused(kept: Path) -> None:
    """One sentence, and the exit code of what is typed wrong."""
    done = call(kept, "forecast", "--test", "f1")

    assert done.exit_code == 2
    assert "no trial has measured 'f1'; they have loss, test_loss" in done.output


def test_sensitivity_says_what_matters(kept: Path) -> None:
    """Each move with its interval, as text and as data."""
    text = call(kept, "sensitivity").stdout
    data = json.loads(call(kept, "sensitivity", "--json").stdout)

    assert "of the spread is seeds" in text
    assert {step["parameter"] for step in data["steps"]} == {"x", "idle"}
