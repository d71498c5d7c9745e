"""Reading a script's own options from its source, which is never run.

Known are argparse's `add_argument`, `click.option`, and a dataclass of settings. Names of constants
at the top of the file are looked up; what cannot be read without running is left unknown.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from tunesmith._core.errors import SettingError

Kind: TypeAlias = Literal["float", "int", "text", "flag", "list", "other"]

_TYPES: dict[str, Kind] = {"float": "float", "int": "int", "str": "text", "FLOAT": "float", "INT": "int", "STRING": "text"}  # fmt: skip
_RANGES: dict[str, Kind] = {"FloatRange": "float", "IntRange": "int"}


@final
@dataclass(frozen=True)
class Option:
    """An option as a script declares it.

    Attributes:
        name: Its flag without dashes; of a positional argument its name.
        kind: What its value is; a flag has none.
        default: Its default; None: there is none, or it cannot be read.
        choices: What it may be, if that is listed; low and high of a range in `bounds`.
        flag: How it stands on the command line; empty: a positional argument.
        required: Whether the script wants it always.
        no: The flag that turns it off, if there is one.
        help: Its help text.
    """

    name: str
    kind: Kind = "other"
    default: Any = None
    choices: tuple[Any, ...] = ()
    bounds: tuple[float | None, float | None] = (None, None)
    flag: str = ""
    required: bool = False
    no: str = ""
    help: str = ""


@final
@dataclass(frozen=True)
class Script:
    """What a script's source says.

    Attributes:
        options: Its options, in order.
        source: Where they stand: "argparse", "click" or "the dataclass Config".
        printed: Texts that it prints or logs, holes as {}.
    """

    options: tuple[Option, ...]
    source: str
    printed: tuple[str, ...]


def read_script(text: str, title: str) -> Script:
    """Return what the source of a script says.

    Args:
        text: The source.
        title: What messages call it.

    Raises:
        SettingError: It is no Python, or no options are found.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SettingError(f"{title} is no Python: {error.msg} in line {error.lineno}") from None
    constants = _constants(tree)
    found: dict[str, list[Option]] = {"argparse": [], "click": []}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = _last_name(node.func)
        if called == "add_argument":
            found["argparse"] += _argparse(node, constants)
        elif called == "option":
            found["click"] += _click(node, constants)
    # a parser says what the command line takes; else the largest dataclass is that of the settings
    parsed = {source: options for source, options in found.items() if options}
    others = parsed or _dataclasses(tree, constants) or {"": []}
    source, options = max(others.items(), key=lambda item: len(item[1]))
    if not options:
        raise SettingError(
            f"{title} has no options that can be read (add_argument, click.option, or a dataclass "
            "of settings); write space.toml by hand, as `tunesmith run --help` shows"
        )
    unique = {option.name: option for option in options}
    return Script(tuple(unique.values()), source, tuple(_printed(tree)))


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Values of names at the top of the file that are written there."""
    constants: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            value = _value(node.value, constants)
            if isinstance(node.targets[0], ast.Name) and value is not None:
                constants[node.targets[0].id] = value
    return constants


def _value(node: ast.expr | None, constants: Mapping[str, Any]) -> Any:
    """The value of an expression, or None if it cannot be read without running."""
    if node is None:
        return None
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.Mult | ast.Div):
        left, right = _value(node.left, constants), _value(node.right, constants)
        if isinstance(left, int | float) and isinstance(right, int | float) and abs(right) < 64:
            try:
                match node.op:
                    case ast.Pow():
                        return left**right
                    case ast.Mult():
                        return left * right
                return left / right
            except ArithmeticError:
                return None
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _flags(call: ast.Call, constants: Mapping[str, Any]) -> list[str]:
    texts = [_value(arg, constants) for arg in call.args]
    return [text for text in texts if isinstance(text, str)]


def _choices(node: ast.expr | None, constants: Mapping[str, Any]) -> tuple[Any, ...]:
    value = _value(node, constants)
    if isinstance(node, ast.Call) and _last_name(node.func) == "range":
        parts = [_value(arg, constants) for arg in node.args]
        value = list(range(*parts)) if parts and all(isinstance(p, int) for p in parts) else None
    if not isinstance(value, list | tuple):
        return ()
    return tuple(value) if all(isinstance(one, str | int | float) for one in value) else ()


def _kind_of(value: Any) -> Kind:
    if isinstance(value, bool):
        return "other"
    if isinstance(value, float):
        return "float"
    return "int" if isinstance(value, int) else "text" if isinstance(value, str) else "other"


def _argparse(call: ast.Call, constants: Mapping[str, Any]) -> Iterator[Option]:
    flags = _flags(call, constants)
    if not flags:
        return
    given = _keywords(call)
    flag = max(flags, key=lambda f: (f.startswith("--"), len(f)))
    default = _value(given.get("default"), constants)
    action = given.get("action")
    does = _value(action, constants) or (_last_name(action) if action is not None else "store")
    name, positional = flag.lstrip("-"), not flag.startswith("-")
    said = str(_value(given.get("help"), constants) or "")
    common: dict[str, Any] = {"name": name, "flag": "" if positional else flag, "help": said}
    if does in ("help", "version"):
        return
    if does in ("store_true", "store_false"):
        yield Option(**common, kind="flag", default=False)
    elif does == "BooleanOptionalAction":
        yield Option(**common, kind="flag", default=bool(default), no=f"no-{name}")
    elif does != "store" or "nargs" in given:
        yield Option(**common, kind="list", default=default, required=positional)
    else:
        kind = _TYPES.get(_last_name(given["type"]), "other") if "type" in given else None
        if kind in ("float", "int") and isinstance(default, str):
            default = _value(_parsed(default), constants)  # argparse does the same
        choices = _choices(given.get("choices"), constants)
        required = positional or _value(given.get("required"), constants) is True
        yield Option(
            **common,
            kind=kind or (_kind_of(default) if default is not None else "text"),
            default=default,
            choices=choices,
            required=required,
        )


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _click(call: ast.Call, constants: Mapping[str, Any]) -> Iterator[Option]:
    flags = [flag for flag in _flags(call, constants) if flag.startswith("-")]
    if not flags:
        return
    given = _keywords(call)
    flag, _, off = max(flags, key=lambda f: (f.startswith("--"), len(f))).partition("/")
    default = _value(given.get("default"), constants)
    common: dict[str, Any] = {
        "name": flag.lstrip("-"),
        "flag": flag,
        "help": str(_value(given.get("help"), constants) or ""),
        "required": _value(given.get("required"), constants) is True,
    }
    kind = given.get("type")
    listed = [_value(given.get(word), constants) for word in ("multiple", "nargs", "count")]
    if off or _value(given.get("is_flag"), constants) is True:
        no = off.strip().lstrip("-")
        yield Option(**common, kind="flag", default=bool(default), no=no)
    elif any(listed):
        yield Option(**common, kind="list", default=default)
    elif isinstance(kind, ast.Call):
        made = _last_name(kind.func)
        parts = {**dict(zip(("min", "max"), kind.args, strict=False)), **_keywords(kind)}
        if made == "Choice":
            first = kind.args[0] if kind.args else _keywords(kind).get("choices")
            yield Option(**common, kind="text", default=default, choices=_choices(first, constants))
        else:
            low, high = (_value(parts.get(word), constants) for word in ("min", "max"))
            yield Option(
                **common, kind=_RANGES.get(made, "other"), default=default, bounds=(low, high)
            )
    elif isinstance(kind, ast.List | ast.Tuple):
        yield Option(**common, kind="text", default=default, choices=_choices(kind, constants))
    else:
        named = _TYPES.get(_last_name(kind), "other") if kind is not None else None
        yield Option(**common, kind=named or _kind_of(default), default=default)


def _dataclasses(tree: ast.Module, constants: Mapping[str, Any]) -> dict[str, list[Option]]:
    """The options that each dataclass of the file declares."""
    return {
        f"the dataclass {node.name}": [
            _field(part, part.target.id, constants)
            for part in node.body
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        ]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(_last_name(d) == "dataclass" for d in node.decorator_list)
    }


def _field(part: ast.AnnAssign, name: str, constants: Mapping[str, Any]) -> Option:
    default = _value(part.value, constants)
    if isinstance(part.value, ast.Call) and _last_name(part.value.func) == "field":
        default = _value(_keywords(part.value).get("default"), constants)
    hint = part.annotation
    choices: tuple[Any, ...] = ()
    kind: Kind = "other"
    if isinstance(hint, ast.Subscript) and _last_name(hint.value) == "Literal":
        literal = _value(hint.slice, constants)
        choices, kind = tuple(literal) if isinstance(literal, tuple) else (literal,), "text"
    elif _last_name(hint) == "bool":
        choices, kind = ("true", "false"), "text"
        default = None if default is None else str(default).lower()
    else:
        kind = _TYPES.get(_last_name(hint), "other")
    flag, required = f"--{name}", part.value is None
    return Option(name, kind, default, choices, flag=flag, required=required)


def _printed(tree: ast.Module) -> Iterator[str]:
    """Texts inside calls of print and of loggers, in order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in (
            "print",
            "echo",
            "info",
            "write",
            "dumps",
        ):
            for part in ast.walk(node):
                if isinstance(part, ast.JoinedStr):
                    yield "".join(
                        str(piece.value) if isinstance(piece, ast.Constant) else "{}"
                        for piece in part.values
                    )
                elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
