"""Which parameters are known to bring a symptom about: what `knowledge` says of too low and too high, read.

Its sentences name symptoms ("Both scores are low", "The loss jumps, or is NaN"); which of them means
which is one table here, so that an entry added there speaks here, too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from tunesmith.analysis.symptoms import Kind
from tunesmith.knowledge import explanations, parameters
from tunesmith.knowledge.metrics import has_word

Direction: TypeAlias = Literal["lower", "raise"]

_SAYS: dict[Kind, str] = {
    "diverged": r"NaN|run away",
    "unstable": r"jumps|run away|erratic",
    "overshooting": r"jumps|erratic|loss is noisy",
    "too slow": r"still falls at|still rising|[Tt]oo few steps",
    "still improving": r"still falls at|still rising|[Tt]oo few steps",
    "overfitting": r"[Oo]verfit|perfect|by heart|validation score (peaks|falls)|validation loss rises",
    "underfitting": r"[Bb]oth scores (are low|fall)|validation scores (both )?fall|training score falls",
}  # fmt: skip

_LIKE = {
    "lr|eta|eta0|learning_?rate|step_?size": "learning_rate_init",
    "weight_?decay|wd|l2|penalty": "alpha",
    "units|width|hidden|neurons|layers|n_layers|depth|channels|filters": "hidden_layer_sizes",
    "batch|batch_?size|bs": "batch_size",
    "epochs|rounds|n_rounds|num_boost_round": "max_iter",
}
"""Parameters of networks that each program names in its own way, and the name under which they are known."""


@final
@dataclass(frozen=True, slots=True)
class _Own:
    words: str
    kinds: tuple[Kind, ...]
    too: Literal["low", "high"]
    text: str
    source: str


_OWN = (
    _Own(
        "dropout", ("overfitting",), "low",
        "Units rely on one another: overfits.", "Srivastava et al., JMLR 2014",
    ),
    _Own(
        "dropout", ("underfitting", "too slow"), "high",
        "The training error stays high.", "Srivastava et al., JMLR 2014, section 7.3",
    ),
    _Own(
        "momentum|beta1", ("diverged", "unstable", "overshooting"), "high",
        "Steps add up beyond the minimum; more momentum needs a smaller learning rate.",
        "Sutskever et al., ICML 2013",
    ),
)  # fmt: skip
"""What no estimator of `knowledge` has."""


@final
@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of a parameter and a symptom.

    Attributes:
        direction: Where to move the parameter.
        text: Why.
    """

    direction: Direction
    text: str


def sign_of(parameter: str, kind: Kind) -> Sign | None:
    """Return what is known of a parameter and a symptom; None: nothing, or what contradicts itself.

    Args:
        parameter: Its name; of a path the last part counts.
        kind: The symptom.

    Example:
        >>> sign_of("optimizer.lr", "diverged").direction
        'lower'
    """
    short = re.split(r"\.|__", parameter)[-1]
    for own in _OWN:
        if has_word(short, own.words) and kind in own.kinds:
            side: Direction = "raise" if own.too == "low" else "lower"
            return Sign(side, f'too {own.too}: "{own.text}" ({own.source})')
    for name in _names(short):
        found = list(_read(name, kind))
        if found and len({sign.direction for sign in found}) == 1:
            return found[0]
    return None


def _names(short: str) -> Iterator[str]:
    """The names under which a parameter may be known."""
    for words, name in _LIKE.items():
        if has_word(short, words):
            yield name
    if short in parameters():
        yield short


def _read(name: str, kind: Kind) -> Iterator[Sign]:
    networks_first = sorted(explanations(name), key=lambda one: one.family != "neural")
    for one in networks_first:  # whatever else has curves
        entry = next(iter(one.entries.values()))
        if entry.choices and name != "hidden_layer_sizes":
            continue
        low, high = (bool(re.search(_SAYS[kind], t)) for t in (entry.too_low, entry.too_high))
        if low == high:
            continue
        said, text = ("too low", entry.too_low) if low else ("too high", entry.too_high)
        why = f'{said}: "{text}" (tunesmith explain {name})'
        yield Sign("raise" if low else "lower", why)
