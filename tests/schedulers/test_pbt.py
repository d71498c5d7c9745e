from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.schedulers import PBT

EPOCHS = ts.Resource("epoch", max=20)
SPACE = {
    "rate": ts.Float(0, 1, default=0.5),
    "width": ts.Int(1, 64, role="model"),
    "kind": ts.Choice({"plain": {}, "deep": {"layers": ts.Int(2, 5, role="model")}}),
}


def study_of(scheduler: PBT, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(
        SPACE, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0,
        sampler=ts.samplers.Random(), **options,
    )  # fmt: skip


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    """Loss falls with each step by how near the rate is to a moving target; the log stands for weights."""
    trial.resumable()
    for step in trial.steps():
        trial.report(step, loss=abs(trial["rate"] - step / 20) - step / 10)


def trained_by(save: Callable[[Path], object]) -> Callable[[ts.Trial[dict[str, Any]]], None]:
    """A training that is saved by a function, and has nothing to load."""

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable(save=save, load=Path.stat)
        for step in trial.steps():
            trial.report(step, loss=trial["rate"])

    return train


def test_members_train_to_the_end_and_forks_take_no_budget() -> None:
    """8 trials are the population: 8 in the end, 2 replaced at each selection, and no more begin."""
    study = study_of(PBT(interval=5))
    study.run(train, trials=8, progress=False)
    history = study.history

    assert history.taken == 8
    assert history.count("complete") == 8
    assert sorted(r.fork_step for r in history if r.source == "fork") == [5, 5, 10, 10, 15, 15]
    assert history.spent == 8 * 20
    study.run(train, trials=8, progress=False)
    assert len(study.history) == 14
    assert study.verify().checked >= 14 + 6 + 3 * 6
    assert study.verify()


def test_the_worst_give_way_to_the_best() -> None:
    """Who is replaced was among the worst quarter at its step, and who is copied among the best."""
    study = study_of(PBT(interval=10, resample=0))
    study.run(train, trials=8, progress=False)
    members = study.history[:8]
    ranked = sorted(members, key=lambda r: r.reported("loss")[1][9])
    forks = [r for r in study.history if r.source == "fork"]

    assert {f.parent for f in forks} == {r.uid for r in ranked[:2]}
    assert {r.uid for r in members if r.state == "stopped"} == {r.uid for r in ranked[-2:]}


def test_only_what_shapes_the_algorithm_changes() -> None:
    """A fork has the model of its parent, and the same parameters active."""
    study = study_of(PBT(interval=2, resample=0.5))
    study.run(train, trials=6, progress=False)
    changed = 0
    for fork in (r for r in study.history if r.source == "fork"):
        parent = study.history.lineage(fork)[-2]
        assert fork.logged.keys() == parent.logged.keys()
        assert fork.logged["width"] == parent.logged["width"]
        assert fork.logged.get("kind.deep.layers") == parent.logged.get("kind.deep.layers")
        changed += fork.logged["rate"] != parent.logged["rate"]

    assert changed > 5


def test_lineage_and_schedule_tell_how_a_member_was_trained() -> None:
    """From the trial that began anew on, fork by fork, each with its first step and its params."""
    study = study_of(PBT(interval=2))
    study.run(train, trials=6, progress=False)
    record = max(study.history, key=lambda r: len(r.schedule))
    line = study.history.lineage(record)

    assert len(line) > 2
    assert line[0].source != "fork"
    assert line[-1] == record
    assert record.schedule == [(r.fork_step + 1, r.params) for r in line]
    assert record.schedule[0][0] == 1
    assert study.history[0].schedule == [(1, study.history[0].params)]


def test_a_schedule_survives_reopening(tmp_path: Path) -> None:
    """It follows from the log."""
    study = study_of(PBT(interval=5), name="s", storage=tmp_path / "s.db")
    study.run(train, trials=4, workers=2, progress=False)
    again = ts.load(tmp_path / "s.db", "s")

    assert [r.before for r in again.history] == [r.before for r in study.history]
    assert again.scheduler == PBT(interval=5)
    assert study.verify()


def test_who_is_quick_does_not_matter() -> None:
    """One worker at a time or all members at once: the same are replaced at the first selection."""
    replaced = []
    for width in (1, 8):
        study = study_of(PBT(population=8, interval=10))
        trials = study.ask(8)
        for begin in range(0, 8, width):
            for trial in reversed(trials[begin : begin + width]):
                for step in range(1, 11):
                    trial.resumable()
                    if trial.decide(step, loss=abs(trial["rate"] - 0.3)):
                        study.tell(trial)
        forks = study.ask(2)
        replaced.append([study.history[f.number].parent for f in forks])

    assert replaced[0] == replaced[1]


def test_what_cannot_be_saved_is_refused_at_its_first_report() -> None:
    """The run raises it as any bug, hands the trial back, and goes on when it is mended."""

    def bare(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.report(1, loss=0.5)

    study = study_of(PBT(interval=5))
    with pytest.raises(ts.NotSupported, match=r"trial 0 cannot be saved; call trial\.resumable"):
        study.run(bare, trials=4, progress=False)

    assert [r.state for r in study.history] == ["paused"]
    study.run(train, trials=4, progress=False)
    assert study.history.count("complete") == 4
    assert study.verify()


def test_a_member_that_fails_is_replaced_at_the_next_selection() -> None:
    """A divergence costs the steps since the last selection, not a place."""

    def fragile(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable()
        for step in trial.steps():
            broken = trial.number == 1 and step == 7
            trial.report(step, loss=float("nan") if broken else trial["rate"])

    study = study_of(PBT(interval=5))
    study.run(fragile, trials=8, progress=False)

    assert study.history.count("failed") == 1
    assert study.history.count("complete") == 8


def test_a_population_that_is_complete_is_no_exhausted_space(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that asks for more members than there may be says who refuses them."""
    study = study_of(PBT(population=4, interval=10))
    study.run(train, trials=8, progress="lines")

    assert "4 trials, and PBT takes no more into this study" in capsys.readouterr().err


def test_a_fork_that_has_nothing_left_to_do_is_as_good_as_its_parent() -> None:
    """The last report is at a selection: whoever is copied there has its parent's weights, and no report."""

    def every_sixth(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable()
        for step in trial.steps():
            if step % 6 == 0:
                trial.report(step, loss=trial["rate"])

    study = study_of(PBT(interval=6))
    study.run(every_sixth, trials=8, progress=False)
    late = [record for record in study.history if record.fork_step == 18]

    assert study.history.count("complete") == 8
    parents = [study.history.find(fork.parent) for fork in late]
    assert [fork.value for fork in late] == [parent.value for parent in parents if parent]
    assert study.verify()


def test_where_nobody_can_be_copied_nobody_gives_way() -> None:
    """No checkpoint is ever written: whoever is paused begins anew when its turn comes, and none is forked."""

    def save(folder: Path) -> None:
        raise OSError(f"no space left for {folder}")

    study = study_of(PBT(interval=5))
    study.run(trained_by(save), trials=4, progress=False)

    assert [record.state for record in study.history] == ["complete"] * 4
    assert study.notes
    assert study.verify()


def test_a_checkpoint_that_fails_does_not_hold_the_population_up() -> None:
    """Every third cannot be written; what would be copied from it is passed over, and all train to the end."""
    saved: list[Path] = []

    def save(folder: Path) -> None:
        saved.append(folder)
        if len(saved) % 3 == 0:
            raise OSError("no space left")

    study = study_of(PBT(interval=2))
    study.run(trained_by(save), trials=6, progress=False)

    assert study.history.count("complete") == 6
    assert study.notes
    assert study.verify()


def test_the_best_may_be_one_that_never_saves() -> None:
    """It goes on, the best of those that can be copied are, and all places are taken to the end."""

    def fragile(trial: ts.Trial[dict[str, Any]]) -> None:
        def save(folder: Path) -> None:
            if trial["rate"] < 0.2:
                raise OSError("no space left")

        trained_by(save)(trial)

    study = study_of(PBT(resample=0))
    study.run(fragile, trials=8, progress=False)
    forks = [record for record in study.history if record.source == "fork"]

    assert min(record.params["rate"] for record in study.history[:8]) < 0.2
    assert study.history.count("complete") == 8
    assert not study.history.count("paused")
    assert len(forks) == 2 * 9
    assert study.verify()


def test_a_member_that_could_not_be_saved_meanwhile_is_no_bug(tmp_path: Path) -> None:
    """It tried between two selections, and the disk was full: it goes on, and pauses when it can."""
    study = study_of(PBT(population=2, interval=5))
    trial, other = study.ask(2)
    other.resumable()
    occupied = tmp_path / "occupied"
    occupied.touch()

    def save(folder: Path) -> None:
        if occupied.exists():
            raise OSError(f"no space left for {folder}")

    trial.resumable(save=save, load=Path.stat, save_every_s=1e-9)
    assert not any(trial.decide(step, loss=0.5) for step in range(1, 6))
    occupied.unlink()
    assert [trial.decide(step, loss=0.5) for step in (6, 7)] == [False, True]


def test_a_study_that_another_scheduler_began_goes_on(tmp_path: Path) -> None:
    """What was paused between two selections goes on and takes part in the next."""
    halving = ts.schedulers.SuccessiveHalving(candidates=4)
    study = ts.Study(
        SPACE, minimize="loss", resource=EPOCHS, scheduler=halving, seed=0, name="s",
        storage=tmp_path / "s.db", sampler=ts.samplers.Random(),
    )  # fmt: skip
    study.run(train, trials=4, progress=False)
    later = ts.load(tmp_path / "s.db", "s", SPACE, scheduler=PBT(interval=5))
    paused = [r.uid for r in study.history if r.state == "paused"]
    later.run(train, more=1, progress=False)

    assert all(r.step >= 5 for r in later.history if r.uid in paused)
    assert later.history.count("complete") > 1
    assert later.verify()


@pytest.mark.parametrize(
    "first, population, taken",
    [
        (None, None, 18),
        (None, 4, 13),
        (ts.schedulers.Median(), None, 18),
        (ts.schedulers.SuccessiveHalving(), None, 18),
        (ts.schedulers.ASHA(), None, 18),
    ],
)
def test_what_ended_under_another_scheduler_is_no_member(
    first: ts.schedulers.Scheduler[Any] | None, population: int | None, taken: int, tmp_path: Path
) -> None:
    """Nobody waits for it, and it takes no place: a whole population trains to the end."""
    study = ts.Study(
        SPACE, minimize="loss", resource=EPOCHS, scheduler=first, seed=0, name="s",
        storage=tmp_path / "s.db", sampler=ts.samplers.Random(),
    )  # fmt: skip
    study.run(train, trials=9, progress=False)
    ended, complete = study.history.count("complete", "stopped"), study.history.count("complete")
    later = ts.load(tmp_path / "s.db", "s", SPACE, scheduler=PBT(population))
    later.run(train, trials=18, progress=False)

    assert later.history.taken == taken
    assert not later.history.count("paused")
    assert later.history.count("complete") - complete >= taken - ended
    assert later.verify()


def test_how_many_members_there_are_must_be_said() -> None:
    """A run that only time ends, or a loop of one's own, would begin members for ever."""
    study = study_of(PBT())
    for begin in (lambda: study.run(train, timeout=60, progress=False), study.ask):
        with pytest.raises(ts.SettingError, match=r"how many there are; give PBT\(population=16\)"):
            begin()
    assert not study.history

    study = study_of(PBT(population=4))
    study.run(train, timeout=60, progress=False)
    assert study.history.count("complete") == 4


def test_what_has_given_way_has_ended(tmp_path: Path) -> None:
    """It is stopped, and its checkpoint is removed, whoever goes on with the study later."""
    study = study_of(PBT(interval=5), name="s", storage=tmp_path / "s.db")
    study.run(trained_by(Path.stat), trials=8, progress=False)
    history = study.history

    assert history.count("stopped") == 3 * 2
    assert history.count("paused") == 0
    assert [record.uid for record in history if record.checkpoint] == [history.best.uid]
    assert len([*(tmp_path / "s.db.files" / "s").glob("[!.]*")]) == 1
    assert study.verify()


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"population": 1}, "population"),
        ({"interval": 0}, "interval"),
        ({"share": 0.6}, "between 0 and 0.5"),
        ({"resample": -1}, "between 0 and 1"),
    ],
)
def test_settings_that_are_none_are_refused(settings: dict[str, Any], sentence: str) -> None:
    """The sentence names the setting."""
    with pytest.raises(ts.SettingError, match=sentence):
        study_of(PBT(**settings))


@pytest.mark.parametrize("interval, least", [(20, 1), (7, 15)])
def test_an_interval_without_a_selection_is_refused(interval: int, least: int) -> None:
    """It would train all members to the end, and change nothing."""
    resource = ts.Resource("epoch", max=20, min=least)
    with pytest.raises(ts.NotSupported, match=rf"interval={interval}.*from step {least}.*step 20"):
        ts.Study(SPACE, minimize="loss", resource=resource, scheduler=PBT(interval=interval))


def test_a_space_of_models_alone_is_refused() -> None:
    """There is nothing that may change."""
    space = {"width": ts.Int(1, 64, role="model"), "one": ts.Int(1, 1)}
    with pytest.raises(ts.NotSupported, match='role is "algorithm"'):
        ts.Study(space, minimize="loss", resource=EPOCHS, scheduler=PBT())
