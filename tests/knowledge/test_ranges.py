import msgspec
import pytest

from tunesmith.knowledge.amounts import Size
from tunesmith.knowledge.ranges import missing, parameter
from tunesmith.knowledge.schema import Entry
from tunesmith.space import Categorical, Float, Int, Ordinal

WORDS = {"does": "It.", "typical": "1.", "sources": {"a": "b."}}
SHARE = msgspec.convert(
    WORDS
    | {"type": "Float", "low": 0.1, "high": 1.0, "share": True, "special": {"sqrt": "1 / sqrt(p)"}},
    Entry,
)
PENALTY = msgspec.convert(WORDS | {"type": "Float", "low": 0.01, "high": 10.0, "log": True}, Entry)
DEPTH = msgspec.convert(
    WORDS | {"type": "Int", "low": 1, "high": "min(10, n / 10)", "special": {"None": float("inf")}},
    Entry,
)
KIND = msgspec.convert(WORDS | {"type": "Choice", "choices": ["None", "a", [1, 2]]}, Entry)
UNSET = msgspec.convert(WORDS | {"type": "Int", "low": 1, "high": 9, "unset": 6}, Entry)


def test_a_number_in_the_range_is_the_default() -> None:
    """The range stays as it is, as far as the data allow it."""
    assert parameter(DEPTH, 3, Size(n=50), {}) == Int(1, 5, default=3)
    assert parameter(SHARE, 0.5, Size(), {}) == Float(0.1, 1.0, default=0.5)


def test_a_number_outside_of_the_range_widens_it() -> None:
    """The first trial is the estimator as it is."""
    assert parameter(PENALTY, 0.001, Size(), {}) == Float(0.001, 10.0, log=True, default=0.001)
    assert parameter(DEPTH, 30, Size(), {}) == Int(1, 30, default=30)


def test_zero_on_a_log_scale_is_the_lowest_of_levels() -> None:
    """No logarithm has it, an ordered choice does."""
    made = parameter(PENALTY, 0.0, Size(), {})

    assert isinstance(made, Ordinal)
    levels = list(made.choices)
    assert levels == sorted(levels)
    assert levels[:2] == [0.0, 0.01]
    assert levels[-1] == 10.0
    assert made.default == 0.0


@pytest.mark.parametrize("p, below", [(4, 0.46), (100, 0.1)])
def test_what_is_no_number_stands_where_it_belongs(p: int, below: float) -> None:
    """The square root of the columns is a larger share the fewer they are."""
    made = parameter(SHARE, "sqrt", Size(p=p), {})

    assert isinstance(made, Ordinal)
    levels = list(made.choices)
    assert max(levels[: levels.index("sqrt")], default=0.1) == pytest.approx(below)


def test_none_that_means_no_limit_is_the_highest() -> None:
    """An unlimited depth is deeper than all."""
    assert parameter(DEPTH, None, Size(n=40), {}) == Ordinal([1, 2, 3, 4, None], default=None)


def test_what_the_installed_version_leaves_open_is_the_documented_number() -> None:
    """None and silence stand for the library's own default."""
    assert parameter(UNSET, None, Size(), {}) == Int(1, 9, default=6)
    assert parameter(UNSET, missing(), Size(), {}) == Int(1, 9, default=6)


def test_a_choice_has_none_and_tuples() -> None:
    """TOML has neither."""
    assert parameter(KIND, (1, 2), Size(), {}) == Categorical([None, "a", (1, 2)], default=(1, 2))


@pytest.mark.parametrize(
    "entry, value",
    [
        (SHARE, 3), (SHARE, 1), (SHARE, 1.5), (SHARE, "log2"), (SHARE, max), (SHARE, None),
        (SHARE, True), (DEPTH, 0.5), (DEPTH, float("nan")), (KIND, "b"), (KIND, {0: 1}),
        (KIND, (2, 1)), (PENALTY, [1.0]),
    ],
)  # fmt: skip
def test_what_cannot_be_placed_is_left_alone(entry: Entry, value: object) -> None:
    """A count where shares are tuned, a callable, an unknown choice: no parameter."""
    assert parameter(entry, value, Size(), {}) is None
