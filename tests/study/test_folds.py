from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, StratifiedKFold

import tunesmith as ts

Trial = ts.Trial[dict[str, Any]]
X = np.arange(12.0)
Y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1])


def run(objective: Callable[[Trial], Any], trials: int = 1) -> ts.Study[dict[str, Any]]:
    """A study of folds."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", value="mean", seed=0)
    return study.run(objective, trials=trials, progress=False)


@pytest.mark.parametrize(
    "cv, groups, meant",
    [
        (4, None, StratifiedKFold(4)),
        (GroupKFold(3), X // 3, GroupKFold(3)),
        ([([0, 1], [2]), ([2], [0, 1])], None, None),
    ],
)
def test_folds_are_steps(cv: Any, groups: Any, meant: Any) -> None:
    """Each fold is a step; the trial's value is their mean, with its standard error."""
    seen = []

    def objective(trial: Trial) -> None:
        for fold, (train, valid) in enumerate(trial.folds(cv, X, Y, groups=groups), 1):
            seen.append((list(train), list(valid)))
            trial.report(fold, loss=fold**2)

    [record] = run(objective).history
    expected = cv if meant is None else meant.split(X, Y, groups)
    losses = np.arange(1, len(seen) + 1) ** 2

    assert seen == [(list(train), list(valid)) for train, valid in expected]
    assert record.value == pytest.approx(losses.mean())
    assert record.values["loss_se"] == pytest.approx(losses.std(ddof=1) / len(losses) ** 0.5)


def test_every_trial_has_the_same_folds() -> None:
    """A number of folds means the same ones in every trial, so that trials compare fold by fold."""
    seen: list[list[int]] = []

    def objective(trial: Trial) -> None:
        for fold, (_, valid) in enumerate(trial.folds(2, X, Y), 1):
            seen.append(list(valid))
            trial.report(fold, loss=0.0)

    run(objective, trials=2)

    assert seen[:2] == seen[2:]


def test_a_fold_that_is_not_reported_is_refused() -> None:
    """Each fold is reported in the loop, or the next one says which was left out."""

    def objective(trial: Trial) -> None:
        for _ in trial.folds(3, X, Y):
            pass

    with pytest.raises(ts.ResultError, match="fold 1 was not reported"):
        run(objective)


@pytest.mark.parametrize(
    "cv, sentence", [("five", "takes a number of folds"), ([], "at least one fold")]
)
def test_what_gives_no_folds_is_refused(cv: Any, sentence: str) -> None:
    """What is no way to split is refused by a sentence."""
    with pytest.raises(ts.SettingError, match=sentence):
        run(lambda trial: [0.0 for _ in trial.folds(cv, X, Y)])
