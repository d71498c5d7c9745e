from itertools import islice
from typing import Any

import numpy as np
import pytest

from tunesmith.records import Objective, Problem
from tunesmith.samplers import Random
from tunesmith.samplers.seen import Seen
from tunesmith.space import Choice, Float, Int, Params, Space
from tunesmith.testing.samplers import Play

LOSS = (Objective("loss", "minimize"),)


@pytest.mark.parametrize("last", [(0, 0), (31, 7), (5, 30)])
def test_the_last_configuration_is_found(last: tuple[int, int]) -> None:
    """When one of 1,024 configurations is left, it is drawn, whichever it is."""
    space = Space({"a": Int(0, 31), "b": Int(0, 31)})
    play = Play(Random(), Problem(space, LOSS))
    rest = dict(zip("ab", last, strict=True))
    for params in space.configurations():
        if params != rest:
            play.start(params, source="queue")

    assert [s.params for s in play.ask(3)] == [rest]


def test_what_is_left_is_chosen_evenly() -> None:
    """Of the 4 left of 1,024, each is drawn about as often; six sigma, false alarm 1e-8."""
    space = Space({"a": Int(0, 1023)})
    seen = Seen(space, {space.key({"a": a}) for a in range(1020)})
    rng = np.random.default_rng(0)
    drawn = [seen.draw(rng, 1)[0]["a"] for _ in range(100)]
    counts = [drawn.count(a) for a in range(1020, 1024)]

    assert sum(counts) == 100
    assert max(abs(count - 25) for count in counts) < 6 * (100 * 3 / 16) ** 0.5


def test_a_huge_finite_space_is_not_walked_through() -> None:
    """Where draws nearly always repeat, what is new is found without listing 10^12 others."""
    space = Space({"kind": Choice({"plain": {}, "rich": {"a": Int(1, 10**6), "b": Int(1, 10**6)}})})
    seen = Seen.of(space)
    rng = np.random.default_rng(0)
    first = seen.draw(rng, 200)

    assert len({space.key(params) for params in first}) == 200


def deep() -> Space[Any]:
    """10^12 configurations behind one value of a hundred, of which few keep the constraint."""
    return Space(
        {"n": Int(0, 99)} | {f"x{i}": Int(0, 9, when="n == 7") for i in range(12)},
        constraints=["x0 + x11 >= 17"],
    )


def test_what_hides_deep_in_a_huge_space_is_found_without_a_walk() -> None:
    """And drawn evenly: of 30, the middle parameters take high values as often as low ones."""
    space = deep()
    seen = Seen(space, {space.key({"n": n}) for n in range(100)})
    found = seen.draw(np.random.default_rng(0), 30)
    high = sum(int(params["x5"] or 0) >= 5 for params in found)

    assert len(found) == 30
    assert abs(high - 15) < 6 * 7.5**0.5


def test_a_draw_ends_though_it_finds_nothing() -> None:
    """Where the number of configurations is only a bound, the search is bounded, too."""
    space = Space({"a": Int(0, 999), "b": Int(0, 999)}, constraints=["(a * 7 + b * 31) % 997 == 0"])
    left: list[Params] = [
        {"a": a, "b": b} for a in range(1000) for b in range(1000) if (a * 7 + b * 31) % 997 == 0
    ]
    seen = Seen(space, set(map(space.key, left)))

    assert seen.draw(np.random.default_rng(0), 1) == []


def test_repetition_is_not_avoided_on_infinite_spaces() -> None:
    """Nothing is remembered where nothing can repeat."""
    assert Seen.of(Space({"x": Float(0, 1)})).keys is None


def test_a_call_is_given_each_thing_once() -> None:
    """Within one call, what passed the test does not pass again; the next call starts anew."""
    space = Space({"a": Int(0, 3)})
    seen = Seen.of(space)
    for _ in range(2):
        is_new = seen.news()
        twice = [*space.configurations(), *space.configurations()]

        assert list(islice(filter(is_new, twice), 9)) == list(space.configurations())
