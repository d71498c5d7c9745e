"""Dataclasses and signatures as spaces."""

from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, make_dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, NewType, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from tunesmith._core.errors import SpaceError
from tunesmith.space import (
    Categorical,
    Choice,
    Float,
    Int,
    List,
    Space,
    signature_space,
    space_of,
    trial_params,
)

P = TypeVar("P")
Rate = Annotated[float, Float(1e-5, 1e-1, log=True)]


class Trial(Generic[P]):
    """Stands for the trial of a higher layer, which is known by this mark."""

    __tunesmith_trial__: ClassVar[bool] = True


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Adam:
    lr: Rate = 1e-3


@dataclass(frozen=True)
class SGD:
    lr: Rate = 1e-2
    momentum: Annotated[float, Float(0, 1)] = 0.9


@dataclass(frozen=True)
class Net:
    widths: Annotated[list[Annotated[int, Int(8, 64)]], List(length=(1, 3))] = field(
        default_factory=lambda: [32, 16]
    )
    blocks: Annotated[list[SGD], List(SGD, length=(0, 2))] = field(default_factory=list)


@dataclass(frozen=True)
class Params:
    optimizer: Adam | SGD | None = SGD(momentum=0.5)
    net: Net = field(default_factory=Net)
    act: Literal["relu", "gelu"] | None = "gelu"
    colour: Colour = Colour.BLUE
    bias: bool = True
    decay: Annotated[float | None, Float(0, 1, when={"bias": False})] = None
    kind: ClassVar[str] = "not a field"
    derived: int = field(init=False, default=3)


def test_the_defaults_of_a_dataclass_are_trial_0() -> None:
    """Down to the fields of a default instance and the elements of a default list."""
    params, whole = Space(Params).default()

    assert whole
    assert Space(Params).build(params) == Params()
    assert params["optimizer"] == "SGD"
    assert params["optimizer.SGD.momentum"] == 0.5
    assert params["net.widths"] == 2


def test_objectives_get_instances_and_stores_take_them() -> None:
    """There and back for every configuration; the type checker sees the class."""
    space: Space[Params] = Space(Params)
    built = [space.build(p) for p in space.sample(np.random.default_rng(0), 200)]

    assert {type(b.optimizer) for b in built} == {Adam, SGD, type(None)}
    assert {b.decay is None for b in built if b.bias} == {True}
    assert {b.decay is None for b in built if not b.bias} == {False}
    assert all(space.build(space.store(b)) == b for b in built)


def test_a_partial_configuration_of_a_dataclass_is_a_dict() -> None:
    """Nested objects may be instances."""
    space = Space(Params)

    assert space.store({"optimizer": Adam(0.05), "net": {"widths": [9]}}, partial=True) == {
        "optimizer": "Adam",
        "optimizer.Adam.lr": 0.05,
        "net.widths": 1,
        "net.widths.0": 9,
    }


def test_dataclasses_stand_inside_dicts_and_choices() -> None:
    """They give instances under their name."""
    space = Space({"opt": Choice({"a": Adam, "s": {"lr": Rate.__metadata__[0]}}), "net": Net})  # type: ignore[attr-defined] # an alias of Annotated
    params = space.store({"opt": Adam(0.01), "net": Net([8], [])})

    assert params["opt"] == "a"
    assert space.build(params) == {"opt": Adam(0.01), "net": Net([8], [])}


def test_a_space_from_the_log_gives_read_only_namespaces() -> None:
    """Labels stand for objects; the form remains."""
    loaded = Space.from_json(Space(Params).to_json())
    params = loaded.build(loaded.default()[0])

    assert loaded == Space(Params)
    assert loaded.blank
    assert not Space(Params).blank
    assert params.optimizer.momentum == 0.5
    assert params.colour == "BLUE"
    assert repr(params.optimizer) == "SGD(lr=0.01, momentum=0.5)"
    assert loaded.store(params) == loaded.default()[0]
    with pytest.raises(AttributeError, match="read-only"):
        params.bias = False
    with pytest.raises(AttributeError, match="Params has no 'bais'; it has optimizer, net"):
        _ = params.bais


def fit(lr: Rate = 1e-3, depth: Annotated[int, Int(1, 12)] = 3, opt: Adam | SGD = Adam()) -> float:
    return lr * depth


def with_trial(lr: Rate, trial: Trial[Any]) -> float:
    return lr


def with_data(lr: Rate, data: Any) -> float:
    return lr


def typed(trial: Trial[Params], data: int = 3) -> float:
    return 0.0


def test_a_signature_is_a_space_of_keyword_arguments() -> None:
    """Its defaults are trial 0; choices are one argument each."""
    space, trial = signature_space(fit)
    params, whole = space.default()

    assert (trial, whole, space.called) == (None, True, True)
    assert space.build(params) == {"lr": 1e-3, "depth": 3, "opt": Adam()}
    assert fit(**space.build(params)) == pytest.approx(3e-3)


def test_the_parameter_that_receives_the_trial_is_named() -> None:
    """It is no axis of the space."""
    space, trial = signature_space(with_trial)

    assert (space.names, trial) == (("lr",), "trial")


def test_bound_arguments_are_no_parameters() -> None:
    """functools.partial is how data get in."""
    assert signature_space(partial(with_data, data=[1, 2]))[0].names == ("lr",)
    assert signature_space(partial(with_data, 0.01, data=[1, 2]))[0].names == ()


def test_methods_and_callable_objects_have_signatures() -> None:
    """Without their self."""

    class Objective:
        def __call__(self, lr: Rate) -> float:
            return lr

        def method(self, lr: Rate) -> float:
            return lr

    assert signature_space(Objective())[0].names == ("lr",)
    assert signature_space(Objective().method)[0].names == ("lr",)


def test_the_annotation_of_the_first_required_parameter_gives_the_class() -> None:
    """And nothing else does."""
    assert trial_params(typed) is Params
    assert trial_params(with_trial) is None
    assert trial_params(fit) is None
    assert trial_params(lambda trial: trial) is None


def test_space_of_takes_all_three() -> None:
    """A space, a dict, a dataclass."""
    space = space_of({"x": Float(0, 1)})

    assert space_of(space) is space
    assert space_of(Adam).names == ("lr",)
    with pytest.raises(SpaceError, match=r"a dict, a dataclass or a ts.Space, got 3"):
        space_of(3)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Base:
    x: Annotated[float, Float(0, 1)] = 0.5


@dataclass(frozen=True)
class Derived(Base):
    y: Annotated[float, Float(0, 1)] = 0.5


@dataclass(frozen=True)
class Below(Derived): ...


def test_of_a_class_and_its_subclass_the_nearest_is_meant() -> None:
    """An instance of the subclass is no instance of the base, whatever the order."""
    for union in (Base | Derived, Derived | Base):
        space = Space(make_dataclass("Holder", [("of", union, Derived())]))

        assert space.default()[0]["of"] == "Derived"
        assert space.store({"of": Base()})["of"] == "Base"
        assert space.store({"of": Below()})["of"] == "Derived"


Share = NewType("Share", float)
Alias = TypeAliasType("Alias", Annotated[float, Float(0, 1)])


def test_aliases_new_types_and_final_are_looked_through() -> None:
    """What they stand for is what counts."""
    fields: list[Any] = [
        ("a", Alias),
        ("b", Annotated[Share, Float(0, 1)]),
        ("c", Final[Annotated[int, Int(0, 1)]]),
        ("d", Adam | TypeAliasType("Other", SGD)),
        ("e", NewType("Flag", bool)),
    ]

    assert Space(make_dataclass("Looked", fields)).names[:4] == ("a", "b", "c", "d")


def test_a_space_from_the_log_knows_which_objects_are_missing() -> None:
    """And says so again; whoever has the objects has all."""
    space = Space(
        {
            "act": Categorical([abs]),
            "n": Categorical([1, "a"]),
            "g": {"c": Categorical(list(Colour))},
        }
    )
    loaded = Space.from_json(space.to_json())

    assert space.bare == ()
    assert loaded.bare == ("act", "g.c")
    assert Space.from_json(loaded.to_json()).bare == loaded.bare
    assert Space({"l": loaded}).fix({"l.n": 1}).bare == ("l.act", "l.g.c")


@dataclass
class Recursive:
    again: "Recursive"


@dataclass
class Outside:
    x: Annotated[float, Float(0, 1)] = 3.0


@dataclass
class NotFinite:
    x: Annotated[float, Float(0, 1)] = float("nan")


@dataclass
class Plain:
    x: float = 0.5


@dataclass
class Unknown:
    x: "Nowhere"  # type: ignore[name-defined] # noqa: F821 - on purpose


@dataclass
class Conditional:
    b: bool
    x: Annotated[float, Float(0, 1, when={"b": True})]


@dataclass
class Asks:
    x: Annotated[float, Float(0, 1)]
    data: InitVar[list[int]]


@dataclass
class NotKept:
    x: InitVar[Annotated[float, Float(0, 1)]] = 0.5


@dataclass(init=False)
class OwnInit:
    x: Annotated[float, Float(0, 1)]

    def __init__(self, path: str) -> None:
        self.x = len(path)


T = TypeVar("T")


@dataclass
class Box(Generic[T]):
    x: T


@dataclass
class HoldsGeneric:
    g: Box[int]


@dataclass
class OrNone:
    x: Annotated[float, Float(0, 1)] | None = None


@dataclass
class MixedUnion:
    x: Adam | int


def whole(trial): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
def bare(lr: Rate, data): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
def ranged(lr: Rate, n: int = 3) -> None: ...
def text(x: str) -> None: ...
def sequence(x: Annotated[list[int], List(length=2)]) -> None: ...
def variadic(lr: Rate, *rest: int) -> None: ...
def positional(lr: Rate, /) -> None: ...
def mistyped(n: Annotated[int, Float(0, 1)]) -> None: ...
def doubled(n: Annotated[int, Int(0, 1), Int(0, 2)]) -> None: ...
def uncalled(n: Annotated[int, Categorical]) -> None: ...
def unresolved(lr: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821 - on purpose


SENTENCES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Space(Recursive), "again.again: Recursive contains itself|again: Recursive contains"),
    (lambda: Space(Outside), "x: the default 3.0 is not in"),
    (lambda: Space(NotFinite), "x: .* must be finite, got nan"),
    (lambda: Space(Plain), r"'x' of Plain is annotated float, .* Annotated\[float, ts.Float"),
    (
        lambda: Space(Unknown),
        "annotation of 'x' of Unknown cannot be resolved .*Nowhere.*top of the",
    ),
    (lambda: Space(Conditional), "'x' of Conditional is not always active .* needs a default"),
    (lambda: Space(MixedUnion), "'x' of MixedUnion is a union with int"),
    (lambda: Space(Asks), "Asks cannot be made from its fields: missing .* 'data'"),
    (lambda: Space(NotKept), "'x' of NotKept is an InitVar"),
    (lambda: Space(OwnInit), "OwnInit cannot be made from its fields: .* 'path'"),
    (lambda: Space(HoldsGeneric), "a generic dataclass, .* annotations spelled out"),
    (lambda: Space(OrNone), r"'x' of OrNone is a union with a range; .* ts.Float\(.*when="),
    (lambda: signature_space(whole), r"give the space: ts.minimize.* and read trial\[\"x\"\]"),
    (lambda: signature_space(lambda t: t), r"and read t\[\"x\"\]"),
    (lambda: Space({"c": Choice({"a": Adam, "b": Adam})}), "two options of c are Adam objects"),
    (lambda: signature_space(bare), "'data' of bare.. has no annotation, .* functools.partial"),
    (lambda: signature_space(ranged), r"'n' of ranged.. is annotated int, .* ts.Int\(low, high\)"),
    (lambda: signature_space(text), "write Literal"),
    (lambda: signature_space(sequence), "an element of 'x' of sequence.. is annotated int"),
    (lambda: signature_space(variadic), "'rest' of variadic.. cannot be given by keyword"),
    (lambda: signature_space(positional), "'lr' of positional.. cannot be given by keyword"),
    (lambda: signature_space(mistyped), "'n' of mistyped.. is annotated int, but Float gives"),
    (lambda: signature_space(doubled), "has 2 ranges"),
    (lambda: signature_space(uncalled), "with the class Categorical; call it"),
    (lambda: signature_space(unresolved), "annotation of 'lr' of unresolved.. cannot be resolved"),
    (lambda: trial_params(unresolved), "cannot be resolved"),
    (lambda: Space(Params).store(3), "a configuration is a dict or Params, got 3"),  # type: ignore[arg-type]
    (lambda: Space(Params) | Space({}), "only spaces of dicts can be united"),
]


@pytest.mark.parametrize("make,sentence", SENTENCES)
def test_what_has_no_range_is_refused_by_name(make: Callable[[], Any], sentence: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(SpaceError, match=sentence):
        make()
