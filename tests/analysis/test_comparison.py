import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import compare

SPACE = {"x": ts.Float(0, 1)}


def study_of(values: list[float], seed: int = 0, **more: Any) -> ts.Study[dict[str, Any]]:
    """Whose trials had these values, in this order."""
    study = ts.Study(
        SPACE, seed=seed, sampler=ts.samplers.Random(), **({"minimize": "loss"} | more)
    )
    for trial, value in zip(study.ask(len(values)), values, strict=True):
        study.tell(trial, value)
    return study


def studies(n: int, better: float, of: int = 10, **more: Any) -> list[ts.Study[dict[str, Any]]]:
    """Of luck that both methods share, and some of their own."""
    found = []
    for seed in range(n):
        common = np.random.default_rng(seed).normal()
        own = np.random.default_rng([seed, int(1000 * better)]).normal(0, 0.1, of)
        found.append(study_of((common + own - better).tolist(), seed, **more))
    return found


def test_the_better_one_is_told_by_pairs() -> None:
    """Though studies differ by much more than methods do; the difference lies in its interval."""
    found = compare({"old": studies(12, 0.0), "new": studies(12, 0.2)})
    [pair] = found.pairs

    assert (found.n, found.paired, found.budget) == (12, "seed", "trials")
    assert [method.name for method in found.methods] == ["new", "old"]
    assert pair.better == "new"
    assert found.p == pair.p < 0.01
    assert (pair.a, pair.b) == ("new", "old")
    assert pair.interval[0] <= -0.2 <= pair.interval[1] < 0
    assert "new is better than old, by 0." in str(found)
    assert "by 12 pairs of studies by seed" in str(found)


def test_what_is_maximised_is_better_above() -> None:
    """The sign is that of the objective."""
    up = [study_of([v + 1 for v in range(3)], s, minimize=None, maximize="score") for s in range(7)]
    down = [
        study_of([v * 1.0 for v in range(3)], s, minimize=None, maximize="score") for s in range(7)
    ]
    found = compare({"down": down, "up": up})

    assert found.pairs[0].better == "up"
    assert found.pairs[0].difference == 1.0
    assert found.methods[0].values.tolist() == [3.0] * 7


def test_no_difference_is_no_claim() -> None:
    """Of methods that are alike, one in twenty is called better at most: more than 4 of 20 have a chance of 0.3 %."""
    claims = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        groups = {
            name: [study_of(rng.normal(0, 1, 5).tolist(), s) for s in range(8)]
            for name in ("a", "b")
        }
        claims += compare(groups).pairs[0].better != ""

    assert claims <= 4


def test_few_pairs_tell_nothing() -> None:
    """However clear they look; and it says how many it takes."""
    text = str(compare({"a": studies(3, 0.0), "b": studies(3, 5.0)}))

    assert "b and a cannot be told apart by 3 pairs of studies by seed" in text
    assert "p = 0.25; it takes 6 pairs at least" in text
    assert "inf" not in text
    assert "nan" not in text


def test_more_than_two_are_ranked() -> None:
    """By mean ranks; each two of them with what Holm leaves of the evidence."""
    groups = {name: studies(12, better) for name, better in [("a", 0.0), ("b", 0.3), ("c", 0.31)]}
    found = compare(groups)
    better = {(pair.a, pair.b): pair.better for pair in found.pairs}

    assert found.p < 0.001
    assert {m.name: m.rank for m in found.methods}["a"] == 3.0
    assert sum(method.rank for method in found.methods) == 6.0
    assert [found.methods[i].name for i in (0, 1)] in (["b", "c"], ["c", "b"])
    assert sorted(better.values()) in (["", "b", "c"], ["b", "c", "c"])
    assert "mean ranks: " in str(found)
    assert "they are not all alike" in str(found)


def test_incumbents_are_followed_on_the_budget_of_the_shortest() -> None:
    """Medians of the best so far, up to three trials."""
    found = compare({"a": study_of([5.0, 3.0, 4.0, 1.0]), "b": study_of([6.0, 7.0, 2.0], seed=1)})
    middles = {method.name: method.middle.tolist() for method in found.methods}

    assert found.grid.tolist() == [1, 2, 3]
    assert middles == {"a": [5.0, 3.0, 3.0], "b": [6.0, 6.0, 2.0]}
    assert {method.name: method.values.tolist() for method in found.methods} == {
        "a": [3.0],
        "b": [2.0],
    }
    assert str(found).startswith("loss after 3 trials: b 2, a 3")


def training(epochs: Callable[[int], int]) -> Callable[[ts.Trial[dict[str, Any]]], None]:
    """A training of trial n for so many epochs."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        for epoch in trial.steps():
            if epoch > epochs(trial.number):
                raise ts.Infeasible("enough")
            trial.report(epoch, loss=trial["x"])

    return train


def test_with_a_resource_steps_are_compared() -> None:
    """Trials that ended early cost less; another budget may be asked for."""
    groups = {}
    for name, epochs in [("whole", lambda _: 4), ("early", lambda n: 4 if n == 0 else 1)]:
        study = ts.Study(
            SPACE, minimize="loss", seed=1, resource=ts.Resource("epoch", max=4), scheduler=None,
            sampler=ts.samplers.Random(),
        )  # fmt: skip
        groups[name] = study.run(
            training(epochs), trials=4 if name == "whole" else 1, progress=False
        )

    assert compare(groups).budget == "steps"
    assert compare(groups).grid[-1] == 4
    assert compare(groups, budget="trials").grid[-1] == 1
    assert compare(groups["whole"], groups["whole"], budget="seconds").budget == "seconds"


def test_studies_of_other_seeds_are_paired_in_order() -> None:
    """Histories have no seed."""
    a, b = [study_of([1.0], s) for s in (1, 2)], [study_of([2.0], s) for s in (3, 4)]

    assert compare({"a": a, "b": b}).paired == "order"
    assert compare({"a": [s.history for s in a], "b": [s.history for s in b]}).paired == "order"
    assert (
        compare({"a": a, "b": list(reversed([study_of([2.0], s) for s in (1, 2)]))}).paired
        == "seed"
    )


def test_one_study_each_proves_nothing() -> None:
    """Of methods; without anything in common nothing of configurations either."""
    found = compare(study_of([1.0, 2.0]), study_of([3.0], seed=1))
    text = str(found)

    assert {method.name for method in found.methods} == {"a", "b"}
    assert "one study of each proves nothing about the methods" in text
    assert "cannot be told either: they share no seeds and no folds" in text
    assert found.duel is not None
    assert found.duel.by == ""
    assert math.isnan(found.duel.difference)


def replicated(offset: float, seed: int = 3) -> ts.Study[dict[str, Any]]:
    """On ten seeds that matter more than the configuration."""

    def fit(trial: ts.Trial[dict[str, Any]]) -> float:
        luck = np.random.default_rng(trial.seed).normal()
        own = np.random.default_rng([trial.seed, int(100 * offset)]).normal(0, 0.01)
        return float(offset + luck + own)

    study = ts.Study(
        {"x": ts.Float(offset, offset + 0.001)}, minimize="loss", seed=seed, replicates=10
    )
    return study.run(fit, trials=2, progress=False)


def test_common_seeds_tell_which_configuration_is_better() -> None:
    """Seed by seed, though they differ by much less than seeds do."""
    found = compare({"low": replicated(0.0), "high": replicated(0.1)}).duel
    other = compare({"low": replicated(0.0), "high": replicated(0.1, seed=4)}).duel

    assert found is not None
    assert other is not None
    assert (found.by, found.n, found.better) == ("seeds", 10, "a")
    assert found.difference == pytest.approx(-0.1, abs=0.02)
    assert found.interval[1] < 0
    assert other.by == ""


def test_common_folds_do_likewise() -> None:
    """Fold by fold."""

    def fit(offset: float) -> Callable[[ts.Trial[dict[str, Any]]], None]:
        def train(trial: ts.Trial[dict[str, Any]]) -> None:
            for fold, luck in enumerate([0.1, 0.9, 0.4, 0.7, 0.2], 1):
                trial.report(fold, loss=luck + offset + 0.001 * fold * (1 + offset))

        return train

    groups = {
        name: ts.Study(SPACE, minimize="loss", value="mean", seed=seed).run(fit(offset), trials=2, progress=False)
        for seed, (name, offset) in enumerate([("a", 0.0), ("b", 0.05)])
    }  # fmt: skip
    found = compare(groups)

    assert found.duel is not None
    assert (found.duel.by, found.duel.n, found.duel.better) == ("folds", 5, "a")
    assert "trial 0 of a is better than trial 0 of b by 0.05 on 5 common folds" in str(found)


def test_of_several_objectives_one_is_compared() -> None:
    """By name."""
    pair = []
    for seed in (1, 2):
        study = ts.Study(SPACE, minimize="a", maximize="b", seed=seed)
        for trial in study.ask(2):
            study.tell(trial, a=1.0 + seed, b=2.0)
        pair.append(study)

    assert compare(*pair, objective="b").direction == "maximize"
    with pytest.raises(ts.SettingError, match="a, b"):
        compare(*pair)


def test_what_cannot_be_compared_is_refused() -> None:
    """By one sentence each."""
    one, other = study_of([1.0]), study_of([1.0], minimize=None, maximize="loss")

    with pytest.raises(ts.SettingError, match="compare takes two studies, or"):
        compare(one)
    with pytest.raises(ts.SettingError, match="two methods at least, got a"):
        compare({"a": one})
    with pytest.raises(ts.SettingError, match="two methods at least"):
        compare({"a": one, "b": []})
    with pytest.raises(ts.SettingError, match="not both"):
        compare({"a": one, "b": one}, one)
    with pytest.raises(ts.SettingError, match="minimize loss and maximize loss"):
        compare(one, other)
    with pytest.raises(ts.SettingError, match="as many of each, got 1 of a, 2 of b"):
        compare({"a": one, "b": [one, one]})
    with pytest.raises(ts.SettingError, match='"trials", "steps" or "seconds"'):
        compare(one, one, budget="epochs")  # type: ignore[arg-type]
    with pytest.raises(ts.NotSupported, match="has no steps"):
        compare(one, one, budget="steps")
    with pytest.raises(ts.NoTrials, match="has not completed a trial yet"):
        compare(one, ts.Study(SPACE, minimize="loss", seed=1))


def test_a_study_that_is_too_short_is_named() -> None:
    """One that had completed nothing when the other one ended."""
    slow = ts.Study(SPACE, minimize="loss", seed=1)
    for trial in slow.ask(3):
        if trial.number < 2:
            slow.fail(trial, ts.Infeasible("no"))
        else:
            slow.tell(trial, 1.0)

    with pytest.raises(
        ts.NoTrials, match="a study of slow has not completed a trial within 1 trials"
    ):
        compare({"quick": study_of([1.0]), "slow": slow})


def test_trials_are_counted_where_some_reported_no_step() -> None:
    """Steps are what is compared by itself only if all did some."""
    resource = ts.Resource("epoch", max=3)
    silent = study_of([3.0, 2.0], resource=resource)
    stepped = ts.Study(SPACE, seed=0, minimize="loss", resource=resource, scheduler=None)
    for trial in stepped.ask(2):
        for epoch in trial.steps():
            trial.report(epoch, loss=1.0)
        stepped.tell(trial, 1.0)

    assert compare(silent, stepped).budget == "trials"
    assert compare(stepped, stepped).budget == "steps"
