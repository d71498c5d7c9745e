"""Hypothesis strategies of random valid parameters and spaces, for properties of whatever uses them.

from hypothesis import given
from tunesmith.testing.strategies import spaces

@given(spaces())
def test_my_sampler_keeps_the_space(space): ...
"""

from dataclasses import make_dataclass, replace
from keyword import iskeyword
from typing import Annotated, Any

from hypothesis import strategies as st

from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Parameter, Space

_NAMES = ("a", "b", "c", "units", "lr", "depth", "kind", "über", "lambda", "µ-rate")
_OPTIONS = ("one", "two", "three")


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


@st.composite
def _floats(draw: st.DrawFn) -> Float:
    low = draw(st.floats(-1e6, 1e6))
    high = low + draw(st.sampled_from([0.0, 1e-3, 1.0, 12.5, 1e6]))
    return Float(low, high)


@st.composite
def _log_floats(draw: st.DrawFn) -> Float:
    magnitude = draw(st.sampled_from([1e-290, 1.0]))
    low = magnitude * draw(st.floats(1e-12, 1e6))
    return Float(low, low * draw(st.sampled_from([1.0, 1 + 1e-9, 1.5, 100.0, 1e9])), log=True)


@st.composite
def _stepped_floats(draw: st.DrawFn) -> Float:
    step = draw(st.sampled_from([0.1, 0.25, 1e-3, 2.0, 0.3]))
    low = draw(st.integers(-50, 50)) * 0.5
    return Float(low, low + step * draw(st.integers(0, 60)), step=step)


@st.composite
def _ints(draw: st.DrawFn) -> Int:
    low = draw(st.integers(-(10**6), 10**6))
    width = draw(st.sampled_from([0, 1, 3, 10, 1000, 2**32]))
    return Int(low, low + width, step=draw(st.sampled_from([1, 1, 2, 7])))


@st.composite
def _log_ints(draw: st.DrawFn) -> Int:
    low = draw(st.integers(1, 1000))
    width = draw(st.sampled_from([0, 1, 5, 500, 2**32]))
    return Int(low, low + width, log=True, step=draw(st.sampled_from([1, 1, 3])))


_CONTAINERS = ({"a": [1]}, [64, 64], {1})
_objects = st.sampled_from([abs, max, dict, None, (64, 64), frozenset({1}), True, 2, -0.5, "text"])


def _labelled() -> st.SearchStrategy[Parameter]:
    texts = st.lists(st.text(max_size=5), min_size=1, max_size=5, unique=True)
    objects = st.lists(_objects, min_size=1, max_size=4, unique=True)
    containers = st.integers(1, 3).map(lambda n: Categorical(_CONTAINERS[:n]))
    numbers = st.lists(st.integers(-5, 500), min_size=1, max_size=5, unique=True)
    return st.one_of(
        texts.map(Categorical),
        objects.map(Categorical),
        containers,
        numbers.map(sorted).map(Ordinal),
    )


@st.composite
def parameters(draw: st.DrawFn, *, defaults: bool = True) -> Parameter:
    """Draw a valid parameter of any kind, always active.

    Args:
        draw: Given by Hypothesis.
        defaults: Whether it may have a default.
    """
    kinds = [_floats(), _log_floats(), _stepped_floats(), _ints(), _log_ints(), _labelled()]
    parameter: Parameter = draw(st.one_of(kinds))
    if defaults and draw(st.booleans()):
        scalar = parameter.from_unit(draw(st.floats(0, 1)))
        parameter = replace(parameter, default=scalar)  # type: ignore[type-var] # all parameters are dataclasses
    return parameter


def _few_valued() -> st.SearchStrategy[Parameter]:
    """Parameters of at most five values."""
    low, n = st.integers(-5, 5), st.integers(0, 3)
    return st.one_of(
        _labelled(),
        st.builds(lambda a, k: Int(a, a + k), low, n),
        st.builds(lambda a, k: Float(a, a + k, step=1), low, n),
    )


@st.composite
def _groups(draw: st.DrawFn, leaves: st.SearchStrategy[Parameter], depth: int) -> dict[str, Any]:
    """Draw a dict of parameters; some depend on others of the same dict."""
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=4 if depth else 2, unique=True))
    group: dict[str, Any] = {}
    for name in names:
        spec: Any = draw(leaves)
        if depth:
            nests = [_choices(leaves, depth - 1), _lists(leaves, depth - 1)]
            inner = [_groups(leaves, depth - 1), _dataclasses(leaves), _fixed(leaves)]
            spec = draw(st.one_of(st.just(spec), st.just(spec), *nests, *inner))
        parents = [n for n, one in group.items() if isinstance(one, Parameter) and one.cardinality]
        if isinstance(spec, Parameter | Choice | List) and parents and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            value = group[parent].from_unit(draw(st.floats(0, 1)))
            spec = replace(spec, when={parent: [value]})  # type: ignore[type-var] # all parameters are dataclasses
        group[name] = spec
    return group


@st.composite
def _fixed(draw: st.DrawFn, leaves: st.SearchStrategy[Parameter]) -> Space[Any]:
    """Draw a space inside a space, its first parameter fixed."""
    group = draw(_groups(leaves, 0))
    values = {name: one.from_unit(draw(st.floats(0, 1))) for name, one in [*group.items()][:1]}
    return Space(group).fix(values)


@st.composite
def _choices(draw: st.DrawFn, leaves: st.SearchStrategy[Parameter], depth: int) -> Choice:
    labels = draw(st.lists(st.sampled_from(_OPTIONS), min_size=1, max_size=3, unique=True))
    inner = (st.none(), _groups(leaves, depth))
    return Choice({n: draw(st.one_of(*inner, _dataclasses(leaves, n.title()))) for n in labels})


@st.composite
def _lists(draw: st.DrawFn, leaves: st.SearchStrategy[Parameter], depth: int) -> List:
    low = draw(st.integers(0, 2))
    of = st.one_of(leaves, _groups(leaves, depth), _choices(leaves, 0), _dataclasses(leaves))
    return List(draw(of), length=(low, max(1, low + draw(st.integers(0, 1)))))


@st.composite
def _dataclasses(draw: st.DrawFn, leaves: st.SearchStrategy[Parameter], name: str = "Made") -> type:
    plain = [name for name in _NAMES if _is_plain(name)]
    names = draw(st.lists(st.sampled_from(plain), max_size=2, unique=True))
    fields: list[tuple[str, Any]] = [(n, Annotated[object, draw(leaves)]) for n in names]
    return make_dataclass(name, fields, frozen=True)


@st.composite
def spaces(draw: st.DrawFn, *, finite: bool = False) -> Space[Any]:
    """Draw a valid space: nested, conditional, constrained, with lists, of a dict or a dataclass.

    Args:
        draw: Given by Hypothesis.
        finite: Whether parameters have at most five values each.
    """
    leaves = _few_valued() if finite else parameters()
    if draw(st.integers(0, 4)) == 0:
        return Space(draw(_dataclasses(leaves)))
    group = draw(_groups(leaves, 2))
    constraints = []
    for name, spec in group.items():
        if isinstance(spec, Float | Int) and draw(st.booleans()):
            # half of the range at least, and no default outside
            bounds = [spec.from_unit(0.5), spec.from_unit(0.6), spec.default or spec.low]
            written = name if _is_plain(name) else f"params[{name!r}]"
            constraints.append(
                f"{written} <= {max(float(b) for b in bounds if isinstance(b, int | float))!r}"
            )
    return Space(group, constraints=constraints)
