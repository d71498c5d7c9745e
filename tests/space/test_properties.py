"""Laws of every space, over random ones."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tunesmith._core.errors import SpaceError
from tunesmith.space import Parameter, Space
from tunesmith.testing.strategies import parameters, spaces

seeds = st.integers(0, 2**32)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def units(space: Space[Any], seed: int, n: int) -> Any:
    return np.random.default_rng(seed).random((n, len(space)))


@given(parameters(), st.floats(0, 1))
@quick
def test_unit_to_value_to_unit_to_value_is_the_same_value(parameter: Parameter, u: float) -> None:
    """The round trip is exact if the parameter is discrete, else within 1e-12 of the range."""
    value = parameter.from_unit(u)
    again = parameter.from_unit(parameter.to_unit(value))

    assert parameter.contains(value)
    if parameter.cardinality is None:
        low, high = (float(parameter.from_unit(e) or 0) for e in (0.0, 1.0))
        assert isinstance(value, float)
        slack = 1e-12 * (high - low) + 4 * np.spacing(max(abs(low), abs(high)))
        assert value == pytest.approx(again, abs=slack, rel=0)
    else:
        assert value == again
        assert type(value) is type(again)


@given(parameters())
@quick
def test_the_ends_of_the_unit_interval_are_the_ends_of_the_range(parameter: Parameter) -> None:
    """Beyond [0, 1] nothing new is found."""
    assert parameter.from_unit(0.0) == parameter.from_unit(-3.0)
    assert parameter.from_unit(1.0) == parameter.from_unit(7.0)


@given(spaces(), seeds)
@quick
def test_decode_and_encode_are_inverse(space: Space[Any], seed: int) -> None:
    """A decoded configuration, encoded and decoded, is the same; inactive units are NaN."""
    u = units(space, seed, 5)
    params = space.decode(u)
    encoded = space.encode(params)
    again = space.decode(encoded)

    assert (~np.isnan(encoded)).tolist() == space.active(u).tolist()
    for one, two in zip(params, again, strict=True):
        assert list(one) == list(two)
        for name, value in one.items():
            if space.parameters[name].cardinality is not None:
                assert value == two[name]
    assert np.nan_to_num(space.encode(again)) == pytest.approx(np.nan_to_num(encoded), abs=1e-6)


@given(spaces(), seeds)
@quick
def test_rows_do_not_depend_on_their_neighbours(space: Space[Any], seed: int) -> None:
    """Decoding row by row is bit-equal to decoding all at once."""
    u = units(space, seed, 9)

    assert space.decode(u) == [space.decode(row[None])[0] for row in u]
    assert space.decode(u[::2]) == space.decode(u)[::2]
    assert space.feasible(u).tolist() == [bool(space.feasible(r[None])[0]) for r in u]


@given(spaces(), seeds)
@quick
def test_samples_are_whole_valid_configurations(space: Space[Any], seed: int) -> None:
    """What `sample` draws passes `check`, in the order of names, parents first."""
    for params in space.sample(np.random.default_rng(seed), 7):
        space.check(params)
        assert list(params) == [name for name in space.names if name in params]


@given(spaces(), seeds)
@quick
def test_params_survive_the_objective_and_json(space: Space[Any], seed: int) -> None:
    """`store` undoes `build`; JSON keeps params as they are, types included."""
    for params in space.sample(np.random.default_rng(seed), 5):
        read = json.loads(json.dumps(params))

        assert params == space.store(space.build(params))
        assert params == space.store(params)
        assert params == read
        assert [type(v) for v in params.values()] == [type(v) for v in read.values()]


@given(spaces(), seeds)
@quick
def test_a_space_survives_json(space: Space[Any], seed: int) -> None:
    """The space read from JSON decodes alike and differs in nothing that the log could tell."""
    data = space.to_json()
    read = Space.from_json(json.loads(json.dumps(data)))
    u = units(space, seed, 5)

    assert space.difference(read) == []
    assert data == read.to_json()
    assert space == read
    assert space.decode(u) == read.decode(u)
    assert space.default() == read.default()
    for params in read.sample(np.random.default_rng(seed), 3):
        assert params == read.store(read.build(params))


@given(spaces())
@quick
def test_the_default_is_a_valid_configuration(space: Space[Any]) -> None:
    """Wherever the centre lies, the default keeps conditions and constraints."""
    params, whole = space.default()

    space.check(params)
    fixed = [n for n in params if space.parameters[n].cardinality == 1]
    assert whole == all(space.parameters[n].initial is not None or n in fixed for n in params)


@given(spaces(), seeds, st.data())
@quick
def test_completion_keeps_what_is_given(space: Space[Any], seed: int, data: st.DataObject) -> None:
    """Any part of a configuration is completed to one that has it, with a suggestion or without."""
    rng = np.random.default_rng(seed)
    whole, suggestion = space.sample(rng, 2)
    names = data.draw(st.sets(st.sampled_from(list(whole)))) if whole else set()
    given_ = {name: value for name, value in whole.items() if name in names}

    for other in (None, suggestion):
        params = space.complete(given_, other, rng)
        space.check(params)
        assert given_ == {name: params[name] for name in given_}
    assert whole == space.complete(whole, suggestion, rng)
    assert suggestion == space.complete({}, suggestion, rng)


@given(spaces(finite=True))
@quick
def test_configurations_are_as_many_as_cardinality_says(space: Space[Any]) -> None:
    """Each is valid and comes once."""
    assume(space.cardinality is not None and space.cardinality <= 3000)
    found = list(space.configurations())

    assert space.cardinality == len(found) == len({space.key(one) for one in found})
    for one in found[:20]:
        space.check(one)


@given(spaces(finite=True), seeds)
@quick
def test_samples_are_among_the_configurations(space: Space[Any], seed: int) -> None:
    """Nothing is drawn that `configurations` leaves out."""
    assume(space.cardinality is not None and space.cardinality <= 500)
    known = {space.key(one) for one in space.configurations()}

    assert {space.key(one) for one in space.sample(np.random.default_rng(seed), 20)} <= known


@given(spaces(), seeds, st.data())
@settings(quick, max_examples=40)
def test_fixing_keeps_the_rest(space: Space[Any], seed: int, data: st.DataObject) -> None:
    """A fixed space has the same names; all its configurations are of the space, with the value."""
    [whole] = space.sample(np.random.default_rng(seed), 1)
    assume(whole)
    name = data.draw(st.sampled_from(list(whole)))
    try:
        fixed = space.fix({name: whole[name]})
    except SpaceError as error:  # what is left may keep the constraints too seldom, or no default
        assume("constraint" not in str(error))
        raise

    assert space.names == fixed.names
    assert fixed.parameters[name].cardinality == 1
    for params in fixed.sample(np.random.default_rng(seed), 5):
        space.check(params)
        fixed.check(params)
        assert params.get(name, whole[name]) == whole[name]
    assert Space.from_json(fixed.to_json()) == fixed


@given(spaces(), seeds)
@settings(quick, max_examples=20)
def test_a_space_survives_pickle(space: Space[Any], seed: int) -> None:
    """Workers get the same space."""
    try:
        copied = pickle.loads(pickle.dumps(space))
    except (pickle.PicklingError, AttributeError):  # dataclasses made inside the strategy
        assume(False)
    u = units(space, seed, 3)

    assert space.decode(u) == copied.decode(u)


@given(spaces(), seeds)
@quick
def test_feasible_says_what_check_says(space: Space[Any], seed: int) -> None:
    """Units are feasible exactly if the configuration they decode to passes `check`."""
    u = units(space, seed, 6)
    for row, params in zip(space.feasible(u), space.decode(u), strict=True):
        if row:
            space.check(params)
        else:
            with pytest.raises(SpaceError, match="breaks the constraint"):
                space.check(params)


@given(spaces(), seeds)
@quick
def test_snapped_units_are_those_of_the_configurations(space: Space[Any], seed: int) -> None:
    """`snap` is encode after decode; `draw` is encode after sample, for the same luck."""
    u = units(space, seed, 6)
    drawn = space.draw(np.random.default_rng(seed), 6)
    sampled = space.sample(np.random.default_rng(seed), 6)

    assert space.snap(u) == pytest.approx(space.encode(space.decode(u)), abs=1e-12, nan_ok=True)
    assert drawn == pytest.approx(space.encode(sampled), abs=1e-12, nan_ok=True)


@given(spaces(), seeds)
@quick
def test_a_block_is_active_as_a_whole(space: Space[Any], seed: int) -> None:
    """All of a block's parameters are active, or none; and then all that stand above it are."""
    active = space.active(units(space, seed, 20))

    assert sorted(j for block in space.blocks for j in block.columns) == list(range(len(space)))
    for block in space.blocks:
        on = active[:, block.columns[0]]
        assert (active[:, block.columns] == on[:, None]).all()
        assert block.above or on.all()
        for above in block.above:
            assert active[on][:, space.blocks[above].columns].all()
