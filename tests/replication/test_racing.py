"""Where racing spends its seeds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunesmith as ts
from tunesmith.replication import Fixed, Racing, Replication

X = {"x": ts.Float(0, 1)}


def raced(replication: Replication, levels: list[float], noise: float, seed: int = 0) -> list[int]:
    """How often configurations of these true losses are evaluated, by number."""
    space = {"i": ts.Int(0, len(levels) - 1)}
    sampler = ts.samplers.Grid()
    study = ts.Study(space, minimize="loss", seed=seed, sampler=sampler, replicates=replication)
    luck = np.random.default_rng(seed)

    def objective(trial: ts.Trial[dict[str, Any]]) -> float:
        return float(levels[trial["i"]] + trial.seed / 2**32 + noise * luck.normal())

    study.run(objective, progress=False)
    return [len(study.history.evaluations(r)) for r in study.history if r.source != "replicate"]


def test_the_hopeless_cost_one_evaluation() -> None:
    """Contenders get the seeds; what is 20 s.d. worse than the best gets none beyond the first."""
    counts = raced(Racing(share=1.0), [0.0, 0.05, 0.1, *[20.0 + i for i in range(17)]], 0.1)

    assert counts[3:] == [1] * 17
    assert min(counts[:3]) > 1


def test_it_ends_when_it_is_decided() -> None:
    """With one configuration far ahead, no more seeds are spent than the noise takes to be known."""
    counts = raced(Racing(share=5.0), [0.0, *[50.0 + i for i in range(9)]], 0.1)

    assert sum(counts) - 10 <= 6


def test_without_noise_nothing_is_repeated_for_long() -> None:
    """An objective that is the same on every seed is found out."""
    counts = raced(Racing(share=5.0), [float(i) for i in range(10)], 0.0)

    assert sum(counts) - 10 <= 6


@settings(max_examples=20)
@given(share=st.floats(0.1, 3), most=st.integers(2, 6), seed=st.integers(0, 9))
def test_bounds(share: float, most: int, seed: int) -> None:
    """No configuration is evaluated more than `most` times, nor all together more than `share` allows."""
    counts = raced(Racing(share=share, most=most), [0.1 * i for i in range(8)], 0.3, seed)

    assert max(counts) <= most
    assert sum(counts) - 8 <= share * 8


def test_it_finds_the_better_of_two_as_it_says() -> None:
    """Two configurations half a s.d. apart, 40 seeds at most: the better one has the better mean.

    Its mean is worse with a chance of 1.3 % at 40 common seeds (0.5 / sqrt(2 / 40) = 2.2 s.d.), and a
    race that ends early errs with at most `doubt`; of 40 races more than 13 would be wrong with a chance
    below 1e-4 even at 10 %.
    """
    wrong = 0
    for seed in range(40):
        study = ts.Study(
            {"i": ts.Int(0, 1)}, minimize="loss", seed=seed, sampler=ts.samplers.Grid(),
            replicates=Racing(most=40, share=40.0, least=5),
        )  # fmt: skip
        luck = np.random.default_rng(seed)
        study.run(lambda t, luck=luck: t["i"] * 0.5 + float(luck.normal()), progress=False)
        wrong += study.best.params["i"]
    assert wrong <= 13


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"most": 1}, r"Racing\(most=...\) is a whole number from 2 on, got 1"),
        ({"share": 0}, r"Racing\(share=...\) is above 0, got 0"),
        ({"doubt": 0.7}, r"Racing\(doubt=...\) is above 0 and at most 0.5, got 0.7"),
    ],
)
def test_settings_are_checked(wrong: dict[str, Any], message: str) -> None:
    """One sentence that says what is allowed."""
    with pytest.raises(ts.SettingError, match=message):
        Racing(**wrong)


def test_a_fixed_number_is_one() -> None:
    """`replicates=3` is `Fixed(3)`."""
    assert raced(Fixed(3), [1.0, 2.0], 0.1) == [3, 3]
