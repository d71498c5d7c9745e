from collections.abc import Callable
from typing import Any

import tunesmith as ts
from tunesmith.study.notebook import Cell, display, page


class Place:
    def __init__(self) -> None:
        self.pages: list[str] = []

    def show(self, thing: Any) -> "Place":
        self.update(thing)
        return self

    def update(self, thing: Any) -> None:
        self.pages.append(thing._repr_html_())


def study(**options: Any) -> Any:
    space = {"x": ts.Float(0, 1), "<script>k": ts.Categorical(["<img onerror=1>", "b"])}
    return ts.Study(space, minimize="loss<b>", seed=1, **options)


def run(made: Any, objective: Callable[[Any], Any] = lambda t: t["x"]) -> Any:
    return made.run(objective, trials=6, progress=False)


def test_a_study_shows_itself() -> None:
    """Its best, its latest trials and a line of the values."""
    html = run(study())._repr_html_()

    assert "6 trials · best" in html
    assert html.count("<circle") == 6
    assert "<path" in html


def test_nothing_of_a_study_is_markup() -> None:
    """Names, labels and metrics are escaped."""
    html = run(study())._repr_html_()

    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;k" in html
    assert "loss&lt;b&gt;" in html


def test_an_empty_study_shows_itself() -> None:
    """It says that nothing has begun."""
    assert "no trial has begun yet" in study()._repr_html_()


def test_failures_and_several_objectives_are_shown() -> None:
    """What failed is counted, and named by its kind; several objectives have no line."""

    def fails(trial: Any) -> dict[str, float]:
        if trial.number == 3:
            raise ts.Infeasible("too large")
        return {"a": trial["x"], "b": 1 - trial["x"]}

    made = ts.Study({"x": ts.Float(0, 1)}, minimize="a", maximize="b", seed=0)
    html = run(made, fails)._repr_html_()

    assert "1 failed" in html
    assert '<td style="text-align:left">infeasible</td>' in html
    assert "<svg" not in html


def test_a_cell_is_brought_up_to_date() -> None:
    """When it begins and when it ends, and in between as often as that costs little."""
    made, place = study(), Place()
    with Cell(place.show, lambda: page(made.history, "s", "memory", 6)) as cell:
        run(made)
        for _ in range(100):
            cell.refresh()

    assert "no trial has begun" in place.pages[0]
    assert "6 of 6 trials" in place.pages[-1]
    assert len(place.pages) < 10


def test_outside_of_a_notebook_nothing_is_shown() -> None:
    """There is no cell to show it in."""
    assert display() is None
