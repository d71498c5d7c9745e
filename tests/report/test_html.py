import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, headings, and text outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.said.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.said[tag][-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def page_of(study: ts.Study[Any], folder: Path) -> tuple[str, Page]:
    study.report(folder / "report.html")
    text = (folder / "report.html").read_text()
    return text, Page(text)


@pytest.fixture(scope="module")
def read(line: ts.Study[Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page]:
    """The report of a simple study, as text and as a page."""
    return page_of(line, tmp_path_factory.mktemp("report"))


def test_it_loads_nothing(read: tuple[str, Page]) -> None:
    """No address outside the page, and a policy under which none would be loaded."""
    _, page = read
    policy = next(m["content"] for m in page.attributes("meta") if m.get("http-equiv"))

    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not [
        tag for tag, attrs in page.tags if {"src", "srcset", "data", "action"} & attrs.keys()
    ]
    assert not page.attributes("link")
    assert all((a["href"] or "").startswith("#") for a in page.attributes("a"))


def test_the_policy_allows_just_the_scripts_that_are_there(read: tuple[str, Page]) -> None:
    """Each by its hash; the rest is data."""
    text, page = read
    policy = next(m["content"] for m in page.attributes("meta") if m.get("http-equiv")) or ""
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts}

    assert len(scripts) == 2
    assert set(re.findall(r"'sha256-(.*?)'", policy)) == hashes


def test_every_picture_says_what_is_seen(read: tuple[str, Page]) -> None:
    """A heading with the finding, which labels it; and its data are there, with numbers only."""
    text, page = read
    figures = page.said["figure"]
    labels = [
        div["aria-labelledby"] for div in page.attributes("div") if div.get("role") == "group"
    ]
    captions = {one["id"] for one in page.attributes("figcaption")}
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)

    assert len(figures) > 5
    assert all(figure.strip() for figure in figures)
    assert set(labels) == captions
    assert len(json.loads(data)["pictures"]) == len(figures)
    assert "NaN" not in data


def test_headings_go_down_step_by_step(read: tuple[str, Page]) -> None:
    """One of the first order, and none is left out."""
    levels = [int(tag[1]) for tag, _ in read[1].tags if re.fullmatch(r"h\d", tag)]

    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_trial_is_there(read: tuple[str, Page], line: ts.Study[Any]) -> None:
    """With its value and its params, in tables that have heads."""
    _, page = read
    rows = [
        row
        for row in page.said["tr"]
        if " idle " in f" {' '.join(row.split())} " and "completed" in row
    ]

    assert len(rows) == len(line.history)
    assert all("scope" in th for th in page.attributes("th"))


def test_of_many_trials_the_best_are_there(make: Any, tmp_path: Path) -> None:
    """And it says where the rest is."""
    study = make({"x": ts.Float(0, 1)}, lambda t: 1.0 if t.number > 1998 else "bug", 2001)
    _, page = page_of(study, tmp_path)
    numbers = [th for th in page.said["th"] if th.isdecimal()]

    assert numbers[-1000:-996] == ["1999", "2000", "0", "1"]
    assert any("The other 1,001 are kept with the study" in p for p in page.said["p"])


def test_data_stays_data(nasty: ts.Study[Any], tmp_path: Path) -> None:
    """Programs in names, labels and failures are text, wherever they stand."""
    _, page = page_of(nasty, tmp_path)

    assert len(page.attributes("script")) == 3
    assert not page.attributes("img")
    assert nasty.name in page.said["h1"][0]
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]


def test_it_is_the_same_whenever_it_is_written(line: ts.Study[Any], tmp_path: Path) -> None:
    """A function of the log: no clock, no luck."""
    assert page_of(line, tmp_path)[0] == page_of(line, tmp_path)[0]
    again = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    assert page_of(again, tmp_path)[0] == page_of(again, tmp_path)[0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_it_can_be_written_before_there_is_much_to_say(make: Any, tmp_path: Path, n: int) -> None:
    """Of no, one or two trials, and where all failed."""
    for value in (1.0, "bug"):
        text, page = page_of(make({"x": ts.Float(0, 1)}, lambda t, v=value: v, n), tmp_path)

        assert page.said["h2"][0] == "In short"
        assert not re.search(r"\bnan\b|\binf\b", " ".join(page.said["main"]))
        assert text.endswith("</html>")
