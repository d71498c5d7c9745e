"""Dataclasses and signatures read as spaces: the annotations are the ranges, defaults trial 0."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Categorical
from tunesmith.space.forms import Form
from tunesmith.space.nests import Choice, Declared, Fields, List
from tunesmith.space.parameters import Float, Parameter


def is_dataclass_type(spec: Any) -> bool:
    """Return whether `spec` is a dataclass, not an instance of one."""
    return isinstance(spec, type) and dataclasses.is_dataclass(spec)


def fields_of(kind: type) -> Fields:
    """Return the group that a dataclass declares.

    Raises:
        SpaceError: It is no dataclass, or a field has no range; the field is named.
    """
    if not is_dataclass_type(kind):
        raise SpaceError(f"a space is a dict or a dataclass, got the class {kind.__qualname__}")
    hints = _hints(kind, kind.__qualname__)
    members: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for part in dataclasses.fields(kind):
        if not part.init:
            continue
        where = f"{part.name!r} of {kind.__qualname__}"
        members[part.name] = spec_of(hints[part.name], where)
        if part.default is not dataclasses.MISSING:
            defaults[part.name] = part.default
        elif part.default_factory is not dataclasses.MISSING:
            defaults[part.name] = part.default_factory()
        _check_conditional(members[part.name], part.name in defaults, where)
    for name, hint in hints.items():
        if isinstance(hint, dataclasses.InitVar) and get_origin(hint.type) is Annotated:
            raise SpaceError(
                f"{name!r} of {kind.__qualname__} is an InitVar, which an instance does not keep; "
                f"make it a field, or take away its range"
            )
    _check_constructor(kind, members)
    return Fields(members, Form.instance(kind), _known(members, defaults))


def _check_constructor(kind: type, members: Mapping[str, Any]) -> None:
    """Refuse a class that cannot be called with its own fields."""
    try:
        inspect.signature(kind).bind(**members)
    except TypeError as error:
        raise SpaceError(
            f"{kind.__qualname__} cannot be made from its fields: {error}; objectives get "
            f"{kind.__qualname__}({', '.join(f'{name}=...' for name in members)}), so what else it "
            f"takes needs a default"
        ) from None


def call_of(function: Callable[..., Any]) -> tuple[Fields, str | None]:
    """Return the group that a signature declares, and the parameter that receives the trial.

    Raises:
        SpaceError: A parameter has no range, or cannot be given by keyword; it is named.
    """
    title = _title(function)
    hints = _hints(function, title)
    members: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    trial: str | None = None
    free = _free(function)
    if [p.annotation is p.empty and p.default is p.empty for p in free.values()] == [True]:
        [name] = free
        raise SpaceError(
            f"{name!r} of {title} has no annotation, so it is taken for the trial; give the space: "
            f'ts.minimize(objective, {{"x": ts.Float(0, 1)}}, ...) and read {name}["x"]'
        )
    for name, part in free.items():
        where = f"{name!r} of {title}"
        if part.kind in (part.VAR_POSITIONAL, part.VAR_KEYWORD, part.POSITIONAL_ONLY):
            raise SpaceError(
                f"{where} cannot be given by keyword; name every parameter, or bind what is no "
                f"parameter by functools.partial"
            )
        if _trial_argument(hints.get(name)) is not None:
            trial = name
            continue
        if part.annotation is part.empty:
            raise SpaceError(
                f"{where} has no annotation, so no range; write "
                f"Annotated[float, ts.Float(0, 1)], or bind data by functools.partial"
            )
        members[name] = spec_of(hints[name], where)
        if part.default is not part.empty:
            defaults[name] = part.default
        _check_conditional(members[name], name in defaults, where)
    return Fields(members, Form.call(), _known(members, defaults)), trial


def trial_params(function: Callable[..., Any]) -> type | None:
    """Return `Params` if the first required parameter is annotated `Trial[Params]`, else None.

    Raises:
        SpaceError: An annotation cannot be resolved.
    """
    free = _free(function)
    first = next((n for n, part in free.items() if part.default is part.empty), None)
    if first is None or free[first].annotation is inspect.Parameter.empty:
        return None
    argument = _trial_argument(_hints(function, _title(function)).get(first))
    return argument if is_dataclass_type(argument) else None


def _title(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    return f"{getattr(function, '__qualname__', type(function).__qualname__)}()"


def _free(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters that are not bound yet."""
    try:
        parts = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise SpaceError(
            f"{_title(function)} has no signature to read a space from; give the space"
        ) from None
    while isinstance(function, partial):
        parts = {name: part for name, part in parts.items() if name not in function.keywords}
        function = function.func
    return parts


def _hints(thing: Any, title: str) -> dict[str, Any]:
    """Return the annotations of a class or callable, resolved."""
    while isinstance(thing, partial):
        thing = thing.func
    if not isinstance(thing, type) and not inspect.isroutine(thing):
        thing = type(thing).__call__
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        owners = [c for c in getattr(thing, "__mro__", (thing,)) if c is not object]
        texts = {n: a for c in owners for n, a in getattr(c, "__annotations__", {}).items()}
        word = str(getattr(error, "name", None) or "")
        name = next((n for n, a in texts.items() if isinstance(a, str) and word in a), "?")
        raise SpaceError(
            f"the annotation of {name!r} of {title} cannot be resolved ({error}); "
            f"define what it names at the top of the module"
        ) from None


def _trial_argument(hint: Any) -> Any:
    """Return X of an annotation `Trial[X]`, `Any` of a plain `Trial`, None of anything else."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _trial_argument(get_args(hint)[0])
    if not getattr(origin or hint, "__tunesmith_trial__", False):
        return None
    return next(iter(get_args(hint)), Any)


def _check_conditional(spec: Any, has_default: bool, where: str) -> None:
    if isinstance(spec, Parameter | Choice | List) and spec.when is not None and not has_default:
        raise SpaceError(
            f"{where} is not always active (when=...), so it needs a default, which the objective "
            f"sees while it is inactive"
        )


def _known(members: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults that say something of trial 0: not None for what is inactive."""
    return {
        name: value
        for name, value in defaults.items()
        if value is not None
        or getattr(members[name], "when", None) is None
        or (isinstance(members[name], Parameter) and members[name].contains(None))
    }


def spec_of(hint: Any, where: str) -> Any:
    """Return what an annotation declares.

    Args:
        hint: The annotation, resolved.
        where: How a message calls its owner, such as "'lr' of fit()".

    Raises:
        SpaceError: It declares no range.
    """
    hint = _seen_through(hint)
    if get_origin(hint) is Annotated:
        base, *extras = get_args(hint)
        specs = [e for e in extras if isinstance(e, Parameter | Choice | List | Declared | Mapping)]
        if len(specs) > 1:
            raise SpaceError(f"{where} has {len(specs)} ranges in its annotation; leave one")
        if specs:
            return _annotated(base, specs[0], where)
        if wrong := next((e for e in extras if e in (Float, Categorical, Choice, List)), None):
            raise SpaceError(f"{where} is annotated with the class {wrong.__name__}; call it")
        return spec_of(base, where)
    if get_origin(hint) in (Union, types.UnionType):
        return _union(get_args(hint), where)
    if values := _values(hint) if hint is not type(None) else []:
        return Categorical(values)
    if is_dataclass_type(hint):
        return hint
    if is_dataclass_type(get_origin(hint)):
        raise SpaceError(
            f"{where} is annotated {_name(hint)}, a generic dataclass, whose fields have no ranges "
            f"of their own; write a dataclass with the annotations spelled out"
        )
    raise SpaceError(
        f"{where} is annotated {_name(hint)}, which has no range; "
        f"{_FIX.get(hint, 'annotate Literal, Enum, bool, a dataclass or Annotated with a range')}, "
        f"or bind data by functools.partial"
    )


def _seen_through(hint: Any) -> Any:
    """Return what an alias, a NewType or Final stands for."""
    while True:
        if get_origin(hint) is typing.Final:
            [hint] = get_args(hint)
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif hasattr(hint, "__value__") and not isinstance(hint, type):
            hint = hint.__value__
        else:
            return hint


_FIX: dict[Any, str] = {
    float: "write Annotated[float, ts.Float(low, high)]",
    int: "write Annotated[int, ts.Int(low, high)]",
    str: 'write Literal["a", "b"]',
    list: "write Annotated[list, ts.List(ts.Int(low, high), length=(1, 4))]",
}


def _name(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else str(hint)


def _annotated(base: Any, spec: Any, where: str) -> Any:
    base = _seen_through(base)
    if base is int and isinstance(spec, Float):
        raise SpaceError(f"{where} is annotated int, but Float gives floats; use ts.Int")
    if isinstance(spec, List) and spec.of is ...:
        items = get_args(base)
        if get_origin(base) is not list or len(items) != 1:
            raise SpaceError(f"{where} is a ts.List of nothing; write ts.List(element, length=...)")
        return dataclasses.replace(spec, of=spec_of(items[0], f"an element of {where}"))
    return spec


def _values(hint: Any) -> list[Any]:
    """Return the values of an annotation that names them, else none."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)
    if hint is bool:
        return [False, True]
    return [None] if hint is type(None) else []


def _union(kinds: tuple[Any, ...], where: str) -> Choice | Categorical:
    kinds = tuple(map(_seen_through, kinds))
    if all(map(_values, kinds)):
        return Categorical([value for kind in kinds for value in _values(kind)])
    options: dict[str, Any] = {}
    for kind in kinds:
        if get_origin(kind) is Annotated:
            raise SpaceError(
                f"{where} is a union with a range; a union chooses between dataclasses (or None): "
                f"give the range to a field of a dataclass, or, if it is None only while inactive, "
                f"write Annotated[float | None, ts.Float(low, high, when=...)] = None"
            )
        if kind is not type(None) and not is_dataclass_type(kind):
            raise SpaceError(
                f"{where} is a union with {_name(kind)}; a union chooses between dataclasses "
                f"(or None), other values are a Literal"
            )
        name = "None" if kind is type(None) else kind.__name__
        if name in options:
            raise SpaceError(f"{where} is a union of two classes called {name}; rename one")
        options[name] = Fields({}, Form.nothing()) if kind is type(None) else kind
    return Choice(options)
