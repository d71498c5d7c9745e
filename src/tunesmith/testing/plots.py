"""Whether a picture keeps its contract: a suite to subclass, for ours and for those of others."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from tunesmith._core.errors import NoTrials, NotSupported, SettingError
from tunesmith.plots import Plots
from tunesmith.plots.theme import template
from tunesmith.records import History, Objective, Problem, Resource
from tunesmith.records.problem import Limit
from tunesmith.space import Categorical, Float, Int, Ordinal, Space
from tunesmith.testing.histories import history_of
from tunesmith.testing.samplers import LOSS, SPACES

BYTES = 3_000_000
POINTS = 40_000  # that all traces have together
MARKUP = "<b>bold</b> & <a href='javascript:alert(1)'>%{x} $x^2$</a>"
LABELS = Categorical(
    [f"choice {i} of a list with a name that is far too long for any axis" for i in range(40)]
)
ACCURACY = Objective("accuracy", "maximize")
STEPS = Resource("epoch", max=9)
MARKED = Space({MARKUP: Float(0, 1), "label": Ordinal([MARKUP, "<i>", "c" * 300]), "many": LABELS})

_CASES: dict[str, tuple[Problem[Any], int, dict[str, Any]]] = {
    "none": (Problem(SPACES["numeric"], LOSS), 0, {}),
    "one": (Problem(SPACES["numeric"], LOSS, resource=STEPS), 1, {}),
    "two": (Problem(SPACES["numeric"], LOSS, resource=STEPS), 2, {}),
    "ten": (Problem(SPACES["numeric"], (ACCURACY,), resource=STEPS), 10, {}),
    "forty": (Problem(SPACES["numeric"], (ACCURACY,)), 40, {}),
    "thousands": (Problem(SPACES["numeric"], LOSS), 3000, {}),
    "thousands of trainings": (Problem(SPACES["conditional"], LOSS, resource=STEPS), 3000, {}),
    "conditional": (Problem(SPACES["conditional"], (ACCURACY,), resource=STEPS), 40, {}),
    "constrained list": (Problem(SPACES["constrained list"], LOSS), 40, {}),
    "single values": (Problem(SPACES["single values"], LOSS), 12, {}),
    "one parameter": (Problem(Space({"x": Int(1, 3), "y": Float(2, 2)}), LOSS), 20, {}),
    "empty": (Problem(SPACES["empty"], LOSS), 12, {}),
    "marked up": (Problem(MARKED, (Objective(MARKUP, "minimize"),), resource=Resource(MARKUP, max=9)), 30, {}),
    "several objectives": (Problem(SPACES["numeric"], (*LOSS, ACCURACY)), 30, {}),
    "replicates": (Problem(SPACES["numeric"], LOSS), 45, {"evaluations": 3}),
    "limits": (Problem(SPACES["numeric"], LOSS, limits=(Limit.parse("latency_ms <= 20"),)), 40, {}),
    "impossible limits": (Problem(SPACES["numeric"], LOSS, limits=(Limit.parse("latency_ms < 0"),)), 20, {}),
    "population": (Problem(SPACES["numeric"], LOSS, resource=STEPS), 24, {"copies": 2}),
    "failures": (Problem(SPACES["numeric"], LOSS, resource=STEPS), 12, {"failing": 1.0}),
    "equal values": (Problem(SPACES["numeric"], LOSS), 20, {"spread": 0.0}),
    "far values": (Problem(SPACES["numeric"], LOSS), 30, {"spread": 1e12}),
}  # fmt: skip


@functools.cache
def case(name: str) -> History[Any]:
    """Return a history of the suite."""
    problem, n, settings = _CASES[name]
    return history_of(problem, n, **settings)


class PictureConformance:
    """Subclass it with a fixture `picture` that returns the name under which the picture is registered.

    Whatever the study: a figure, or one sentence that says why there is none.
    """

    settings: ClassVar[dict[str, Any]] = {}
    """What the picture is called with, beside an objective where there are several."""

    def make(self, picture: str, name: str, *, dark: bool = False) -> dict[str, Any]:
        """Return the figure of a case as JSON; it is skipped where the picture refuses it."""
        text = _made(picture, name, dark=dark, settings=json.dumps(self.settings))
        if isinstance(text, Exception):
            pytest.skip(str(text))
        made: dict[str, Any] = json.loads(text)
        return made

    @pytest.fixture(params=list(_CASES))
    def name(self, request: pytest.FixtureRequest) -> str:
        """Return the name of each case."""
        found: str = request.param
        return found

    def test_it_is_whole(self, picture: str, name: str) -> None:
        """It is a valid figure, whose title and axes say what is seen, small enough for any browser.

        Names, labels and units of a study are never read as markup, and no text is too long or says NaN.
        """
        figure = self.make(picture, name)
        text = json.dumps(figure)

        assert len(figure["layout"]["title"]["text"]) > 10
        assert figure["data"], "something is drawn"
        assert len(text) < BYTES
        assert sum(_points(trace) for trace in figure["data"]) < POINTS
        assert not {trace["type"] for trace in figure["data"]} & _WEBGL, (
            "pages forbid eval, which WebGL traces need"
        )
        axes = [axis for key, axis in figure["layout"].items() if re.fullmatch(r"[xy]axis\d*", key)]
        assert any(axis.get("title", {}).get("text") or axis.get("ticktext") for axis in axes)
        for said in _texts(figure):
            rest = said.replace("<br>", "").replace("<extra></extra>", "")
            assert "<" not in rest
            assert not re.search(r"\$.*\$", rest)
            assert max(map(len, rest.split("&"))) < 400
            assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"%\{[^}]*\}", "", rest))

    def test_it_has_a_light_and_a_dark_side(self, picture: str) -> None:
        """The same figure with another template, so that a page may change it."""
        light, dark = (self.make(picture, "forty", dark=dark) for dark in (False, True))

        assert (
            light["layout"].pop("template")["layout"]["paper_bgcolor"]
            == template()["layout"]["paper_bgcolor"]
        )
        assert (
            dark["layout"].pop("template")["layout"]["paper_bgcolor"]
            == template(dark=True)["layout"]["paper_bgcolor"]
        )
        assert light == dark

    def test_it_is_the_same_each_time(self, picture: str) -> None:
        """Of the same history comes the same figure."""
        first = self.make(picture, "conditional")
        _made.cache_clear()

        assert self.make(picture, "conditional") == first


@functools.lru_cache(maxsize=8)
def _made(picture: str, name: str, *, dark: bool, settings: str) -> str | Exception:
    """The JSON of a figure, or the sentence that refuses it."""
    history = case(name)
    draw = getattr(Plots(history, dark=dark), picture)
    given = json.loads(settings)
    while True:
        try:
            text: str = draw(**given).to_json()
        except (NoTrials, NotSupported, SettingError) as refusal:
            said = str(refusal)
            assert 20 < len(said) < 500, "a refusal is one sentence"
            assert not re.search(r"\n|\bnan\b", said)
            if "objective" in given or "objective=" not in said:
                return refusal
            given["objective"] = history.problem.objectives[0].name
        else:
            return text


_WEBGL = {"scattergl", "parcoords", "splom", "scatterpolargl", "scatter3d", "surface", "mesh3d"}


def _points(trace: dict[str, Any]) -> int:
    """How many numbers a trace has across."""
    x = trace.get("x")
    if isinstance(x, dict):  # packed
        return len(x["bdata"]) // 5
    return len(x) if isinstance(x, list) else 0


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield all strings that are shown."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("bdata", "template", "dtype", "shape"):
                yield from _texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str) and key not in (
        "fillcolor",
        "color",
        "type",
        "mode",
        "legendgroup",
    ):
        yield value
