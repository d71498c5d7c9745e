from typing import Any

import numpy as np
import pytest

from tunesmith.space import Categorical, Choice, Float, Int, List, Space
from tunesmith.testing.samplers import SPACES


def told(space: Space[Any]) -> list[tuple[set[str], tuple[int, ...], int]]:
    return [
        ({space.names[column] for column in block.columns}, block.above, block.depth)
        for block in space.blocks
    ]


def test_a_flat_space_is_one_block() -> None:
    """What is always active is active together."""
    assert told(Space({"x": Float(0, 1), "n": Int(1, 3)})) == [({"x", "n"}, (), 0)]


def test_an_empty_space_has_no_blocks() -> None:
    """Nothing is active."""
    assert Space({}).blocks == ()


def test_options_hang_on_what_chooses_them() -> None:
    """Each option is a block below the root; one inside an option stands below both."""
    space = Space(
        {
            "o": Choice(
                {
                    "sgd": {"lr": Float(0, 1), "kind": Choice({"a": {"m": Float(0, 1)}, "b": {}})},
                    "adam": {"lr": Float(0, 1)},
                }
            ),
            "depth": Int(1, 3),
        }
    )

    assert told(space) == [
        ({"o", "depth"}, (), 0),
        ({"o.sgd.lr", "o.sgd.kind"}, (0,), 1),
        ({"o.adam.lr"}, (0,), 1),
        ({"o.sgd.kind.a.m"}, (0, 1), 2),
    ]


def test_elements_of_a_list_hang_on_its_length() -> None:
    """Elements that are always there are in the root, each further one is a block."""
    assert told(Space({"layers": List(Int(1, 9), length=(1, 3))})) == [
        ({"layers", "layers.0"}, (), 0),
        ({"layers.1"}, (0,), 1),
        ({"layers.2"}, (0,), 1),
    ]


def test_equal_conditions_make_one_block_wherever_they_are_written() -> None:
    """A condition over two parents stands below the blocks of both."""
    space = Space(
        {
            "a": Categorical([0, 1]),
            "b": Categorical([0, 1], when={"a": 1}),
            "x": Float(0, 1, when="a == 1 and b == 1"),
            "c": Int(1, 2),
            "y": Float(0, 1, when="a == 1 and b == 1"),
        }
    )

    assert told(space) == [({"a", "c"}, (), 0), ({"b"}, (0,), 1), ({"x", "y"}, (0, 1), 2)]


@pytest.mark.parametrize("name", sorted(SPACES))
def test_snapped_units_are_those_of_the_configurations(name: str) -> None:
    """`snap` is what decoding and encoding again gives."""
    space = SPACES[name]
    units = np.random.default_rng(0).random((100, len(space)))

    np.testing.assert_allclose(space.snap(units), space.encode(space.decode(units)), atol=1e-12)


def test_grains_are_the_lengths_that_share_a_value() -> None:
    """Next to nothing of a continuum, a k-th of k values, less and less on a log scale."""
    space = Space(
        {
            "x": Float(0, 1),
            "rate": Float(1e-3, 1, log=True),
            "share": Float(0, 1, step=0.25),
            "kind": Categorical(["a", "b", "c", "d"]),
            "n": Int(1, 3, log=True),
        }
    )
    edges = np.log([0.5, 1.5, 2.5, 3.5])
    lengths = np.diff(edges) / (edges[-1] - edges[0])
    for n, length in enumerate(lengths, 1):
        units = space.encode([{"x": 0.5, "rate": 0.1, "share": 0.5, "kind": "b", "n": n}])
        np.testing.assert_allclose(space.grains(units), [[0, 0, 0.2, 0.25, length]], atol=1e-12)


def test_grains_of_all_values_fill_the_unit_interval() -> None:
    """Also where the first value of a log scale is less than a step."""
    for parameter in (Int(1, 64, log=True), Int(0, 7), Float(0.5, 10.5, step=2, log=True)):
        space = Space({"n": parameter})
        units = space.encode(list(space.configurations()))
        assert space.grains(units).sum() == pytest.approx(1)
