"""Expressions compiled to functions of columns of numbers."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.choices import Labelled, Ordinal
from tunesmith.space.expressions import Expression, path_of
from tunesmith.space.labels import Scalar, hint, key_of
from tunesmith.space.parameters import Parameter, Ranged
from tunesmith.space.terms import (
    ARITHMETIC,
    COMPARE,
    FUNCTIONS,
    MIRROR,
    REDUCE,
    Constant,
    Items,
    Label,
    Number,
    Term,
    Truth,
    Truths,
    compared,
    looked_up,
    negated,
    together,
)


class Found(NamedTuple):
    """What a name in an expression means."""

    path: str
    column: int
    parameter: Parameter
    is_length: bool


Find: TypeAlias = Callable[[str], Found]
"""From a path, as written, to what it means."""


@final
@dataclass(frozen=True, eq=False)
class Rule:
    """An expression over columns: a condition of a parameter, or a constraint of a space.

    Attributes:
        text: The expression, over whole paths.
        uses: The columns it reads, ascending.
        possible: Whether it may hold anywhere, as far as the ranges tell.
    """

    text: str
    uses: tuple[int, ...]
    possible: bool
    _of: Truths

    def holds(self, numbers: Floats) -> Bools:
        """Return where it holds (n,) in numbers (n, d)."""
        with np.errstate(all="ignore"):
            result: Bools = np.broadcast_to(self._of(numbers)[0], numbers.shape[:1])
        return result


def compiled(expression: Expression, find: Find) -> Rule:
    """Return an expression as a rule over columns.

    Args:
        expression: The expression.
        find: What its names mean.

    Raises:
        SpaceError: It compares or computes what cannot be compared or computed.
    """
    truth = truth_of(expression, lambda path: _term_of(find(path)))
    uses = sorted({find(name).column for name in expression.names})
    text = expression.renamed(lambda name: find(name).path)
    return Rule(text, tuple(uses), truth.possible[0], truth.of)


def truth_of(expression: Expression, named: Callable[[str], Number | Label]) -> Truth:
    """Return an expression as a truth.

    Args:
        expression: The expression.
        named: From a path, as written, to what it means.

    Raises:
        SpaceError: It compares or computes what cannot be compared or computed.
    """
    return _Compiler(expression.text, named).truth(expression.tree)


def _term_of(found: Found) -> Number | Label:
    """The number or the label of one parameter."""
    _, column, parameter, is_length = found
    if isinstance(parameter, Ranged):
        shape = parameter.column
        whole = bool(shape.count) and shape.low.is_integer() and shape.step.is_integer()
        ends = (shape.low, shape.high)
        continuous = not shape.count
        return Number(lambda x: x[:, column], whole, continuous, ends=ends, is_length=is_length)
    labels = tuple(parameter.labels or ()) if isinstance(parameter, Labelled) else ()
    term = Label(column, labels, isinstance(parameter, Ordinal))
    numbers = [float(n) for n in labels if isinstance(n, int | float)]
    if len(numbers) < len(labels) or any(isinstance(label, bool) for label in labels):
        return term
    whole = all(number.is_integer() for number in numbers)
    return Number(looked_up(term, numbers), whole, ends=(min(numbers), max(numbers)))


@final
class _Compiler:
    """Turns the nodes of one text into terms."""

    def __init__(self, text: str, named: Callable[[str], Number | Label]) -> None:
        self._text = text
        self._named = named

    def _refuse(self, why: str) -> SpaceError:
        return SpaceError(f"in {self._text!r}: {why}")

    def truth(self, node: ast.expr) -> Truth:
        term = self._term(node)
        if isinstance(term, Truth):
            return term
        if isinstance(term, Label) and all(isinstance(label, bool) for label in term.labels):
            of = looked_up(term, [bool(label) for label in term.labels])
            return Truth(lambda x: ((t := of(x)), ~t))
        raise self._refuse(f"{ast.unparse(node)!r} is neither true nor false; compare it")

    def _number(self, node: ast.expr) -> Number:
        term = self._term(node)
        if not isinstance(term, Number):
            raise self._refuse(f"{ast.unparse(node)!r} is not a number")
        return term

    def _term(self, node: ast.expr) -> Term:
        path = path_of(node)
        if path is not None:
            return self._name(path)
        match node:
            case ast.Constant(value=bool() | str() | None as value):
                return Constant(value)
            case ast.Constant(value=int() | float() as value):
                return self._constant(value)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return Items(tuple(self._item(item) for item in items))
            case ast.BoolOp(op=op, values=values):
                parts = [self.truth(value) for value in values]
                return (
                    together(parts)
                    if isinstance(op, ast.And)
                    else negated(together(map(negated, parts)))
                )
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return negated(self.truth(operand))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                number = self._number(operand)
                if isinstance(op, ast.UAdd):
                    return number
                return self._computed(np.multiply, ast.Mult, self._constant(-1.0), number)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                kind = type(op)
                return self._computed(
                    ARITHMETIC[kind], kind, self._number(left), self._number(right)
                )
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                return together(
                    [self._compare(a, op, b) for a, op, b in zip(sides, ops, others, strict=False)]
                )
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
        raise self._refuse(
            f"{ast.unparse(node)!r} is not understood; a condition has comparisons, and, or, not, "
            f"in, + - * / // % **, and {', '.join([*REDUCE, *FUNCTIONS])}"
        )

    def _constant(self, value: float) -> Number:
        try:
            number = float(value)
        except OverflowError:
            raise self._refuse("a number is too large") from None
        whole = number.is_integer()
        return Number(lambda _: number, whole, constant=number, ends=(number, number))

    def _computed(self, f: Any, kind: type, a: Number, b: Number) -> Number:
        if a.constant is not None and b.constant is not None:
            with np.errstate(all="ignore"):
                return self._constant(float(f(np.float64(a.constant), np.float64(b.constant))))
        whole = a.whole and b.whole and kind is not ast.Div
        if kind is ast.Pow:
            whole = whole and b.constant is not None and b.constant >= 0

        def of(x: Floats) -> Any:
            return f(a.of(x), b.of(x))

        def size(x: Floats) -> Any:
            if kind in (ast.Add, ast.Sub):
                return a.magnitude(x) + b.magnitude(x)
            if kind is ast.Mult:
                return a.magnitude(x) * b.magnitude(x)
            if kind is ast.Div:
                return a.magnitude(x) / np.abs(b.of(x))
            return np.abs(of(x))

        return Number(of, whole, a.continuous or b.continuous, size)

    def _item(self, node: ast.expr) -> Scalar:
        term = self._term(node)
        if isinstance(term, Constant):
            return term.value
        if isinstance(term, Number) and term.constant is not None:
            return term.constant
        raise self._refuse(f"a list holds numbers and texts, not {ast.unparse(node)!r}")

    def _name(self, path: str) -> Number | Label:
        try:
            return self._named(path)
        except SpaceError as error:
            raise self._refuse(str(error)) from None

    def _call(self, name: str, args: Sequence[ast.expr]) -> Number:
        known = [*REDUCE, *FUNCTIONS]
        if name not in known:
            raise self._refuse(f"there is no function {name!r}; {hint(name, known)}")
        if (len(args) < 2) if name in REDUCE else (len(args) != 1):
            raise self._refuse(f"{name} got {len(args)} arguments")
        parts = [self._number(arg) for arg in args]
        if name == "len":
            if not parts[0].is_length:
                raise self._refuse(f"{ast.unparse(args[0])!r} is no list; leave out len()")
            return parts[0]
        f = REDUCE.get(name) or FUNCTIONS[name]

        def of(x: Floats) -> Any:
            values = [part.of(x) for part in parts]
            return reduce(f, values) if name in REDUCE else f(values[0])

        def size(x: Floats) -> Any:
            if name in ("min", "max", "abs"):
                return reduce(np.maximum, [part.magnitude(x) for part in parts])
            return np.abs(of(x))

        whole = name in ("min", "max", "abs") and all(part.whole for part in parts)
        return Number(of, whole, any(part.continuous for part in parts), size)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Truth:
        a, b = self._term(left), self._term(right)
        said = ast.unparse(ast.Compare(left, [op], [right]))
        if isinstance(op, ast.In | ast.NotIn):
            inside = self._inside(a, b, said)
            return negated(inside) if isinstance(op, ast.NotIn) else inside
        if type(op) not in COMPARE:
            raise self._refuse(f"{said!r} compares by identity; use == or !=")
        if isinstance(a, Number) and isinstance(b, Number):
            if isinstance(op, ast.Eq | ast.NotEq):
                self._check_equality(a, b, said)
            return compared(op, a, b)
        if isinstance(a, Label):
            return self._compare_label(a, op, b, said)
        if isinstance(b, Label):
            return self._compare_label(b, MIRROR.get(type(op), type(op))(), a, said)
        raise self._refuse(f"{said!r} compares things of different kinds")

    def _check_equality(self, a: Number, b: Number, said: str) -> None:
        if a.continuous or b.continuous:
            raise self._refuse(
                f"{said!r} asks a continuous number to be equal, which never happens; "
                f"compare by <= or >=, or give the Float a step"
            )
        if any(one.size is not None and not one.whole for one in (a, b)):
            raise self._refuse(
                f"{said!r} asks a result of arithmetic that is not whole to be equal, which "
                f"rounding would decide; compare by <= or >=, or compute with whole numbers"
            )

    def _compare_label(self, a: Label, op: ast.cmpop, b: Term, said: str) -> Truth:
        f, equality = COMPARE[type(op)], isinstance(op, ast.Eq | ast.NotEq)
        if not (equality or a.ordered):
            raise self._refuse(f"{said!r} orders labels that have no order; use ==, in, or Ordinal")
        if isinstance(b, Label):
            if not equality and list(map(key_of, a.labels)) != list(map(key_of, b.labels)):
                raise self._refuse(f"{said!r} orders labels of different parameters")
            keys = dict.fromkeys(map(key_of, a.labels + b.labels))
            codes = {key: float(i) for i, key in enumerate(keys)}
            ours = looked_up(a, [codes[key_of(label)] for label in a.labels])
            theirs = looked_up(b, [codes[key_of(label)] for label in b.labels])
            return Truth(lambda x: ((t := f(ours(x), theirs(x))), ~t))
        if isinstance(b, Constant):
            place = self._place(a, b.value, said)
        elif isinstance(b, Number) and b.constant is not None:
            place = self._place(a, b.constant, said)
        else:
            raise self._refuse(f"{said!r} compares things of different kinds")
        return Truth(lambda x: ((t := f(x[:, a.column], place)), ~t))

    def _inside(self, a: Term, b: Term, said: str) -> Truth:
        if not isinstance(b, Items) or not b.values:
            raise self._refuse(f"{said!r} needs a list such as [1, 2] after in")
        if isinstance(a, Number):
            if a.continuous:
                raise self._refuse(f"{said!r}: only whole numbers and labels can be in a list")
            wanted = [self._constant(v) for v in b.values if isinstance(v, float)]
            if len(wanted) < len(b.values):
                raise self._refuse(f"{said!r} compares things of different kinds")
            self._check_equality(a, wanted[0], said)
            return negated(together([compared(ast.NotEq(), a, one) for one in wanted]))
        if isinstance(a, Label):
            column, places = a.column, [self._place(a, v, said) for v in b.values]
            return Truth(lambda x: ((t := np.isin(x[:, column], places)), ~t))
        raise self._refuse(f"{said!r}: only whole numbers and labels can be in a list")

    def _place(self, term: Label, value: Scalar, said: str) -> float:
        for i, label in enumerate(term.labels):
            if key_of(label) == key_of(value):
                return float(i)
        raise self._refuse(
            f"{value!r} in {said!r} is no label; {hint(str(value), map(str, term.labels))}"
        )
