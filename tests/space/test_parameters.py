"""Parameters: values, ends, labels, and the sentences that refuse others."""

import math
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import space
from tunesmith._core.errors import SpaceError
from tunesmith.space import Categorical, Float, Int, Ordinal, Parameter, Space


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Level(IntEnum):
    LOW = 1
    HIGH = 2


def test_both_ends_of_a_continuum_are_reached_exactly() -> None:
    """Unit 0 is `low` and unit 1 is `high`, to the last bit, logarithmic or not."""
    for low, high in [(1e-5, 1e-1), (0.1, 0.7), (1e-12, 3e7), (1 / 3, 2 / 3), (5.0, 5.0)]:
        for log in (False, True):
            parameter = Float(low, high, log=log)

            assert low == parameter.from_unit(0.0)
            assert high == parameter.from_unit(1.0)


@given(st.floats(1e-300, 1e300), st.floats(1, 1e6))
def test_logarithmic_ends_are_exact_for_any_range(low: float, factor: float) -> None:
    """However far from 1 the range lies."""
    parameter = Float(low, low * factor, log=True)

    assert low == parameter.from_unit(0.0)
    assert low * factor == parameter.from_unit(1.0)


def test_the_middle_of_a_logarithmic_range_is_the_geometric_mean() -> None:
    """Float(1, 100, log=True) has 10 in the middle."""
    assert Float(1, 100, log=True).from_unit(0.5) == pytest.approx(10, rel=1e-12)


def test_stepped_floats_are_clean_decimals() -> None:
    """Three times 0.1 is written 0.3."""
    parameter = Float(0, 1, step=0.1)
    values = [parameter.from_unit((k + 0.5) / 11) for k in range(11)]

    assert values == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert Float(0.1, 0.75, step=0.2).from_unit(1.0) == 0.7
    assert Float(0, 1, step=0.1).contains(0.30000000000000004)
    assert not Float(0, 1, step=0.1).contains(0.31)


def test_each_value_of_an_int_owns_the_same_share() -> None:
    """Ends included: Int(1, 4) changes value at 1/4, 1/2, 3/4."""
    parameter = Int(1, 4)
    edges = [parameter.from_unit(u) for u in (0.0, 0.2499, 0.2501, 0.4999, 0.5001, 0.7501, 1.0)]

    assert edges == [1, 1, 2, 2, 3, 4, 4]
    assert [parameter.to_unit(v) for v in (1, 2, 3, 4)] == [0.125, 0.375, 0.625, 0.875]


def test_each_value_of_a_logarithmic_int_owns_its_rounding_interval() -> None:
    """The edges are at the halves: of Int(1, 2, log=True) 1 owns log(1.5/0.5) of log(2.5/0.5)."""
    parameter = Int(1, 2, log=True)
    edge = math.log(3) / math.log(5)

    assert parameter.from_unit(edge - 1e-9) == 1
    assert parameter.from_unit(edge + 1e-9) == 2


def test_large_ints_round_trip() -> None:
    """Every value to the very bound, the logarithmic ones too."""
    for log in (False, True):
        parameter = Int(1, 2**40, log=log)
        for value in (1, 2, 3, 12345, 2**39 + 1, 2**40 - 1, 2**40):
            assert value == parameter.from_unit(parameter.to_unit(value))


def test_steps_need_not_meet_the_bound() -> None:
    """The last value is the last step within."""
    parameter = Int(1, 10, step=4)

    assert [parameter.from_unit(u) for u in (0.1, 0.5, 0.9)] == [1, 5, 9]
    assert parameter.cardinality == 3
    assert not parameter.contains(10)
    assert not parameter.contains(3)


def test_what_a_parameter_contains() -> None:
    """NumPy scalars and whole floats are numbers; booleans and texts are none."""
    assert Int(0, 3).contains(np.int8(2))
    assert Int(0, 3).contains(2.0)
    assert not Int(0, 3).contains(2.5)
    assert not Int(0, 3).contains(True)
    assert Float(0, 1).contains(1)
    assert Float(0, 1).contains(np.float32(0.5))
    assert not Float(0, 1).contains(math.nan)
    assert not Float(0, 1, step=0.5).contains(math.inf)
    assert not Float(0, 1).contains("0.5")
    assert not Categorical([1, 2]).contains(True)
    assert not Categorical([True, False]).contains(1)
    assert Categorical([True, False]).contains(np.True_)
    assert not Categorical(["a"]).contains([])


def test_objects_are_known_by_their_labels() -> None:
    """The log keeps names, the objective gets objects."""
    parameter = Categorical([abs, Colour.RED, Level.LOW, (1, 2), math.nan, -math.inf, None, 0.5])
    labels = [parameter.from_unit((k + 0.5) / 8) for k in range(8)]

    assert labels == ["abs", "RED", "LOW", "(1, 2)", "nan", "-inf", None, 0.5]
    assert parameter.thing("abs") is abs
    assert parameter.thing("LOW") is Level.LOW
    assert parameter.contains(abs)
    assert parameter.contains((1, 2))
    assert parameter.contains("(1, 2)")


def test_an_object_without_a_repr_needs_labels() -> None:
    """Given one it is as good as any."""
    thing = Unspeakable()
    parameter = Categorical([thing, 1], labels=["quiet", "one"])

    assert parameter.from_unit(parameter.to_unit(thing)) == "quiet"
    assert not parameter.contains(Unspeakable())


def test_an_equal_object_is_found_though_labels_were_given() -> None:
    """A list that was made again is the same choice."""
    parameter = Categorical({"small": [64], "large": [64, 64]}, default=[64, 64])

    assert parameter.from_unit(parameter.to_unit([64])) == "small"
    assert Space({"net": parameter}).default() == ({"net": "large"}, True)


def test_objects_without_a_name_need_labels() -> None:
    """Two closures have one qualified name; given labels they are told apart by identity."""
    first, second = (lambda x, k=k: x + k for k in (1, 2))
    parameter = Categorical([first, second], labels=["one", "two"])

    assert parameter.from_unit(parameter.to_unit(second)) == "two"
    with pytest.raises(SpaceError, match="equal labels"):
        Categorical([first, second])


def test_the_last_step_lies_within_the_bound() -> None:
    """However many steps there are."""
    for high, step in [(1e6, 1e-6), (1.0, 0.1), (0.3, 0.1), (1e3, 1e-9), (7.0, 0.7)]:
        assert Float(0, high, step=step).from_unit(1.0) == high
    assert Float(0, 0.99, step=0.1).from_unit(1.0) == 0.9


@pytest.mark.parametrize(
    "parameter,value",
    [
        (Float(0, 1, step=0.1), 10**400),
        (Float(0, 1), 10**400),
        (Float(1, 2, step=0.5, log=True), 1e308),
        (Int(0, 3), 10**400),
        (Categorical([1, 2]), 10**400),
        (Categorical(["a"]), "\ud800"),
    ],
)
def test_what_is_far_outside_is_simply_not_contained(parameter: Parameter, value: Any) -> None:
    """No number is too large for the question."""
    assert not parameter.contains(value)


def test_the_smallest_steps_there_are() -> None:
    """Floats below the normal ones are numbers, too."""
    assert Float(0, 1e-320, step=5e-324).from_unit(1.0) == 1e-320
    assert Float(5e-324, 1e-320, log=True).from_unit(1.0) == 1e-320


@given(st.floats(1e-300, 1e300), st.integers(1, 1000), st.floats(0, 1))
def test_narrow_logarithmic_ranges_keep_their_digits(low: float, ulps: int, unit: float) -> None:
    """The round trip is exact within two of the floats that there are."""
    high = low + ulps * 1e6 * float(np.spacing(low))
    parameter = Float(low, high, log=True)
    value = float(parameter.from_unit(unit) or 0)
    again = float(parameter.from_unit(parameter.to_unit(value)) or 0)

    assert low <= value <= high
    assert value == pytest.approx(low + unit * (high - low), rel=1e-6 * ulps, abs=0)
    assert abs(again - value) <= 4 * np.spacing(high)


def test_choices_that_can_be_changed_are_not_shared() -> None:
    """What one trial appends, no other sees; the objects inside stay the same."""
    inner = object()
    parameter = Categorical(
        {"l": [inner, [1]], "d": {"a": [1]}, "s": {1}, "t": ([1],), "n": np.zeros(3)}
    )
    changed = parameter.thing("l")
    changed[1].append(2)
    parameter.thing("d")["a"].append(2)
    parameter.thing("s").add(2)
    parameter.thing("t")[0].append(2)
    parameter.thing("n")[0] = 1.0

    assert changed[0] is inner
    assert parameter.thing("l") == [inner, [1]]
    assert parameter.thing("d") == {"a": [1]}
    assert parameter.thing("s") == {1}
    assert parameter.thing("t") == ([1],)
    assert parameter.thing("n").tolist() == [0.0, 0.0, 0.0]
    for label in "ldstn":
        assert parameter.from_unit(parameter.to_unit(parameter.thing(label))) == label


def test_equal_reprs_need_not_confuse() -> None:
    """Long arrays are told apart by what they hold."""
    ones, twos = np.arange(5000), np.arange(5000)
    twos[2500] = 0
    parameter = Categorical({"one": ones, "two": twos})

    assert parameter.from_unit(parameter.to_unit(twos.copy())) == "two"


def test_parameters_are_equal_if_the_log_cannot_tell() -> None:
    """Objects compare by label."""
    assert Categorical(["abs"]) == Categorical([abs])
    assert Categorical(["a"]) != Ordinal(["a"])
    assert Float(0, 1) == Float(0.0, 1.0)
    assert Float(0, 1) != Float(0, 1, default=0.5)


def test_a_repr_makes_the_parameter_again() -> None:
    """Settings that are not given are not shown."""
    for text in [
        "Float(0.0, 1.0)",
        "Float(1e-05, 0.1, log=True, default=0.001, role='model')",
        "Int(1, 9, step=2, when={'a': 1})",
        "Categorical(['a', None], default='a')",
        "Ordinal([1, 2, 4])",
        "Categorical([1, None], default=None)",
        "Choice({'a': None}, default='a', role='model', when={'b': 1})",
        "List(Int(0, 1), length=(1, 2), role='model')",
    ]:
        assert text == repr(eval(text, vars(space).copy()))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Float(1, 0), r"low <= high, got low=1.0, high=0.0; swap them"),
    (lambda: Float(0, 1, log=True), r"needs low > 0, got low=0.0; use log=False or a positive low"),
    (lambda: Float("a", 1), r"Float\(low=...\) must be a number, got 'a'"),  # type: ignore[arg-type]
    (lambda: Float(0, math.inf), r"must be finite, got inf"),
    (lambda: Float(0, 10**400), r"must be finite"),
    (lambda: Float(-1e308, 1e308), r"too wide for floats"),
    (lambda: Float(0, 1, step=0), r"step > 0, got step=0.0"),
    (lambda: Float(0, 1, step=1e-15), r"more than 2\*\*40 steps"),
    (lambda: Float(0, 1, default=2), r"default 2.0 is not in Float\(low=0.0, high=1.0\)"),
    (lambda: Float(0, 1, default=math.nan), r"must be finite, got nan"),
    (lambda: Float(0, 1, default=True), r"must be a number, got True"),
    (lambda: Float(0, 1, log=1), r"True or False, got 1"),  # type: ignore[arg-type]
    (lambda: Int(0.5, 2), r"Int\(low=...\) must be a whole number, got 0.5"),  # type: ignore[arg-type]
    (lambda: Int(0, True), r"whole number, got True"),
    (lambda: Int(0, 2**60), r"within -2\*\*40 and 2\*\*40"),
    (lambda: Int(0, 4, step=-1), r"step > 0"),
    (lambda: Int(0, 4, step=2, default=3), r"default 3 is not in Int\(low=0, high=4, step=2\)"),
    (lambda: Int(0, 3, role="x"), r'role is "model" or "algorithm", got \'x\''),  # type: ignore[arg-type]
    (lambda: Int(0, 3, when=3), r"when= is a dict .* got 3"),  # type: ignore[arg-type]
    (lambda: Categorical("abc"), r"takes a list, or a dict .* got 'abc'"),
    (lambda: Categorical({1, 2}), r"takes a list"),  # type: ignore[arg-type]
    (lambda: Categorical(3), r"takes a list"),  # type: ignore[arg-type]
    (lambda: Categorical([]), r"at least one choice"),
    (lambda: Categorical([1, True]), r"equal labels, 1 and True"),
    (lambda: Categorical([1, 1.0]), r"equal labels, 1 and 1.0"),
    (lambda: Categorical([object()]), r"no name that another process would find again"),
    (lambda: Categorical([1, 2], labels=["a"]), r"2 choices but 1 labels"),
    (lambda: Categorical([1], labels=[(1, 2)]), r"labels are text, numbers"),  # type: ignore[list-item]
    (lambda: Categorical({"a": 1}, labels=["x"]), r"not both"),
    (lambda: Categorical(["a", "b"], labels=["b", "a"]), r"one choice and the label of another"),
    (lambda: Categorical([10**400, 1]), r"beyond 64 bits cannot be kept; give it as text"),
    (lambda: Categorical(["\ud800"]), r"texts that UTF-8 can hold, got '.ud800'"),
    (lambda: Categorical([Unspeakable()]), r"a Unspeakable has no repr .*; give labels="),
    (lambda: Categorical([1], default=2), r"default 2 is not in Categorical"),
    (lambda: Float(0, 1).to_unit(2), r"2 is not in Float\(0.0, 1.0\)"),
]


@pytest.mark.parametrize("make,sentence", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(make: Callable[[], Any], sentence: str) -> None:
    """At construction: what came, what is allowed, what to do."""
    with pytest.raises(SpaceError, match=sentence):
        make()
