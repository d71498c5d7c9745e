"""`overtuning`: whether what got better in validation got better on samples that no decision has seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core.errors import NoTrials, SettingError
from tunesmith.analysis.curves import TEST, side_of
from tunesmith.analysis.forecast import Forecast, averages, forecast, measurable
from tunesmith.knowledge.metrics import is_high, words_of
from tunesmith.models.gains import LEAST
from tunesmith.models.noise import Noise, completed, losses_of, measured_noise
from tunesmith.numerics.arrays import Floats, Ints
from tunesmith.records import History, Record

WORTH = 0.01  # share of the gain that is worth something, where the noise is not known


@final
@dataclass(frozen=True, slots=True, eq=False)
class Overtuning:
    """The incumbent, the best by validation so far, on validation and on test samples.

    Attributes:
        metric: The objective.
        test: The metric of the test samples; empty: none was measured.
        trials: Numbers of the trials that completed (n,).
        validation: The incumbent's value after each of them (n,).
        tested: Its value on the test samples (n,); NaN: it was not measured.
        relative: How much of what was gained on the test samples was lost again: 0: nothing; 1: all, and the
            first incumbent was as good; NaN: not known, or nothing was ever gained.
        paid: The number of the last trial that made the incumbent better by more than noise (where that is not known, by
            a hundredth of all that was gained), on the test samples, or, without them, in validation. What came later
            did not pay.
        noise: Of an evaluation.
        forecast: What more trials would gain in validation; None: too few have completed.

    References:
        L. Schneider, B. Bischl, M. Feurer. Overtuning in Hyperparameter Optimization. AutoML 2025.
        Section 3: overtuning, and relative overtuning.
    """

    metric: str
    test: str
    trials: Ints
    validation: Floats
    tested: Floats
    relative: float
    paid: int
    noise: Noise
    forecast: Forecast | None

    def __str__(self) -> str:
        first, last = self.validation[0], self.validation[-1]
        lines = [
            f"{self.metric} went from {first:.5g} to {last:.5g} in {_trials(len(self.trials))}"
        ]
        if self.test:
            lines[0] += f", {self.test} from {self.tested[0]:.5g} to {self.tested[-1]:.5g}"
            if math.isnan(self.relative):
                lines.append(f"{self.test} never got better than that of the first incumbent")
            elif self.relative >= 1:
                lines.append(f"all that {self.test} had gained was lost again: overtuning")
            elif self.relative > 0:
                lines.append(
                    f"{self.relative:.0%} of what {self.test} had gained was lost again: overtuning"
                )
            else:
                lines.append(f"no overtuning: no earlier incumbent was better by {self.test}")
        else:
            lines.append(
                "no test samples were measured, so nothing is known of overtuning; return test_"
                f"{'_'.join(side_of(self.metric)[1])} beside it"
            )
        which = self.test or self.metric
        noise = " by more than noise" * bool(self.noise.by)
        if self.paid == self.trials[0]:
            lines.append(f"no trial after trial {self.paid} made {which} better{noise}")
        else:
            rest = int((self.trials > self.paid).sum())
            noise = noise or f" by more than {WORTH:.0%} of all that was gained"
            after = f"; the {_trials(rest)} after it did not" if rest else ""
            lines.append(f"up to trial {self.paid} going on made {which} better{noise}{after}")
        lines.append(str(self.noise))
        return "\n".join([*lines, *([str(self.forecast)] if self.forecast else [])])


def overtuning(history: History[Any], test: str | None = None) -> Overtuning:
    """Say whether what got better in validation got better on test samples, too, and when it no longer did.

    The test metric is one that trials return or report beside the objective, of samples that were used for
    neither training nor the objective. No sampler, scheduler or `best` looks at it.

    Args:
        history: Of a study of one objective.
        test: The test metric; by default the one that measures the same as the objective and has "test" in
            its name, such as `test_accuracy` beside `accuracy` or `val_accuracy`.

    Raises:
        NoTrials: None has completed.
        NotSupported: The study has several objectives.
        SettingError: No trial has measured `test`.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study({"x": ts.Float(0, 1)}, maximize="accuracy", seed=0)
        >>> def fit(trial):
        ...     return {"accuracy": trial["x"], "test_accuracy": min(trial["x"], 0.8)}
        >>> overtuning(study.run(fit, trials=20, progress=False).history).relative
        0.0
    """
    records = averages(history) if len(history.problem.objectives) == 1 else measurable(history)
    if not records:
        history.contenders()  # says why there are none
        raise NoTrials("no trial has completed yet; run some first")
    [objective] = history.problem.objectives
    name = _test_metric(records, objective.name) if test is None else test
    if name and not any(name in record.values for record in records):
        there = ", ".join(dict.fromkeys(n for record in records for n in record.values))
        raise SettingError(f"no trial has measured {name!r}; they have {there}")
    losses = losses_of(records)
    seen = np.minimum.accumulate(losses)
    place = np.maximum.accumulate(
        np.where(losses < np.append(np.inf, seen[:-1]), np.arange(len(losses)), 0)
    )
    tested = np.array([record.values.get(name, math.nan) for record in records])[place]
    high = is_high(name) if side_of(name)[1] != side_of(objective.name)[1] else objective.sign < 0
    sign = -1.0 if high else 1.0
    noise = measured_noise(completed(history))
    told = sign * tested if name else seen
    known = told[np.isfinite(told)]
    gained, lost = (float(known[i] - known.min()) if len(known) else 0.0 for i in (0, -1))
    return Overtuning(
        metric=objective.name,
        test=name,
        trials=np.array([record.number for record in records]),
        validation=objective.sign * seen,
        tested=tested,
        relative=lost / gained if name and gained > 0 else math.nan,
        paid=records[_last_paid(told, noise.sd or WORTH * gained)].number,
        noise=noise,
        forecast=forecast(history) if len(records) >= LEAST else None,
    )


def _trials(n: int) -> str:
    return f"{n:,} trial{'s' * (n != 1)}"


def _test_metric(records: Sequence[Record[Any]], objective: str) -> str:
    """The metric that measures the objective on test samples; empty: there is none.

    One that never differs from the objective is the objective: scikit-learn calls validation a test.
    """
    of = side_of(objective)[1]
    if TEST & set(words_of(objective)):
        return ""
    for name in dict.fromkeys(name for record in records for name in record.values):
        if TEST & set(words_of(name)) and side_of(name)[1] == of:
            values = [r.values for r in records if name in r.values]
            if any(v[name] != v[objective] for v in values):
                return name
    return ""


def _last_paid(losses: Floats, noise: float) -> int:
    """The place of the last loss (n,) that is better, by more than the noise, than the last such one."""
    place, best = 0, math.inf
    for i, loss in enumerate(losses.tolist()):
        if best == math.inf and math.isfinite(loss):
            best = loss
        elif best - loss > noise:
            place, best = i, loss
    return place
