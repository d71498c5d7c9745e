"""Conditions written as text, such as "hidden2 <= hidden1 or layers < 2".

A text is parsed into Python's syntax tree, of which only comparisons, logic, arithmetic and a few
functions are known; it is compiled once into functions of columns of numbers. Nothing is evaluated
by Python itself, so that a text from a log or a file can do no harm.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.space.choices import Labelled, Ordinal
from tunesmith.space.columns import Bools, Floats
from tunesmith.space.labels import Scalar, hint
from tunesmith.space.parameters import Parameter

Find: TypeAlias = Callable[[str], tuple[int, Parameter]]
"""From a path, as written, to the column and the parameter."""

_Of: TypeAlias = Callable[[Floats], Any]  # numbers (n, d) -> (n,)

_COMPARE: dict[type, Any] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_SIGN: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_MIRROR: dict[type, type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_ARITHMETIC: dict[type, Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_FUNCTIONS: dict[str, Any] = {
    "abs": np.abs,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "len": np.positive,  # a list's own column is its length
}
_REDUCE: dict[str, Any] = {"min": np.minimum, "max": np.maximum}
_LENGTH, _DEPTH = 2000, 40


@dataclass(frozen=True, slots=True)
class _Number:
    of: _Of
    continuous: bool
    constant: float | None = None


@dataclass(frozen=True, slots=True)
class _Label:
    column: int
    labels: tuple[Scalar, ...]
    ordered: bool


@dataclass(frozen=True, slots=True)
class _Truth:
    of: _Of


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Scalar


@dataclass(frozen=True, slots=True)
class _Items:
    values: tuple[Scalar, ...]


_Term: TypeAlias = _Number | _Label | _Truth | _Constant | _Items


def _path(node: ast.AST) -> str | None:
    """Return the path that `a.b[0]["c"]` writes, or None if the node is nothing like it."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        part: object = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        part = node.slice.value
    else:
        return None
    head = _path(node.value)
    if head is None or isinstance(part, bool) or not isinstance(part, str | int):
        return None
    return f"{head}.{part}"


def _written(path: str) -> str:
    """Return a path as an expression writes it."""
    head, *rest = path.split(".")
    return head + "".join(
        f"[{p}]" if p.isdigit() else f".{p}" if p.isidentifier() else f"[{p!r}]" for p in rest
    )


@final
class Expression:
    """A condition over parameters, parsed but not yet bound to a space.

    Args:
        text: What the user wrote.

    Raises:
        SpaceError: It is no condition in the syntax above.

    Attributes:
        text: What the user wrote.
        names: The paths it mentions, as written.
    """

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or not text.strip():
            raise SpaceError(f"a condition is text such as 'layers >= 3', got {text!r}")
        if len(text) > _LENGTH:
            raise SpaceError(f"a condition has at most {_LENGTH} characters, got {len(text)}")
        self.text = text
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SpaceError(f"{text!r} cannot be read as a condition: {error}") from None
        names: dict[str, None] = {}
        self._collect(self._tree, names, 0)
        self.names = tuple(names)
        if not names:
            raise SpaceError(f"{text!r} mentions no parameter")

    def _collect(self, node: ast.AST, names: dict[str, None], depth: int) -> None:
        if depth > _DEPTH:
            raise SpaceError(f"{self.text[:40]!r}... is nested more than {_DEPTH} deep")
        path = _path(node)
        if path is not None:
            names[path] = None
            return
        skip = node.func if isinstance(node, ast.Call) else None
        for child in ast.iter_child_nodes(node):
            if child is not skip:
                self._collect(child, names, depth + 1)

    def renamed(self, absolute: Callable[[str], str]) -> str:
        """Return the text with every path replaced."""
        if all(absolute(name) == name for name in self.names):
            return self.text
        tree = ast.parse(self.text.strip(), mode="eval")
        return ast.unparse(_Rename(absolute).visit(tree))

    def bind(self, find: Find) -> Callable[[Floats], Bools]:
        """Compile for a space: returns a function from numbers (n, d) to truths (n,).

        Raises:
            SpaceError: It compares or computes what cannot be compared or computed.
        """
        of = _Compiler(self.text, find).truth(self._tree)

        def holds(numbers: Floats) -> Bools:
            with np.errstate(all="ignore"):
                result: Bools = np.broadcast_to(of(numbers), numbers.shape[:1])
            return result

        return holds


@final
class _Rename(ast.NodeTransformer):
    """Replaces every path of a syntax tree."""

    def __init__(self, absolute: Callable[[str], str]) -> None:
        self._absolute = absolute

    def visit(self, node: ast.AST) -> Any:
        path = _path(node)
        if path is not None:
            return ast.parse(_written(self._absolute(path)), mode="eval").body
        if isinstance(node, ast.Call):  # the name of a function is no path
            node.args = [self.visit(arg) for arg in node.args]
            return node
        return self.generic_visit(node)


@final
class _Compiler:
    """Turns the nodes of one text into terms."""

    def __init__(self, text: str, find: Find) -> None:
        self._text = text
        self._find = find

    def _refuse(self, why: str) -> SpaceError:
        return SpaceError(f"in {self._text!r}: {why}")

    def _source(self, node: ast.expr) -> str:
        return ast.unparse(node)

    def truth(self, node: ast.expr) -> _Of:
        term = self._term(node)
        if isinstance(term, _Truth):
            return term.of
        if isinstance(term, _Label) and all(isinstance(label, bool) for label in term.labels):
            return _looked_up(term, [bool(label) for label in term.labels])
        raise self._refuse(f"{self._source(node)!r} is neither true nor false; compare it")

    def _number(self, node: ast.expr) -> _Number:
        term = self._term(node)
        if not isinstance(term, _Number):
            raise self._refuse(f"{self._source(node)!r} is not a number")
        return term

    def _term(self, node: ast.expr) -> _Term:
        path = _path(node)
        if path is not None:
            return self._name(path)
        match node:
            case ast.Constant(value=bool() | str() | None as value):
                return _Constant(value)
            case ast.Constant(value=int() | float() as value):
                return self._constant(value)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return _Items(tuple(self._item(item) for item in items))
            case ast.BoolOp(op=op, values=values):
                parts = [self.truth(value) for value in values]
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return _Truth(lambda x: reduce(join, [part(x) for part in parts]))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.truth(operand)
                return _Truth(lambda x: np.logical_not(inner(x)))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                number = self._number(operand)
                sign = -1.0 if isinstance(op, ast.USub) else 1.0
                constant = None if number.constant is None else sign * number.constant
                return _Number(lambda x: sign * number.of(x), number.continuous, constant)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                a, b, f = self._number(left), self._number(right), _ARITHMETIC[type(op)]
                return _Number(lambda x: f(a.of(x), b.of(x)), a.continuous or b.continuous)
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                tests = [
                    self._compare(a, op, b) for a, op, b in zip(sides, ops, others, strict=False)
                ]
                return _Truth(lambda x: reduce(np.logical_and, [test(x) for test in tests]))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
        raise self._refuse(
            f"{self._source(node)!r} is not understood; a condition has comparisons, and, or, not, "
            f"in, + - * / // % **, and {', '.join([*_REDUCE, *_FUNCTIONS])}"
        )

    def _constant(self, value: float) -> _Number:
        try:
            number = np.float64(value)
        except OverflowError:
            raise self._refuse("a number is too large") from None
        return _Number(lambda _: number, False, float(number))

    def _item(self, node: ast.expr) -> Scalar:
        term = self._term(node)
        if isinstance(term, _Constant):
            return term.value
        if isinstance(term, _Number) and term.constant is not None:
            return term.constant
        raise self._refuse(f"a list holds numbers and texts, not {self._source(node)!r}")

    def _name(self, path: str) -> _Number | _Label:
        try:
            column, parameter = self._find(path)
        except SpaceError as error:
            raise self._refuse(str(error)) from None
        if not isinstance(parameter, Labelled):
            return _Number(lambda x: x[:, column], parameter.cardinality is None)
        labels = tuple(parameter.labels or ())
        term = _Label(column, labels, isinstance(parameter, Ordinal))
        numbers = [label for label in labels if isinstance(label, int | float)]
        if len(numbers) < len(labels) or any(isinstance(label, bool) for label in labels):
            return term
        return _Number(_looked_up(term, [float(number) for number in numbers]), False)

    def _call(self, name: str, args: Sequence[ast.expr]) -> _Number:
        if name in _REDUCE and len(args) >= 2:
            f, parts = _REDUCE[name], [self._number(arg) for arg in args]
            some = any(part.continuous for part in parts)
            return _Number(lambda x: reduce(f, [part.of(x) for part in parts]), some)
        if name in _FUNCTIONS and len(args) == 1:
            g, part = _FUNCTIONS[name], self._number(args[0])
            return _Number(lambda x: g(part.of(x)), part.continuous)
        if name in _REDUCE or name in _FUNCTIONS:
            raise self._refuse(f"{name} got {len(args)} arguments")
        known = hint(name, [*_REDUCE, *_FUNCTIONS])
        raise self._refuse(f"there is no function {name!r}; {known}")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Of:
        a, b = self._term(left), self._term(right)
        said = f"{self._source(left)} {_SIGN.get(type(op), '?')} {self._source(right)}"
        if isinstance(op, ast.In | ast.NotIn):
            inside = self._inside(a, b, said)
            return (lambda x: ~inside(x)) if isinstance(op, ast.NotIn) else inside
        f = _COMPARE.get(type(op))
        if f is None:
            raise self._refuse(f"{said!r} compares by identity; use == or !=")
        equality = isinstance(op, ast.Eq | ast.NotEq)
        if isinstance(a, _Number) and isinstance(b, _Number):
            if equality and (a.continuous or b.continuous):
                raise self._refuse(
                    f"{said!r} asks a continuous number to be equal, which never happens; "
                    f"compare by <= or >=, or give the Float a step"
                )
            return lambda x: f(a.of(x), b.of(x))
        if isinstance(a, _Label):
            return self._compare_label(a, op, b, said)
        if isinstance(b, _Label):
            mirrored = _MIRROR.get(type(op))
            return self._compare_label(b, mirrored() if mirrored else op, a, said)
        raise self._refuse(f"{said!r} compares things of different kinds")

    def _compare_label(self, a: _Label, op: ast.cmpop, b: _Term, said: str) -> _Of:
        f, equality = _COMPARE[type(op)], isinstance(op, ast.Eq | ast.NotEq)
        if not (equality or a.ordered):
            raise self._refuse(f"{said!r} orders labels that have no order; use ==, in, or Ordinal")
        if isinstance(b, _Label):
            if not equality and a.labels != b.labels:
                raise self._refuse(f"{said!r} orders labels of different parameters")
            codes = {label: float(i) for i, label in enumerate(dict.fromkeys(a.labels + b.labels))}
            ours = _looked_up(a, [codes[label] for label in a.labels])
            theirs = _looked_up(b, [codes[label] for label in b.labels])
            return lambda x: f(ours(x), theirs(x))
        if isinstance(b, _Constant):
            place = self._place(a, b.value, said)
        elif isinstance(b, _Number) and b.constant is not None:
            place = self._place(a, b.constant, said)
        else:
            raise self._refuse(f"{said!r} compares things of different kinds")
        return lambda x: f(x[:, a.column], place)

    def _inside(self, a: _Term, b: _Term, said: str) -> _Of:
        if not isinstance(b, _Items) or not b.values:
            raise self._refuse(f"{said!r} needs a list such as [1, 2] after in")
        if isinstance(a, _Number) and not a.continuous:
            if not all(isinstance(v, float) for v in b.values):
                raise self._refuse(f"{said!r} compares things of different kinds")
            wanted = np.array(b.values, dtype=float)
            return lambda x: np.isin(a.of(x), wanted)
        if isinstance(a, _Label):
            column, places = a.column, [self._place(a, v, said) for v in b.values]
            return lambda x: np.isin(x[:, column], places)
        raise self._refuse(f"{said!r}: only whole numbers and labels can be in a list")

    def _place(self, term: _Label, value: Scalar, said: str) -> float:
        for i, label in enumerate(term.labels):
            if label == value and isinstance(label, bool) == isinstance(value, bool):
                return float(i)
        raise self._refuse(
            f"{value!r} in {said!r} is no label; {hint(str(value), map(str, term.labels))}"
        )


def _looked_up(term: _Label, values: Sequence[float | bool]) -> _Of:
    """Return a function from numbers to the values at the places of one labelled column."""
    column, table = term.column, np.array(values)
    return lambda x: table[x[:, column].astype(np.intp)]
