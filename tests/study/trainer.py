"""A seeded training whose every bit is in its checkpoint, and a process that runs a study of it."""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts
from tunesmith.records import Problem
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler

T = ts.Trial[dict[str, Any]]
SPACE = {"rate": ts.Float(0.01, 0.3, log=True), "momentum": ts.Float(0.0, 0.95)}
EPOCHS = ts.Resource("epoch", max=9)
X = np.random.default_rng(0).normal(size=(40, 5))
Y = X @ np.arange(5.0)


class Net:
    """Least squares by noisy SGD with momentum: weights, velocity and luck are its state."""

    def __init__(self, rate: float, momentum: float, seed: int) -> None:
        self.rate = rate
        self.momentum = momentum
        self.luck = np.random.default_rng(seed)
        self.w = self.luck.normal(size=5)
        self.v = np.zeros(5)

    def epoch(self) -> float:
        for rows in self.luck.permutation(40).reshape(8, 5):
            slope = X[rows].T @ (X[rows] @ self.w - Y[rows]) / 5 + self.luck.normal(size=5) * 0.1
            self.v = self.momentum * self.v - self.rate * slope
            self.w = self.w + self.v
        return float(np.log1p(np.mean((X @ self.w - Y) ** 2)))

    def save(self, folder: Path) -> None:
        np.save(folder / "w.npy", self.w)
        np.save(folder / "v.npy", self.v)
        (folder / "luck.json").write_text(json.dumps(self.luck.bit_generator.state))

    def load(self, folder: Path) -> None:
        self.w = np.load(folder / "w.npy")
        self.v = np.load(folder / "v.npy")
        self.luck.bit_generator.state = json.loads((folder / "luck.json").read_text())


def net_of(trial: T) -> Net:
    return Net(trial["rate"], trial["momentum"], trial.seed)


def curve(record: ts.Record[Any], steps: int) -> list[float]:
    """What a training of a record's params and seed reports that nobody interrupts."""
    net = Net(record.params["rate"], record.params["momentum"], record.seed)
    return [net.epoch() for _ in range(steps)]


def train(trial: T) -> None:
    """Saved when it is needed."""
    net = net_of(trial)
    trial.resumable(save=net.save, load=net.load)
    for step in trial.steps():
        trial.report(step, loss=net.epoch())


def train_and_save_often(trial: T) -> None:
    """Saved at every report; says so on standard output, and takes its time."""
    net = net_of(trial)
    trial.resumable(save=net.save, load=net.load, save_every_s=1e-9)
    for step in trial.steps():
        trial.report(step, loss=net.epoch())
        os.write(1, b"step\n")


def train_for_long(trial: T) -> None:
    """Reports so often that a signal finds it within, and says when it has begun."""
    net = net_of(trial)
    trial.resumable(save=net.save, load=net.load)
    for step in trial.steps():
        trial.report(step, loss=net.epoch())
        if step == 2:
            os.write(1, b"begun\n")
        if trial.attempt == 1 and step > 2:
            time.sleep(0.02)


def train_and_stay(trial: T) -> None:
    """Says when it has reported twice, and then nothing for a minute."""
    net = net_of(trial)
    trial.resumable(save=net.save, load=net.load)
    for step in (1, 2):
        trial.report(step, loss=net.epoch())
    os.write(1, b"begun\n")
    time.sleep(60)


def lineage(
    history: ts.History[Any], record: ts.Record[Any], steps: int
) -> tuple[Net, list[float]]:
    """The training and the curve of a trial up to a step, that of its parents before it."""
    rate, momentum = record.params["rate"], record.params["momentum"]
    parent = history.find(record.parent)
    net = Net(rate, momentum, record.seed)
    if parent is not None:
        net, _ = lineage(history, parent, record.fork_step)
        net.rate, net.momentum = rate, momentum
    return net, [net.epoch() for _ in range(record.fork_step, steps)]


@dataclass
class Levels:
    """What is known at steps 3, 6 and 9.

    Attributes:
        best: Loss, number, uid and params of the best at each.
        owed: Forks that are still to begin.
    """

    best: dict[int, tuple[float, int, str, dict[str, Any]]] = field(default_factory=dict)
    owed: list[Fork] = field(default_factory=list)


@dataclass(frozen=True)
class Exploit(Scheduler[Levels]):
    """At every third step a trial that is not the best so far ends, and a fork of the best takes its place."""

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> Levels:
        return Levels()

    def tell(self, state: Levels, records: Sequence[ts.Record[Any]]) -> Levels:
        for record in records:
            step = record.step
            if record.event == "started" and record.parent:
                state.owed.remove(
                    next(
                        fork for fork in state.owed
                        if (fork.parent, fork.step) == (record.parent, record.fork_step)
                    )
                )  # fmt: skip
            if record.event == "reported" and step % 3 == 0:
                loss = record.values["loss"]
                mine = (loss, record.number, record.uid, record.logged)
                best = state.best.setdefault(step, mine)
                if mine < best:
                    state.best[step] = mine
                elif best[2] != record.uid and not record.parent:
                    params = {**best[3], "rate": best[3]["rate"] * 0.9}
                    state.owed.append(Fork(best[2], step, params))
        return state

    def due(self, state: Levels, record: ts.Record[Any]) -> int:
        return record.step - record.step % 3 + 3

    def decide(self, state: Levels, record: ts.Record[Any]) -> Decision:
        leads = record.step % 3 or state.best[record.step][2] == record.uid or record.parent
        return "continue" if leads else "stop"

    def revive(
        self, state: Levels, rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        return [*state.owed[:n]]

    def room(self, state: Levels) -> int | None:
        return None

    def keeps(self, state: Levels) -> set[tuple[str, int]]:
        return {(uid, step) for step, (_, _, uid, _) in state.best.items()} | {
            (fork.parent, fork.step) for fork in state.owed
        }


@dataclass(frozen=True)
class Forking(Scheduler[dict[str, list[str]]]):
    """Forks trial 0 at step 3 into one that has another rate, when it has finished."""

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> dict[str, list[str]]:
        return {"first": [], "ended": [], "forked": []}

    def tell(
        self, state: dict[str, list[str]], records: Sequence[ts.Record[Any]]
    ) -> dict[str, list[str]]:
        for record in records:
            if record.event == "started":
                state["forked" if record.parent else "first"].append(record.uid)
            if record.event == "finished":
                state["ended"].append(record.uid)
        return state

    def due(self, state: dict[str, list[str]], record: ts.Record[Any]) -> int:
        return 3 if record.step < 3 else 10**9

    def decide(self, state: dict[str, list[str]], record: ts.Record[Any]) -> Decision:
        return "continue"

    def revive(
        self, state: dict[str, list[str]], rng: np.random.Generator, n: int, *, closing: bool
    ) -> list[Resume | Fork]:
        if not state["ended"] or state["forked"]:
            return []
        forks: list[Resume | Fork] = [Fork(state["first"][0], 3, {"rate": 0.05, "momentum": 0.5})]
        return forks[:n]

    def room(self, state: dict[str, list[str]]) -> int | None:
        return None

    def keeps(self, state: dict[str, list[str]]) -> set[tuple[str, int]]:
        return {(state["first"][0], 3)} if state["first"] and not state["forked"] else set()


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(SPACE, minimize="loss", seed=3, sampler=ts.samplers.Random(), **options)


def main() -> None:
    path, objective = sys.argv[1:3]
    workers, trials, steps = map(int, sys.argv[3:6])
    scheduler = {9: ts.schedulers.SuccessiveHalving(), 10: Exploit()}.get(steps)
    study = study_of(
        name="s", storage=path, resource=ts.Resource("epoch", max=steps), scheduler=scheduler
    )
    if sys.argv[6:]:
        os.write(1, b"ready\n")
        sys.stdin.readline()
    study.run(
        globals()[objective], trials=trials, workers=workers or None, lease_s=2.0, retries=100
    )


if __name__ == "__main__":
    main()
