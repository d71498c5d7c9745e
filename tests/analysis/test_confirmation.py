"""What a confirmation says of finalists."""

import zlib
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import tunesmith as ts

T = ts.Trial[dict[str, Any]]
X = {"x": ts.Float(0, 1, default=0.9)}


def noisy(trial: T) -> float:
    """A parabola; the seed moves it, and seed and place make noise."""
    luck = np.random.default_rng([trial.seed, zlib.crc32(repr(trial["x"]).encode())])
    return float((trial["x"] - 0.3) ** 2 + trial.seed / 2**32 + 0.1 * luck.normal())


def searched(trials: int = 40, seed: int = 3, **options: Any) -> ts.Study[dict[str, Any]]:
    study = ts.Study(X, minimize="loss", seed=seed, sampler=ts.samplers.Random(), **options)
    return study.run(noisy, trials=trials, progress=False)


def test_a_fifth_of_the_search() -> None:
    """That is spent by default, on the best and the default, on seeds that the search has not used."""
    used: list[int] = []

    def objective(trial: T) -> float:
        used.append(trial.seed)
        return noisy(trial)

    study = searched(100)
    outcome = study.confirm(objective, progress=False)

    assert outcome.evaluations == len(used) == 20
    assert not set(used) & {r.seed for r in study.history}
    assert len(outcome.finalists) == 6
    assert outcome.default in outcome.finalists
    assert len(study.history) == 100
    finalists = {one.record.number for one in outcome.finalists}
    assert finalists >= {study.best.number, study.recommend().record.number, 0}


def test_a_default_that_is_beaten() -> None:
    """The gain over it, 0.36, is told with an interval; its standard error is below 0.08."""
    outcome = searched(100).confirm(noisy, progress=False)

    assert outcome.beats_default
    assert outcome.chance > 0.97
    assert outcome.gain_interval[0] < outcome.gain < outcome.gain_interval[1]
    assert outcome.gain == pytest.approx(0.36, abs=0.25)
    assert "better than the default by" in str(outcome)


def test_a_default_that_is_not_beaten() -> None:
    """Where all configurations are equal, it says that nothing is better beyond doubt."""

    def luck(trial: T) -> float:
        return float(np.random.default_rng(trial.seed + int(1e9 * trial["x"])).normal())

    study = ts.Study(X, maximize="score", seed=0, sampler=ts.samplers.Random())
    outcome = study.run(luck, trials=60, progress=False).confirm(luck, progress=False)

    assert not outcome.beats_default
    assert "beyond doubt" in str(outcome)
    assert sum(one.level for one in outcome.finalists) >= 2


def test_an_objective_that_ignores_its_seed() -> None:
    """Then repeating says nothing of luck, and the outcome says so."""

    def exact(trial: T) -> float:
        return float((trial["x"] - 0.3) ** 2)

    study = ts.Study(X, minimize="loss", seed=3).run(exact, trials=20, progress=False)
    outcome = study.confirm(exact, progress=False)

    assert not outcome.varies
    assert "does not follow trial.seed" in str(outcome)
    assert outcome.params == study.best.params


def test_it_goes_on_with_what_is_known(tmp_path: Path) -> None:
    """Called again with more evaluations, in another process's place, it adds what is missing."""

    def even(trial: T) -> float:
        return noisy(trial) - float((trial["x"] - 0.3) ** 2)

    study = searched(name="s", storage=tmp_path / "t.db")
    first = study.confirm(even, top=3, replicates=3, progress=False)
    more = ts.load(tmp_path / "t.db", "s").confirm(even, top=3, replicates=6, progress=False)
    again = study.confirm(even, top=3, replicates=6, progress=False)

    assert first.evaluations == 12
    assert 12 < more.evaluations <= 24
    assert again == more
    assert ts.load(tmp_path / "t.db", "s-confirm").verify()


def test_the_hopeless_drop_out() -> None:
    """A default 3.6 standard errors behind is evaluated less often than those that are close."""
    outcome = searched(60).confirm(noisy, top=3, replicates=20, progress=False)

    assert outcome.default is not None
    assert outcome.default.evaluations < max(one.evaluations for one in outcome.finalists)


def test_the_simplest_of_equals() -> None:
    """Of those within a standard error of the best, what changes fewest parameters is taken."""

    def objective(
        trial: ts.Trial[Any],
        a: Annotated[int, ts.Int(0, 9)] = 0,
        b: Annotated[int, ts.Int(0, 9)] = 0,
    ) -> float:
        own = np.random.default_rng([trial.seed, a, b])
        return (1.0 if a else 0.0) + 1e-3 * float(own.normal())

    study = ts.Study(objective, maximize="score", seed=0, sampler=ts.samplers.Random())
    for a, b in [(5, 7), (5, 0), (3, 9)]:
        study.enqueue({"a": a, "b": b})
    study.run(objective, trials=4, progress=False)
    outcomes = [study.confirm(objective, top=3, replicates=k, progress=False) for k in (3, 4, 5, 6)]

    for outcome in outcomes:
        best = outcome.finalists[0]
        assert outcome.params == {"a": 5, "b": 0} or outcome.choice is best
    assert any("differs less" in outcome.why for outcome in outcomes) or all(
        outcome.finalists[0].record.number == 2 for outcome in outcomes
    )


def test_coverage() -> None:
    """90 % intervals of the estimate cover what the choice is worth, in 200 confirmations.

    With a true coverage of 90 %, fewer than 166 or more than 194 of 200 come with a chance below 1e-3.
    """
    covered = 0
    for seed in range(200):
        luck = np.random.default_rng(seed)
        worth = luck.normal(size=5)

        def objective(trial: T, worth: Any = worth, seed: int = seed) -> float:
            common = np.random.default_rng([seed, trial.seed])
            own = np.random.default_rng([seed, trial.seed, trial["i"]])
            return float(0.3 * worth[trial["i"]] + 0.5 * common.normal() + own.normal())

        space = {"i": ts.Int(0, 4)}
        study = ts.Study(space, minimize="loss", seed=seed, sampler=ts.samplers.Grid())
        study.run(objective, progress=False)
        outcome = study.confirm(objective, top=5, replicates=6, progress=False)
        low, high = outcome.interval
        covered += low <= 0.3 * worth[outcome.params["i"]] <= high
    assert 166 <= covered <= 194


@pytest.mark.parametrize(
    "given, message",
    [
        ({"trials": 5}, "confirm takes no trials=; top= and replicates= say how much is evaluated"),
        ({"top": 0}, "top= is a whole number from 1 on, got 0"),
        ({"replicates": 1}, "replicates= is a whole number from 2 on, got 1"),
        (
            {"baseline": {"x": 0.9}},
            r"baseline= is a function of a trial that has no params, .* got {'x': 0.9}",
        ),
        (
            {"baseline": noisy, "executor": ts.executors.Serial()},
            "baseline= is a run of its own; give its name, or workers=",
        ),
    ],
)
def test_refusals(given: dict[str, Any], message: str) -> None:
    """One sentence each."""
    with pytest.raises(ts.SettingError, match=message):
        searched(3).confirm(noisy, **given)


def test_several_objectives_have_no_winner() -> None:
    """They are refused by name."""
    study = ts.Study(X, minimize=["a", "b"])
    with pytest.raises(ts.NotSupported, match="confirm compares configurations by one objective"):
        study.confirm(noisy)


def test_a_run_that_confirms(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what came out at its end, and the study has it."""
    study = ts.Study(X, minimize="loss", seed=3, sampler=ts.samplers.Random())
    assert study.confirmation is None
    study.run(noisy, trials=40, confirm=True)

    outcome = study.confirmation
    assert outcome is not None
    assert str(outcome) in capsys.readouterr().err
    assert outcome == study.confirm(noisy, progress=False)


def test_what_cannot_be_confirmed_is_refused_before_it_runs() -> None:
    """Several objectives, or an executor that the run will have closed."""
    several = ts.Study(X, minimize=["a", "b"])
    with pytest.raises(ts.NotSupported, match="by one objective"):
        several.run(noisy, trials=3, confirm=True)
    single = ts.Study(X, minimize="loss")
    with pytest.raises(ts.SettingError, match="a run closes its executor= at its end"):
        single.run(noisy, trials=3, confirm=True, executor=ts.executors.Serial())
    assert not len(several.history)
    assert not len(single.history)


def test_the_best_beside_the_default() -> None:
    """Where the default is the best it races with the best other one, and the outcome says so."""

    def at_default(trial: T) -> float:
        return noisy(trial) + 5 * abs(float(trial["x"]) - 0.9)

    study = ts.Study(X, minimize="loss", seed=3).run(at_default, trials=20, progress=False)
    outcome = study.confirm(at_default, progress=False)

    assert outcome.choice is outcome.default
    assert outcome.choice.record.number == 0
    assert len(outcome.finalists) == 2
    assert outcome.choice.evaluations >= 3
    assert outcome.interval[0] < outcome.estimate < outcome.interval[1]
    assert "it is the default" in str(outcome)
    assert "nan" not in str(outcome)


def test_one_finalist_has_an_interval_too() -> None:
    """It has nobody to race with, and is evaluated as often as was said, or ten times at most."""
    space = {"x": ts.Float(0, 1)}
    study = ts.Study(space, minimize="loss", seed=3).run(noisy, trials=20, progress=False)
    outcome = study.confirm(noisy, top=1, replicates=8, progress=False)

    assert outcome.evaluations == 8
    assert outcome.interval[0] < outcome.estimate < outcome.interval[1]
    assert outcome.varies
    assert "it is the only one" in str(outcome)


def test_one_evaluation_confirms_nothing() -> None:
    """Without a second seed there is no interval, so there is no outcome."""
    ran: list[int] = []

    def dies(trial: T) -> float:
        ran.append(trial.number)
        if len(ran) > 1:
            raise KeyboardInterrupt
        return noisy(trial)

    study = searched(20)
    with pytest.raises(ts.Interrupted):
        study.confirm(dies, progress=False)
    assert study.confirmation is None
    assert study.confirm(noisy, progress=False).evaluations >= 6


def test_who_breaks_a_limit_is_not_chosen() -> None:
    """What kept the limit in the search only breaks it on fresh seeds, is not taken, and is named."""

    def objective(trial: T, slower: float = 1.0) -> dict[str, float]:
        luck = np.random.default_rng([trial.seed, trial.number])
        return {"loss": 0.1 * luck.normal() - trial["x"], "ms": 5 * slower * trial["x"]}

    space = {"x": ts.Float(0, 1, default=0.1)}
    study = ts.Study(space, minimize="loss", subject_to="ms <= 5", seed=3)
    study.run(objective, trials=40, progress=False)
    outcome = study.confirm(partial(objective, slower=1.05), top=4, progress=False)

    assert study.best.params["x"] > 0.96
    assert outcome.params["x"] < 0.96
    assert study.best.number in {record.number for record in outcome.left_out}
    assert "broke a limit" in str(outcome)


def test_finalists_that_failed_are_tried_again() -> None:
    """All of them did, which is one sentence; the objective is mended, and the next call has all finalists."""

    def broken(trial: T) -> float:
        raise ImportError("not here")

    study = searched(40)
    for _ in range(2):
        with pytest.raises(ts.NoTrials, match=r"the last failed with: ImportError: not here$"):
            study.confirm(broken, progress=False)
    outcome = study.confirm(noisy, progress=False)

    assert len(outcome.finalists) == len(searched(40).confirm(noisy, progress=False).finalists)
    assert not outcome.left_out


def test_one_finalist_that_fails_does_not_end_it() -> None:
    """What raises on its first fresh seed is left out, and the others are confirmed."""
    study = searched(100)
    worst = study.best.params["x"]

    def fragile(trial: T) -> float:
        if trial["x"] == worst:
            raise ZeroDivisionError
        return noisy(trial)

    outcome = study.confirm(fragile, progress=False)

    assert [record.number for record in outcome.left_out] == [study.best.number]
    assert outcome.evaluations >= 12


def test_equals_cannot_be_told_apart() -> None:
    """Where all values are the same, nothing is better than the others."""

    def flat(trial: T) -> float:
        return 1.0

    study = ts.Study(X, minimize="loss", seed=3).run(flat, trials=20, progress=False)
    outcome = study.confirm(flat, top=3, progress=False)

    assert all(one.level for one in outcome.finalists)
    assert "it is better" not in str(outcome)
    assert "1 ± 0" in str(outcome)


FREE = {"x": ts.Float(0, 1)}


def standing(trial: T, x: float = 0.9) -> float:
    """What stands now: a place on the parabola, with the luck of the seed and its own."""
    luck = np.random.default_rng([trial.seed, 9])
    return float((x - 0.3) ** 2 + trial.seed / 2**32 + 0.1 * luck.normal())


def without_default(trials: int = 100, **options: Any) -> ts.Study[dict[str, Any]]:
    study = ts.Study(FREE, minimize="loss", seed=3, sampler=ts.samplers.Random(), **options)
    return study.run(noisy, trials=trials, progress=False)


def test_a_baseline_that_is_in_no_space() -> None:
    """It is evaluated on the finalists' seeds, as often as the longest-lived of them, within the same fifth."""
    seeds: dict[str, list[int]] = {"found": [], "baseline": []}

    def objective(trial: T) -> float:
        seeds["found"].append(trial.seed)
        return noisy(trial)

    def current(trial: T) -> float:
        assert not trial.params
        seeds["baseline"].append(trial.seed)
        return standing(trial)

    study = without_default()
    outcome = study.confirm(objective, baseline=current, progress=False)

    assert outcome.evaluations == len(seeds["found"]) + len(seeds["baseline"]) == 20
    assert set(seeds["baseline"]) == set(seeds["found"])
    assert not set(seeds["found"]) & {r.seed for r in study.history}
    assert outcome.default is not None
    assert outcome.default.evaluations == max(one.evaluations for one in outcome.finalists)
    assert outcome.default.number is None
    assert outcome.choice.number is not None
    assert outcome.gain == pytest.approx(0.36, abs=0.25)
    assert "better than the baseline by" in str(outcome)


def test_a_baseline_that_nothing_beats() -> None:
    """It is the choice, whose params are none, and the outcome does not call it a trial."""

    def better(trial: T) -> float:
        return standing(trial, 0.3) - 0.2

    outcome = without_default().confirm(noisy, baseline=better, progress=False)

    assert outcome.choice is outcome.default
    assert outcome.params == {}
    assert outcome.chance < 0.8
    assert str(outcome).startswith("the baseline: ")
    assert "better than the baseline with a chance of" in outcome.why
    assert "the default" not in str(outcome)


def test_the_default_beside_a_baseline() -> None:
    """A default configuration is then one of the trials, and evaluated only if it measured well."""
    outcome = searched(100).confirm(noisy, baseline=standing, progress=False)

    assert 0 not in {one.number for one in outcome.finalists}
    assert outcome.default is not None
    assert outcome.default.baseline


@pytest.mark.parametrize(
    "trials, top, replicates", [(3, None, None), (41, None, None), (60, 2, None), (60, 2, 7)]
)
def test_the_baseline_within_the_budget(
    trials: int, top: int | None, replicates: int | None
) -> None:
    """The whole is a fifth of the search, or what was said, and at least three of each."""
    budget = replicates * (top + 1) if top and replicates else max(6, round(trials / 5))
    outcome = without_default(trials).confirm(
        noisy, top, replicates=replicates, baseline=standing, progress=False
    )

    assert outcome.default is not None
    most = max(one.evaluations for one in outcome.finalists if not one.baseline)
    assert outcome.evaluations <= budget
    assert most - 1 <= outcome.default.evaluations <= most
    assert min(one.evaluations for one in outcome.finalists) >= 3


def test_many_workers_leave_room_for_the_baseline() -> None:
    """Finalists that begin all at once take no evaluation from it."""

    async def objective(trial: T) -> float:
        return noisy(trial)

    study = without_default()
    outcome = study.confirm(objective, baseline=standing, workers=16, progress=False)

    assert outcome.evaluations <= 20
    assert outcome.default is not None
    assert outcome.default.evaluations >= 3


def test_a_baseline_of_maximised_means_over_folds() -> None:
    """Folds are the columns that it shares with the finalists; a higher score beats it."""

    def score(trial: T, shift: float = 0.0) -> None:
        rng = np.random.default_rng(trial.seed)
        for fold in range(1, 4):
            trial.report(fold, {"score": shift + trial.params.get("x", 0.0) + rng.normal()})

    study = ts.Study(
        FREE, maximize="score", value="mean", resource=ts.Resource("fold", max=3), scheduler=None,
        sampler=ts.samplers.Random(), seed=1,
    )  # fmt: skip
    study.run(score, trials=40, progress=False)
    found = study.confirm(score, baseline=score, progress=False)

    assert found.beats_default
    assert found.gain == pytest.approx(found.params["x"], abs=1e-9)  # all else is of the folds
    better = study.confirm(score, baseline=score, progress=False)
    assert better.finalists == found.finalists


def test_the_outcome_with_a_baseline_is_kept(tmp_path: Path) -> None:
    """Whoever opens the study later has it, and goes on with it; its log is verified as others are."""
    study = without_default(40, name="s", storage=tmp_path / "t.db")
    first = study.confirm(noisy, 2, replicates=3, baseline=standing, progress=False)
    later = ts.load(tmp_path / "t.db")

    assert later.confirmation == first
    more = later.confirm(noisy, 2, replicates=6, baseline=standing, progress=False)
    assert first.evaluations < more.evaluations <= 18
    assert ts.studies(tmp_path / "t.db") == ["s", "s-confirm", "s-confirm-baseline"]
    assert ts.load(tmp_path / "t.db", "s-confirm-baseline").verify()
    assert later.confirm(noisy, 2, replicates=6, progress=False) == more


def test_a_mistake_in_the_baseline_is_raised() -> None:
    """Its own exception comes out; what the finalists have is kept, and mended it has its turn."""

    def broken(trial: T) -> float:
        raise KeyError("lr")

    study = without_default(40)
    with pytest.raises(KeyError, match="lr"):
        study.confirm(noisy, baseline=broken, progress=False)
    half = study.confirmation
    assert half is not None
    assert half.default is None
    assert "the baseline has no value to compare with" in half.why
    whole = study.confirm(noisy, baseline=standing, progress=False)
    assert whole.default is not None
    assert whole.evaluations > half.evaluations


def test_a_baseline_that_breaks_a_limit_is_not_compared() -> None:
    """What stands now is not allowed, so the best that is is taken, and why says so."""

    def objective(trial: T) -> dict[str, float]:
        return {"loss": noisy(trial), "ms": 1.0}

    def slow(trial: T) -> dict[str, float]:
        return {"loss": -100.0, "ms": 9.0}

    study = ts.Study(FREE, minimize="loss", subject_to="ms <= 5", seed=3)
    outcome = study.run(objective, trials=20, progress=False).confirm(
        objective, baseline=slow, progress=False
    )

    assert outcome.default is None
    assert outcome.choice.number is not None
    assert outcome.why.endswith("; the baseline has no value to compare with")


def test_a_baseline_of_a_study_with_a_signature() -> None:
    """The search's objective is called by keyword, the baseline with a trial."""

    def fit(trial: ts.Trial[Any], x: Annotated[float, ts.Float(0, 1)]) -> float:
        return (x - 0.3) ** 2 + 0.01 * float(np.random.default_rng(trial.seed).normal())

    study = ts.Study(fit, minimize="loss", seed=1)
    outcome = study.run(fit, trials=20, progress=False).confirm(
        fit, baseline=lambda trial: fit(trial, 0.9), progress=False
    )

    assert outcome.choice.number is not None
    assert outcome.beats_default


def test_a_baseline_that_comes_later() -> None:
    """What is confirmed already is compared with it, though the fifth of the search is spent."""
    study = without_default(40)
    first = study.confirm(noisy, progress=False)
    second = study.confirm(noisy, baseline=standing, progress=False)

    assert second.default is not None
    assert second.default.evaluations >= 3
    assert second.evaluations == first.evaluations + second.default.evaluations
