"""`forecast`: what more trials will gain, and how long they will take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tunesmith._core import checks
from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith.models.gains import LEAST, gain
from tunesmith.models.noise import Noise, completed, measured_noise, outlook
from tunesmith.numerics.arrays import Floats
from tunesmith.records import History, Record

RECENT = 10  # trials, at least, whose times are looked at
Z = 1.645  # deviations on both sides that hold 90 %


@final
@dataclass(frozen=True, slots=True)
class Forecast:
    """What more trials will bring.

    Attributes:
        objective: What is gained.
        trials: How many more; fewer than were asked for if there are no more configurations.
        best: The best value so far.
        gain: By how much the best value will get better: as likely by more as by less.
        interval: Where that lies with a probability of 90 %.
        chance: The probability of a gain that is larger than the noise of an evaluation, or, if that is not
            known, of any.
        noise: That noise.
        seconds: How long they take, as those before did; NaN: none has ended.
        seconds_interval: Where that lies, likewise.
    """

    objective: str
    trials: int
    best: float
    gain: float
    interval: tuple[float, float]
    chance: float
    noise: Noise
    seconds: float
    seconds_interval: tuple[float, float]

    def __str__(self) -> str:
        if not self.trials:
            return f"every configuration has been tried: {self.objective} stays {self.best:.5g}"
        low, high = self.interval
        than = f"than the noise ({self.noise.sd:.2g}, by {self.noise.by})" if self.noise.by else ""
        text = (
            f"{self.trials:,} more trial{'s' * (self.trials > 1)}: {self.objective} {self.best:.5g} gets better by "
            f"{self.gain:.2g} (90 %: {low:.2g} to {high:.2g}), "
            + (f"by more {than}" if than else "at all")
            + f" with a chance of {self.chance:.0%}"
        )
        if math.isnan(self.seconds):
            return text
        soon, late = map(lasting, self.seconds_interval)
        return f"{text}; that takes {lasting(self.seconds)} ({soon} to {late})"


def forecast(history: History[Any], trials: int = 50) -> Forecast:
    """Say what more trials will gain over the best, and how long they will take.

    The gain is that of the best value as it is measured, luck included. It comes as it came in recorded
    runs of many optimisers that stood where this one stands (`tunesmith.models.gains`): their intervals of
    90 % held 81 to 96 % of what came (`bench/RESULTS.md`). Where nothing but noise is left they are too wide, and too
    narrow where it has heavy tails. Times are taken from the last half of the trials, as many running at
    once as did. Where configurations are evaluated repeatedly, their means count, and a trial is a configuration.

    Args:
        history: Of a study of one objective.
        trials: How many more; those that will be stopped early or fail, as others did, included.

    Raises:
        NoTrials: Fewer than 8 have completed.
        NotSupported: The study has several objectives.

    Example:
        >>> import tunesmith as ts
        >>> space = {"x": ts.Float(-1, 2)}
        >>> study = ts.minimize(lambda t: abs(t["x"]), space, trials=20, seed=1, progress=False)
        >>> told = forecast(study.history)
        >>> 0 <= told.interval[0] <= told.gain <= told.interval[1] < 1
        True
    """
    trials = checks.whole("forecast(trials)", trials, 1)
    records = measurable(history)
    ended = [record for record in history if record.finished]
    firsts = [record for record in ended if record.source != "replicate"]
    left = history.problem.space.cardinality
    if left is not None:
        begun = sum(record.source != "replicate" for record in history)
        trials = max(0, min(trials, left - begun))
    losses = outlook(history, records)
    told = gain(losses, trials * len(records) / len(firsts))
    noise = measured_noise(completed(history))
    [objective] = history.problem.objectives
    seconds, around = _seconds(ended, trials * len(ended) / len(firsts))
    return Forecast(
        objective=objective.name,
        trials=trials,
        best=objective.sign * float(losses.min()),
        gain=told.quantile(0.5),
        interval=told.interval(),
        chance=told.chance(noise.sd),
        noise=noise,
        seconds=seconds,
        seconds_interval=around,
    )


def measurable(history: History[Any]) -> list[Record[Any]]:
    """Return the configurations that completed and keep the limits, enough of them; see `averages`.

    Raises:
        NoTrials: They are too few.
        NotSupported: The study has several objectives.
    """
    names = [objective.name for objective in history.problem.objectives]
    if len(names) > 1:
        raise NotSupported(
            f"this needs one objective, the study has {', '.join(names)}; .front shows what they cost one another"
        )
    records = averages(history)
    if len(records) < LEAST:
        limits = " and ".join(limit.text for limit in history.problem.limits)
        keep = f" that keep {limits}" * bool(limits)
        n, things = len(records), "configurations" if len(history.replicates) else "trials"
        raise NoTrials(
            f"this needs {LEAST} completed {things}{keep}, there {'is' if n == 1 else 'are'} {n}; run some more first"
        )
    return records


def averages(history: History[Any]) -> list[Record[Any]]:
    """Return the trials that completed and keep the limits; of a configuration's evaluations the first, with the means."""
    if not len(history.replicates):
        return completed(history)
    return completed(history.averaged(r) for r in history if r.source != "replicate")


def _seconds(ended: Sequence[Record[Any]], trials: float) -> tuple[float, tuple[float, float]]:
    """How long so many trials take, and an interval of 90 %."""
    recent = ended[-max(RECENT, len(ended) // 2) :]
    spans = np.array([(r.started, r.ended) for r in recent if r.ended is not None])
    lasted = spans[:, 1] - spans[:, 0]
    if not lasted.sum() > 0:
        return math.nan, (math.nan, math.nan)
    at_once = float(lasted.sum()) / _covered(spans)
    n, mean = len(lasted), float(lasted.mean())
    # of a sum of further ones, whose mean is known no better than these tell
    deviation = float(lasted.std(ddof=1)) * math.sqrt(trials + trials**2 / n) if n > 1 else 0.0
    low, middle, high = (trials * mean + z * deviation for z in (-Z, 0.0, Z))
    return middle / at_once, (max(0.0, low) / at_once, high / at_once)


def _covered(spans: Floats) -> float:
    """How long any of the spans (n, 2) lasted: breaks between runs are none of theirs."""
    spans = spans[spans[:, 0].argsort(kind="stable")]
    until = np.maximum.accumulate(spans[:, 1])
    begun = np.maximum(spans[1:, 0], until[:-1])
    return float(until[0] - spans[0, 0] + np.maximum(0.0, spans[1:, 1] - begun).sum())


def lasting(seconds: float) -> str:
    """Return a length of time in words.

    Example:
        >>> lasting(0.25), lasting(90), lasting(9000)
        ('0.25 s', '1.5 min', '2.5 h')
    """
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= (2 * size if unit == "days" else size):
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"
