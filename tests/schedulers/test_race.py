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


def test_a_small_lag_on_most_folds_is_found_by_the_test_of_signed_ranks() -> None:
    """A hundredth behind on each of six folds is hopeless, though far less than the folds differ."""
    hard = [0.9, 0.1, 0.5, 0.3, 0.7, 0.2, 0.4, 0.6]
    study = race(8)
    best, behind, same = study.ask(3)
    told(best, hard)
    study.tell(best)

    assert told(behind, [loss + 0.01 * (1 + n) for n, loss in enumerate(hard)]) == 6
    assert told(same, hard) == 8


def test_a_fold_without_difference_is_no_trouble() -> None:
    """Ties among the pairs are as good as none, and say nothing."""
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
