"""The default: a Gaussian process, and where the log shows that another does better, that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from tunesmith.records import Heard, Problem, Record
from tunesmith.samplers.gp import GP
from tunesmith.samplers.sampler import Sampler, Suggestion
from tunesmith.samplers.tpe import TPE

DOUBTFUL = 0.85  # accuracy of the Gaussian process, below which TPE has its share
SHARE = 0.5  # of the calls, by chance: turns would lock into the rhythm of who asks for several
TELLING = 20  # trials from which on an accuracy says something
PATIENCE_S = 10.0  # that suggestions may take in all, whatever the trials do


@dataclass(slots=True)
class _State:
    """What is known of a study.

    Attributes:
        gp: What the Gaussian process knows.
        tpe: What the Parzen estimator knows.
        n: How many trials were started.
        asked_s: Seconds that suggestions have taken.
        ran_s: Seconds that trials have taken.
    """

    gp: Any
    tpe: Any
    n: int = 0
    asked_s: float = 0.0
    ran_s: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Auto(Sampler[_State]):
    """Chooses who proposes, by what the log says, and writes into the memo whom and why.

    That is `GP`, as a rule. From 20 trials on, where the ranks of the trials that it foresees, each
    from all others, correlate with those measured by less than 0.85, as with much noise or on
    plateaus, half of the suggestions are those of `TPE`. When suggestions have taken 10 s in all, and longer than the trials
    themselves, `TPE` goes on alone: it is five times as fast.

    The memo is that of the proposer, with "model" (gp or tpe) and "why".
    """

    hears: ClassVar[frozenset[Heard]] = GP.hears

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> _State:
        return _State(GP().init(problem, rng), TPE().init(problem, rng))

    def tell(self, state: _State, records: Sequence[Record[Any]]) -> _State:
        state.gp = GP().tell(state.gp, records)
        state.tpe = TPE().tell(state.tpe, records)
        for record in records:
            if record.event == "started":
                state.n += 1
                state.asked_s += record.ask_s
            elif record.event == "finished":
                state.ran_s += record.duration_s
        return state

    def ask(self, state: _State, rng: np.random.Generator, n: int) -> list[Suggestion]:
        accuracy: float = state.gp.accuracy
        if state.asked_s > PATIENCE_S and state.asked_s > state.ran_s:
            model, why = "tpe", "suggestions take longer than trials"
        elif state.n >= TELLING and accuracy < DOUBTFUL and rng.random() < SHARE:
            model, why = "tpe", f"the Gaussian process has an accuracy of {accuracy}"
        else:
            model, why = "gp", ""
        proposer: Sampler[Any] = GP() if model == "gp" else TPE()
        said = {"model": model, "why": why} if why else {"model": model}
        suggestions = proposer.ask(state.gp if model == "gp" else state.tpe, rng, n)
        return [Suggestion(one.params, said | one.memo) for one in suggestions]
