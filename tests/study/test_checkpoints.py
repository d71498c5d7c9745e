"""Checkpoints: what is interrupted, resumed elsewhere or forked equals what never was, bit by bit."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from trainer import (
    EPOCHS,
    SPACE,
    Exploit,
    Forking,
    Net,
    T,
    curve,
    lineage,
    net_of,
    study_of,
    train,
    train_and_save_often,
)

import tunesmith as ts
from tunesmith.records.events import (
    AnyEvent,
    Paused,
    Reported,
    Resumed,
    Saved,
    Started,
    from_lines,
)

TRAINER = Path(__file__).with_name("trainer.py")


def halving() -> ts.schedulers.SuccessiveHalving:
    return ts.schedulers.SuccessiveHalving()


def is_exact(study: ts.Study[Any]) -> bool:
    """Whether every curve is that of a training that nobody interrupted."""
    return all(
        record.reported("loss")[1].tolist() == curve(record, record.step)
        for record in study.history
    )


def events(path: Path) -> list[AnyEvent]:
    return from_lines(ts.storage.connect(path).read("s"))


def kept(study: ts.Study[Any]) -> set[int]:
    """The trials of which a checkpoint lies there."""
    return {record.number for record in study.history if record.checkpoint is not None}


@pytest.mark.parametrize("workers", [None, 2])
def test_what_is_paused_goes_on_as_if_it_had_not_been(tmp_path: Path, workers: int | None) -> None:
    """Through all rungs of a cohort, in whichever worker."""
    study = study_of(name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=halving())
    study.run(train, trials=9, workers=workers, progress=False)

    assert sorted(record.step for record in study.history) == [1, 1, 1, 1, 1, 1, 3, 3, 9]
    assert study.best.attempt == 3
    assert is_exact(study)
    assert study.verify()


def test_a_checkpoint_is_there_before_the_log_says_so(tmp_path: Path) -> None:
    """Saved comes before Paused, and at its step; what is resumed has its key."""
    study = study_of(name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=halving())
    study.run(train, trials=9, progress=False)

    saved: dict[str, Saved] = {}
    for event in events(tmp_path / "s.db"):
        if isinstance(event, Saved):
            saved[event.uid] = event
        elif isinstance(event, Paused):
            assert saved[event.uid].step == event.step
        elif isinstance(event, Resumed):
            assert saved[event.uid].key == event.key
    assert len(saved) == 9


def test_nothing_is_saved_that_nobody_needs(tmp_path: Path) -> None:
    """Without a scheduler, only what is best at its end is saved."""
    study = study_of(name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=None)
    study.run(train, trials=6, progress=False)

    values = [record.value for record in study.history]
    leaders = [n for n, value in enumerate(values) if value == min(values[: n + 1])]
    uids = [event.uid for event in events(tmp_path / "s.db") if isinstance(event, Saved)]
    assert uids == [study.history[number].uid for number in leaders]
    assert kept(study) == {study.best.number}


def test_the_best_trials_checkpoint_is_a_folder() -> None:
    """What is loaded from it has the value that was reported, also in a study in memory."""
    study = study_of(resource=EPOCHS, scheduler=halving())
    study.run(train, trials=9, workers=2, progress=False)
    best = study.best
    net = Net(0.0, 0.0, 0)
    assert best.checkpoint is not None
    net.load(best.checkpoint)
    uninterrupted = Net(best.params["rate"], best.params["momentum"], best.seed)
    for _ in range(9):
        uninterrupted.epoch()

    assert net.w.tolist() == uninterrupted.w.tolist()
    assert net.luck.random() == uninterrupted.luck.random()


@pytest.mark.parametrize(
    "keep, expected", [("needed", set()), ("best", {"best"}), ("last", {"all"}), ("all", {"all"})]
)
def test_what_is_kept_is_said_by_the_study(tmp_path: Path, keep: Any, expected: set[str]) -> None:
    """Of finished trials none, the best, or each; and "all" keeps earlier ones, too."""
    path = tmp_path / "s.db"
    study = study_of(name="s", storage=path, resource=EPOCHS, scheduler=None, keep_checkpoints=keep)

    def often(trial: T) -> None:
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load, save_every_s=1e-9)
        for step in trial.steps():
            trial.report(step, loss=net.epoch())

    study.run(often, trials=3, progress=False)

    numbers = {"best": {study.best.number}, "all": {0, 1, 2}}
    assert kept(study) == set().union(*(numbers[word] for word in expected))
    files = list((tmp_path / "s.db.files" / "s").glob("0.*"))
    assert (len(files) > 3) == (keep == "all")
    other = ts.load(path, "s", SPACE)
    assert kept(other) == kept(study)
    with pytest.raises(ts.StudyError, match=f"keep_checkpoints: .* here, {keep} there"):
        study_of(
            name="s", storage=path, resource=EPOCHS, scheduler=None,
            keep_checkpoints="all" if keep != "all" else "last",
        )  # fmt: skip


def start(
    path: Path,
    objective: str,
    *,
    workers: int = 0,
    trials: int = 9,
    steps: int = 9,
    gate: bool = False,
) -> "subprocess.Popen[str]":
    """Start a process; with a gate it says when it is ready, and waits for a line."""
    numbers = map(str, (workers, trials, steps))
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(TRAINER), str(path), objective, *numbers]
        + ["gate"] * gate,
        stdin=subprocess.PIPE if gate else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def wait_for(process: "subprocess.Popen[str]", line: str, times: int) -> None:
    assert process.stdout is not None
    for _ in range(times):
        assert process.stdout.readline() == f"{line}\n"


@pytest.mark.parametrize(
    "number, code", [(signal.SIGTERM, 0), (signal.SIGUSR1, 0), (signal.SIGINT, 130)]
)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_signal_saves_what_runs(
    tmp_path: Path, number: signal.Signals, code: int, workers: int
) -> None:
    """It goes on in another process after the step that it was at."""
    path = tmp_path / "s.db"
    process = start(path, "train_for_long", workers=workers, trials=max(1, workers), steps=200)
    wait_for(process, "begun", max(1, workers))
    process.send_signal(number)
    _, said = process.communicate(timeout=20)

    study = ts.load(path, "s", SPACE)
    assert process.returncode == code, said
    assert {record.state for record in study.history} == {"paused"}
    assert all(record.key for record in study.history)
    assert ("Ctrl-C again leaves at once" in said) == (number == signal.SIGINT)
    before = {record.uid: record.step for record in study.history}
    study.run(train, trials=max(1, workers), progress=False)

    assert [(record.state, record.attempt) for record in study.history] == [("complete", 2)] * max(
        1, workers
    )
    assert is_exact(study)
    again = [e for e in events(path) if isinstance(e, Reported) and e.attempt == 2]
    assert {e.uid: e.step - 1 for e in reversed(again)} == before


def test_ctrl_c_again_leaves_at_once(tmp_path: Path) -> None:
    """A training that is far from its next report does not hold up who insists."""
    path = tmp_path / "s.db"
    process = start(path, "train_and_stay", trials=1, steps=200)
    wait_for(process, "begun", 1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C again leaves at once" not in process.stderr.readline():
        assert process.poll() is None
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert (process.returncode, time.monotonic() - begun < 8) == (130, True)
    (record,) = ts.load(path, "s", SPACE).history
    assert (record.state, record.why, record.step, record.key) == ("paused", "interrupted", 2, "")


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_commands_save_what_runs(command: str) -> None:
    """`study.stop()` and `study.pause()` hand back with a checkpoint."""
    study = study_of(resource=EPOCHS, scheduler=None)
    steps: list[tuple[int, int]] = []

    def follow(trial: T) -> None:
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load)
        for step in trial.steps():
            steps.append((trial.attempt, step))
            if (trial.attempt, step) == (1, 4):
                (study.stop if command == "stop" else study.pause)()
            if command == "pause" and study.paused:
                trial.decide(step, loss=net.epoch())
                study.resume()
                return
            trial.report(step, loss=net.epoch())

    study.run(follow, trials=1, progress=False)
    study.run(follow, trials=1, progress=False)

    assert steps == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (2, 7), (2, 8), (2, 9)]
    assert is_exact(study)


def kill_again_and_again(path: Path, kills: int, workers: int) -> None:
    """Kill a study's process at random moments; what another makes of it is as if nobody had."""
    luck = random.Random(kills + workers)
    for _ in range(kills):
        process = start(path, "train_and_save_often", workers=workers)
        try:
            wait_for(process, "step", luck.randrange(1, 12))
        except AssertionError:  # it had come to its end
            assert process.wait() == 0, process.communicate()
        process.kill()
        process.communicate()
    process = start(path, "train_and_save_often", workers=workers)
    process.communicate()
    assert process.returncode == 0

    study = ts.load(path, "s", SPACE)
    assert is_exact(study)
    assert study.verify()
    assert study.best.step == 9
    assert study.history.count("failed") == 0
    for record in study.history:
        assert (record.checkpoint is not None) == (
            record.state == "paused" or record.number == study.best.number
        )
    lying = {folder.name for folder in Path(f"{path}.files", "s").iterdir()} - {".new"}
    assert lying == {record.key for record in study.history if record.checkpoint is not None}


@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_is_lost_in_5_kills(tmp_path: Path, workers: int) -> None:
    """kill -9 between any two lines leaves a study that goes on from its checkpoints, exactly."""
    kill_again_and_again(tmp_path / "s.db", 5, workers)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_is_lost_in_25_kills(tmp_path: Path, workers: int) -> None:
    """The same, 25 times, in studies of their own."""
    for number in range(5):
        kill_again_and_again(tmp_path / f"{number}.db", 5, workers)


@pytest.mark.parametrize("objective", ["train", "train_and_save_often"])
def test_processes_share_rungs_and_checkpoints(tmp_path: Path, objective: str) -> None:
    """Who paused a trial need not be who goes on with it; nobody removes what another loads."""
    path = tmp_path / "s.db"
    processes = [start(path, objective, trials=18, gate=True) for _ in range(2)]
    for process in processes:
        wait_for(process, "ready", 1)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said

    study = ts.load(path, "s", SPACE)
    assert is_exact(study)
    assert study.verify()
    assert sum(record.step == 9 for record in study.history) >= 2
    assert study.history.count("failed") == 0
    owners = {e.owner for e in events(path) if isinstance(e, Started | Resumed)}
    assert len(owners) == 2


def test_processes_fork_from_one_another(tmp_path: Path) -> None:
    """Two processes, one killed at times: what each is forked from is there, whole, and exact."""
    path = tmp_path / "s.db"
    other = start(path, "train_and_save_often", trials=16, steps=10)
    for times in (5, 9, 14):
        killed = start(path, "train_and_save_often", trials=16, steps=10)
        with suppress(AssertionError):  # the study may have come to its end
            wait_for(killed, "step", times)
        killed.kill()
        killed.communicate()
    _, said = other.communicate(timeout=60)
    assert other.returncode == 0, said
    process = start(path, "train", trials=16, steps=10)
    process.communicate()

    study = ts.load(path, "s", SPACE, scheduler=Exploit())
    forks = [record for record in study.history if record.parent]
    assert forks
    assert study.history.count("failed") == 0
    for record in study.history:
        assert record.reported("loss")[1].tolist() == lineage(study.history, record, record.step)[1]
    assert study.verify(Exploit())


@pytest.mark.parametrize("often", [False, True])
def test_a_fork_goes_on_from_its_parents_weights(often: bool) -> None:
    """With params of its own, velocity and luck of the parent; what it came from is removed then."""
    study = study_of(resource=EPOCHS, scheduler=Forking(), keep_checkpoints="needed")
    study.run(train_and_save_often if often else train, trials=1, progress=False)

    parent, fork = study.history
    net = Net(parent.params["rate"], parent.params["momentum"], parent.seed)
    for _ in range(3):
        net.epoch()
    net.rate, net.momentum = 0.05, 0.5
    assert fork.reported("loss")[0].tolist() == [4, 5, 6, 7, 8, 9]
    assert fork.reported("loss")[1].tolist() == [net.epoch() for _ in range(6)]
    assert (fork.parent, fork.fork_step) == (parent.uid, 3)
    assert kept(study) == set()
    assert study.verify(Forking())


def test_a_fork_of_what_could_not_be_saved_waits_in_vain() -> None:
    """The study ends without it."""

    def broken(trial: T) -> None:
        trial.resumable(save=lambda _: 1 / 0, load=print)
        for step in trial.steps():
            trial.report(step, loss=1.0)

    study = study_of(resource=EPOCHS, scheduler=Forking())
    study.run(broken, trials=1, progress=False)

    assert [record.state for record in study.history] == ["complete"]
    assert [(note.target, note.tags) for note in study.notes] == [("0.0", ["not saved"])]


def test_a_save_that_raises_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Each trial notes it once and goes on; what was to be paused begins anew when its turn comes."""

    def broken(trial: T) -> None:
        net = net_of(trial)

        def save(folder: Path) -> None:
            net.save(folder)
            raise ZeroDivisionError("a typo")

        trial.resumable(save=save, load=net.load)
        for step in trial.steps():
            trial.report(step, loss=net.epoch())

    study = study_of(resource=EPOCHS, scheduler=halving())
    study.run(broken, trials=9, progress="lines")

    assert study.best.step == 9
    assert is_exact(study)
    assert study.verify()
    assert kept(study) == set()
    assert {note.target for note in study.notes} == {record.uid for record in study.history}
    assert study.notes[0].text == "could not be saved at step 1: ZeroDivisionError: a typo"
    assert capsys.readouterr().err.count("it goes on unsaved") == 1


def test_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    """What was saved before is still there, whole; the trial goes on from it."""

    def heavy(trial: T) -> None:
        net = net_of(trial)

        def save(folder: Path) -> None:
            (folder / "heavy.bin").write_bytes(bytes(100_000))
            net.save(folder)

        trial.resumable(save=save, load=net.load, save_every_s=1e-9)
        for step in trial.steps():
            trial.report(step, loss=net.epoch())
            if (trial.attempt, step) == (1, 4):  # from now on, files end at 50 kB
                resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
            if (trial.attempt, step) == (1, 6):
                os._exit(1)
            if trial.attempt == 2:
                steps.append(step)
                trial.note(f"step {step}")

    steps: list[int] = []
    study = study_of(name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=None)
    study.run(heavy, trials=1, workers=1, progress=False)

    record = study.history[0]
    assert (record.state, record.attempt) == ("complete", 2)
    assert is_exact(study)
    assert "File too large" in study.notes[0].text
    assert [note.text for note in study.notes[1:]] == [f"step {n}" for n in range(5, 10)]


def test_by_hand_a_trial_is_saved_before_it_stops(tmp_path: Path) -> None:
    """Who asks and tells in a loop of one's own has the same: pause, resumption, and the best's folder."""
    study = study_of(resource=EPOCHS, scheduler=halving())
    for _ in range(9 + 3 + 1):
        trial = study.ask()
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load)
        try:
            for step in trial.steps():
                trial.report(step, loss=net.epoch())
        except ts.Stopped:
            pass
        study.tell(trial)

    assert sorted(record.step for record in study.history) == [1, 1, 1, 1, 1, 1, 3, 3, 9]
    assert is_exact(study)
    assert study.best.checkpoint is not None


def test_saving_by_oneself_counts_with_the_next_report() -> None:
    """A folder that was filled before a report is its checkpoint; the earlier one is removed."""
    study = study_of(resource=EPOCHS, scheduler=None)
    found: list[Path | None] = []

    def own(trial: T) -> None:
        net = net_of(trial)
        found.append(trial.checkpoint)
        if trial.checkpoint:
            net.load(trial.checkpoint)
        for step in trial.steps():
            loss = net.epoch()
            if step in (3, 5):
                with trial.save() as folder:
                    net.save(folder)
            trial.report(step, loss=loss)
            if (trial.attempt, step) == (1, 7):
                study.stop()

    study.run(own, trials=1, progress=False)
    assert study.history[0].step == 8
    study.run(own, trials=1, progress=False)

    assert is_exact(study)
    assert found[0] is None
    assert found[1] is not None
    assert found[1] == study.best.checkpoint  # the last that was saved
    assert len(list(found[1].parent.glob("0.*"))) == 1
    assert study.history[0].attempt == 2


def test_what_is_saved_last_counts_with_the_end() -> None:
    """Also where nothing was reported."""

    def own(trial: T) -> float:
        with trial.save() as folder:
            (folder / "a.txt").write_text("all")
        return 1.0

    study = study_of().run(own, trials=1, progress=False)

    assert study.best.checkpoint is not None
    assert (study.best.checkpoint / "a.txt").read_text() == "all"


def test_a_block_that_raises_saves_nothing() -> None:
    """And the trial may go on."""
    study = study_of()
    trial = study.ask()
    with pytest.raises(ZeroDivisionError), trial.save():
        raise ZeroDivisionError
    trial.report(1, loss=1.0)

    assert study.tell(trial).key == ""


async def waiting(trial: T) -> None:
    """The same for coroutines."""
    train(trial)


@pytest.mark.parametrize("workers", [1, 3])
def test_coroutines_are_saved_too(workers: int) -> None:
    """An async objective is paused and goes on."""
    study = study_of(resource=EPOCHS, scheduler=halving())
    study.run(waiting, trials=9, workers=workers, progress=False)

    assert study.best.attempt == 3
    assert is_exact(study)


def test_files_may_be_elsewhere(tmp_path: Path) -> None:
    """Any file system of fsspec; whoever opens the study finds it."""
    pytest.importorskip("fsspec")
    path = tmp_path / "s.db"
    study = study_of(
        name="s", storage=path, resource=EPOCHS, scheduler=halving(),
        files=f"local://{tmp_path}/far",
    )  # fmt: skip
    study.run(train, trials=9, workers=2, progress=False)
    best = ts.load(path, "s", SPACE).best

    assert is_exact(study)
    assert best.checkpoint is not None
    assert (best.checkpoint / "w.npy").exists()
    assert not (tmp_path / "s.db.files").exists()
    assert len(list((tmp_path / "far" / "s").iterdir())) == 9
    with pytest.raises(ts.StudyError, match=r"files: .* here"):
        study_of(name="s", storage=path, resource=EPOCHS, files=tmp_path)


def test_files_that_cannot_be_anywhere_are_refused_when_the_study_is_made() -> None:
    """Not at the first save, hours later."""
    pytest.importorskip("fsspec")
    with pytest.raises(ts.SettingError, match="'nowhere://a' cannot be opened: Protocol not known"):
        study_of(files="nowhere://a")


def test_checkpoints_come_along_and_go_with_the_study(tmp_path: Path) -> None:
    """`save` copies them, `delete` removes them."""
    study = study_of(resource=EPOCHS, scheduler=halving())
    study.run(train, trials=9, progress=False)
    study.save(tmp_path / "s.db", "s")

    assert kept(study) == set(range(9))
    other = ts.load(tmp_path / "s.db", "s", SPACE)
    assert kept(other) == set(range(9))
    other.run(train, more=9, progress=False)
    assert is_exact(other)
    ts.delete(tmp_path / "s.db", "s")
    assert list((tmp_path / "s.db.files").iterdir()) == []


def test_a_checkpoint_that_is_gone_is_named(tmp_path: Path) -> None:
    """The trial that needs it fails with a sentence; it does not begin in the middle with new weights."""
    study = study_of(name="s", storage=tmp_path / "s.db", resource=EPOCHS, scheduler=halving())
    for _ in range(9):
        trial = study.ask()
        net = net_of(trial)
        trial.resumable(save=net.save, load=net.load)
        assert trial.decide(1, loss=net.epoch())
        study.tell(trial)
    shutil.rmtree(tmp_path / "s.db.files")
    trial = study.ask()

    assert trial.attempt == 2
    with pytest.raises(ts.StorageError, match=r"is not in .*s\.db\.files"):
        trial.resumable(save=net.save, load=net.load)
    assert study.history[trial.number].checkpoint is None


@pytest.mark.parametrize(
    "use, sentence",
    [
        (lambda t: t.resumable(save=print), r"resumable\(load=\.\.\.\) takes a function"),
        (lambda t: t.resumable(save=3, load=print), r"resumable\(save=\.\.\.\) takes a function"),
        (lambda t: t.resumable(save=print, load=print, save_every_s=0), "seconds above 0"),
    ],
)
def test_what_cannot_save_is_refused(use: Any, sentence: str) -> None:
    """Both functions are needed, and a time is above 0."""
    with pytest.raises(ts.SettingError, match=sentence):
        use(study_of().ask())


def test_keep_checkpoints_is_one_of_four() -> None:
    """Another word is refused, with those that there are."""
    with pytest.raises(ts.SettingError, match="'needed', 'best', 'last', 'all', got 'some'"):
        study_of(keep_checkpoints="some")
