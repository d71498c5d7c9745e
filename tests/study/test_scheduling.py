"""Schedulers in a study: what is stopped, paused and resumed, and that all of it follows from the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Problem, Record
from tunesmith.records.events import Resumed, from_lines
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler, StoppingScheduler

X = {"x": ts.Float(0, 1)}
EPOCHS = ts.Resource("epoch", max=9)


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    """A curve that falls towards x; a later attempt goes on where the last one was."""
    trial.resumable()
    for step in trial.steps():
        trial.report(step, loss=trial["x"] + 1 / step)


def train_from_scratch(trial: ts.Trial[dict[str, Any]]) -> None:
    """The same, but nothing can be saved."""
    for step in trial.steps():
        trial.report(step, loss=trial["x"] + 1 / step)


def states(study: ts.Study[Any]) -> list[str]:
    """How many trials stand where."""
    return sorted(record.state for record in study.history)


def test_a_study_with_a_resource_has_a_scheduler_unless_none_is_wanted() -> None:
    """By default ASHA; None trains every trial to the end."""
    default = ts.Study(X, minimize="loss", resource=EPOCHS, seed=0)
    without = ts.Study(X, minimize="loss", resource=EPOCHS, seed=0, scheduler=None)
    default.run(train_from_scratch, trials=12, progress=False)
    without.run(train_from_scratch, trials=12, progress=False)

    assert isinstance(default.scheduler, ts.schedulers.ASHA)
    assert without.scheduler is None
    assert {"complete", "stopped"} == set(states(default))
    assert set(states(without)) == {"complete"}
    assert default.history.spent < without.history.spent
    assert ts.Study(X, minimize="loss").scheduler is None


def test_halving_promotes_the_best_third_of_each_rung() -> None:
    """9 trials do 1 step, 3 of them 3, and 1 of these all 9; the others stay paused."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=ts.schedulers.SuccessiveHalving(), seed=0
    )
    study.run(train, trials=9, progress=False)

    by_x = sorted(study.history, key=lambda record: record.params["x"])
    assert [record.step for record in by_x] == [9, 3, 3, 1, 1, 1, 1, 1, 1]
    assert states(study) == ["complete"] + ["paused"] * 8
    assert study.best is by_x[0] or study.best.number == by_x[0].number
    assert study.verify().checked >= 9 + 8 + 3
    assert study.verify()


def test_a_cohort_that_the_budget_leaves_incomplete_is_brought_to_an_end() -> None:
    """With 4 trials where 9 would be a cohort, the best of them still gets to the full resource."""
    for scheduler in (ts.schedulers.SuccessiveHalving(), ts.schedulers.ASHA()):
        study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0)
        study.run(train, trials=4, progress=False)

        assert study.best.step == 9
        assert study.best.params["x"] == min(record.params["x"] for record in study.history)
        assert study.verify()


def test_what_cannot_save_is_stopped_instead_of_paused() -> None:
    """No scheduler pauses a trial that would have to begin again."""
    for scheduler in (
        ts.schedulers.SuccessiveHalving(),
        ts.schedulers.Hyperband(),
        ts.schedulers.ASHA(),
    ):
        study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0)
        study.run(train_from_scratch, trials=20, progress=False)

        assert set(states(study)) == {"complete", "stopped"}
        assert study.verify()


def test_hyperband_begins_each_bracket_one_rung_higher() -> None:
    """With 9 steps: 9 from rung 1, 5 from rung 3, 3 to the end."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=ts.schedulers.Hyperband(), seed=0,
        sampler=ts.samplers.Random(),
    )  # fmt: skip
    study.run(train, trials=17, progress=False)

    assert [sum(r.step >= step for r in study.history[:9]) for step in (1, 3, 9)] == [9, 3, 1]
    assert [sum(r.step >= step for r in study.history[9:14]) for step in (1, 3, 9)] == [5, 5, 1]
    assert all(r.step == 9 for r in study.history[14:])


def test_workers_share_a_rung(tmp_path: Path) -> None:
    """Two worker processes: nothing is promoted before its rung is full, and all of it is verified."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=ts.schedulers.SuccessiveHalving(), seed=0,
        name="s", storage=tmp_path / "s.db", sampler=ts.samplers.Random(),
    )  # fmt: skip
    study.run(train, trials=9, workers=2, progress=False)

    by_x = sorted(study.history, key=lambda record: record.params["x"])
    assert [record.step for record in by_x] == [9, 3, 3, 1, 1, 1, 1, 1, 1]
    assert study.verify()


def test_a_paused_trial_goes_on_where_it_was() -> None:
    """Its next attempt begins after the last step, and its curve is whole."""
    begun: list[tuple[int, int, int]] = []

    def follow(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable()
        for step in trial.steps():
            begun.append((trial.number, trial.attempt, step))
            trial.report(step, loss=trial["x"])

    halving = ts.schedulers.SuccessiveHalving()
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=halving, seed=0)
    study.run(follow, trials=9, progress=False)

    best = study.best
    assert [step for number, _, step in begun if number == best.number] == list(range(1, 10))
    assert best.reported("loss")[0].tolist() == list(range(1, 10))
    assert best.attempt > 1


@pytest.mark.parametrize("resumable", [True, False])
def test_the_timeout_hands_back_what_can_go_on(*, resumable: bool) -> None:
    """Whatever else runs when the time is over is stopped for good, at its next report."""

    def slow(trial: ts.Trial[dict[str, Any]]) -> None:
        if resumable:
            trial.resumable()
        for step in trial.steps():
            over.wait(0.02)
            trial.report(step, loss=1.0)

    over = Event()
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=None)
    study.run(slow, trials=1, timeout=0.01, progress=False)
    (record,) = study.history
    assert record.state == ("paused" if resumable else "stopped")
    assert record.step < 9

    study.run(slow, trials=1, progress=False)
    assert study.history[0].state == ("complete" if resumable else "stopped")


def test_by_hand_a_stopped_trial_ends_as_stopped_whatever_is_told() -> None:
    """Who asks and tells gets `Stopped` from a report, and tells; the record says what happened."""
    study = ts.Study(X, minimize="loss", resource=EPOCHS, seed=0)
    first, second = study.ask(2)
    first.report(1, loss=0.1)
    with pytest.raises(ts.Stopped):
        second.report(1, loss=0.9)

    assert study.tell(second, loss=0.0).state == "stopped"
    assert study.tell(first, loss=0.05).state == "complete"


def test_by_hand_a_full_population_is_no_exhausted_space() -> None:
    """Who asks for more members than there are is told to go on with those that run."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=ts.schedulers.PBT(population=2), seed=0
    )
    study.ask(2)

    with pytest.raises(ts.StudyError, match="PBT takes no new trial now"):
        study.ask()


def test_another_scheduler_goes_on_with_a_study(tmp_path: Path) -> None:
    """It is logged, knows what was before, and each decision is checked against who made it."""
    place = tmp_path / "s.db"
    study = ts.Study(X, minimize="loss", resource=EPOCHS, name="s", storage=place, seed=0)
    study.run(train, trials=6, progress=False)
    later = ts.load(place, "s", X, scheduler=ts.schedulers.SuccessiveHalving(candidates=6))
    later.run(train, more=6, progress=False)

    assert ts.load(place, "s").scheduler == ts.schedulers.SuccessiveHalving(candidates=6)
    assert later.verify()
    assert later.verify().skipped == 0


@dataclass(frozen=True)
class Odd(StoppingScheduler[int]):
    """Stops every second trial after its first report."""

    answer: str = "stop"

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> int:
        return 0

    def tell(self, state: int, records: Sequence[Record[Any]]) -> int:
        return state + len(records)

    def due(self, state: int, record: Record[Any]) -> int:
        return 1 if not record.reports else 10**9

    def decide(self, state: int, record: Record[Any]) -> Decision:
        return self.answer if record.number % 2 else "continue"  # type: ignore[return-value]  # on purpose


@dataclass(frozen=True)
class Holding(Scheduler[set[str]]):
    """Pauses every trial after its first report, and lets none go on; drops them if that is wanted."""

    drop: bool = False

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> set[str]:
        return set()

    def tell(self, state: set[str], records: Sequence[Record[Any]]) -> set[str]:
        return state | {record.uid for record in records if record.scheduled}

    def due(self, state: set[str], record: Record[Any]) -> int:
        return 1

    def decide(self, state: set[str], record: Record[Any]) -> Decision:
        return "pause"

    def revive(
        self, state: set[str], rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        return []

    def room(self, state: set[str]) -> int | None:
        return None

    def keeps(self, state: set[str]) -> set[tuple[str, int]]:
        return set()

    def drops(self, state: set[str]) -> set[str]:
        return state if self.drop else set()


def test_a_run_in_which_nothing_can_go_on_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line says who lets none of them."""
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=Holding())
    study.run(train, trials=4, progress="lines")

    said = capsys.readouterr().err
    assert "none of 4 trials came to its end: Holding has paused them and lets none go on" in said


def test_what_a_scheduler_drops_has_ended_and_is_not_revived(tmp_path: Path) -> None:
    """It is stopped by the scheduler, as `verify` finds, and another one that promotes leaves it alone."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=Holding(drop=True), name="s",
        storage=tmp_path / "s.db",
    )  # fmt: skip
    study.run(train, trials=4, progress=False)
    assert [(record.state, record.why) for record in study.history] == [
        ("stopped", "scheduler")
    ] * 4
    assert study.verify(Holding(drop=True)).skipped == 0
    assert study.verify(Holding(drop=True))

    halving = ts.schedulers.SuccessiveHalving()
    later = ts.load(tmp_path / "s.db", "s", X, scheduler=halving)
    later.run(train, more=4, progress=False)
    assert [record.step for record in later.history[:4]] == [1] * 4
    assert later.verify(Holding(drop=True))


def test_a_scheduler_of_ones_own_is_passed_as_it_is(tmp_path: Path) -> None:
    """It is named in the log, and whoever opens the study without it is told."""
    place = tmp_path / "s.db"
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=Odd(), name="s", storage=place)
    study.run(train_from_scratch, trials=4, progress=False)

    assert [record.state for record in study.history] == ["complete", "stopped"] * 2
    assert study.verify(Odd()).skipped == 0
    bare = ts.load(place, "s", X)
    assert bare.verify().skipped > 0
    with pytest.raises(ts.StudyError, match=r"run with the scheduler .*Odd.*scheduler=\.\.\."):
        bare.ask()


@pytest.mark.parametrize(
    "answer, sentence",
    [("halt", "got 'halt'"), ("pause", "which cannot save itself")],
)
def test_a_scheduler_that_breaks_its_contract_is_named(answer: str, sentence: str) -> None:
    """An unknown decision, or a pause of what cannot save, is the scheduler's fault."""
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=Odd(answer))
    with pytest.raises(ts.SettingError, match=f"Odd.*{sentence}"):
        study.run(train_from_scratch, trials=2, progress=False)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"scheduler": ts.schedulers.ASHA()}, "declare it: Study"),
        ({"scheduler": "asha"}, "scheduler= takes one such as"),
        ({"resource": EPOCHS, "scheduler": ts.schedulers.ASHA(factor=1)}, "above 1"),
        ({"resource": EPOCHS, "scheduler": ts.schedulers.ASHA(float("inf"))}, "finite numbers"),
        (
            {"resource": EPOCHS, "scheduler": ts.schedulers.ASHA(), "deterministic": 2},
            "a deterministic study cannot have it",
        ),
        ({"resource": EPOCHS, "scheduler": ts.schedulers.Race()}, "Race compares the folds"),
    ],
)
def test_a_scheduler_that_does_not_fit_is_refused(options: dict[str, Any], sentence: str) -> None:
    """The sentence says what to do; nothing is kept of the study."""
    with pytest.raises((ts.SettingError, ts.NotSupported), match=sentence):
        ts.Study(X, minimize="loss", **options)


@pytest.mark.parametrize("name", ["asha", "hyperband", "median", "successivehalving"])
def test_a_divergence_is_no_decision_of_the_scheduler(name: str) -> None:
    """A trial that reports NaN ends there as failed, and the study still verifies."""

    def diverging(trial: ts.Trial[dict[str, Any]]) -> None:
        trial.resumable()
        for step in trial.steps():
            broken = trial.number % 3 == 0 and step == 1
            trial.report(step, loss=float("nan") if broken else trial["x"] / step)

    scheduler = ts.schedulers.registry.make(name, {})
    study = ts.Study(X, minimize="loss", resource=EPOCHS, scheduler=scheduler, seed=0)
    study.run(diverging, trials=9, progress=False)

    failed = [record for record in study.history if record.state == "failed"]
    assert {(r.step, r.why, r.failure.kind) for r in failed if r.failure} == {
        (1, "raised", "diverged")
    }
    assert study.verify(), study.verify().difference


def test_a_decision_that_was_not_the_schedulers_is_found(tmp_path: Path) -> None:
    """A log in which a paused trial goes on out of turn does not verify."""
    study = ts.Study(
        X, minimize="loss", resource=EPOCHS, scheduler=ts.schedulers.SuccessiveHalving(), seed=0,
        name="s", storage=ts.storage.Memory(),
    )  # fmt: skip
    study.run(train, trials=9, progress=False)
    storage = ts.storage.connect(tmp_path / "other.db")
    study.save(storage)
    lines = storage.read("s")
    events = from_lines(lines)
    resumed = [event for event in events if isinstance(event, Resumed)]
    loser = next(r for r in study.history if r.step == 1)
    changed = [line.replace(f'"uid":"{resumed[-1].uid}"', f'"uid":"{loser.uid}"')
               if isinstance(event, Resumed) and event == resumed[-1] else line
               for line, event in zip(lines, events, strict=True)]  # fmt: skip
    other = ts.storage.Memory()
    other.append("s", changed, expect=0)

    assert not ts.load(other, "s", X).verify()


def test_race_stops_what_is_behind_on_the_same_folds() -> None:
    """A fold that is hard for all condemns nobody; what is worse on each of them ends after the first."""
    hard = np.array([0.9, 0.1, 0.2, 0.1, 0.2])

    def folds(trial: ts.Trial[dict[str, Any]]) -> None:
        for fold in trial.steps():
            trial.report(fold, loss=hard[fold - 1] + trial["x"])

    study = ts.Study(
        X, minimize="loss", value="mean", resource=ts.Resource("fold", max=5),
        scheduler=ts.schedulers.Race(), seed=0,
    )  # fmt: skip
    for x in (0.0, 0.1, 0.5, 1.0):
        study.enqueue({"x": x})
    study.run(folds, trials=5, progress=False)

    steps = {
        record.params["x"]: record.step for record in study.history if record.source == "queue"
    }
    assert steps[0.0] == steps[0.1] == 5
    assert steps[1.0] == 1
    assert study.best.params["x"] == 0.0
