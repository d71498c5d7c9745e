import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one weight that descends to 0 by steps of its learning rate."""
    path = tmp_path_factory.mktemp("kept") / "studies.db"
    study = ts.Study(
        {"lr": ts.Float(1e-4, 1.0, log=True)}, minimize="loss", name="weight", storage=path, seed=1,
        resource=ts.Resource("epoch", 20), scheduler=None, sampler=ts.samplers.QuasiRandom(),
    )  # fmt: skip
    for trial in study.ask(12):
        weight = 1.0
        for step in trial.steps():
            weight -= trial["lr"] * weight
            trial.report(step, loss=weight**2)
        study.tell(trial)
    return path


def call(path: Path, *words: str) -> Result:
    return CliRunner().invoke(commands, ["diagnose", *words, "--storage", str(path)])


def test_it_says_what_is_wrong_and_what_to_move(kept: Path) -> None:
    """The symptom with its trials, the parameter with its evidence, and the best trial."""
    text = " ".join(call(kept).stdout.split())

    assert text.startswith("weight: 12 trials, 12 with a curve that is long enough to judge")
    assert "too slow: " in text
    assert "-> raise lr: median" in text
    assert "the best, trial" in text


def test_one_trial_is_told_alone(kept: Path) -> None:
    """By its number; a number that there is not is one sentence."""
    found = json.loads(call(kept, "--json").stdout)
    slow = found["findings"][0]["trials"][0]
    well = next(n for n in range(12) if n not in {one["trial"] for one in found["symptoms"]})

    assert f"trial {slow}: too slow: " in call(kept, "weight", "--trial", str(slow)).stdout
    assert "nothing is wrong" in call(kept, "--trial", str(well)).stdout
    assert json.loads(call(kept, "--trial", str(slow), "--json").stdout)[0]["kind"] == "too slow"
    assert call(kept, "--trial", "99").exit_code == 1
    assert "there is no trial 99; the study has 12" in call(kept, "--trial", "99").stderr


def test_json_holds_everything(kept: Path) -> None:
    """Findings with moves and their numbers, symptoms, and null where there is no number."""
    found = json.loads(call(kept, "--json").stdout)
    [finding, *_] = found["findings"]

    assert (found["trials"], found["judged"], found["remark"]) == (12, 12, "")
    assert finding["moves"][0]["parameter"] == "lr"
    assert set(finding["moves"][0]) >= {"to", "correlation", "low", "high", "p", "known", "seen"}
    assert all(0 < one["strength"] <= 1 for one in found["symptoms"])
