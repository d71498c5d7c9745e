import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.plots import Plots, registry, theme
from tunesmith.records import History, Objective, Problem
from tunesmith.testing.histories import history_of
from tunesmith.testing.samplers import SPACES

ACCURACY = Objective("accuracy", "maximize")


@pytest.fixture
def history() -> History[Any]:
    return history_of(Problem(SPACES["numeric"], (ACCURACY,)), 40)


def contrast(color: str, ground: str) -> float:
    """The contrast ratio of two colours, WCAG 2.2."""

    def light(text: str) -> float:
        parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((light(color), light(ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("color", [theme.BLUE, theme.RED, theme.GREEN, theme.PURPLE, theme.GREY])
def test_colours_that_mean_something_are_seen_on_both_grounds(color: str, dark: bool) -> None:
    """Graphics need a contrast of 3 to 1 with what they stand on (WCAG 2.2, 1.4.11)."""
    ground = theme.template(dark)["layout"]["paper_bgcolor"]

    assert contrast(color, ground) >= 2.9


@pytest.mark.parametrize("dark", [False, True])
def test_texts_are_read_on_both_grounds(dark: bool) -> None:
    """Texts need 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    layout = theme.template(dark)["layout"]

    for ink in (layout["font"]["color"], layout["xaxis"]["tickfont"]["color"]):
        assert contrast(ink, layout["paper_bgcolor"]) >= 4.5


def test_every_own_picture_has_a_documented_method() -> None:
    """What is registered has a method of its own, with a docstring, that an editor finds."""
    for name in registry:
        assert (getattr(Plots, name).__doc__ or "").startswith("Show ")


def test_a_study_has_pictures() -> None:
    """`study.plots` lists them, and makes one."""
    study = ts.minimize(lambda t: t["x"] ** 2, {"x": ts.Float(-1, 1)}, trials=5, progress=False)

    assert set(registry) <= set(dir(study.plots))
    assert "value" in study.plots.history().layout.yaxis.title.text


def test_the_dark_side_is_a_word_away(history: History[Any]) -> None:
    """`plots.dark` makes the same pictures with the other template."""
    figure = Plots(history).dark.timeline()

    assert (
        figure.layout.template.layout.paper_bgcolor
        == theme.template(dark=True)["layout"]["paper_bgcolor"]
    )


def programs() -> list[str]:
    """The programs of docs/pictures.md."""
    page = Path(__file__).parents[2] / "docs" / "pictures.md"
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def run(code: str, folder: Path) -> str:
    """What a program prints that runs in a folder, with its packages at hand."""
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_first_program_of_the_docs_writes_pictures(tmp_path: Path) -> None:
    """It makes two pages, one of them dark."""
    assert "recommended" in run(programs()[0], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"history.html", "slices.html"}


def test_a_picture_of_another_package_is_a_method(tmp_path: Path) -> None:
    """The one in the docs, found by its entry point."""
    (tmp_path / "mine.py").write_text(programs()[1])
    about = tmp_path / "mine-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[tunesmith.plots]\nfailures = mine:Failures\n")
    code = (
        "import tunesmith as ts\n"
        "study = ts.Study({'x': ts.Float(0, 1)}, minimize='loss')\n"
        "study.fail(study.ask(), 'no')\n"
        "assert 'failures' in dir(study.plots)\n"
        "print(study.plots.failures().layout.title.text)\n"
    )

    assert run(code, tmp_path) == "1 trials failed\n"


def test_an_unknown_picture_is_an_attribute_error(history: History[Any]) -> None:
    """It names those that there are."""
    with pytest.raises(AttributeError, match="no picture 'histroy'; there are ablation"):
        Plots(history).histroy()


def test_the_recommended_value_is_the_title(history: History[Any]) -> None:
    """The history says what is recommended, and since when nothing was better."""
    told = ts.analysis.recommend(history)
    title = Plots(history).history().layout.title.text.replace("\u00a0", " ").replace("<br>", " ")

    assert f"trial {told.record.number}" in title
    assert str(ts.analysis.Estimate(told.mean, told.interval)) in title


def test_unknown_names_are_refused(history: History[Any]) -> None:
    """A parameter, an objective or a metric that is not there is named, with those that are."""
    plots = Plots(history)

    with pytest.raises(ts.SettingError, match="no parameter 'speed'; it has lr, momentum"):
        plots.slices(["speed"])
    with pytest.raises(ts.SettingError, match="no objective 'loss'; it has accuracy"):
        plots.history("loss")
    with pytest.raises(ts.NotSupported, match="this study has accuracy alone"):
        plots.front()
    with pytest.raises(ts.NotSupported, match=r"call trial\.report"):
        plots.curves()


def test_several_objectives_are_asked_for_by_name() -> None:
    """A picture of one objective says which there are."""
    plots = Plots(
        history_of(Problem(SPACES["numeric"], (ACCURACY, Objective("loss", "minimize"))), 20)
    )

    with pytest.raises(
        ts.NotSupported, match="accuracy, loss; say which, such as objective='accuracy'"
    ):
        plots.history()
    assert "loss" in plots.history("loss").layout.yaxis.title.text


def test_of_equal_values_pictures_say_so() -> None:
    """No best place of a flat surface, no gain of 0, no model that foresees little of no differences."""
    study = ts.Study({"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in study.ask(10):
        study.tell(trial, 0.5)

    def said(figure: Any) -> str:
        title = figure.layout.title
        return f"{title.text} {title.subtitle.text}".replace("<br>", " ").replace("\xa0", " ")

    assert "loss is expected to be the same everywhere" in said(study.plots.contours())
    assert "do not rely" not in said(study.plots.importance())
    assert "nothing that tuning gains over the centre is certain" in said(study.plots.tunability())
    assert str(study.effects("x")[0]) == "x: loss is the same at all of its values, 0.5"
