import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts

Trial = ts.Trial[dict[str, float]]
X = {"x": ts.Float(0.1, 1)}
EPOCHS = ts.Resource("epoch", 6)


def noisy(trial: Trial) -> float:
    return float(trial["x"] + np.random.default_rng(trial.seed).normal())


class Model:
    """A training whose state is a number and its luck."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.loss = 1.0

    def save(self, folder: Path) -> None:
        state = np.random.default_rng(0)
        state.bit_generator.state = self.rng.bit_generator.state
        np.savez(folder / "state.npz", loss=self.loss, rng=str(self.rng.bit_generator.state))

    def load(self, folder: Path) -> None:
        with np.load(folder / "state.npz") as kept:
            self.loss = float(kept["loss"])
            self.rng.bit_generator.state = eval(str(kept["rng"]))


def train(trial: Trial) -> None:
    model = Model(trial.seed)
    trial.resumable(save=model.save, load=model.load)
    for epoch in trial.steps():
        model.loss *= 1 - trial["x"] * 0.1 * model.rng.random()
        trial.report(epoch, loss=model.loss)


def study_of(**options: Any) -> ts.Study[dict[str, float]]:
    return ts.Study(X, minimize="loss", seed=2, **options)


def test_a_trial_that_depends_on_its_seed_alone_matches_exactly() -> None:
    """And the study stays as it was."""
    storage = ts.storage.Memory()
    study = study_of(name="s", storage=storage).run(noisy, trials=3, progress=False)
    lines = storage.read("s")
    found = study.rerun(1, noisy)

    assert found
    assert found.difference == 0
    assert found.now.values == study.history[1].values
    assert str(found).splitlines() == [
        "trial 1 matches exactly, in 1 value",
        "  since then: nothing changed that is known",
    ]
    assert storage.read("s") == lines


def test_a_difference_is_shown_and_small_ones_are_told() -> None:
    """Up to the tolerance it matches; above it the values stand side by side."""
    study = study_of().run(lambda trial: trial["x"], trials=1, progress=False)
    x = study.history[0].value

    close = study.rerun(0, lambda trial: trial["x"] * (1 + 1e-9))
    apart = study.rerun(0, lambda trial: trial["x"] * 2)
    assert close
    assert "matches within 1.0e-09" in str(close)
    assert not study.rerun(0, lambda trial: trial["x"] * (1 + 1e-9), tolerance=1e-12)
    assert not apart
    assert f"loss: {x!r} then, {2 * x!r} now" in str(apart)
    assert "differs by up to 0.5 of the value" in apart.verdict


def test_a_metric_that_is_no_objective_may_differ() -> None:
    """Seconds are never the same; they are named, and decide nothing."""
    ticks = iter(range(10))
    study = study_of()

    def timed(trial: Trial) -> dict[str, float]:
        return {"loss": trial["x"], "seconds": next(ticks)}

    study.run(timed, trials=1, progress=False)
    found = study.rerun(0, timed)

    assert found.difference == 0
    assert "other metrics that differ: seconds" in str(found)


def test_a_trial_that_was_cut_short_is_run_to_where_it_was() -> None:
    """Its reports are compared one by one, and it is not trained further."""
    study = study_of(resource=EPOCHS, scheduler=ts.schedulers.ASHA())
    study.run(train, trials=12, progress=False)
    for record in study.history:
        found = study.rerun(record.number, train)

        assert found.difference == 0
        assert found.now.steps == record.steps
        assert len(found.compared) == record.reports + 1
    assert study.history.count("paused", "stopped") > 6


def test_a_fork_is_trained_again_under_its_schedule() -> None:
    """From the trial that began anew, over the same checkpoints, to the last bit."""
    scheduler = ts.schedulers.PBT(population=4, interval=1)
    study = study_of(resource=EPOCHS, scheduler=scheduler).run(train, trials=4, progress=False)
    deepest = max(study.history, key=lambda record: len(record.before))
    found = study.rerun(deepest.number, train)

    assert len(study.history.lineage(deepest)) > 2
    assert found.difference == 0
    assert found.now.steps == deepest.steps


def test_a_fork_of_what_cannot_save_itself_any_more_is_refused() -> None:
    """With the trial and the step where it would have to."""
    scheduler = ts.schedulers.PBT(population=4, interval=1)
    study = study_of(resource=EPOCHS, scheduler=scheduler).run(train, trials=4, progress=False)
    fork = next(record for record in study.history if record.source == "fork")

    def unsaved(trial: Trial) -> None:
        for epoch in trial.steps():
            trial.report(epoch, loss=1.0)

    with pytest.raises(ts.StudyError, match=r"forked from trial \d+ after step \d+, .*resumable"):
        study.rerun(fork.number, unsaved)


def test_a_training_that_was_interrupted_is_compared_as_a_whole() -> None:
    """What went on from a checkpoint is run through; the same comes out if all luck was saved."""
    study = study_of(resource=EPOCHS, scheduler=None)

    def interrupted(trial: Trial) -> None:
        for_ever = trial.attempt > 1
        model = Model(trial.seed)
        trial.resumable(save=model.save, load=model.load)
        for epoch in trial.steps():
            model.loss *= 1 - trial["x"] * 0.1 * model.rng.random()
            if epoch == 4 and not for_ever:
                raise KeyboardInterrupt
            with trial.save() as folder:
                model.save(folder)
            trial.report(epoch, loss=model.loss)

    with pytest.raises(KeyboardInterrupt):
        study.run(interrupted, trials=1, progress=False)
    study.run(interrupted, trials=1, progress=False)

    assert study.history[0].attempt == 2
    assert study.rerun(0, train).difference == 0


def test_failures_are_compared_too() -> None:
    """One that failed fails again, or does not; one that did not may fail now."""
    study = study_of()

    def fails(trial: Trial) -> float:
        if trial.number == 1:
            raise ValueError("no luck")
        return float(trial["x"])

    study.run(fails, trials=2, progress=False)

    assert study.rerun(1, fails).verdict == "fails as it did"
    assert "it failed then (error), and does not now" in study.rerun(1, noisy).verdict
    leaves = study.rerun(0, lambda _: sys.exit("left"))
    assert leaves.verdict == "differs: it failed (error), SystemExit: left"
    found = study.rerun(0, lambda _: 1 / 0)
    assert not found
    assert found.verdict == "differs: it failed (error), ZeroDivisionError: division by zero"


def test_what_has_nothing_to_compare_with_is_refused() -> None:
    """A trial that runs and has not reported; one that is not there."""
    study = study_of()
    study.ask()

    with pytest.raises(ts.StudyError, match="trial 0 is running and has no value"):
        study.rerun(0, noisy)
    with pytest.raises(ts.StudyError, match="there is no trial 7"):
        study.rerun(7, noisy)


def test_a_finding_can_be_noted() -> None:
    """On request, as a note of the trial."""
    study = study_of().run(noisy, trials=1, progress=False)
    study.rerun(0, noisy, note=True)
    (note,) = study.notes

    assert (note.text, note.target) == ("run once more: matches exactly, in 1 value", "0.0")


def test_an_async_objective_is_run_once_more() -> None:
    """As any other."""

    async def slow(trial: Trial) -> float:
        await asyncio.sleep(0)
        return float(trial["x"])

    study = study_of().run(slow, trials=2, progress=False)

    assert study.rerun(1, slow).difference == 0
