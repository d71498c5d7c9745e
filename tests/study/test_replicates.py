"""Configurations that are evaluated on several seeds."""

import random
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.replication import Fixed, Racing, Replication

X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


def noisy(trial: T) -> float:
    """A parabola, moved up or down by the seed, with noise of seed and place."""
    luck = np.random.default_rng([trial.seed, zlib.crc32(repr(trial["x"]).encode())])
    return float((trial["x"] - 0.3) ** 2 + trial.seed / 2**32 + 0.1 * luck.normal())


def study_of(replicates: Replication | int = 3, **options: Any) -> ts.Study[dict[str, Any]]:
    options = {"seed": 5, "sampler": ts.samplers.Random(), **options}
    return ts.Study(X, minimize="loss", replicates=replicates, **options)


def firsts(study: ts.Study[dict[str, Any]]) -> list[ts.Record[dict[str, Any]]]:
    return [r for r in study.history if r.source != "replicate"]


def test_evaluations_share_their_seeds() -> None:
    """Evaluation r of every configuration has the same seed; each is a trial of its own."""
    study = study_of().run(noisy, trials=6, progress=False)

    groups = [study.history.evaluations(first) for first in firsts(study)]
    assert len(study.history) == 18
    assert {len(group) for group in groups} == {3}
    assert {tuple(r.seed for r in group) for group in groups} == {tuple(r.seed for r in groups[0])}
    assert len({r.seed for r in groups[0]}) == 3
    assert all(r.logged == group[0].logged for group in groups for r in group)


def test_a_trial_knows_which_evaluation_it_is() -> None:
    """So that it can choose a data set or an environment."""
    seen: list[tuple[float, int]] = []

    def objective(trial: T) -> float:
        seen.append((trial["x"], trial.replicate))
        return float(trial["x"])

    study_of(2).run(objective, trials=3, progress=False)

    assert sorted(place for _, place in seen) == [0, 0, 0, 1, 1, 1]
    assert len({x for x, _ in seen}) == 3


def test_the_best_has_the_best_mean() -> None:
    """One lucky evaluation does not win; values are means, with their standard error."""
    study = study_of().run(noisy, trials=8, progress=False)

    means = {
        first.number: np.mean([r.value for r in study.history.evaluations(first)])
        for first in firsts(study)
    }
    best = study.best
    values = [r.value for r in study.history.evaluations(best)]
    assert best.number == min(means, key=means.__getitem__)
    assert best.value == pytest.approx(means[best.number])
    assert best.values["loss_se"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(3))


def test_who_was_early_does_not_lead_for_ever() -> None:
    """The last of ever better configurations is the best, although earlier ones have more evaluations."""
    study = ts.Study(
        {"i": ts.Int(0, 11)}, minimize="loss", seed=1, sampler=ts.samplers.Grid(),
        replicates=Racing(share=0.4),
    )  # fmt: skip
    luck = np.random.default_rng(0)
    study.run(lambda t: float(-t["i"] + 0.1 * luck.normal()), progress=False)

    counts = {r.params["i"]: len(study.history.evaluations(r)) for r in firsts(study)}
    assert counts[11] < max(counts.values())
    assert study.best.params["i"] == 11


def test_a_failure_on_one_seed_counts() -> None:
    """A configuration that diverges on some seed is not the best, and is not evaluated again."""

    def objective(trial: T) -> float:
        return float("nan" if trial["x"] < 0.5 and trial.replicate == 1 else trial["x"])

    study = study_of(3).run(objective, trials=8, max_failures=9, progress=False)

    assert study.best.params["x"] >= 0.5
    assert {len(study.history.evaluations(r)) for r in firsts(study) if r.params["x"] < 0.5} == {2}


def test_repetitions_take_none_of_the_budget() -> None:
    """`trials` counts configurations; going on adds configurations."""
    study = study_of(2).run(noisy, trials=4, progress=False)
    study.run(noisy, more=2, progress=False)

    assert study.history.taken == 6
    assert len(study.history) == 12


@pytest.mark.parametrize("replicates", [3, Racing(share=1.0)])
def test_the_log_is_verified(replicates: Replication | int) -> None:
    """What was evaluated again, and with which seed, follows from the log."""
    study = study_of(replicates, sampler=None).run(noisy, trials=15, progress=False)
    for trial in [*study.ask(5), *study.ask(3)]:
        study.tell(trial, noisy(trial))

    verification = study.verify()
    assert verification, str(verification)
    assert verification.checked == len(study.history)


@pytest.mark.parametrize("replicates", [2, Racing(share=1.0)])
def test_a_deterministic_study_repeats_itself(replicates: Replication | int) -> None:
    """Whoever is quick: the same configurations are evaluated again, at the same numbers."""

    def told(luck: random.Random) -> list[Any]:
        study = study_of(replicates, deterministic=3, sampler=None)
        running: list[T] = []
        while len(study.history) < 24 or running:
            if len(study.history) < 24 and luck.random() < 0.6:
                try:
                    running.append(study.ask())
                except ts.StudyError:
                    continue
            elif running:
                trial = running.pop(luck.randrange(len(running)))
                study.tell(trial, noisy(trial))
        assert study.verify()
        return [(r.number, r.logged, r.seed, r.value, r.source) for r in study.history]

    assert told(random.Random(1)) == told(random.Random(2))


def test_several_workers_begin_nothing_twice(tmp_path: Path) -> None:
    """Two that ask at the same moment do not evaluate a configuration on the same seed."""
    storage = tmp_path / "t.db"
    study = study_of(3, name="s", storage=storage)
    other = ts.load(storage, "s")
    mine = [study.ask() for _ in range(2)]
    for trial in mine:
        study.tell(trial, noisy(trial))
    pairs = [study.history[t.number].replicate for t in [*study.ask(2), *other.ask(2)]]

    assert len(set(pairs)) == 4
    assert study.verify()


def test_what_was_stopped_is_not_evaluated_again() -> None:
    """Of a study with a scheduler, those that came to the end are; and they go on to the end, too."""
    study = ts.Study(
        X, minimize="loss", resource=ts.Resource("epoch", max=9), seed=1, replicates=2,
        sampler=ts.samplers.Random(),
    )  # fmt: skip

    def train(trial: T) -> None:
        for epoch in trial.steps():
            trial.report(epoch, loss=noisy(trial))

    study.run(train, trials=20, progress=False)

    counts = {r.state: len(study.history.evaluations(r)) for r in firsts(study)}
    assert counts == {"complete": 2, "stopped": 1}
    assert all(r.step == 9 for r in study.history if r.source == "replicate")
    assert study.verify()


def test_several_objectives() -> None:
    """The front is that of the means."""
    study = ts.Study(X, minimize=["a", "b"], seed=1, replicates=2)

    def objective(trial: T) -> dict[str, float]:
        return {"a": trial["x"] + trial.replicate, "b": 1 - trial["x"]}

    study.run(objective, trials=6, progress=False)

    assert len(study.front) == 6
    assert all(r.values["a"] == pytest.approx(r.params["x"] + 0.5) for r in study.front)


def test_going_on_with_a_kept_study(tmp_path: Path) -> None:
    """Another process evaluates what is missing."""
    storage = tmp_path / "t.db"
    study = study_of(3, name="s", storage=storage)
    for trial in study.ask(4):
        study.tell(trial, noisy(trial))
    again = ts.load(storage, "s").run(noisy, trials=4, progress=False)

    assert len(again.history) == 12
    assert again.verify()


def test_going_on_otherwise(tmp_path: Path) -> None:
    """A study goes on with another number of evaluations, as with another sampler; it is logged."""
    storage = tmp_path / "t.db"
    study_of(2, name="s", storage=storage).run(noisy, trials=4, progress=False)
    study = study_of(4, name="s", storage=storage).run(noisy, trials=4, progress=False)

    assert len(study.history) == 16
    assert study.verify().checked == 16
    assert len(ts.load(storage, "s").run(noisy, trials=5, progress=False).history) == 20


def test_a_study_of_single_evaluations_stays_one(tmp_path: Path) -> None:
    """Its trials have seeds of their own, which no other configuration shares."""
    storage = tmp_path / "t.db"
    ts.Study(X, minimize="loss", seed=5, name="s", storage=storage)

    with pytest.raises(ts.StudyError, match=r"replicates: Fixed\(n=3\) here, none there"):
        study_of(3, name="s", storage=storage, sampler=None)


@dataclass(frozen=True)
class Unknown(Replication):
    """Registered nowhere."""

    def check(self, problem: ts.Problem[Any]) -> None:
        """Take everything."""

    def due(self, table: Any, n: int) -> list[int]:
        return []


@pytest.mark.parametrize(
    "replicates, error, message",
    [
        (0, ts.SettingError, "replicates= is a whole number from 2 on, got 0"),
        (
            "3",
            ts.SettingError,
            "replicates= is how often each configuration is evaluated, or one such",
        ),
        (Unknown(), ts.SettingError, "is not registered, so that no other process could open"),
    ],
)
def test_refusals(replicates: Any, error: type[Exception], message: str) -> None:
    """What is no replication is refused with what is allowed."""
    with pytest.raises(error, match=message):
        study_of(replicates)


def test_refusals_by_the_problem(tmp_path: Path) -> None:
    """Racing compares one objective; population-based training has no trial that could be repeated."""
    with pytest.raises(ts.NotSupported, match="Racing needs one objective, this study has a, b"):
        ts.Study(X, minimize=["a", "b"], replicates=Racing())
    study = ts.Study(X, minimize=["a", "b"], replicates=2, name="two", storage=tmp_path / "s.db")
    with pytest.raises(ts.NotSupported, match="Racing needs one objective"):
        ts.Study(X, minimize=["a", "b"], replicates=Racing(), name="two", storage=tmp_path / "s.db")
    assert study.settings["replicates"] == "fixed(n=2)"
    with pytest.raises(ts.NotSupported, match="PBT changes params in the course of a training"):
        ts.Study(
            X, minimize="a", replicates=2, resource=ts.Resource("epoch", max=20),
            scheduler=ts.schedulers.PBT(),
        )  # fmt: skip
    assert repr(Fixed(2)) == "Fixed(n=2)"


@pytest.mark.parametrize("replicates", [Fixed(3), Racing(share=2)])
def test_what_breaks_a_limit_neither_leads_nor_races(replicates: Replication) -> None:
    """The best is one that keeps the limits, whoever was evaluated most often; seeds go to such ones."""

    def objective(trial: T) -> dict[str, float]:
        luck = np.random.default_rng([trial.seed, trial.number])
        return {"loss": 0.3 * luck.normal() - trial["x"], "ms": 10 * trial["x"]}

    study = study_of(replicates, subject_to="ms <= 4").run(objective, trials=20, progress=False)

    assert study.best.values["ms"] <= 4
    assert study.recommend().params["x"] <= 0.4
    assert study.verify()
    if isinstance(replicates, Racing):
        assert all(r.params["x"] <= 0.4 for r in study.history if r.source == "replicate")


def test_nothing_keeps_the_limits() -> None:
    """Then that is said, and not that nothing has completed."""
    study = study_of(3, subject_to="loss <= -9").run(noisy, trials=3, progress=False)

    with pytest.raises(ts.NoTrials, match="none of 9 completed trials keeps loss <= -9"):
        _ = study.best
