"""The order in which a deterministic study is heard: the same, whoever was quick.

With W workers, trial k is asked for when trial k - W has finished, and its sampler has then heard
the starts of trials 0 to k - 1 and the ends of trials 0 to k - W, each end right before the start
of the trial that waited for it. Of times, places and attempts, which differ from run to run, nothing
is heard.
"""

from typing import Any, Generic, final

from msgspec.structs import replace

from tunesmith._core.types import P
from tunesmith.records import Fold, History, Problem, Record


@final
class Ordered(Generic[P]):
    """What decisions may use of a study that runs `width` trials at once.

    Args:
        problem: What is tuned.
        width: How many trials may be open at once.

    Attributes:
        history: The trials as far as they were heard.
    """

    def __init__(self, problem: Problem[P], width: int) -> None:
        self.history: History[P] = History(problem)
        self._width = width
        self._ends = 0

    @classmethod
    def of(cls, fold: Fold[P]) -> "Ordered[P] | None":
        """Return the order of a study from its beginning; None if the study is not deterministic."""
        width = fold.created.deterministic
        return None if width is None else cls(fold.history.problem, width)

    def awaited(self, history: History[P]) -> Record[P] | None:
        """Return the trial that must finish before the next one may start, if it has not."""
        number = len(history) - self._width
        return None if number < 0 or history[number].finished else history[number]

    def hear(self, history: History[P]) -> list[Record[P]]:
        """Return what is to be heard before the next trial starts, since the last call.

        Args:
            history: All trials; `awaited` is None.
        """
        heard: list[Record[P]] = []
        while True:
            begun = len(self.history)
            if self._ends <= begun - self._width:
                heard.append(_timeless(history[self._ends], history))
                self.history.put(heard[-1])
                self._ends += 1
            if begun == len(history):
                return heard
            heard.append(_timeless(history[begun], history).begun())
            self.history.put(heard[-1])


def _timeless(record: Record[P], history: History[P]) -> Record[P]:
    """The record without what differs between two runs of the same seed."""
    parent = history.find(record.parent)
    group, index = record.replicate or ("", 0)
    first = history.find(group)
    common: dict[str, Any] = {
        "uid": _uid(record.number),
        "parent": "" if parent is None else _uid(parent.number),
        "item": "",
        "replicate": None if first is None else (_uid(first.number), index),
        "started": 0.0,
        "ended": None if record.ended is None else 0.0,
        "ask_s": 0.0,
        "owner": "",
        "worker": "",
        "device": "",
        "basis": 0,
        "configured": 0,
        "cost": {},
        "attempt": 1,
        "lost": 0,
        "resumed": None,
        "spells": (),
        "ran": (),
        "key": "",
        "curve": None if record.curve is None else record.curve.timeless(),
    }
    return replace(record, **common)


def _uid(number: int) -> str:
    """The name that a trial has if one process starts them all."""
    return f"0.{number}"
