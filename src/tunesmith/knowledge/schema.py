"""What a data file holds, and the check of it.

A file is one family: parameters by name, and the estimators that have them, each with what differs
from the family's. A source stands as its key in `sources.toml` with what it says, so that sources
that disagree stand side by side.
"""

import math
import tomllib
from collections.abc import Collection
from typing import Any, Literal, TypeAlias, final

import msgspec

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.amounts import Amount, Size, amount, holds

Value: TypeAlias = str | bool | int | float | list[Any]
"""A value as TOML has it: the text "None" is None, a list a tuple."""


@final
class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of one parameter of one estimator.

    Attributes:
        does: What it does, one sentence.
        too_low: Signs that it is too low; of choices: what else speaks for one or the other.
        too_high: Signs that it is too high.
        typical: Values that often do.
        sources: What each source says, by its key in `sources.toml`.
        type: The kind of its values; "Fixed": it is explained, and left as it is.
        low: Smallest value.
        high: Largest value.
        log: Whether its logarithm is what counts.
        share: Whether a number is a share of the data, and a whole number above it a count, which
            is left alone.
        special: The numbers that values which are none ("sqrt", None) come to.
        unset: The number that a library takes where the installed version says None or nothing.
        choices: The values of a choice, also of one that is left as it is.
        role: What it shapes.
        when: Values that others must have for it to matter.
        where: The data for which it is worth a parameter, as "balance < 0.5"; elsewhere it is left
            as it is. Empty: all data.
    """

    does: str
    too_low: str = ""
    too_high: str = ""
    typical: str
    sources: dict[str, str]
    type: Literal["Float", "Int", "Choice", "Fixed"]
    low: Amount | None = None
    high: Amount | None = None
    log: bool = False
    share: bool = False
    special: dict[str, Amount] = {}
    unset: Amount | None = None
    choices: list[Value] = []
    role: Literal["model", "algorithm"] = "algorithm"
    when: dict[str, list[Value]] = {}
    where: str = ""


@final
class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is cited.

    Attributes:
        reference: Author, title, place, year.
        read: What of it was held against what we say it says; empty: nothing, it is from memory.
    """

    reference: str
    read: str = ""


@final
class _Estimator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parameters: list[str] = []
    keeps_columns: bool = False
    other: dict[str, dict[str, Any]] = {}


@final
class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    estimators: dict[str, _Estimator]
    parameters: dict[str, dict[str, Any]] = {}


@final
class Estimator(msgspec.Struct, frozen=True):
    """What is known of one estimator.

    Attributes:
        name: Root of its module and its class: "sklearn.SVC".
        family: The name of its data file.
        entries: Its parameters.
        keeps_columns: Whether it hands on as many columns as it got.
    """

    name: str
    family: str
    entries: dict[str, Entry]
    keeps_columns: bool


def read(text: str, family: str, sources: Collection[str]) -> list[Estimator]:
    """Return the estimators of a data file.

    Args:
        text: The TOML.
        family: What to call the file.
        sources: The keys of the sources that it may name.

    Raises:
        SettingError: The file is not valid; it says where and why.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingError(f"{family}.toml: {error}") from None
    found = []
    used = {name for one in file.estimators.values() for name in one.parameters}
    if idle := set(file.parameters) - used:
        raise SettingError(f"{family}.toml: no estimator has {', '.join(sorted(idle))}")
    for name, one in file.estimators.items():
        if strange := set(one.other) - set(one.parameters):
            raise SettingError(f"{family}.toml: {name}: other.{min(strange)} is no parameter of it")
        entries = {}
        for parameter in one.parameters:
            where = f"{family}.toml: {name}: {parameter}"
            raw = {**file.parameters.get(parameter, {}), **one.other.get(parameter, {})}
            try:
                entry = msgspec.convert(raw, Entry)
            except msgspec.ValidationError as error:
                raise SettingError(f"{where}: {error}") from None
            _check(entry, where, sources, set(one.parameters))
            entries[parameter] = entry
        found.append(Estimator(name, family, entries, one.keeps_columns))
    return found


def _check(entry: Entry, where: str, sources: Collection[str], siblings: set[str]) -> None:
    if not entry.sources:
        raise SettingError(f"{where}: it has no source")
    if strange := set(entry.sources) - set(sources):
        raise SettingError(f"{where}: the source {min(strange)!r} is not in sources.toml")
    if strange := set(entry.when) - siblings:
        raise SettingError(f"{where}: when names {min(strange)!r}, which the estimator has not")
    ranged = entry.type in ("Float", "Int")
    if {entry.low is not None, entry.high is not None} != {ranged}:
        raise SettingError(f"{where}: low and high belong to Float and Int, and to no other type")
    if bool(entry.choices) != (entry.type == "Choice") and entry.type != "Fixed":
        raise SettingError(f"{where}: choices belong to Choice, which has some, and to Fixed")
    if not ranged and (entry.log or entry.share or entry.special or entry.unset is not None):
        raise SettingError(f"{where}: log, share, special and unset belong to Float and Int")
    for size in (Size(), Size(50.0, 3.0, 3.0, 0.1, 80.0)):
        try:
            holds(entry.where, size)
            for number in entry.special.values():
                amount(number, size.assumed())
            low, high = amount(entry.low or 0, size), amount(entry.high or 0, size)
        except SettingError as error:
            raise SettingError(f"{where}: {error}") from None
        if not low <= high < math.inf or (entry.log and low <= 0):
            raise SettingError(
                f"{where}: a range has a finite low <= high, on a log scale above 0, "
                f"got {low:g} to {high:g}"
            )
