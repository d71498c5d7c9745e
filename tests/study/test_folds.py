from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, ShuffleSplit, StratifiedKFold

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


def validation_of(cv: Any, **options: Any) -> list[list[int]]:
    """The validation places of each of three trials."""
    seen: list[list[int]] = []

    def objective(trial: Trial) -> None:
        for fold, (train, valid) in enumerate(trial.folds(cv, X, Y, **options), 1):
            assert not set(train) & set(valid)
            seen.append(list(valid))
            trial.report(fold, loss=0.0)

    run(objective, trials=3)
    return seen


@pytest.mark.parametrize("cv", [0.25, ShuffleSplit(1, test_size=0.25)])
def test_a_holdout_is_of_each_trials_own(cv: Any) -> None:
    """A single split comes of the trial's seed: others in each trial, the same in each study of the seed."""
    first, second, third = validation_of(cv)

    assert len({tuple(first), tuple(second), tuple(third)}) == 3
    assert validation_of(cv) == [first, second, third]


def test_a_share_keeps_classes_and_groups() -> None:
    """A holdout is stratified by classes; with groups, none is torn."""
    groups = np.repeat(np.arange(len(X) // 2), 2)

    assert all(set(Y[valid]) == set(Y) for valid in validation_of(0.5))
    for valid in validation_of(0.5, groups=groups):
        rest = np.setdiff1d(np.arange(len(X)), valid)
        assert not set(groups[valid]) & set(groups[rest])


def test_who_fixes_a_split_has_it_fixed() -> None:
    """A splitter with a seed, or places, are the same in every trial."""
    for cv in (ShuffleSplit(1, random_state=1), [([0, 1], [2, 3])]):
        first, second, third = validation_of(cv)
        assert first == second == third
