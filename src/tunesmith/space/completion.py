"""Partial configurations made whole, and the default configuration.

Given values force others: a parameter of an option forces the choice, an element of a list its
length. What is forced is drawn from what remains; conditions written as expressions, and
constraints, are met by drawing until they are.
"""

from collections.abc import Mapping

import numpy as np

from tunesmith._core.errors import SpaceError
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.space.choices import Categorical
from tunesmith.space.compiling import Rule
from tunesmith.space.conditions import Member
from tunesmith.space.drawing import BLOCK, MOST_DRAWS, blocks, own_generator, sizes
from tunesmith.space.encoding import Encoding
from tunesmith.space.labels import Params

_FEW = 64


def forced(encoding: Encoding, row: Floats) -> dict[int, Floats]:
    """Return the numbers left to columns by what is given.

    Args:
        encoding: The space.
        row: Given numbers (d,), NaN elsewhere.

    Raises:
        SpaceError: Two given values exclude each other.
    """
    left: dict[int, Floats] = {j: row[j : j + 1] for j in np.flatnonzero(~np.isnan(row)).tolist()}
    for j in range(len(row) - 1, -1, -1):  # children before parents
        if j not in left:
            continue
        for condition in encoding.guards.of[j]:
            if not isinstance(condition, Member):
                if _fails(condition, row):
                    raise SpaceError(
                        f"{encoding.names[j]} is given, but it is only active when {condition.text}"
                    )
                for parent in condition.uses:
                    left.setdefault(parent, np.empty(0))  # any number, but active
                continue
            parent = condition.parent
            fits = np.array(condition.numbers)
            before = left.get(parent, np.empty(0))
            both = np.intersect1d(before, fits) if len(before) else fits
            if parent in encoding.fixed:
                both = both[both == encoding.fixed[parent]]
            if not len(both):
                name, other = encoding.names[j], encoding.names[parent]
                allowed = encoding.parameters[parent].scalars(fits.tolist())
                has = encoding.parameters[parent].scalars(before.tolist())
                raise SpaceError(
                    f"{name} is given, so {other} must be {_either(allowed)}"
                    + (f", but it is {_either(has)}" if has else ", but it is fixed otherwise")
                    + "; leave out one of them"
                )
            left[parent] = both
    for one in encoding.rules:
        if _fails(one, row):
            raise SpaceError(f"what is given breaks the constraint {one.text!r}")
    return left


def _fails(one: Rule, row: Floats) -> bool:
    """Return whether a rule is sure not to hold in a row (d,) with NaN for what is not known."""
    return not np.isnan(row[list(one.uses)]).any() and not one.holds(row[None])[0]


def _either(values: list[object]) -> str:
    return " or ".join(map(repr, values[:8])) + (" ..." if len(values) > 8 else "")


def complete(
    encoding: Encoding, given: Params, suggestion: Params | None, rng: np.random.Generator
) -> tuple[Floats, Bools]:
    """Return one row of numbers (1, d), and where it is active, that keeps `given`.

    Raises:
        SpaceError: `given` contradicts the space, or nothing was found that keeps it.
    """
    row = encoding.row(given)
    left = forced(encoding, row)
    wish = np.full(len(row), np.nan) if suggestion is None else encoding.row(suggestion)
    for j, numbers in left.items():
        if len(numbers) and not np.isin(wish[j], numbers):
            wish[j] = numbers[0] if len(numbers) == 1 else np.nan
    # what conditions and constraints mention gives way before the rest of the suggestion does
    mentioned = {j for one in encoding.rules for j in one.uses}
    mentioned |= {j for j in left if not len(left[j])}
    yielding = wish.copy()
    yielding[[j for j in mentioned if np.isnan(row[j])]] = np.nan
    stages = [(wish, _FEW), (yielding, BLOCK), (row, MOST_DRAWS)]
    must = np.flatnonzero(~np.isnan(row))
    some = {j: numbers for j, numbers in left.items() if len(numbers)}
    for keep, most in stages if suggestion is not None else stages[-1:]:
        for numbers, active, good in blocks(encoding, rng, sizes(_FEW, most), some, keep):
            fitting = np.flatnonzero(good & active[:, must].all(axis=1))
            if len(fitting):
                return numbers[fitting[:1]], active[fitting[:1]]
    rules = [one.text for one in encoding.rules]
    raise SpaceError(
        f"no configuration with {given!r} was found in {MOST_DRAWS:,} draws"
        + (f" that keeps the constraints {rules}" if rules else "")
        + "; give other values, or fewer"
    )


def default(encoding: Encoding, initial: Mapping[int, float]) -> tuple[Floats, Bools, bool]:
    """Return the default row (1, d), where it is active, and whether it has defaults throughout.

    Args:
        encoding: The space.
        initial: Numbers of the columns that have a default.

    Raises:
        SpaceError: The defaults break a constraint.
    """
    d = len(encoding.names)
    numbers = encoding.numbers(np.full((1, d), 0.5))
    for j, parameter in enumerate(encoding.parameters):
        if j not in encoding.fixed:
            numbers[0, j] = initial.get(
                j, 0.0 if isinstance(parameter, Categorical) else numbers[0, j]
            )
    active = encoding.active(numbers)
    whole = all(j in initial or encoding.made[j].count == 1 for j in np.flatnonzero(active[0]))
    if encoding.feasible(numbers, active)[0]:
        return numbers, active, whole
    if whole:
        broken = encoding.broken(numbers, active)
        raise SpaceError(f"the defaults break the constraint {broken!r}; change one of them")
    return *_nearest(encoding, numbers, initial), False


def _nearest(
    encoding: Encoding, centre: Floats, initial: Mapping[int, float]
) -> tuple[Floats, Bools]:
    """Return the row nearest to `centre` of fixed draws within the constraints.

    Defaults are kept if that is possible.
    """
    middle = encoding.columns.units(centre)
    held = [j for j in initial if j not in encoding.fixed]
    for keep in (held, []):
        kept = np.full(len(encoding.names), np.nan)
        kept[keep] = centre[0, keep]
        for numbers, active, good in blocks(encoding, own_generator(), sizes(BLOCK), kept=kept):
            if good.any():
                found = np.flatnonzero(good)
                distance = ((encoding.columns.units(numbers[found]) - middle) ** 2).sum(axis=1)
                best = found[np.argmin(distance)]
                return numbers[[best]], active[[best]]
    raise SpaceError("no configuration keeps the constraints")
