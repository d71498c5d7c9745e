from typing import Any

import pytest

import tunesmith as ts
from tunesmith.schedulers import Hyperband, SuccessiveHalving
from tunesmith.testing.schedulers import PROBLEMS, Conditions, Play


def starts_by_bracket(factor: float, steps: int) -> list[int]:
    """How many trials wait at the lowest rung of each bracket, one bracket after the other."""
    problem = PROBLEMS["epochs"]
    scheduler = Hyperband(factor)
    return [scheduler.bracket(problem, number).size for number in range(steps)]


def test_hyperband_has_the_brackets_of_its_paper() -> None:
    """For 27 steps and factor 3: n = 27, 12, 6, 4 (Li et al. 2018, Algorithm 1), and so on again."""
    assert starts_by_bracket(3, 5) == [27, 12, 6, 4, 27]


def test_who_fails_in_the_lowest_rung_is_replaced() -> None:
    """Failed trials do not count against the budget, so they do not take a cohort's places either."""
    conditions = Conditions(workers=1, trials=9, failures=0.04)
    play = Play(SuccessiveHalving(candidates=9), PROBLEMS["epochs"], conditions, seed=1).study()
    failed = [r for r in play.history if r.state == "failed" and not r.reports]

    assert failed
    assert sorted((r.step for r in play.history if r.state != "failed"), reverse=True) == [
        27, 3, 3, *[1] * 6,
    ]  # fmt: skip


def test_a_cohort_that_jumps_over_its_rung_is_compared_all_the_same() -> None:
    """Each at the first step that it reports there."""
    play = Play(
        SuccessiveHalving(candidates=9), PROBLEMS["epochs"], Conditions(trials=9, stride=5)
    ).study()

    assert [r.state for r in play.history].count("complete") == 1
    assert all(r.state in ("paused", "complete") for r in play.history)


@pytest.mark.parametrize("candidates", [0, 2.5, "9"])
def test_a_number_of_candidates_that_is_none_is_refused(candidates: Any) -> None:
    """The sentence says what it is."""
    with pytest.raises(ts.SettingError, match=r"candidates=\.\.\.\) is a whole number from 1 on"):
        ts.Study(
            {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", max=9),
            scheduler=SuccessiveHalving(candidates=candidates),
        )  # fmt: skip
