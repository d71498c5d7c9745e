import re
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts


def said(study: ts.Study[Any], folder: Path) -> str:
    """The study's report as Markdown."""
    study.report(folder / "report.md")
    return (folder / "report.md").read_text()


def test_it_says_what_was_tuned_gained_and_mattered(line: ts.Study[Any], tmp_path: Path) -> None:
    """In plain words and in this order, with intervals; then what to do next, and how it was done."""
    text = said(line, tmp_path)

    assert re.findall(r"^## (.*)", text, re.MULTILINE) == [
        "In short", "What was gained", "What mattered", "What to do next", "Where the time went", "How it was done",
    ]  # fmt: skip
    assert "2 hyperparameters (x and idle) were tuned, to have loss as low as possible." in text
    assert "All 24 trials completed." in text
    assert f"Trial {line.recommend().record.number} is recommended: its expected loss is" in text
    assert "The default has" in text
    assert "What decides loss: x (" in text
    assert re.search(r"^\| x \| real, 0 to 1 \| 0\.9 \| .* \|$", text, re.MULTILINE)
    assert "Best loss so far: `" in text


def test_it_names_what_was_attached(line: ts.Study[Any], tmp_path: Path) -> None:
    """To the trial that it recommends."""
    number = line.recommend().record.number
    (tmp_path / "cm.png").write_bytes(b"")
    line.attach(number, tmp_path / "cm.png", "the matrix")

    assert f"Attached to trial {number}: the matrix." in said(line, tmp_path)


@pytest.mark.parametrize(
    "n, value, words",
    [
        (0, 1.0, ["No trial has begun yet."]),
        (1, 1.0, ["1 trial completed.", "too few evaluations to tell it from luck", "there is 1."]),
        (2, 1.0, ["All 2 trials completed.", "from 8 completed trials on, there are 2."]),
        (1, "bug", ["1 trial failed.", "Trial 0 failed by error: bug"]),
        (3, "bug", ["All 3 trials failed.", "3 trials, such as trial 0, failed by error: bug"]),
        (12, 1.0, ["No hyperparameter shows an effect on loss."]),
        (300, 1.0, ["No hyperparameter shows an effect on loss."]),
    ],
)
def test_of_little_little_is_said(
    make: Any, tmp_path: Path, n: int, value: Any, words: list[str]
) -> None:
    """And nothing wrong: numbers agree with their nouns, and what is not known is not there."""
    text = said(make({"x": ts.Float(0, 1)}, lambda t: value, n), tmp_path)

    assert [word for word in words if word not in text] == []
    assert not re.search(r"\bnan\b|\binf\b|None|\b1 \w+s (were|are)\b|\b1 trials\b", text)


def test_several_objectives_have_a_front(make: Any, tmp_path: Path) -> None:
    """The ends of it and what lies between, and for each objective what decides it."""
    study = make(
        {"x": ts.Float(0, 1)}, lambda t: {"a": t["x"], "b": -t["x"]}, 20, minimize=["a", "b"]
    )
    text = said(study, tmp_path)

    assert "20 trials are beaten by no other in all of a and b." in text
    assert "Trials that no other beats, 6 of 20" in text
    assert "What decides a: x (" in text
    assert "What decides b: x (" in text


def test_limits_that_nothing_keeps_are_named(make: Any, tmp_path: Path) -> None:
    """So that nobody takes the best of what is not allowed."""
    study = make(
        {"x": ts.Float(0, 1)}, lambda t: {"loss": 1.0, "ms": 5.0}, 9, subject_to=["ms <= 2"]
    )

    assert "None of those that completed keeps ms \\<= 2." in said(study, tmp_path)


def test_data_stays_data(nasty: ts.Study[Any], tmp_path: Path) -> None:
    """Names with tags, bars and mentions are shown as they are."""
    text = said(nasty, tmp_path)

    assert not re.search(r"(?<!\\)<", text)
    assert "@here" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {5, 6, 7}


def test_it_fits_into_a_pull_request(make: Any, tmp_path: Path) -> None:
    """However many parameters there are and however long their names."""
    space = {f"{'p' * 200}{i}": ts.Categorical(["v" * 500, "w" * 500]) for i in range(150)}
    study = make(space, lambda t: float(t.number), 3)

    assert len(said(study, tmp_path)) < 60_000


def test_another_ending_is_refused(line: ts.Study[Any], tmp_path: Path) -> None:
    """By a sentence that says which there are."""
    with pytest.raises(ts.SettingError, match=r"\.html, for a page with pictures, or \.md"):
        line.report(tmp_path / "report.pdf")


def test_of_equal_values_nothing_odd_is_said(make: Any, tmp_path: Path) -> None:
    """No gain of "0 to 0", no model that foresees little of differences that there are none of, no "of which"."""
    make({"x": ts.Float(0, 1)}, lambda p: 0.5, 10).report(tmp_path / "r.md")
    told = (tmp_path / "r.md").read_text("utf-8")

    assert "Nothing is expected to be gained by 50 more trials." in told
    assert "0 to 0 (" not in told
    assert "foresees only" not in told
    assert "10 trials were run, all of which were completed." in told
