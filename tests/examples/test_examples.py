"""The programs in examples/ run as a user types them, small, with warnings as errors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, folder: Path, *sizes: int) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, sizes)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    """The number that the group of a pattern finds."""
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def test_a_linear_classifier_in_passes(tmp_path: Path) -> None:
    """Digits are mostly told apart, with less than half of the passes that full trainings would need."""
    printed = run("sgd_partial_fit.py", tmp_path, 9, 9)

    assert number(r"accuracy ([\d.]+)", printed) > 0.85
    assert number(r"(\d+) epochs instead of 81", printed) < 41


def test_boosting_by_trees(tmp_path: Path) -> None:
    """Fewer trees than full trainings would grow; typed again, it answers from the file."""
    printed = run("boosting_trees.py", tmp_path, 6, 90)
    again = run("boosting_trees.py", tmp_path, 6, 90)

    assert number(r"accuracy .*: ([\d.]+)", printed) > 0.9
    assert number(r"(\d+) trees instead of 540", printed) < 400
    assert printed == again


def test_an_agent_in_a_population(tmp_path: Path) -> None:
    """The pole stands longer than at random, and the schedule begins with the training."""
    printed = run("cartpole_pbt.py", tmp_path, 6, 16)

    assert number(r"stands for (\d+)", printed) > 30
    assert "from epoch   1: lr=" in printed


def test_the_observed_best_is_not_what_to_take(tmp_path: Path) -> None:
    """The best observed says far too much; what is recommended says less, and is worth more on test samples."""
    printed = run("trust.py", tmp_path)
    row = r"^{} +([\d.]+) +([\d.]+)$"
    said, worth = ({way: float(re.search(row.format(way), printed, re.MULTILINE)[i])  # type: ignore[index]
                    for way in ("observed", "recommended", "confirmed", "default")} for i in (1, 2))  # fmt: skip

    assert said["observed"] > worth["observed"] + 0.08
    assert abs(said["recommended"] - worth["recommended"]) < 0.03
    assert min(worth["recommended"], worth["confirmed"]) > worth["observed"]
    assert worth["observed"] > worth["default"]
    assert re.search(
        r"recommended: trial \d+, test .*which measured 1, is expected to have 0\.", printed
    )


@pytest.mark.torch
def test_a_network_on_digits(tmp_path: Path) -> None:
    """It tells digits apart, and the best is loaded from its checkpoint."""
    printed = run("digits_cnn.py", tmp_path, 4, 3)

    assert number(r"accuracy ([\d.]+)", printed) > 0.7
    assert "tunesmith.db.files/digits-cnn-3/" in printed


@pytest.mark.torch
def test_an_lstm_on_waves(tmp_path: Path) -> None:
    """It foretells better than the mean, which has a loss of 1, and its trainings are judged."""
    printed = run("sequences_lstm.py", tmp_path, 6, 12)

    assert number(r"loss ([\d.]+)", printed) < 0.5
    assert "too few to tell a trend" in printed


def test_every_program_is_run() -> None:
    """This file runs each; `demo.py` is run by `make demo`."""
    text = Path(__file__).read_text()

    assert {p.name for p in EXAMPLES.glob("*.py") if f'run("{p.name}", ' not in text} == {"demo.py"}
