"""The packaged data, read when first asked for."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import final

import msgspec

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.schema import Entry, Estimator, Source, read
from tunesmith.space.labels import hint

_FAMILIES = (
    "forests", "boosting", "histograms", "xgboost", "lightgbm", "catboost", "ensembles", "trees",
    "svm", "linear", "neighbors", "neural", "bayes", "clusters", "decompositions", "preparation",
    "text",
)  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one parameter, of all estimators of which the same is known.

    Attributes:
        parameter: Its name.
        family: The family of the estimators.
        entries: What is known by estimator; the words are the same, the ranges may differ.
        sources: What each source says, by its full reference.
        read: What of each source was read, by the same; empty: what it says is from memory.
    """

    parameter: str
    family: str
    entries: dict[str, Entry]
    sources: dict[str, str]
    read: dict[str, str]


@cache
def sources() -> Mapping[str, Source]:
    """Return all sources, by key."""
    return msgspec.convert(tomllib.loads(_text("sources")), dict[str, Source])


@cache
def library() -> Mapping[str, Estimator]:
    """Return all estimators by root of the module and class: "sklearn.SVC"."""
    return {one.name: one for name in _FAMILIES for one in read(_text(name), name, sources())}


def estimators() -> list[str]:
    """Return the names of all estimators: root of the module and class."""
    return sorted(library())


def parameters() -> list[str]:
    """Return the names of all parameters that are explained."""
    return sorted({name for one in library().values() for name in one.entries})


def described(name: str) -> Estimator | None:
    """Return what is known of the estimators of this class name; None if nothing is.

    Example:
        >>> described("KMeans").name
        'sklearn.KMeans'
    """
    return next(
        (one for one in library().values() if name in (one.name.split(".")[1], one.name)), None
    )


def explanations(name: str) -> list[Explanation]:
    """Return what is known of a parameter, family by family; `step__name` is read as `name`.

    Raises:
        SettingError: Nothing is known of this name; it names what is near.
    """
    short = name.rpartition("__")[2]
    found: dict[tuple[str, str], dict[str, Entry]] = {}
    for one in library().values():
        if short in one.entries:
            entry = one.entries[short]
            found.setdefault((one.family, entry.does), {})[one.name] = entry
    if not found:
        raise SettingError(
            f"nothing is known of a parameter {name!r}; "
            + hint(short, [*parameters(), *(one.partition(".")[2] for one in library())])
        )
    return [
        Explanation(
            short,
            family,
            entries,
            {source.reference: text for source, text in _said(entries)},
            {source.reference: source.read for source, _ in _said(entries)},
        )
        for (family, _), entries in found.items()
    ]


def _said(entries: Mapping[str, Entry]) -> Iterator[tuple[Source, str]]:
    """Yield sources and what they say."""
    for entry in entries.values():
        for key, text in entry.sources.items():
            yield sources()[key], text


def _text(name: str) -> str:
    return files("tunesmith.knowledge").joinpath("data", f"{name}.toml").read_text("utf-8")
