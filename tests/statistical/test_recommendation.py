import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Recommendation, recommend
from tunesmith.records import History, Objective, Problem, Record
from tunesmith.space import Space

pytestmark = pytest.mark.slow

NOISE = 0.3


def bowl(x: float) -> float:
    """Least at 0.2."""
    return (x - 0.2) ** 2


def history_of(n: int, seed: int) -> History[dict[str, float]]:
    """A study of one parameter, whose values are evenly spread."""
    rng = np.random.default_rng(seed)
    history: History[dict[str, float]] = History(
        Problem(Space({"x": ts.Float(-1, 1)}), (Objective("loss", "minimize"),))
    )
    for number, x in enumerate(rng.permutation(np.linspace(-1, 1, n)).tolist()):
        history.put(
            Record(
                problem=history.problem,
                number=number,
                uid=f"0.{number}",
                logged={"x": x},
                started=0.0,
                seed=number,
                basis=0,
                state="complete",
                ended=1.0,
                values={"loss": bowl(x) + NOISE * float(rng.standard_normal())},
            )
        )
    return history


@pytest.fixture(scope="module")
def studies() -> list[tuple[History[dict[str, float]], Recommendation[dict[str, float]]]]:
    """Sixty histories of 60 trials, and what is recommended."""
    return [(history := history_of(60, seed), recommend(history)) for seed in range(60)]


Studies = list[tuple[History[dict[str, float]], Recommendation[dict[str, float]]]]


def test_regret_is_less_than_that_of_the_observed_best(studies: Studies) -> None:
    """Mean regret is under half of that of the observed best; the ratio is a quarter about."""
    ours = np.mean([bowl(found.params["x"]) for _, found in studies])

    assert ours < 0.5 * np.mean([bowl(history.best.params["x"]) for history, _ in studies])


def test_intervals_cover(studies: Studies) -> None:
    """Those of 90 % cover 47 to 60 of 60 truths; fewer than 47 have a probability of 0.2 %, if they cover 90 %."""
    truths = [bowl(found.params["x"]) for _, found in studies]
    covered = [
        found.interval[0] <= truth <= found.interval[1]
        for (_, found), truth in zip(studies, truths, strict=True)
    ]

    assert sum(covered) >= 47


def test_estimates_are_not_biased(studies: Studies) -> None:
    """The mean is off by less than a third of the noise, that of the observed best by two noises; noise is found."""
    off = np.mean([found.mean - bowl(found.params["x"]) for _, found in studies])
    luck = np.mean([history.best.value - bowl(history.best.params["x"]) for history, _ in studies])

    assert abs(off) < NOISE / 3
    assert luck < -1.5 * NOISE
    assert np.median([found.noise for _, found in studies]) == pytest.approx(NOISE, rel=0.25)
