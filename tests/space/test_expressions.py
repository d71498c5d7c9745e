"""Conditions as text: what they mean, and what is not let in."""

from typing import Any

import numpy as np
import pytest

from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Space

ALL: dict[str, Any] = {
    "x": Float(-2, 2),
    "n": Int(0, 5),
    "opt": Categorical(["sgd", "adam", None]),
    "other": Categorical(["adam", "lion"]),
    "size": Ordinal(["s", "m", "l"]),
    "batch": Ordinal([16, 32, 64]),
    "bias": Categorical([True, False]),
}

HOLD = [
    ("x <= 0.5", lambda p: p["x"] <= 0.5),
    ("-1 < x < 1", lambda p: -1 < p["x"] < 1),
    ("n == 3", lambda p: p["n"] == 3),
    ("n != 3 and x > 0", lambda p: p["n"] != 3 and p["x"] > 0),
    ("not (n >= 3 or x > 0)", lambda p: not (p["n"] >= 3 or p["x"] > 0)),
    ("n in [1, 3, 5]", lambda p: p["n"] in [1, 3, 5]),
    ("n not in (1, 3)", lambda p: p["n"] not in (1, 3)),
    ("n % 2 == 0", lambda p: p["n"] % 2 == 0),
    ("n // 2 + n / 2 * 3 - n ** 2 < -1", lambda p: p["n"] // 2 + p["n"] / 2 * 3 - p["n"] ** 2 < -1),
    ("opt == 'sgd'", lambda p: p["opt"] == "sgd"),
    ("opt != 'sgd'", lambda p: p["opt"] != "sgd"),
    ("'sgd' == opt", lambda p: p["opt"] == "sgd"),
    ("opt == None", lambda p: p["opt"] is None),
    ("opt in ['sgd', None]", lambda p: p["opt"] in ["sgd", None]),
    ("opt == other", lambda p: p["opt"] == p["other"]),
    ("size >= 'm'", lambda p: p["size"] in "ml"),
    ("'m' > size", lambda p: p["size"] == "s"),
    ("batch <= 32", lambda p: p["batch"] <= 32),
    ("batch * n >= 64", lambda p: p["batch"] * p["n"] >= 64),
    ("bias", lambda p: p["bias"]),
    ("not bias", lambda p: not p["bias"]),
    ("bias == True", lambda p: p["bias"] is True),
    ("max(x, n) >= 1", lambda p: max(p["x"], p["n"]) >= 1),
    ("min(x, n, 1) < abs(x)", lambda p: min(p["x"], p["n"], 1) < abs(p["x"])),
    ("log2(batch) > 4.5", lambda p: np.log2(p["batch"]) > 4.5),
    ("sqrt(exp(log(batch))) >= 5", lambda p: p["batch"] ** 0.5 >= 5),
    ("log(x) < 0", lambda p: 0 < p["x"] < 1),  # of a negative number it is not, without a warning
    ("1 / n > 0.3", lambda p: p["n"] in (1, 2, 3)),  # 1 / 0 is undefined, so nothing holds of it
    ("not 1 / n > 0.3", lambda p: p["n"] in (4, 5)),
    ("n == 0 or 1 / n > 0.3", lambda p: p["n"] in (0, 1, 2, 3)),
    ("n % n != 1", lambda p: p["n"] != 0),
    ("n // n <= 5 and n ** -1 <= 5", lambda p: p["n"] != 0),
    ("not log(n) > 0", lambda p: p["n"] == 1),
    ("not log(x) < 0", lambda p: p["x"] >= 1),
]


@pytest.mark.parametrize("text,meaning", HOLD)
def test_a_condition_means_what_python_means(text: str, meaning: Any) -> None:
    """Over a sample, `feasible` agrees with Python's own reading."""
    rows = np.random.default_rng(1).random((300, len(ALL)))
    params = Space(ALL).decode(rows)
    expected = [bool(meaning(one)) for one in params]

    assert expected == Space(ALL, constraints=[text]).feasible(rows).tolist()
    assert 0 < sum(expected) < 300


EVIL = [
    "__import__('os').system('true')",
    "n.__class__.__mro__[1]",
    "(lambda: n)() < 1",
    "[y for y in n] == 1",
    "n if n else n",
    "f'{n}' == 'x'",
    "n := 3",
    "open('x') < n",
    "n.real < 1",
    "abs(x=n) < 1",
    "max(*[n, 1]) < 2",
    "n < 1; n < 2",
    "n < b'x'",
    "n < 1j",
    "n < {1: 2}",
    "n @ n < 1",
    "n is 1",
    "await n < 1",
    "n[0] < 1",
    "(" * 300 + "n" + ")" * 300 + " < 1",
    "-" * 1500 + "n < 1",
    "not " * 300 + "n < 1",
    "n < " + "9" * 1500,
    "n < 1" + " " * 5000 + "and n < 2",
    "\x00n < 1",
    "",
]


@pytest.mark.parametrize("text", EVIL)
def test_what_is_no_condition_is_refused(text: str) -> None:
    """Nothing of Python but comparisons, logic, arithmetic and a few functions is let in."""
    with pytest.raises(SpaceError):
        Space(ALL, constraints=[text])


def test_a_huge_power_costs_nothing() -> None:
    """Numbers are floats, so that 9**9**9**9 is infinity."""
    assert Space(ALL, constraints=["n < 9**9**9**9"]).feasible([[0.5] * len(ALL)]).tolist() == [
        True
    ]


REFUSED = [
    ("b < 1", "there is no parameter 'b'"),
    ("Batch < 1", "did you mean 'batch'"),
    ("n <", "cannot be read as a condition"),
    ("1 < 2", "mentions no parameter"),
    ("x == 1", "asks a continuous number to be equal"),
    ("x + n != 1", "asks a continuous number to be equal"),
    ("x in [1]", "only whole numbers and labels can be in a list"),
    ("n", "'n' is neither true nor false; compare it"),
    ("opt", "neither true nor false"),
    ("opt < 'sgd'", "orders labels that have no order"),
    ("opt == 'sdg'", "'sdg' in .* is no label; did you mean 'sgd'"),
    ("opt in ['adam', 'x']", "'x' in .* is no label"),
    ("opt == 3", "is no label"),
    ("opt + 1 > 2", "'opt' is not a number"),
    ("n < 'x'", "compares things of different kinds"),
    ("n < True", "compares things of different kinds"),
    ("n in ['x']", "compares things of different kinds"),
    ("n in 3", "needs a list"),
    ("n in [n]", "a list holds numbers and texts"),
    ("size < other", "orders labels of different parameters"),
    ("max(n) < 1", "max got 1 arguments"),
    ("maxx(n, 1) < 1", "there is no function 'maxx'; did you mean 'max'"),
    ("len(n) < 1", "'n' is no list"),
    ("n = 3", "write == to compare; labels in quotes"),
    ("lambda < 3", r"is written params\[\"lambda\"\]"),
    ("opt == sgd", "^in 'opt == sgd': .* a label is quoted: opt == 'sgd'"),
    ("n / 2 == 1", "result of arithmetic that is not whole"),
    ("n * 0.5 in [1]", "result of arithmetic that is not whole"),
]


@pytest.mark.parametrize("text,sentence", REFUSED)
def test_nonsense_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    """At construction, with the text and the fix."""
    with pytest.raises(SpaceError, match=sentence):
        Space(ALL, constraints=[text])


def test_paths_are_written_as_in_python() -> None:
    """Dots for groups and options, brackets for elements and for names that are no identifiers."""
    inner = {"lr": Float(0, 1), "for": Float(0, 1)}
    space = Space(
        {"opt": Choice({"a-b": inner, "c": None}), "layers": List(Int(1, 9), length=(2, 3))},
        constraints=["opt['a-b'].lr <= opt['a-b']['for']", "layers[0] >= layers[2]"],
    )
    params: list[Any] = [*space.sample(np.random.default_rng(0), 200)]

    assert all(p["opt.a-b.lr"] <= p["opt.a-b.for"] for p in params if p["opt"] == "a-b")
    assert all(p["layers.0"] >= p["layers.2"] for p in params if p["layers"] == 3)


def test_names_are_looked_up_in_the_innermost_group_first() -> None:
    """So that a group can stand anywhere, any number of times."""
    block = Space(
        {"n": Int(1, 3), "wide": Float(0, 1, when="n >= 2")}, constraints=["n <= 2 or wide < 0.5"]
    )
    space = Space({"n": Int(7, 9), "blocks": List(block, length=2)})

    assert space.constraints == tuple(
        f"blocks[{i}].n <= 2 or blocks[{i}].wide < 0.5" for i in (0, 1)
    )
    for p in space.sample(np.random.default_rng(0), 100):
        for i in (0, 1):
            assert (p[f"blocks.{i}.n"] in (2, 3)) == (f"blocks.{i}.wide" in p)


def test_the_length_of_a_list_is_its_own_name() -> None:
    """`len` may be written, and need not."""
    layers = {"layers": List(Int(1, 9), length=(1, 3))}

    for text in ("layers <= 2", "len(layers) <= 2"):
        assert Space(layers, constraints=[text]).cardinality == 9 + 81


def test_names_that_python_could_not_write_stand_in_brackets() -> None:
    """Keywords, hyphens, spaces; also where the constraint of a nested space is lifted."""
    odd = ["lambda", "learning-rate", "my group", "params", "µ"]
    inner = Space({"x": Int(1, 3), "y": Int(1, 3)}, constraints=["x < y"])
    space = Space(
        dict.fromkeys(odd, inner) | {"class": Int(1, 3), "n": Int(1, 3)},
        constraints=["params['class'] < n", 'params["lambda"].x < n', "µ.x == 1"],
    )

    assert Space.from_json(space.to_json()).constraints == space.constraints
    for p in space.sample(np.random.default_rng(0), 50):
        assert int(p["class"] or 0) < int(p["n"] or 0) > int(p["lambda.x"] or 0)
        assert p["µ.x"] == 1
        assert all(int(p[f"{name}.x"] or 0) < int(p[f"{name}.y"] or 0) for name in odd)


def test_an_odd_name_is_proposed_as_it_is_written() -> None:
    """`learning - rate` is a difference to Python."""
    with pytest.raises(SpaceError, match=r"did you mean params\['learning-rate'\]"):
        Space({"learning-rate": Float(0, 1)}, constraints=["learning-rate < 0.5"])


def test_rounding_drops_no_configuration() -> None:
    """Sums of decimals are compared as decimals: 0.1 + 0.2 <= 0.3, and not <."""
    tenths = {"x": Float(0, 1, step=0.1), "y": Float(0, 1, step=0.1)}

    assert Space(tenths, constraints=["x + y <= 0.3"]).cardinality == 10
    assert Space(tenths, constraints=["x + y < 0.3"]).cardinality == 6
    assert Space(tenths, constraints=["y - x >= 0.7"]).cardinality == 10
    assert Space(tenths, constraints=["x == 0.3"]).cardinality == 11
    with pytest.raises(SpaceError, match="result of arithmetic that is not whole"):
        Space(tenths, constraints=["x + y == 0.8"])


def test_small_numbers_are_not_rounded_away() -> None:
    """What counts as equal is relative to what is computed."""
    tiny = {"a": Float(1e-12, 1e-8, log=True), "b": Float(1e-12, 1e-8, log=True)}
    space = Space(tiny, constraints=["a + b <= 1e-10", "a <= 5e-11"])

    assert all(
        float(p["a"] or 0) + float(p["b"] or 0) <= 1.0001e-10 and float(p["a"] or 0) <= 5e-11
        for p in space.sample(np.random.default_rng(0), 200)
    )


def test_labels_that_python_calls_equal_are_told_apart() -> None:
    """True is not 1."""
    space = Space({"b": Categorical([True, "x"]), "k": Categorical([1, "x"])})
    both = Space(space.declaration.members, constraints=["b == k"])

    assert list(both.configurations()) == [{"b": "x", "k": "x"}]


NEVER: list[dict[str, Any]] = [
    {"n": Int(1, 3), "x": Float(0, 1, when="n > 5")},
    {"n": Int(1, 3), "x": Float(0, 1, when="not n <= 5 or n < 1")},
    {"n": Int(1, 3), "m": Int(1, 3), "x": Float(0, 1, when="n > 2 and m + n < 2")},
    {"y": Float(0, 1), "x": Float(0, 1, when="y > 0.5 and y < -1")},
    {"n": Categorical([1, 2]), "x": Float(0, 1, when="n in [3, 4]")},
    {"c": Choice({"a": {"x": Float(0, 1, when={"c": "b"})}, "b": None})},
]


@pytest.mark.parametrize("declared", NEVER)
def test_a_condition_that_never_holds_is_refused(declared: dict[str, Any]) -> None:
    """By the ranges of what it mentions; the parameter is named."""
    with pytest.raises(SpaceError, match=r"^(c\.a\.)?x: when=.* never holds"):
        Space(declared)


def test_a_condition_that_seldom_holds_is_let_be() -> None:
    """Fixing a parent may close it, too."""
    space = Space({"n": Int(1, 10**9), "x": Float(0, 1, when="n >= 1000000000")})

    assert space.fix(n=1).sample(np.random.default_rng(0), 1) == [{"n": 1}]
