from typing import Any

import numpy as np
import pytest

import tunesmith as ts

X = {"x": ts.Float(0, 1)}


def race(folds: int, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(
        X, minimize="loss", value="mean", resource=ts.Resource("fold", max=folds),
        scheduler=ts.schedulers.Race(), seed=0, **options,
    )  # fmt: skip


def told(trial: ts.Trial[Any], losses: list[float], **more: float) -> int:
    """Report folds until the race ends it; return how many."""
    for fold, loss in enumerate(losses, 1):
        if trial.decide(fold, loss=loss, **more):
            return fold
    return len(losses)


def test_a_lag_beyond_what_folds_vary_by_is_found() -> None:
    """Where whole trials differ by 0.01 from fold to fold, 0.05 behind on the first one is hopeless."""
    hard = [0.9, 0.1, 0.5, 0.3, 0.7]
    study = race(5)
    best, second, third, behind, near = study.ask(5)
    told(best, hard)
    study.tell(best)
    for trial, luck in ((second, [1, -1, 1, -1, 1]), (third, [-1, 1, 2, 0, 1])):
        told(trial, [loss + 0.01 * n for loss, n in zip(hard, luck, strict=True)])
        study.tell(trial)

    assert told(behind, [loss + 0.05 for loss in hard]) == 1
    assert (
        told(near, [loss + luck for loss, luck in zip(hard, [0.01, -0.01, 0, 0, 0], strict=True)])
        == 5
    )


def test_a_fold_without_difference_is_no_trouble() -> None:
    """Who is level with the incumbent on the mean of the folds so far is not behind it."""
    rng = np.random.default_rng(0)
    hard = rng.random(12).round(1).tolist()
    study = race(12)
    best, other = study.ask(2)
    told(best, hard)
    study.tell(best)

    noisy = [loss + 0.1 * (n % 3 - 1) for n, loss in enumerate(hard)]
    assert told(other, noisy) == 12


def test_who_breaks_a_limit_is_no_incumbent() -> None:
    """A trial that may not win ends no other."""
    study = race(5, subject_to=["ms <= 20"])
    fast, slow = study.ask(2)
    told(slow, [0.0] * 5, ms=50.0)
    study.tell(slow)

    assert told(fast, [1.0] * 5, ms=10.0) == 5


def test_folds_that_are_not_averaged_are_refused() -> None:
    """The sentence says how to make the study."""
    with pytest.raises(ts.NotSupported, match='value="mean"'):
        ts.Study(
            X, minimize="loss", resource=ts.Resource("fold", max=5), scheduler=ts.schedulers.Race()
        )
