"""The search space: what may be tried, and in which form the objective gets it."""

import tomllib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, final, overload

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith._core.types import P
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space import completion, drawing, enumeration, serial
from tunesmith.space.blocks import Block, blocks
from tunesmith.space.comparison import differences
from tunesmith.space.encoding import Encoding
from tunesmith.space.labels import Params
from tunesmith.space.nests import Declared, Fields
from tunesmith.space.nodes import Reading
from tunesmith.space.parameters import Parameter
from tunesmith.space.structure import Tree
from tunesmith.space.typed import call_of, fields_of, is_dataclass_type
from tunesmith.space.union import united


@final
class Space(Declared, Generic[P]):
    """A search space. Immutable; `P` is the form in which the objective gets a configuration.

    Inside, a configuration is `Params`: what the log keeps of its active parameters, by path. In
    the numeric view it is a row of units, numbers in [0, 1], one for each parameter of `names`.

    Args:
        of: A dict from names to parameters, `Choice`s, `List`s, dicts, dataclasses and spaces; or a
            dataclass whose annotations are the ranges.
        constraints: Conditions over parameters that every configuration keeps, such as
            "hidden2 <= hidden1"; one that mentions an inactive parameter holds.

    Raises:
        SpaceError: A declaration is not valid, or fewer than 1 in 10,000 configurations keep the
            constraints.

    Example:
        >>> from tunesmith.space import Float, Int
        >>> space = Space({"rate": Float(0, 1), "layers": Int(1, 3)})
        >>> space.decode([[0.5, 0.9]])
        [{'rate': 0.5, 'layers': 3}]
    """

    @overload
    def __init__(
        self: "Space[dict[str, Any]]", of: Mapping[str, Any], *, constraints: Sequence[str] = ()
    ) -> None: ...

    @overload
    def __init__(self, of: type[P], *, constraints: Sequence[str] = ()) -> None: ...

    def __init__(self, of: Mapping[str, Any] | type[P], *, constraints: Sequence[str] = ()) -> None:
        if isinstance(of, Mapping):
            fields = Fields(dict(of))
        elif isinstance(of, type):
            fields = fields_of(of)
        else:
            raise SpaceError(f"a space is a dict or a dataclass, got {of!r}")
        self._set_up(replace(fields, constraints=serial.texts(constraints, "constraints")))

    def _set_up(self, fields: Fields) -> None:
        tree = Tree(fields)
        encoding = Encoding(tree)
        self._tree, self._encoding, self._fields = tree, encoding, fields
        self._fixed = {
            encoding.names[j]: encoding.parameters[j].scalars([number])[0]
            for j, number in encoding.fixed.items()
        }
        self._share = drawing.share(encoding)
        initial = {j: p.initial for j, p in enumerate(encoding.parameters)}
        self._default = completion.default(
            encoding, {j: number for j, number in initial.items() if number is not None}
        )

    @classmethod
    def _made(cls, fields: Fields) -> "Space[Any]":
        space: Space[Any] = cls.__new__(cls)
        space._set_up(fields)
        return space

    @property
    def declaration(self) -> Fields:
        return self._fields

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all parameters, parents before children."""
        return self._encoding.names

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """All parameters by path; a fixed one has a single value."""
        fixed, parameters = self._encoding.fixed, self._encoding.parameters
        return MappingProxyType(
            {
                name: parameters[j].only(fixed[j]) if j in fixed else parameters[j]
                for j, name in enumerate(self.names)
            }
        )

    @property
    def constraints(self) -> tuple[str, ...]:
        """The constraints, those of spaces inside included."""
        return tuple(rule.text for rule in self._encoding.rules)

    @property
    def called(self) -> bool:
        """Whether the objective gets it as keyword arguments: it is the space of a signature."""
        form = self._fields.form
        return form is not None and form.name == "call"

    @property
    def blank(self) -> bool:
        """Whether it was read from a log whose dataclass is not at hand."""
        form = self._fields.form
        return form is not None and form.name == "object" and form.kind is None

    @property
    def bare(self) -> tuple[str, ...]:
        """Paths of parameters whose labels stand for objects that are not at hand.

        They come with a space that was read from a log; the objective would get the labels.
        """
        return self._tree.bare

    @property
    def conditional(self) -> bool:
        """Whether a parameter is not always active."""
        return bool(self._encoding.guards)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All parameters, those that are active together in one block, parents before children."""
        return blocks(self._encoding.guards)

    @cached_property
    def cardinality(self) -> int | None:
        """How many configurations there are; None if infinitely many.

        Conditions are counted if that takes at most 10,000 steps, constraints if there are at most
        100,000 configurations without them or they leave few; else the number is a bound.
        """
        return enumeration.count(self._encoding, enumeration.axes(self._encoding, None))

    @property
    def share(self) -> float:
        """The share of the space that keeps the constraints, measured by fixed draws."""
        return self._share

    def __len__(self) -> int:
        return len(self.names)

    def decode(self, units: Any) -> list[Params]:
        """Return the configurations at units (n, d).

        Units beyond [0, 1] count as the nearest end, NaN as 0.5; those of parameters that are not
        active do not matter. Each row gives the same however many there are.
        """
        numbers = self._encoding.numbers(self._units(units))
        active = self._encoding.active(numbers) if self._encoding.guards else None
        return self._encoding.params(numbers, active)

    def encode(self, params: Sequence[Params]) -> Floats:
        """Return units (n, d) of configurations, NaN where parameters are not active.

        Raises:
            SpaceError: A name is unknown, or a value is not in its parameter.
        """
        return self._encoding.columns.units(self._encoding.rows(params))

    def active(self, units: Any) -> Bools:
        """Return where parameters are active (n, d), at units (n, d)."""
        return self._encoding.active(self._encoding.numbers(self._units(units)))

    def feasible(self, units: Any) -> Bools:
        """Return which of the configurations at units (n, d) keep the constraints (n,)."""
        numbers = self._encoding.numbers(self._units(units))
        return self._encoding.feasible(numbers, self._encoding.active(numbers))

    def snap(self, units: Any) -> Floats:
        """Return the units (n, d) of the configurations at units (n, d): `encode(decode(units))`.

        Discrete parameters are in the middle of their intervals, inactive ones are NaN.
        """
        numbers = self._encoding.numbers(self._units(units))
        snapped = self._encoding.columns.units(numbers)
        if self._encoding.guards:
            snapped[~self._encoding.active(numbers)] = np.nan
        return snapped

    def grains(self, units: Any) -> Floats:
        """Return how much of [0, 1] gives the same value, at units (n, d); 0 of continuous ones."""
        return self._encoding.columns.grains(self._encoding.numbers(self._units(units)))

    def _units(self, units: Any) -> Floats:
        array = np.asarray(units, dtype=float)
        if array.ndim != 2 or array.shape[1] != len(self):
            raise SpaceError(f"units have the shape (n, {len(self)}), got {array.shape}")
        return array

    def sample(self, rng: np.random.Generator, n: int) -> list[Params]:
        """Return `n` configurations, uniform in units within the constraints."""
        return self._encoding.params(*drawing.draw(self._encoding, rng, n, self._share))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Return the units (n, d) of what `sample` returns, NaN where parameters are inactive."""
        numbers, active = drawing.draw(self._encoding, rng, n, self._share)
        units = self._encoding.columns.units(numbers)
        units[~active] = np.nan
        return units

    def check(self, params: Params) -> None:
        """Check that `params` are one whole configuration, as the log keeps it.

        Raises:
            SpaceError: They are not; it says what is wrong.
        """
        self._encoding.check(params)

    def store(self, given: Mapping[str, Any] | P, *, partial: bool = False) -> Params:
        """Return what the log keeps of a configuration in the user's form.

        Args:
            given: An object of the space's own form, or a dict by name or path, nested or not;
                objects or their labels, lists, instances, NumPy scalars.
            partial: Whether parameters may be missing.

        Raises:
            SpaceError: It is no configuration of this space, or part of none; it says why.
        """
        params = self._read(given)
        if partial:
            completion.complete(self._encoding, params, None, drawing.own_generator())
        else:
            self._encoding.check(params)
        return params

    def _read(self, given: Any) -> Params:
        """Return what is given by path, as the log keeps it, whether it fits together or not."""
        reading = Reading(self._tree.node)
        self._tree.root.read(given, reading)
        encoding = self._encoding
        row = encoding.row(reading.values)
        filled = np.where(np.isnan(row), 0.0, row)[None]
        if reading.soft:
            active = encoding.active(filled)[0]
            for path in reading.soft:
                if not active[encoding.place(path)]:
                    row[encoding.place(path)] = np.nan
        return encoding.params(filled, ~np.isnan(row)[None])[0]

    def build(self, params: Params) -> P:
        """Return a whole configuration in the form in which the objective gets it."""
        value: P = self._tree.root.value(params)
        return value

    def complete(
        self, given: Params, suggestion: Params | None, rng: np.random.Generator
    ) -> Params:
        """Return a whole configuration that keeps `given`.

        What remains active is taken from `suggestion`, the rest is drawn within the constraints.
        Where these do not allow both, `suggestion` yields.

        Args:
            given: Some parameters, as the log keeps them.
            suggestion: A whole configuration to take from, if any.
            rng: Luck.

        Raises:
            SpaceError: `given` contradicts the space, or nothing was found that keeps it.
        """
        return self._encoding.params(*completion.complete(self._encoding, given, suggestion, rng))[
            0
        ]

    def default(self) -> tuple[Params, bool]:
        """Return the default configuration, and whether every active parameter has a default.

        Parameters without one are in the middle (unit 0.5; a Categorical at its first choice),
        moved, always in the same way, if that breaks a constraint.
        """
        numbers, active, whole = self._default
        return self._encoding.params(numbers, active)[0], whole

    def configurations(self) -> Iterator[Params]:
        """Yield every configuration of a finite space once, the last parameter fastest.

        Raises:
            SpaceError: A parameter is continuous; it is named.
        """
        return self.grid({} if self.cardinality is None else 1)

    def grid(self, wanted: Mapping[str, int] | int) -> Iterator[Params]:
        """Yield all combinations, continuous parameters at evenly spaced units, ends included.

        They come as they are found. A constraint over at most 100,000 combinations of parameters
        that are active together cuts off what it excludes; any other is only looked at when all that
        it mentions is decided, so that a rare combination may be long in coming.

        Args:
            wanted: How many units, for all continuous parameters or by path (which may thin finite
                parameters too); 1 is the middle.

        Raises:
            SpaceError: A continuous parameter has no number of levels.
        """
        found = enumeration.blocks(self._encoding, enumeration.axes(self._encoding, wanted))
        return (one for block in found for one in self._encoding.params(*block))

    def grid_size(self, wanted: Mapping[str, int] | int) -> int:
        """Return how many configurations `grid` yields; a bound where `cardinality` is one.

        Raises:
            SpaceError: A continuous parameter has no number of levels.
        """
        return enumeration.count(self._encoding, enumeration.axes(self._encoding, wanted)) or 0

    def key(self, params: Params) -> Hashable:
        """Return what is equal for equal configurations."""
        return frozenset(params.items())

    def fix(self, given: Mapping[str, Any] | None = None, /, **values: Any) -> "Space[P]":
        """Return the space in which some parameters have one value.

        Args:
            given: Values by name or path, in the user's form.
            values: The same by keyword.

        Raises:
            SpaceError: A value is not in its parameter, or nothing is left.
        """
        stored = self._read(dict(given or {}) | values)
        completion.forced(self._encoding, self._encoding.row(stored))
        return self._made(replace(self._fields, fixed={**self._fields.fixed, **stored}))

    def __or__(self, other: "Space[Any] | Mapping[str, Any]") -> "Space[dict[str, Any]]":
        """Return the union of two spaces of dicts; the other may be a dict itself.

        Raises:
            SpaceError: They define a name differently, or one is not of a dict.
        """
        if isinstance(other, Mapping):
            other = Space(other)
        if not isinstance(other, Space):
            return NotImplemented
        theirs = other._tree, other._encoding
        return self._made(united((self._tree, self._encoding), theirs))

    def __eq__(self, other: object) -> bool:
        """Spaces are equal if the log cannot tell them apart."""
        return isinstance(other, Space) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        data = self.to_json()
        inside = data["name"] if data["form"] == "object" else repr(dict(self._fields.members))
        own = self._fields
        rest = f", constraints={list(own.constraints)!r}" if own.constraints else ""
        fixed = f".fix({dict(own.fixed)!r})" if own.fixed else ""
        return f"Space({inside}{rest}){fixed}"

    def __reduce__(self) -> Any:
        return _rebuilt, (self._fields,)

    def difference(self, other: "Space[Any]") -> list[str]:
        """Return what differs, in words, from another space; nothing if they hold the same.

        Objects are compared by their labels. Defaults are not compared: they say what is tried
        first, not what may be.
        """
        return differences(self._logged, other._logged)  # noqa: SLF001 - of its own class

    @cached_property
    def _logged(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        leaves = self._tree.leaves
        return {
            name: serial.leaf_data(leaves[name], self._encoding, self._fixed) for name in self.names
        }, self.constraints

    def to_json(self) -> dict[str, Any]:
        """Return the space as JSON values, labels in place of objects."""
        return serial.to_data(self._tree, self._encoding, self._fixed)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Space[Any]":
        """Return the space that `to_json` wrote; labels are the objects now.

        The space of a dataclass gives read-only namespaces in place of its instances.

        Raises:
            SpaceError: The data are no space.
        """
        return cls._made(serial.from_data(data))

    @classmethod
    def from_toml(cls, text: str) -> "Space[Any]":
        """Return the space that a TOML text describes; the keys are those of the JSON.

        Raises:
            SpaceError: The text is no TOML, or no space.

        Example:
            >>> Space.from_toml('parameters.x = {type = "Float", low = 0, high = 1}')
            Space({'x': Float(0.0, 1.0)})
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SpaceError(f"the space is no TOML: {error}") from None
        return cls.from_json(data)


def _rebuilt(fields: Fields) -> Space[Any]:
    return Space._made(fields)  # noqa: SLF001 - the other half of __reduce__


@overload
def space_of(spec: Space[P]) -> Space[P]: ...


@overload
def space_of(spec: type[P]) -> Space[P]: ...


@overload
def space_of(spec: Mapping[str, Any]) -> Space[dict[str, Any]]: ...


def space_of(spec: Any) -> Space[Any]:
    """Return the space that a space, a dataclass or a dict stands for.

    Raises:
        SpaceError: It is none of them, or not valid.
    """
    if isinstance(spec, Space):
        return spec
    if isinstance(spec, Mapping) or is_dataclass_type(spec):
        return Space(spec)
    raise SpaceError(f"a space is a dict, a dataclass or a ts.Space, got {spec!r}")


def signature_space(function: Callable[..., Any]) -> tuple[Space[Any], str | None]:
    """Return the space that a function's signature is.

    Returns:
        The space, whose form is a dict of keyword arguments, and the name of the parameter that
        receives the trial, if one is annotated so.

    Raises:
        SpaceError: A parameter has no range; it is named.
    """
    fields, trial = call_of(function)
    return Space._made(fields), trial  # noqa: SLF001 - another way to make one
