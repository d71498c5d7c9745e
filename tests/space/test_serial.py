"""Spaces as JSON and TOML."""

import json
from typing import Any

import pytest

from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Choice, Float, Int, List, Space

TOML = """
constraints = ["width2 <= width1"]

[parameters]
width1 = {type = "Int", low = 8, high = 64, log = true, default = 16}
width2 = {type = "Int", low = 8, high = 64}
act = {type = "Categorical", choices = ["relu", "gelu"], role = "model"}

[parameters.optimizer]
type = "Choice"
options = {adam = {beta = {type = "Float", low = 0.8, high = 1.0}}, sgd = {}}

[parameters.layers]
type = "List"
of = {type = "Int", low = 1, high = 4}
length = [1, 3]
when = {optimizer = "adam"}
"""


def test_toml_says_what_python_says() -> None:
    """Types and settings are called as in Python."""
    expected = Space(
        {
            "width1": Int(8, 64, log=True, default=16),
            "width2": Int(8, 64),
            "act": Categorical(["relu", "gelu"], role="model"),
            "optimizer": Choice({"adam": {"beta": Float(0.8, 1)}, "sgd": None}),
            "layers": List(Int(1, 4), length=(1, 3), when={"optimizer": "adam"}),
        },
        constraints=["width2 <= width1"],
    )

    assert expected.difference(Space.from_toml(TOML)) == []
    assert expected == Space.from_toml(TOML)


def test_the_json_is_plain_and_stable() -> None:
    """What is not said in Python is not said there; objects are labels."""
    space = Space(
        {
            "lr": Float(1e-5, 0.1, log=True, default=1e-3),
            "act": Categorical({"a": abs, "m": max}),
            "slope": Float(0, 1, when={"act": [abs]}),
        }
    )
    expected = {
        "form": "mapping",
        "parameters": {
            "lr": {"type": "Float", "low": 1e-05, "high": 0.1, "log": True},
            "act": {"type": "Categorical", "choices": ["a", "m"]},
            "slope": {"type": "Float", "low": 0.0, "high": 1.0, "when": {"act": ["a"]}},
        },
        "defaults": {"lr": 0.001},
        "objects": ["act"],
    }

    assert expected == space.to_json()
    assert space == Space.from_json(json.loads(json.dumps(expected)))
    assert space.bare == ()
    assert Space.from_json(expected).bare == ("act",)


def test_fixed_values_are_kept() -> None:
    """A fixed space is read as one."""
    space = Space({"a": Int(0, 9), "b": Int(0, 9, when="a >= 5")}).fix(a=7)

    assert space.to_json()["fixed"] == {"a": 7}
    assert Space.from_json(space.to_json()).cardinality == 10


REFUSED: list[tuple[Any, str]] = [
    (3, "a space is written as a table"),
    ({"params": {}}, "no setting 'params'; did you mean 'parameters'"),
    ({"parameters": 3}, "parameters must be a table, got 3"),
    ({"parameters": {"x": 3}}, "parameters.x must be a table"),
    ({"parameters": {"x": {"type": "Flot"}}}, "parameters.x: .* did you mean 'Float'"),
    ({"parameters": {"x": {"type": "Float", "low": 0}}}, "parameters.x, a Float, needs 'high'"),
    (
        {"parameters": {"x": {"type": "Int", "low": 0, "high": 1, "lg": True}}},
        "has no setting 'lg'; did you mean 'log'",
    ),
    (
        {"parameters": {"x": {"type": "Int", "low": 2, "high": 1}}},
        "parameters.x: Int needs low <= high",
    ),
    ({"form": "x"}, "the form mapping, call or object, got 'x'"),
    ({"constraints": 3}, "constraints are a list"),
    ({"objects": 3}, "objects are a list"),
    ({"objects": ["x"]}, "no parameter 'x'"),
    (
        {
            "parameters": {
                "g": {"type": "Group", "form": "none", "name": "", "parameters": {}, "when": "x"}
            }
        },
        "has no setting 'when'",
    ),
    ({"defaults": {"x": 1}}, "no parameter 'x'"),
    ({"fixed": {"x": 1}}, "no parameter 'x'"),
]


@pytest.mark.parametrize("data,sentence", REFUSED)
def test_what_is_no_space_is_refused(data: Any, sentence: str) -> None:
    """Saying where."""
    with pytest.raises(SpaceError, match=sentence):
        Space.from_json(data)


def test_what_is_no_toml_is_refused() -> None:
    """With the place of the mistake."""
    with pytest.raises(SpaceError, match=r"no TOML: .* line 1"):
        Space.from_toml("x ==")
