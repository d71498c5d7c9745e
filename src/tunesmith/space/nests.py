"""What holds parameters inside a space: choices, lists, and groups with a form."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, final

from tunesmith._core.errors import SpaceError
from tunesmith.space.forms import Form
from tunesmith.space.labels import Scalar, check_name, whole_or_none
from tunesmith.space.parameters import Role, When, common, shown, shown_role, shown_when


@final
@dataclass(frozen=True, repr=False, eq=False)
class Choice:
    """One of several options, each with parameters of its own.

    The parameters of an option are active while it is chosen; they are called
    `<choice>.<option>.<parameter>`, and the choice itself holds the option's name.

    Args:
        options: By name: a dict of parameters, a dataclass, a space, or None for no parameters.
        default: Option of the first trial: its name, or an instance of its dataclass.
        role: What it shapes; population-based training may not change the model.
        when: When it is active.

    Raises:
        SpaceError: There are no options, or a name is not allowed.

    Example:
        >>> from tunesmith.space import Float, Space
        >>> space = Space({"opt": Choice({"sgd": {"lr": Float(0, 1)}, "none": None})})
        >>> space.names
        ('opt', 'opt.sgd.lr')
        >>> list(space.decode([[0.9, 0.5], [0.1, 0.5]]))
        [{'opt': 'none'}, {'opt': 'sgd', 'opt.sgd.lr': 0.5}]
    """

    options: Mapping[str, Any]
    _: KW_ONLY
    default: Any = None
    role: Role = "algorithm"
    when: When = None

    def __post_init__(self) -> None:
        common(self.role, self.when)
        options: Any = self.options
        if not isinstance(options, Mapping) or not options:
            raise SpaceError(
                f"Choice takes a dict from each option's name to its parameters, "
                f"got {self.options!r}; choices without parameters are a Categorical"
            )
        for name in self.options:
            check_name(name, "an option")

    def __repr__(self) -> str:
        return shown(
            "Choice",
            dict(self.options),
            default=... if self.default is None else self.default,
            role=shown_role(self.role),
            when=shown_when(self.when),
        )


@final
@dataclass(frozen=True, repr=False, eq=False)
class List:
    """A list of variable length; the objective sees a list.

    The list's own name holds its length; elements are `<list>.0`, `<list>.1`, ..., active as far as
    the length reaches.

    Args:
        of: One element: a parameter, a dict of parameters, a dataclass, a space or a Choice. It may
            be left out where a dataclass or function annotates `list[...]`.
        length: Smallest and largest length, or one number for both.
        default: List of the first trial.
        role: What the length shapes.
        when: When the list is active.

    Raises:
        SpaceError: The length is no range.

    Example:
        >>> from tunesmith.space import Int, Space
        >>> Space({"layers": List(Int(8, 64), length=(1, 2))}).names
        ('layers', 'layers.0', 'layers.1')
    """

    of: Any = ...
    length: tuple[int, int] | int = (1, 1)
    _: KW_ONLY
    default: Sequence[Any] | None = None
    role: Role = "algorithm"
    when: When = None

    def __post_init__(self) -> None:
        common(self.role, self.when)
        length: Any = self.length
        pair = length if isinstance(length, tuple | list) else (length, length)
        ends = [whole_or_none(n) for n in pair]
        low, high = [-1 if n is None else n for n in ends] if len(ends) == 2 else (-1, -1)
        if not 0 <= low <= high <= 1000 or not high:
            raise SpaceError(
                f"List(length=...) is a pair such as (1, 6) within 0 and 1000, got {length!r}"
            )
        object.__setattr__(self, "length", (low, high))
        default: Any = self.default
        if default is not None and (isinstance(default, str) or not isinstance(default, Iterable)):
            raise SpaceError(f"List(default=...) is a list of elements, got {default!r}")

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest length."""
        return self.length if isinstance(self.length, tuple) else (self.length, self.length)

    def __repr__(self) -> str:
        return shown(
            "List",
            self.of,
            length=self.length,
            default=... if self.default is None else self.default,
            role=shown_role(self.role),
            when=shown_when(self.when),
        )


@final
@dataclass(frozen=True)
class Fields:
    """A group of parameters with the form in which the objective gets it.

    Attributes:
        members: Parameters, choices, lists and groups by name.
        form: None: they are spread into the mapping around them.
        defaults: Values of the first trial by member, in the user's form.
        constraints: Conditions over paths inside the group.
        fixed: What the log keeps of parameters that have one value only, by path inside the group.
        bare: Paths inside the group whose labels stand for objects that are not at hand.
    """

    members: Mapping[str, Any]
    form: Form | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    fixed: Mapping[str, Scalar] = field(default_factory=dict)
    bare: tuple[str, ...] = ()


class Declared(ABC):
    """What may stand inside a space as a group; a space itself does."""

    @property
    @abstractmethod
    def declaration(self) -> Fields:
        """The group it stands for."""
