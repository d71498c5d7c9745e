"""Which parameter to move: in what the trials with a symptom differ from those without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith.analysis.signs import sign_of
from tunesmith.analysis.symptoms import Kind
from tunesmith.numerics.arrays import Bools, Floats
from tunesmith.numerics.trends import rank_biserial
from tunesmith.records import Record

ALPHA = 0.01  # chance that of all parameters of a study one is named that has nothing to do with it
GROUP = 3  # trials with and trials without, from which on they are compared


@final
@dataclass(frozen=True, slots=True)
class Move:
    """A parameter to move, and why.

    Attributes:
        parameter: Its name.
        to: Where: "lower", "raise", or "avoid sgd", a choice.
        correlation: In how many more pairs the trial with the symptom has the higher value than the lower
            one, as a share of all pairs; NaN: too few trials have it, or too few have not.
        low: Where the correlation's interval of 95 % begins.
        high: Where it ends.
        p: The probability of one so large by chance; NaN likewise.
        here: The median of those with the symptom; NaN for choices.
        elsewhere: The median of those without.
        known: What is known of it, with its source; empty: nothing.
    """

    parameter: str
    to: str
    correlation: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    here: float = np.nan
    elsewhere: float = np.nan
    known: str = ""

    @property
    def seen(self) -> bool:
        """Whether it shows in the trials of the study, and is not only known."""
        return bool(np.isfinite(self.p))

    def __str__(self) -> str:
        text = (
            f"{self.to} of {self.parameter}"
            if self.to.startswith("avoid")
            else f"{self.to} {self.parameter}"
        )
        if not self.seen:
            return f"{text}: not seen in these trials, but a known sign of {self.known}"
        if np.isfinite(self.here):
            text += f": median {self.here:.3g} with it, {self.elsewhere:.3g} without"
        text += f" (rank correlation {self.correlation:+.2f}, {self.low:+.2f} to {self.high:+.2f})"
        return text + (f"; a known sign of {self.known}" if self.known else "")


def moves(
    kind: Kind, judged: Sequence[Record[Any]], affected: set[int], *, most: int = 3
) -> list[Move]:
    """Return which parameters to move, those with the strongest evidence first.

    Evidence that the trials give counts above what is known, and what is known is named only where it
    agrees, or where the trials cannot tell.

    Args:
        kind: The symptom.
        judged: The trials that could have it.
        affected: The numbers of those that have it.
        most: How many to return.
    """
    if not judged:
        return []
    seen: list[Move] = []
    told: set[str] = set()  # parameters of which the trials say where
    columns = list(_columns(judged))
    for name, choice, x in columns:
        here = np.array([record.number in affected for record in judged]) & ~np.isnan(x)
        there = ~here & ~np.isnan(x)
        if min(here.sum(), there.sum()) < GROUP:
            continue
        move = _compared(kind, name, choice, x, here, there)
        if move is not None and move.p < ALPHA / len(columns):
            seen.append(move)
            told.add(name)
    if seen:
        return sorted(seen, key=lambda move: (-abs(move.correlation), move.parameter))[:most]
    signs = [(name, sign_of(name, kind)) for name, choice, _ in columns if choice is None]
    known = [
        Move(n, sign.direction, known=sign.text) for n, sign in signs if sign and n not in told
    ]
    return known[:most]


def _compared(
    kind: Kind, name: str, choice: Any, x: Floats, here: Bools, there: Bools
) -> Move | None:
    """What the trials say of a parameter, or of a choice of it."""
    it = rank_biserial(x[here], x[there])
    if choice is not None:
        return Move(name, f"avoid {choice}", it.r, it.low, it.high, it.p) if it.r > 0 else None
    to = "lower" if it.r > 0 else "raise"
    sign = sign_of(name, kind)
    known = sign.text if sign is not None and sign.direction == to else ""
    medians = float(np.median(x[here])), float(np.median(x[there]))
    return Move(name, to, it.r, it.low, it.high, it.p, *medians, known)


def _columns(records: Sequence[Record[Any]]) -> Iterator[tuple[str, Any, Floats]]:
    """Parameters and their values (n,), NaN where inactive; of choices one column each, 0 or 1."""
    names = dict.fromkeys(name for record in records for name in record.logged)
    for name in names:
        values = [record.logged.get(name) for record in records]
        there = [value for value in values if value is not None]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in there):
            x = np.array([np.nan if v is None else float(v) for v in values])
            if len(set(there)) > 1:
                yield name, None, x
            continue
        for choice in dict.fromkeys(map(str, there)):
            x = np.array([np.nan if v is None else float(str(v) == choice) for v in values])
            if 0 < np.nansum(x) < len(there):
                yield name, choice, x
