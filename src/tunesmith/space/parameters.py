"""Numeric parameters, and the contract of every parameter: a set of values mapped from [0, 1]."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.columns import MOST, Column, Columns, continuous, discrete
from tunesmith.space.labels import Scalar, plain, whole_or_none

Role: TypeAlias = Literal["model", "algorithm"]
"""What a parameter shapes: the model (fixed once a training has begun) or only how it is trained."""

When: TypeAlias = Mapping[str, Any] | str | None
"""When a parameter is active: values of others (all must match), an expression, or always."""


def common(role: Any, when: Any) -> None:
    """Check what every parameter has.

    Raises:
        SpaceError: `role` or `when` has another form.
    """
    if role not in ("model", "algorithm"):
        raise SpaceError(f'role is "model" or "algorithm", got {role!r}')
    if when is not None and not isinstance(when, str | Mapping):
        raise SpaceError(
            f"when= is a dict such as {{'optimizer': ['sgd', 'adam']}} or an expression such as "
            f"'layers >= 3', got {when!r}"
        )


def shown(head: str, *args: Any, **settings: Any) -> str:
    """Return a constructor call that names only the settings that are given (not `...`)."""
    parts = [repr(arg) for arg in args]
    parts += [f"{name}={value!r}" for name, value in settings.items() if value is not ...]
    return f"{head}({', '.join(parts)})"


def shown_role(role: Role) -> Any:
    """Return the role as `shown` takes it."""
    return ... if role == "algorithm" else role


def shown_when(when: When) -> Any:
    """Return the condition as `shown` takes it."""
    return ... if when is None else when


class Parameter(ABC):
    """An axis of a space: a set of values, and a map from [0, 1] onto it.

    The round trip from a value to its unit and back is exact if the values are discrete, else
    within 1e-12 of the range. Underneath each value is a number: itself, or the place of its label.
    """

    role: Role
    when: When

    @abstractmethod
    def make_column(self) -> Column:
        """Return the map from units to numbers."""

    @property
    @abstractmethod
    def initial(self) -> float | None:
        """The number of the default; None without one."""

    @abstractmethod
    def number(self, value: Any) -> float | None:
        """Return the number of a value, or of what the log keeps of it; None if it is none."""

    @abstractmethod
    def scalars(self, numbers: Sequence[float]) -> list[Any]:
        """Return what the log keeps (`Scalar`) of the values at `numbers`."""

    @abstractmethod
    def thing(self, scalar: Scalar) -> Any:
        """Return the value that the objective gets for what the log keeps."""

    @abstractmethod
    def only(self, number: float) -> "Parameter":
        """Return the parameter that has no other value than that of `number`."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return the JSON of its values: constructor arguments without default, role, when."""

    @final
    @cached_property
    def column(self) -> Column:
        """The map from units to numbers."""
        return self.make_column()

    @final
    @property
    def cardinality(self) -> int | None:
        """How many values there are; None: a continuum."""
        return self.column.count or None

    @final
    def contains(self, value: Any) -> bool:
        """Return whether `value` is one of its values, or what the log keeps of one."""
        return self.number(value) is not None

    @final
    def to_unit(self, value: Any) -> float:
        """Return the unit of a value; of a discrete one the middle of its interval.

        Raises:
            SpaceError: It is no value of this parameter.
        """
        number = self.number(value)
        if number is None:
            raise SpaceError(f"{value!r} is not in {self!r}")
        return float(self._map.units(np.array([[number]]))[0, 0])

    @final
    def from_unit(self, unit: float) -> Scalar:
        """Return what the log keeps of the value at `unit`; beyond [0, 1] the nearest."""
        numbers = self._map.numbers(np.array([[float(unit)]]))[0]
        scalar: Scalar = self.scalars(numbers.tolist())[0]
        return scalar

    @final
    @cached_property
    def _map(self) -> Columns:
        return Columns([self.column])

    @final
    def _check_default(self, default: Any) -> None:
        if self.number(default) is None:
            settings = self.settings()
            raise SpaceError(
                f"the default {default!r} is not in {shown(settings.pop('type'), **settings)}"
            )


def _real(value: Any, what: str) -> float:
    """Return a finite number as float."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpaceError(f"{what} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpaceError(f"{what} must be finite, got {value!r}")
    return number + 0.0  # -0.0 is 0.0


def _whole(value: Any, what: str) -> int:
    """Return a whole number within reach of a unit as int."""
    whole = whole_or_none(value)
    if whole is None:
        raise SpaceError(f"{what} must be a whole number, got {value!r}")
    if abs(whole) > MOST:
        raise SpaceError(
            f"{what} lies within -2**40 and 2**40, got {value!r}; "
            f"use log=True on a smaller unit, or a Float"
        )
    return whole


def _check_range(name: str, low: float, high: float, step: float | None, log: bool) -> None:
    if low > high:
        raise SpaceError(f"{name} needs low <= high, got low={low!r}, high={high!r}; swap them")
    if not math.isfinite(high - low):
        raise SpaceError(
            f"{name} from {low!r} to {high!r} is too wide for floats; "
            f"tune the logarithm or narrow it"
        )
    if not isinstance(log, bool):
        raise SpaceError(f"{name}(log=...) is True or False, got {log!r}")
    if log and low <= 0:
        raise SpaceError(
            f"{name}(log=True) needs low > 0, got low={low!r}; use log=False or a positive low"
        )
    if step is not None and step <= 0:
        raise SpaceError(f"{name} needs step > 0, got step={step!r}")
    if step is not None and max(abs(low), abs(high)) / step > MOST:
        raise SpaceError(
            f"{name} has more than 2**40 steps of {step!r} from 0 to its bounds {low!r} and "
            f"{high!r}; use a Float without step"
        )


@dataclass(frozen=True, repr=False)
class Ranged(Parameter):
    """Numbers between two bounds; what `Float` and `Int` share."""

    low: float
    high: float
    _: KW_ONLY
    log: bool = False
    step: float | None = None
    default: float | None = None
    role: Role = "algorithm"
    when: When = field(default=None, hash=False)

    @abstractmethod
    def read(self, value: Any, what: str) -> float:
        """Return a setting, called `what` in messages, as the number it must be.

        Raises:
            SpaceError: It is none.
        """

    @final
    def __post_init__(self) -> None:
        common(self.role, self.when)
        kind = type(self)
        for name in ("low", "high", "step", "default"):
            value = getattr(self, name)
            if value is not None or getattr(kind, name, ...) is not None:
                number = self.read(value, f"{kind.__name__}({name}=...)")
                object.__setattr__(self, name, number)
        _check_range(kind.__name__, self.low, self.high, self.step, self.log)
        if self.default is not None:
            self._check_default(self.default)

    @final
    def __repr__(self) -> str:
        settings = self.settings()
        head, low, high = (settings.pop(key) for key in ("type", "low", "high"))
        return shown(
            head,
            low,
            high,
            **settings,
            default=... if self.default is None else self.default,
            role=shown_role(self.role),
            when=shown_when(self.when),
        )

    @final
    @property
    def initial(self) -> float | None:
        return None if self.default is None else self.number(self.default)

    @final
    def thing(self, scalar: Scalar) -> Any:
        return scalar

    @final
    def only(self, number: float) -> Self:
        value = self.scalars([number])[0]
        return type(self)(value, value, role=self.role, when=self.when)

    @final
    def settings(self) -> dict[str, Any]:
        log: dict[str, Any] = {"log": True} if self.log else {}
        step: dict[str, Any] = {} if self.step == type(self).step else {"step": self.step}
        return {"type": type(self).__name__, "low": self.low, "high": self.high} | log | step


@final
@dataclass(frozen=True, repr=False)
class Float(Ranged):
    """A real number in [`low`, `high`].

    Args:
        low: Smallest value.
        high: Largest value; with a step, a bound.
        log: Uniform in the logarithm; needs a positive `low`.
        step: Only `low`, `low + step`, ...; None: a continuum.
        default: Value of the first trial.
        role: What it shapes; population-based training may not change the model.
        when: When it is active.

    Raises:
        SpaceError: The settings do not fit together.

    Example:
        >>> [Float(1e-5, 1e-1, log=True).from_unit(u) for u in (0.0, 1.0)]
        [1e-05, 0.1]
        >>> [Float(0, 1, step=0.1).from_unit(u) for u in (0.0, 0.3, 1.0)]
        [0.0, 0.3, 1.0]
    """

    def read(self, value: Any, what: str) -> float:
        return _real(value, what)

    def make_column(self) -> Column:
        if self.step is None or self.low == self.high:
            return continuous(self.low, self.high, log=self.log)
        steps = (self.high - self.low) / self.step
        # 1.0 is the tenth step of 0.1, though the quotient may fall short of it
        count = math.floor(steps + min(1e-12 * steps, 1e-3)) + 1
        return discrete(self.low, self.step, count, log=self.log)

    def number(self, value: Any) -> float | None:
        if type(value) is not float:
            value = plain(value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
        column = self.column
        if not column.count:
            return float(value) + 0.0 if self.low <= value <= self.high else None
        if not column.low - column.step <= value <= column.high + column.step:
            return None
        k = round((value - column.low) / column.step)
        if not 0 <= k < column.count:
            return None
        first, stride, scale = column.exact
        number = (first + k * stride) / scale
        return number if abs(value - number) <= 1e-9 * column.step else None

    def scalars(self, numbers: Sequence[float]) -> list[Any]:
        return list(numbers)


@final
@dataclass(frozen=True, repr=False)
class Int(Ranged):
    """A whole number in [`low`, `high`].

    Args:
        low: Smallest value.
        high: Largest value; with a step above 1, a bound.
        log: Uniform in the logarithm; needs a positive `low`.
        step: Only `low`, `low + step`, ...
        default: Value of the first trial.
        role: What it shapes; population-based training may not change the model.
        when: When it is active.

    Raises:
        SpaceError: The settings do not fit together.

    Example:
        >>> [Int(1, 4).from_unit(u) for u in (0.0, 0.3, 1.0)]
        [1, 2, 4]
    """

    low: int
    high: int
    _: KW_ONLY
    step: int = 1
    default: int | None = None

    def read(self, value: Any, what: str) -> int:
        return _whole(value, what)

    def make_column(self) -> Column:
        count = (self.high - self.low) // self.step + 1
        return discrete(float(self.low), float(self.step), count, log=self.log)

    def number(self, value: Any) -> float | None:
        if type(value) is not int:
            value = plain(value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            if isinstance(value, float) and not value.is_integer():
                return None
        if not self.low <= value <= self.high or (value - self.low) % self.step:
            return None
        return float(value)

    def scalars(self, numbers: Sequence[float]) -> list[Any]:
        return list(map(int, numbers))
