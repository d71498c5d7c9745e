import json
import re
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "heading, names",
    [
        ("Samplers", list(ts.samplers.registry)),
        ("Schedulers", list(ts.schedulers.registry)),
        ("Replication", list(ts.replication.registry)),
        ("Executors", list(ts.executors.registry)),
        ("Storages", list(ts.storage.registry)),
        ("Files", list(ts.storage.blobs_registry)),
    ],
)
def test_every_registered_name_is_documented(heading: str, names: list[str]) -> None:
    """docs/parts.md has a row for each part."""
    text = (ROOT / "docs" / "parts.md").read_text()
    section = text.split(f"## {heading}")[1].split("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == sorted(names)


def test_every_picture_is_documented() -> None:
    """docs/pictures.md has a row and an image of each."""
    text = (ROOT / "docs" / "pictures.md").read_text()
    names = list(ts.plots.registry)

    assert sorted(re.findall(r"^\| `(\w+)`", text, re.MULTILINE)) == names
    assert sorted(re.findall(r"^!\[(\w+)\]", text, re.MULTILINE)) == names
    assert all((ROOT / "docs" / "pictures" / f"{name}.svg").exists() for name in names)


def test_every_stop_rule_is_documented() -> None:
    """docs/parts.md names each rule."""
    section = (ROOT / "docs" / "parts.md").read_text().split("## Stop rules")[1]

    assert set(re.findall(r"`([A-Z]\w+)\(", section)) == set(ts.stop.__all__) - {"StopRule"}


def test_the_fold_that_the_docs_show_is_the_fold() -> None:
    """The page of code in docs/how-it-works.md agrees with ours on a simple study."""
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"json": json}
    exec(code, names)
    storage = ts.storage.Memory()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="s", storage=storage)
    for trial in study.ask(3):
        trial.report(1, loss=0.5)
        if trial.number:
            study.tell(trial, trial["x"])

    assert names["fold"](storage.read("s")) == [
        {
            "number": r.number,
            "params": r.logged,
            "state": r.state,
            "values": r.values or {"loss": 0.5},
        }
        for r in study.history
    ]


def test_the_log_that_the_docs_show_is_a_log() -> None:
    """The lines in docs/how-it-works.md are what the study that they describe writes."""
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    (shown,) = re.findall(r"```\n(\{.*?)```", text, re.DOTALL)
    storage = ts.storage.Memory()
    study = ts.Study({"x": ts.Float(-10, 10)}, minimize="loss", name="s", storage=storage, seed=7)
    for number in range(2):
        trial = study.ask()
        if number:
            trial.report(1, loss=50.0)
        study.tell(trial, loss=(trial["x"] - 2) ** 2)
    events = [json.loads(line) for line in storage.read("s")]
    for event in events:
        for left_out in ("time", "owner", "versions", "provenance", "batch", "ask_s"):
            event.pop(left_out, None)

    assert [json.loads(line) for line in shown.splitlines()] == events


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/design.md"])
def test_files_that_the_docs_name_are_there(name: str) -> None:
    """A path in backquotes that looks like one of ours exists."""
    text = (ROOT / name).read_text()
    paths = re.findall(r"`((?:src|docs|bench|tests|examples)/[\w./-]*\w)/?`", text)

    assert [path for path in paths if not (ROOT / path).exists()] == []
