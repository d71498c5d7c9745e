"""What is removed of checkpoints, and what is not: by the log, without asking anybody."""

import os
from pathlib import Path
from typing import Any

import pytest
from trainer import EPOCHS, SPACE, Forking, Net, T, net_of, study_of

import tunesmith as ts
from tunesmith.storage import Folder


def save(trial: T, step: int) -> None:
    """Save a trial, and report."""
    with trial.save() as folder:
        net_of(trial).save(folder)
    trial.report(step, loss=trial["rate"])


def study_at(path: Path, **options: Any) -> tuple[ts.Study[dict[str, Any]], Folder]:
    study = study_of(name="s", storage=path / "s.db", resource=EPOCHS, scheduler=None, **options)
    return study, Folder(path / "s.db.files" / "s")


def test_of_an_unfinished_trial_the_latest_is_kept(tmp_path: Path) -> None:
    """It goes on from nothing else."""
    study, files = study_at(tmp_path)
    first, second = study.ask(2)
    for step in (1, 2, 3):
        save(first, step)
        save(second, step)

    assert files.keys() == {record.key for record in study.history}


def test_what_another_process_is_about_to_tell_is_kept(tmp_path: Path) -> None:
    """Until its attempt is of the past."""
    study, files = study_at(tmp_path)
    first, second = study.ask(2)
    untold = {f"{second.uid}-1-abc", f"{second.uid}-2-abc", "7.3-1-abc", "what is this"}
    for key in untold:
        with files.put(key):
            pass
    save(first, 1)
    assert files.keys() == untold | {study.history[0].key}

    study.tell(second, 1.0)
    save(first, 2)

    # what was put for a trial that has ended is gone; of trials that nobody knows, nothing
    assert files.keys() == {"7.3-1-abc", "what is this", study.history[0].key} | {
        key for key in untold if key.startswith(f"{second.uid}-2")
    }


def test_a_fork_holds_what_it_began_from(tmp_path: Path) -> None:
    """Until it has a checkpoint of its own, though the parent has ended and nobody forks any more."""
    study = study_of(
        name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=Forking(),
        keep_checkpoints="needed",
    )  # fmt: skip
    files = Folder(tmp_path / "s.db.files" / "s")
    parent = study.ask()
    net = net_of(parent)
    parent.resumable(save=net.save, load=net.load)
    for step in parent.steps():
        parent.report(step, loss=net.epoch())
    study.tell(parent)
    (key,) = files.keys()
    fork, other = study.ask(2)
    save(other, 1)

    assert (fork.checkpoint, fork.ticket.step) == (files.get(key), 3)
    save(fork, 4)
    assert files.keys() == {study.history[fork.number].key, study.history[other.number].key}


def test_a_better_best_takes_the_place_of_the_last(tmp_path: Path) -> None:
    """One of finished trials is kept; with several objectives those of the front."""
    for objectives, left in (("loss", {1}), (["loss", "size"], {0, 1})):
        study = ts.Study(
            SPACE, minimize=objectives, storage=tmp_path / "s.db", name=str(objectives)
        )
        for values in (
            {"loss": 3.0, "size": 1.0},
            {"loss": 2.0, "size": 3.0},
            {"loss": 4.0, "size": 3.0},
        ):
            trial = study.ask()
            net = net_of(trial)
            trial.resumable(save=net.save, load=net.load)
            trial.report(1, values)
            study.tell(trial, values)

        assert {r.number for r in study.history if r.checkpoint} == left


def test_what_a_lost_worker_has_left_is_removed(tmp_path: Path) -> None:
    """A checkpoint that was put and never told goes when the trial has finished."""
    study, files = study_at(tmp_path)

    def dying(trial: T) -> None:
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load)
        for step in trial.steps():
            if (trial.number, trial.attempt, step) == (1, 1, 3):
                with Folder(tmp_path / "s.db.files" / "s").put(f"{trial.uid}-1-abc"):
                    pass
                os._exit(1)
            trial.report(step, loss=net.epoch())

    study.run(dying, trials=2, workers=1, progress=False)

    assert study.history[1].attempt == 2
    assert files.keys() == {study.best.key}


def test_who_comes_too_late_leaves_nothing(tmp_path: Path) -> None:
    """A checkpoint of an attempt that was superseded is removed, and says so."""
    study, files = study_at(tmp_path)
    trial = study.ask()
    net = net_of(trial)
    trial.resumable(save=net.save, load=net.load, save_every_s=1e-9)
    trial.report(1, loss=1.0)
    key = study.history[0].key
    other = ts.load(tmp_path / "s.db", "s", SPACE)
    other.tell(0, loss=0.5)
    with pytest.raises(ts.StudyError, match="has finished already"):
        trial.saving.end(1, {"loss": 0.1})

    assert files.keys() <= {key}


def test_a_model_that_the_clock_has_cut_is_saved(tmp_path: Path) -> None:
    """When no trial has completed, the best of those that the timeout handed back has a checkpoint."""
    study = study_of(name="s", storage=tmp_path / "s.db")

    def endless(trial: T) -> None:
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load)
        for step in range(1, 10**6):
            trial.report(step, loss=net.epoch())

    study.run(endless, trials=1, timeout=0.2, progress=False)

    assert study.best.why == "interrupted"
    assert study.best.checkpoint is not None
    net = Net(0.0, 0.0, 0)
    net.load(study.best.checkpoint)
