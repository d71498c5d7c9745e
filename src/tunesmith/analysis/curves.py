"""What a trial's metrics are to a diagnosis: the curve of an objective, and of the same in training."""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np

from tunesmith.knowledge.metrics import has_word, is_high, words_of
from tunesmith.numerics.arrays import Floats
from tunesmith.numerics.trends import roughness
from tunesmith.records import Objective, Problem, Record

Side: TypeAlias = Literal["training", "validation", ""]

TRAINING = {"train", "training", "insample"}
VALIDATION = {
    "val", "valid", "validation", "validate", "test", "testing", "eval", "evaluation", "dev", "oof",
    "holdout", "heldout",
}  # fmt: skip
TEST = {"test", "testing"}
"""Words in the names of metrics: Keras says val_loss and loss, scikit-learn train_score and test_score,
Lightning train/loss and val/loss, LightGBM training and valid_0."""

_LOSS = "loss|logloss|error|err|rmse|mse|mae|nll|deviance|perplexity|ppl"

LEAST = (
    12  # reports from which on a curve can be judged: six in its second half, see `symptoms.ALPHA`
)

HUGE = 1e100  # beyond it a loss is no worse, and sums stay finite


@final
@dataclass(frozen=True, slots=True)
class View:
    """An objective, and what says how the training itself goes.

    Attributes:
        metric: The metric that counts; if the objective is of the training, its validation's.
        sign: 1 if smaller is better, else -1.
        training: The metric of the training; empty: none is reported.
        training_sign: Likewise.
        alike: Whether both measure the same, on the same scale.
    """

    metric: str
    sign: float
    training: str
    training_sign: float
    alike: bool


@final
@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A metric of a trial by steps, as losses: smaller is better.

    Attributes:
        x: Steps (n,).
        y: Losses (n,); where it was not reported, it is left out.
    """

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.y)

    @property
    def finite(self) -> bool:
        """Whether all values are."""
        return bool(np.isfinite(self.y).all())

    @property
    def start(self) -> float:
        """The first loss."""
        return float(self.y[0])

    @property
    def end(self) -> float:
        """The median loss of the last quarter of reports, at least three."""
        return float(np.median(self.y[-max(3, len(self) // 4) :]))

    @property
    def low(self) -> float:
        """The least loss, of medians of three."""
        return float(self.medians.min())

    @property
    def medians(self) -> Floats:
        """The running medians of three (n,), the ends repeated."""
        padded = np.concatenate([self.y[:1], self.y, self.y[-1:]])
        three = np.stack([padded[:-2], padded[1:-1], padded[2:]])
        return np.asarray(np.median(three, axis=0), dtype=np.float64)

    @property
    def way(self) -> float:
        """How far it came down from its start to its low; 0 if it never did."""
        return max(0.0, self.start - self.low)

    @property
    def noise(self) -> float:
        """The standard deviation of its noise in the last two thirds."""
        return roughness(self.y[len(self) // 3 :])

    def since(self, share: float) -> "Curve":
        """Return the part from a share of the steps on."""
        if not len(self):
            return self
        kept = self.x > self.x[0] + share * (self.x[-1] - self.x[0])
        return Curve(self.x[kept], self.y[kept])


def side_of(name: str) -> tuple[Side, tuple[str, ...]]:
    """Return what a metric is measured on, and the words that say what it measures.

    Example:
        >>> side_of("val_loss"), side_of("trainAccuracy"), side_of("f1")
        (('validation', ('loss',)), ('training', ('accuracy',)), ('', ('f1',)))
    """
    words = words_of(name)
    base = tuple(word for word in words if word not in TRAINING | VALIDATION)
    if any(word in TRAINING for word in words):
        return "training", base
    return ("validation" if len(base) < len(words) else ""), base


def view_of(objective: Objective, names: list[str]) -> View:
    """Return what to look at for an objective, among the metrics that were measured.

    A bare name is of the validation beside one of the training ("loss" and "train_loss"), and of the
    training beside one of the validation ("loss" and "val_loss").
    """
    side, base = side_of(objective.name)
    others = [(name, *side_of(name)) for name in names if name != objective.name]

    def alike(wanted: Side) -> str:
        return next((name for name, s, b in others if s == wanted and b == base), "")

    metric, training = objective.name, ""
    if side == "training" or (side == "" and not alike("training")):
        valid = alike("validation") or (alike("") if side == "training" else "")
        if valid:
            metric, training = valid, objective.name
    else:
        training = alike("training") or (alike("") if side == "validation" else "")
    if training:
        return View(metric, objective.sign, training, objective.sign, alike=True)
    fits = [(n, s, b) for n, s, b in others if is_high(n) or has_word(n, _LOSS)]  # no times, say
    pairs = {b for _, s, b in others if s == "validation"}  # Keras: accuracy counts, loss is known
    training = next((name for name, s, _ in fits if s == "training"), "")
    training = training or next((name for name, s, b in fits if s == "" and b in pairs), "")
    sign = -1.0 if is_high(training) else 1.0
    return View(metric, objective.sign, training, sign, alike=False)


def views(problem: Problem[Any], records: list[Record[Any]]) -> list[View]:
    """Return what to look at for each objective."""
    names: dict[str, None] = {}
    for record in records:
        names |= dict.fromkeys(record.values)
        if record.curve is not None:
            names |= dict.fromkeys(record.curve.columns)
    return [view_of(objective, list(names)) for objective in problem.objectives]


def curve_of(record: Record[Any], metric: str, sign: float) -> Curve:
    """Return the curve of a metric; an empty one where the reports are folds, which have no order."""
    if record.curve is None or not metric or record.problem.value == "mean":
        return Curve(np.empty(0), np.empty(0))
    steps, values = record.reported(metric)
    reported = ~np.isnan(values)
    return Curve(steps[reported].astype(np.float64), sign * _rounded(values[reported]))


def _rounded(y: Floats) -> Floats:
    """Values (n,) within `HUGE`, to 12 digits of the largest: what differs by less is the same."""
    y = np.where(np.isfinite(y), np.clip(y, -HUGE, HUGE), y)
    scale = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
    return np.round(y / scale, 12) * scale if scale else y


def level_of(record: Record[Any], metric: str, sign: float) -> float:
    """Return where a metric ended, as a loss: a curve's end, else what counts for the trial."""
    curve = curve_of(record, metric, sign)
    if len(curve) >= LEAST:
        return curve.end
    return sign * record.values.get(metric, math.nan)
