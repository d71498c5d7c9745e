"""Seeds where they are needed: what is hopeless costs one evaluation, what may be best gets more."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import stdtrit

from tunesmith._core import checks
from tunesmith._core.errors import NotSupported, SettingError
from tunesmith.numerics import additive
from tunesmith.numerics.arrays import Bools
from tunesmith.records import Problem, Replicates
from tunesmith.replication.replication import Replication

KNOWN = 3  # degrees of freedom from which on the noise is taken for known
FIRST = 3  # the best so many are evaluated again until it is


@final
@dataclass(frozen=True, slots=True)
class Racing(Replication):
    """Evaluates again what may still be the best, until that is decided or the seeds are spent.

    Configurations are compared with the incumbent, that one with the least mean and two standard errors, on
    the seeds that they have in common; how noisy an evaluation is follows from all that were
    repeated (value = configuration + seed + noise). Who could still be better than the incumbent with a
    chance above `doubt` is a contender; the contender that could be best, by the lower bound of its mean, is
    evaluated next, the incumbent among them. Until the noise is known the best three are repeated.

    Args:
        most: Evaluations of a configuration, at most.
        share: Evaluations beyond the first, at most, per configuration: with 0.5 a study of 100
            configurations has at most 50 of them.
        least: Evaluations before a configuration is given up.
        doubt: Chance of being better than the incumbent below which it is.

    Raises:
        SettingError: A setting is out of its range.

    Example:
        >>> Racing(share=1)
        Racing(most=10, share=1.0, least=1, doubt=0.1)

    References:
        M. Birattari et al. A racing algorithm for configuring metaheuristics. GECCO 2002: common instances,
        losers drop out.
        F. Hutter et al. Sequential model-based optimization for general algorithm configuration. LION 2011.
        Section 3: challengers are compared with the incumbent on common instances.
        Deviation: a t test with the pooled variance of the additive model, which can judge after a
        single evaluation, in place of a rank test for each pair.
    """

    most: int = 10
    share: float = 0.5
    least: int = 1
    doubt: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "most", checks.whole("Racing(most=...)", self.most, least=2))
        object.__setattr__(self, "least", checks.whole("Racing(least=...)", self.least, least=1))
        for name, top in (("share", np.inf), ("doubt", 0.5)):
            value = checks.number(f"Racing({name}=...)", getattr(self, name))
            if not 0 < value <= top:
                limits = "is above 0" if top == np.inf else f"is above 0 and at most {top:g}"
                raise SettingError(f"Racing({name}=...) {limits}, got {value!r}")
            object.__setattr__(self, name, value)

    def check(self, problem: Problem[Any]) -> None:
        if len(problem.objectives) > 1:
            names = ", ".join(objective.name for objective in problem.objectives)
            raise NotSupported(
                f"Racing needs one objective, this study has {names}; replicates=3 evaluates each "
                "configuration three times"
            )

    def due(self, table: Replicates, n: int) -> list[int]:
        done, started = table.done, table.started.copy()
        alive = (done > 0) & table.keeps
        left = int(self.share * alive.sum()) - int((started - 1).sum())
        chosen: list[int] = []
        if left <= 0 or not alive.any():
            return chosen
        if alive.sum() == 1:  # it has nobody to race with
            row = int(alive.argmax())
            return [row] * min(n, left, max(0, self.least - int(started[row])))
        model = additive.fit(np.where(alive[:, None], table.losses[:, :, 0], np.nan))
        leader = int(table.leaders()[0])
        known = model.freedom >= KNOWN
        with np.errstate(invalid="ignore"):  # rows that are not alive are NaN
            if known:
                contends = alive & self._may_win(model, done, leader)
            else:
                contends = alive & (model.rows <= np.sort(model.rows[alive])[:FIRST][-1])
        spread = (
            stdtrit(model.freedom, 1 - self.doubt) * np.sqrt(model.variance) if known else np.inf
        )
        while len(chosen) < min(n, left):
            rows = np.flatnonzero(contends & (started < self.most))
            if not len(rows):
                break
            promise = model.rows[rows] - spread / np.sqrt(started[rows]) if known else started[rows]
            row = int(rows[promise.argmin()])
            chosen.append(row)
            started[row] += 1
        return chosen

    def _may_win(self, model: additive.Additive, done: Any, leader: int) -> Bools:
        """Which configurations cannot be told from the incumbent yet, itself among them.

        With no noise at all there is nothing that more seeds could tell.
        """
        if not model.variance > 0:
            return np.zeros(len(done), dtype=np.bool_)
        margin = stdtrit(model.freedom, 1 - self.doubt)
        spread = np.sqrt(model.variance * (1 / np.maximum(done, 1) + 1 / done[leader]))
        near: Bools = model.rows - model.rows[leader] < margin * spread
        near |= done < self.least
        if near.sum() == 1 and done[leader] >= self.least:  # decided
            near[:] = False
        return near
