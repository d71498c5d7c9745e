"""Spaces by hand: conditions, constraints, forms, counting, completing, refusing."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest

from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Params, Space

NESTED = Space(
    {
        "lr": Float(1e-4, 1, log=True),
        "opt": Choice({"sgd": {"momentum": Float(0, 1), "nesterov": Int(0, 1)}, "adam": None}),
        "layers": List(Int(8, 64), length=(1, 3)),
        "net": {"width": Int(1, 4), "act": Categorical([abs, max])},
        "decay": Float(0, 1, when={"opt": ["adam"]}),
        "warm": Float(0, 1, when="lr >= 0.01"),
    },
    constraints=["layers[1] <= layers[0]"],
)
WHOLE: Params = {
    "lr": 0.1,
    "opt": "sgd",
    "opt.sgd.momentum": 0.5,
    "opt.sgd.nesterov": 1,
    "layers": 2,
    "layers.0": 32,
    "layers.1": 16,
    "net.width": 2,
    "net.act": "abs",
    "warm": 0.5,
}


ONE = Space({"x": Int(0, 9, default=3), "g": {"y": Int(0, 1)}})


def nested(depth: int) -> dict[str, Any]:
    group: dict[str, Any] = {"x": Int(0, 1)}
    for _ in range(depth):
        group = {"g": group}
    return group


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_empty_space_has_one_configuration() -> None:
    """One trial can be run with nothing to tune."""
    space = Space({})

    assert (len(space), space.cardinality, space.conditional) == (0, 1, False)
    assert space.decode(np.empty((2, 0))) == [{}, {}]
    assert space.encode([{}]).shape == (1, 0)
    assert space.sample(rng(), 2) == [{}, {}]
    assert list(space.configurations()) == [{}]
    assert space.default() == ({}, True)
    assert space.build({}) == {}


def test_parents_precede_children_wherever_they_are_declared() -> None:
    """A condition may point forward."""
    space = Space({"a": Float(0, 1, when={"b": 1}), "b": Int(0, 1, when="c > 1"), "c": Int(0, 3)})

    assert space.names == ("c", "b", "a")
    assert space.decode([[0.9, 0.9, 0.5]]) == [{"c": 3, "b": 1, "a": 0.5}]
    assert space.decode([[0.0, 0.9, 0.5]]) == [{"c": 0}]  # a's parent is not active


def test_a_dict_space_gives_a_flat_mapping() -> None:
    """By path; lists under their own name; objects for labels."""
    assert NESTED.build(WHOLE) == {
        "lr": 0.1,
        "opt": "sgd",
        "opt.sgd.momentum": 0.5,
        "opt.sgd.nesterov": 1,
        "layers": [32, 16],
        "net.width": 2,
        "net.act": abs,
        "warm": 0.5,
    }


@pytest.mark.parametrize(
    "given",
    [
        WHOLE,
        NESTED.build(WHOLE),
        {
            "lr": np.float64(0.1),
            "opt": {"sgd": {"momentum": np.float32(0.5), "nesterov": np.int8(1)}},
            "layers": np.array([32, 16]),
            "net": {"width": 2.0, "act": abs},
            "warm": 0.5,
        },
        {**WHOLE, "opt": ("sgd", {"momentum": 0.5, "nesterov": 1})},
    ],
)
def test_a_configuration_may_be_written_in_many_ways(given: dict[str, Any]) -> None:
    """By path or nested, objects or labels, NumPy's numbers or Python's."""
    stored = NESTED.store(given)

    assert stored == WHOLE
    assert [type(v) for v in stored.values()] == [type(v) for v in WHOLE.values()]


def test_elements_that_are_groups_are_dicts_and_choices_are_pairs() -> None:
    """What stands for one element is one object."""
    space = Space(
        {
            "blocks": List({"n": Int(0, 9), "act": Categorical([abs])}, length=2),
            "ops": List(Choice({"conv": {"k": Int(1, 9)}, "pool": None}), length=2),
        }
    )
    built = {
        "blocks": [{"n": 1, "act": abs}, {"n": 2, "act": abs}],
        "ops": [("conv", {"k": 3}), ("pool", {})],
    }

    assert space.build(space.store(built)) == built
    assert space.store(built)["ops.0.conv.k"] == 3


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Space({"a.b": Int(0, 1)}), "printable text without dots that is not only digits"),
    (lambda: Space({"1": Int(0, 1)}), "not only digits, got '1'"),
    (lambda: Space({"": Int(0, 1)}), "got ''"),
    (lambda: Space({3: Int(0, 1)}), "got 3"),  # type: ignore[dict-item]
    (lambda: Space({"a": 3}), "a is a parameter such as Float.* got 3"),
    (lambda: Space({"a": Float}), "a is the class Float; call it"),
    (lambda: Space(3), "a space is a dict or a dataclass, got 3"),  # type: ignore[call-overload]
    (lambda: Space(int), "got the class int"),
    (lambda: Space({}, constraints="a < 1"), "put it in"),
    (lambda: Choice({}), "Choice takes a dict"),
    (lambda: Choice({"a.b": None}), "an option is named by"),
    (lambda: Space({"c": Choice({"a": Int(0, 1)})}), "c.a is an option, which is a dict"),
    (lambda: Space({"c": Choice({"a": None}, default="b")}), "c: the default 'b' is not in"),
    (lambda: List(Int(0, 1), length=(2, 1)), r"a pair such as \(1, 6\)"),
    (lambda: List(Int(0, 1), length=0), "a pair such as"),
    (lambda: List(Int(0, 1), length="ab"), "a pair such as"),  # type: ignore[arg-type]
    (lambda: Space({"l": List(length=2)}), "l is a List of nothing"),
    (lambda: Space({"l": List(List(Int(0, 1)))}), "l is a List of Lists"),
    (lambda: Space({"l": List(Int(0, 1, when="l > 0"))}), "put when= on the List"),
    (lambda: Space({"l": List(Int(0, 1), default=[0, 1])}), "l has 1 to 1 elements, got 2"),
    (lambda: Space({"l": List(Int(0, 1), default=[3])}), "l.0: the default 3 is not in"),
    (
        lambda: Space({"a": Int(0, 1, when={"b": 1}), "b": Int(0, 1, when={"a": 1})}),
        "depending on itself",
    ),
    (lambda: Space({"a": Int(0, 1, when="a > 0")}), "a is active depending on itself"),
    (lambda: Space({"a": Int(0, 1, when={"z": 1})}), "a: there is no parameter 'z'"),
    (lambda: Space({"a": Int(0, 1, when={"b": 5}), "b": Int(0, 1)}), "5 is not in b"),
    (lambda: Space({"a": Int(0, 1, when={"b": 0.5}), "b": Float(0, 1)}), "b is continuous"),
    (lambda: Space({"a": Int(0, 1, when={"b": []}), "b": Int(0, 1)}), "never holds"),
    (lambda: Space({"a": Int(0, 1, when="b"), "b": Int(0, 1)}), "a: in 'b': 'b' is neither"),
    (lambda: Space({"a": Int(0, 1, when="")}), "a: a condition is text"),
    (lambda: Space({"x": Float(0, 1)}, constraints=["x > 2"]), "none of 200,960 .* a share of 0"),
    (lambda: Space({"x": Float(0, 1)}, constraints=["x < 1e-5"]), "a share of 1e-05"),
    (
        lambda: Space({"x": Float(0, 1, default=0.9)}, constraints=["x < 0.5"]),
        "the defaults break the constraint 'x < 0.5'",
    ),
    (lambda: NESTED.decode([0.5]), r"units have the shape \(n, 12\), got \(1,\)"),
    (lambda: NESTED.store({"lr": 1.0}), "opt is missing"),
    (lambda: NESTED.store({**WHOLE, "lr": 3}), r"lr: 3 is not in Float\(0.0001, 1.0, log=True\)"),
    (lambda: NESTED.store({**WHOLE, "lR": 3}), "no parameter 'lR'; did you mean 'lr'"),
    (lambda: NESTED.store({**WHOLE, "decay": 0.5}), "only active when opt is 'adam'"),
    (lambda: NESTED.store({**WHOLE, "lr": 0.001}), "warm is not active .* when lr >= 0.01"),
    (lambda: NESTED.store({**WHOLE, "layers.1": 33}), "breaks the constraint 'layers"),
    (lambda: NESTED.store({**WHOLE, "layers": []}), r"layers has 1 to 3 elements, got 0"),
    (lambda: NESTED.store({**WHOLE, "net": 3}), "net is a dict, got 3"),
    (lambda: NESTED.store(3), "a configuration is a dict, got 3"),  # type: ignore[arg-type]
    (
        lambda: NESTED.store({"opt": "adam", "opt.sgd.nesterov": 1}, partial=True),
        "opt must be 'sgd', but it is 'adam'",
    ),
    (lambda: NESTED.complete({"warm": 0.5, "lr": 0.001}, None, rng()), "when lr >= 0.01"),
    (
        lambda: NESTED.complete({"layers.0": 8, "layers.1": 9}, None, rng()),
        "breaks the constraint",
    ),
    (lambda: NESTED.fix(lr=3), "lr: 3 is not in"),
    (
        lambda: Space({"a": Int(0, 10), "b": Int(0, 10)}, constraints=["a+b<=5"]).store(
            {"a": 10}, partial=True
        ),
        r"no configuration with \{'a': 10\} was found",
    ),
    (lambda: List(Int(0, 1), default=3), "a list of elements, got 3"),  # type: ignore[arg-type]
    (lambda: Space({}, constraints=None), "constraints are a list of texts, got None"),  # type: ignore[call-overload]
    (lambda: Space({"x": nested(500)}), "nested more than 50 deep"),
    (lambda: Space({"a": Int(0, 1, when="z > 1")}), "^a: there is no parameter 'z'"),
    (lambda: Space({"x": Int(0, 1), "n": Int(0, 1)}).store({"zz": 1}), "there are 'x', 'n'$"),
    (lambda: NESTED.fix(opt="adam").store({"opt": "sgd"}, partial=True), "opt is fixed to 'adam'"),
    (
        lambda: NESTED.fix(opt="adam").complete({"opt.sgd.nesterov": 1}, None, rng()),
        "fixed otherwise",
    ),
    (lambda: list(NESTED.configurations()), "lr is continuous"),
    (lambda: NESTED.grid(0), "levels from 1 to 1,000,000, got 0"),
    (lambda: NESTED.grid({"zz": 1}), "no parameter 'zz'"),
    (lambda: NESTED | Space({"lr": Int(0, 1)}), "both spaces define lr"),
    (lambda: ONE | Space({"x": Int(0, 9)}).fix(x=1), "x is fixed in one space, and free"),
    (lambda: ONE.fix(x=2) | ONE.fix(x=1), "x is fixed in one space, and free or fixed otherwise"),
    (lambda: ONE | {"x": Int(0, 9, default=5)}, "x has different defaults"),
    (lambda: ONE | {"g": {"z": Int(0, 1)}}, "both spaces define g.y, .* and missing; rename one"),
    (
        lambda: Space({"a": Categorical({"f": abs})}) | {"a": Categorical({"f": max})},
        "a, with equal labels for different objects",
    ),
]


@pytest.mark.parametrize("make,sentence", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(make: Callable[[], Any], sentence: str) -> None:
    """What came, what is allowed, what to do."""
    with pytest.raises(SpaceError, match=sentence):
        make()


def test_a_constraint_over_an_inactive_parameter_holds() -> None:
    """layers[1] <= layers[0] says nothing of a single layer."""
    row = NESTED.encode([{**WHOLE}])
    row[0, NESTED.names.index("layers")] = 0.0

    assert NESTED.feasible(row).tolist() == [True]


@pytest.mark.parametrize(
    "declared,constraints,expected",
    [
        ({"a": Int(1, 3), "b": Categorical(["x", "y"])}, [], 6),
        ({"a": Float(0, 1, step=0.25), "b": Ordinal([1])}, [], 5),
        ({"c": Choice({"a": {"k": Int(1, 3)}, "b": None})}, [], 4),
        ({"l": List(Int(0, 1), length=(0, 3))}, [], 1 + 2 + 4 + 8),
        ({"l": List(Choice({"u": {"m": Int(0, 1)}, "v": None}), length=(1, 10))}, [], 88572),
        ({"n": Int(0, 3), "m": Int(0, 9, when="n >= 2")}, [], 2 + 20),
        ({"n": Int(1, 4), "m": Int(1, 4)}, ["n <= m"], 10),
        ({"n": Int(0, 10**6), "m": Int(0, 10**6)}, ["n <= m"], (10**6 + 1) ** 2),
        ({"n": Int(1, 2**40), "m": Int(1, 3, when="n > 500")}, [], 3 * 2**40),
        ({"n": Int(1, 2**40), "x": Float(0, 1, when="n > 500")}, [], None),
        ({"n": Int(1, 2**40)}, ["n > 500"], 2**40),
        ({"n": Int(0, 999), "m": Int(0, 999)}, ["n <= 19", "m >= 980"], 400),
        ({"x": Float(0, 1)}, [], None),
        ({"x": Float(2, 2)}, [], 1),
        ({"c": Choice({"a": {"x": Float(0, 1)}, "b": None})}, [], None),
    ],
)
def test_cardinality_counts_configurations(
    declared: dict[str, Any], constraints: list[str], expected: int | None
) -> None:
    """Conditions are counted, constraints if there are few enough; a continuum is None."""
    assert expected == Space(declared, constraints=constraints).cardinality


def test_the_first_of_very_many_come_at_once() -> None:
    """Nothing is laid out in full."""
    space = Space({"n": Int(1, 2**40), "m": Int(0, 2**40, when="n == 2")})
    first = [*islice(space.configurations(), 3)]

    assert first == [{"n": 1}, {"n": 2, "m": 0}, {"n": 2, "m": 1}]
    assert next(Space({f"x{i}": Int(0, 9) for i in range(100)}).configurations())["x0"] == 0


def test_a_constraint_cuts_off_what_it_excludes() -> None:
    """Of 10^12 combinations those that keep it are found without passing the others."""
    many = {f"x{i}": Int(0, 9) for i in range(12)}
    space = Space(many, constraints=["x0 + x11 >= 18"])
    hanging = Space(
        {"n": Int(0, 1)} | {f"x{i}": Int(0, 9, when="n == 1") for i in range(12)},
        constraints=["x0 + x11 >= 18"],
    )

    assert [p["x0"] for p in islice(space.configurations(), 2)] == [9, 9]
    assert [p.get("x0") for p in islice(hanging.configurations(), 2)] == [None, 9]


def test_long_chains_of_conditions_are_no_burden() -> None:
    """They are too long to be counted, so that the number is a bound."""
    chain: dict[str, Any] = {"x0": Int(0, 1)}
    chain |= {f"x{i}": Int(0, 1, when={f"x{i - 1}": 1}) for i in range(1, 1200)}
    space = Space(chain)

    assert space.cardinality == 2**1200
    space.check(space.sample(rng(), 1)[0])


def test_a_fixed_space_keeps_its_fix_wherever_it_stands() -> None:
    """In a dict, an option, a list, a union; an outer fix adds to it."""
    inner = Space({"a": Int(0, 9), "b": Int(0, 9)}).fix(a=7)
    space = Space(
        {"g": inner, "c": Choice({"o": inner, "none": None}), "l": List(inner, length=(0, 2))}
    ).fix({"g.b": 1})
    again = Space.from_json(space.to_json())

    assert again == space
    assert (inner | {"z": Int(0, 1)}).cardinality == 20
    for p in [*space.sample(rng(), 50), *again.sample(rng(), 50)]:
        assert {p.get(f"{at}.a", 7) for at in ("g", "c.o", "l.0", "l.1")} == {7}
        assert p["g.b"] == 1
    with pytest.raises(SpaceError, match=r"g\.a is fixed to 7"):
        space.fix({"g.a": 3})


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    """Lengths and levels may come out of arrays."""
    assert List(Int(0, 1), length=np.int64(3)).length == (3, 3)  # type: ignore[arg-type]
    assert len(list(Space({"x": Float(0, 1)}).grid({"x": np.int64(2)}))) == 2  # type: ignore[dict-item]


def test_a_fixed_choice_closes_the_other_options() -> None:
    """What remains may be finite."""
    space = Space({"c": Choice({"a": {"x": Float(0, 1)}, "b": {"n": Int(1, 3)}})})

    assert space.fix(c="b").cardinality == 3
    assert list(space.fix(c="b").configurations()) == [{"c": "b", "c.b.n": n} for n in (1, 2, 3)]


def test_a_list_is_fixed_as_a_whole() -> None:
    """Length and elements."""
    space = NESTED.fix({"net.width": 3}, layers=[32, 16])

    assert {NESTED.build(p)["layers"] == [32, 16] for p in space.sample(rng(), 20)} == {True}
    assert space.difference(NESTED)[0].endswith("Int(1, 3) there")


def test_configurations_come_in_order() -> None:
    """The last parameter fastest."""
    space = Space({"a": Int(1, 2), "b": Categorical(["x", "y"])})

    assert [tuple(p.values()) for p in space.configurations()] == [
        (1, "x"),
        (1, "y"),
        (2, "x"),
        (2, "y"),
    ]


def test_a_grid_includes_both_ends() -> None:
    """Continuous ones at evenly spaced units, finite ones at all values, conditions kept."""
    space = Space({"lr": Float(1, 100, log=True), "n": Int(0, 1, when="lr >= 50")})

    assert [list(p.values()) for p in space.grid(3)] == [
        [1.0],
        [pytest.approx(10)],
        [100.0, 0],
        [100.0, 1],
    ]
    assert len(list(Space({"n": Int(0, 100)}).grid({"n": 3}))) == 3


def test_sampling_is_uniform_within_constraints() -> None:
    """Of 4,000 points below the diagonal half lie left of 1 - 1/sqrt(2), within 6 sigma."""
    space = Space({"a": Float(0, 1), "b": Float(0, 1)}, constraints=["a <= b"])
    left = sum(float(p["a"] or 0) < 1 - 0.5**0.5 for p in space.sample(rng(), 4000))

    assert left == pytest.approx(2000, abs=6 * 1000**0.5)


def test_completion_takes_what_it_can_from_the_suggestion() -> None:
    """Given values stay; the suggestion yields only where a constraint demands it."""
    space = Space({"a": Int(1, 100), "b": Int(1, 100), "c": Float(0, 1)}, constraints=["b <= a"])
    params = space.complete({"a": 5}, {"a": 90, "b": 80, "c": 0.123}, rng())

    assert params["a"] == 5
    assert int(params["b"] or 0) <= 5
    assert params["c"] == 0.123


def test_a_given_child_decides_its_parents() -> None:
    """A parameter of an option chooses it; an element makes the list long enough."""
    params = NESTED.complete({"opt.sgd.nesterov": 1, "layers.2": 8}, {**WHOLE, "layers": 2}, rng())

    assert (params["opt"], params["layers"]) == ("sgd", 3)


def test_the_default_is_the_centre_where_nothing_is_said() -> None:
    """Numbers in the middle, the first choice of a Categorical."""
    space = Space({"x": Float(-10, 10), "n": Int(1, 9), "c": Categorical(["a", "b", "c"])})

    assert space.default() == ({"x": 0.0, "n": 5, "c": "a"}, False)


def test_the_default_moves_into_the_constraints() -> None:
    """To a point near the centre, always the same; given defaults stay."""
    space = Space({"x": Float(-1, 1), "y": Float(-1, 1, default=0.0)}, constraints=["x > 0.1"])
    params, whole = space.default()

    assert not whole
    assert params["y"] == 0.0
    assert params["x"] == pytest.approx(0.1, abs=0.01)
    assert (params, whole) == Space.from_json(space.to_json()).default()


def test_defaults_of_choices_and_lists_reach_their_parts() -> None:
    """Trial 0 is what the user wrote."""
    space = Space(
        {
            "opt": Choice({"a": {"x": Float(0, 1, default=0.5)}, "b": None}, default="b"),
            "layers": List(Int(1, 9), length=(0, 3), default=[4, 2]),
        }
    )

    assert space.default() == ({"opt": "b", "layers": 2, "layers.0": 4, "layers.1": 2}, True)


def test_spaces_of_dicts_unite() -> None:
    """Equal definitions of a name are one; constraints of both hold."""
    a = Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x <= y"])
    b = Space({"y": Float(0, 1), "z": Int(0, 1)})

    assert (a | b).names == ("x", "y", "z")
    assert (a | b).constraints == ("x <= y",)
    assert (a | {"z": Int(0, 1)}) == (a | b)
    assert (a | b | b | a) == (a | b)


def test_a_union_has_the_defaults_of_both() -> None:
    """Whichever space says one; nested constraints stay, once."""
    pair = Space({"p": Int(0, 9), "q": Int(0, 9)}, constraints=["p <= q"])
    a = Space({"x": Int(0, 9, default=3), "pair": pair})
    b = Space({"x": Int(0, 9), "y": Int(0, 9, default=4), "pair": pair})

    assert (a | b).default()[0] | {"x": 3, "y": 4} == (a | b).default()[0]
    assert (a | b).constraints == ("pair.p <= pair.q",)


def test_difference_speaks_of_what_the_log_would_notice() -> None:
    """Objects and their labels are the same to it."""
    here = Space({"lr": Float(0, 1), "act": Categorical([abs])})
    there = Space({"lr": Float(0, 2), "act": Categorical(["abs"]), "n": Int(0, 1)})

    assert here.difference(there) == [
        "lr: Float(0.0, 1.0) here, Float(0.0, 2.0) there",
        "n: missing here, Int(0, 1) there",
    ]
    assert here.difference(Space({"act": Categorical([abs]), "lr": Float(0, 1)})) == [
        "order: lr, act here, act, lr there"
    ]


def test_a_thousand_parameters_are_no_burden() -> None:
    """Decoding and encoding work as with ten."""
    space = Space({f"x{i}": Float(0, 1) for i in range(1000)})
    [params] = space.decode(np.full((1, 1000), 0.25))

    assert set(params.values()) == {0.25}
    assert (space.encode([params]) == 0.25).all()


def test_keys_are_equal_for_equal_configurations() -> None:
    """Whatever their order."""
    assert NESTED.key(WHOLE) == NESTED.key(dict(reversed(WHOLE.items())))
    assert NESTED.key(WHOLE) != NESTED.key({**WHOLE, "lr": 0.2})
