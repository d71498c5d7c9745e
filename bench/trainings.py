"""Trainings whose curves are known, and how each method is run on them by virtual workers.

A method is a function that is given an `Arena` and runs a study in it. What it did is what the
arena heard: configurations that were begun, and the loss of each after each step.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import tunesmith as ts
from quality import parameter
from tunesmith.cli.settings import value_of
from tunesmith.numerics.arrays import Floats
from tunesmith.simulator import Clock, Course, play, simulate
from tunesmith.simulator.playing import Task

Config: TypeAlias = dict[str, Any]
Method: TypeAlias = Callable[["Arena"], None]

TRAINSIZES = 27  # steps into which a family with a fraction as budget is divided


@cache
def tasks(folder: str) -> Any:
    """Return the module `tasks` of a benchmark folder."""
    sys.path.insert(0, folder)
    return import_module("tasks")


class Training:
    """A task as trainings: a configuration has a loss after each of `top` steps.

    Lower is better; a step of a family whose budget is a share of the data is a 27th of it, as if the
    training went on with more.

    Args:
        folder: Of the benchmark.
        name: Of the task.
    """

    def __init__(self, folder: str, name: str) -> None:
        module = tasks(folder)
        self.active: Callable[[dict[str, Any], Config], bool] = module.active
        self.task = module.task(name)
        self._sample: Callable[..., Config] = module.sample
        self.params: list[dict[str, Any]] = self.task.params
        high = self.task.budgets[1]
        self.top = TRAINSIZES if high == 1 else int(high)
        self.budgets = np.arange(1, self.top + 1) * (high / self.top)
        self._known: dict[str, list[float]] = {}

    def curve(self, config: Config) -> list[float]:
        """Return the losses after each step (top,); NaN: it has diverged."""
        key = json.dumps(config, sort_keys=True, default=str)
        if key not in self._known:
            task = self.task
            if hasattr(task, "nearest"):  # a pool of recorded curves; the first value is untrained
                losses = task.valid[task.nearest(config), 1 : self.top + 1]
                losses = np.where(losses < 1e6, losses, np.nan)
            else:
                losses = self._surrogate(config)
            self._known[key] = [float(loss) for loss in losses]
        return self._known[key]

    def _surrogate(self, config: Config) -> Floats:
        """A model takes all steps in one call, if it was made to."""
        task = self.task
        full = {**config, **task.fix, task.inst: task.instance}
        labels = [task.enc[n][str(full.get(n, "#na#"))] for n in task.cat]
        numbers = np.array([float(full.get(n, 0)) for n in task.cont], np.float32)
        rows = np.repeat(numbers[None], self.top, 0)  # (top, d)
        rows[:, task.cont.index(task.fidelity)] = self.budgets
        kinds = np.repeat(np.array([labels], np.int32), self.top, 0)
        many = self.top if isinstance(task.session.get_inputs()[0].shape[0], str) else 1
        found = [
            row
            for i in range(0, self.top, many)
            for row in task.session.run(
                None, dict(zip(task.inputs, (kinds[i : i + many], rows[i : i + many]), strict=True))
            )[0]
        ]
        loss = task._loss  # noqa: SLF001 - of what the model says, as `loss` is of a configuration
        return np.array([loss(dict(zip(task.y, map(float, row), strict=True))) for row in found])

    def scale(self, n: int = 3000) -> tuple[float, float]:
        """Return the best and the median final loss of `n` random configurations."""
        rng = np.random.default_rng(2026)
        final = np.array([self.curve(self._sample(self.params, rng))[-1] for _ in range(n)])
        self._known.clear()
        return float(np.nanmin(final)), float(np.median(final[np.isfinite(final)]))


class Arena:
    """Where a method runs, and what was heard of it.

    Args:
        training: What is tuned.
        seed: Luck.
        workers: How many trainings run at once.
        steps: How many steps all of them together may do.

    Attributes:
        finals: Loss at the end of each training that was begun, known to us alone.
        last: The step at which each is.
        running: Those that run.
        points: Steps spent, and final loss of what then looked best: the best of those that have come
            farthest; each time that another does.
    """

    def __init__(self, training: Training, seed: int, workers: int, steps: int) -> None:
        self.training = training
        self.seed = seed
        self.workers = workers
        self.steps = steps
        self.finals: list[float] = []
        self.last: list[int] = []
        self.running: set[int] = set()
        self.spent = 0
        self.points: list[tuple[int, float]] = []
        self._best = (0, math.inf, -1)

    def begin(self, config: Config) -> int:
        """Take note of a training; return its number."""
        self.finals.append(self.training.curve(config)[-1])
        self.last.append(0)
        return len(self.finals) - 1

    def hear(self, number: int, step: int, loss: float) -> None:
        """Take note that a training has done a step."""
        self.spent += 1
        self.last[number] = step
        self.running.add(number)
        top, best, who = self._best
        if math.isfinite(loss) and (step > top or (step == top and loss < best)):
            if who != number:
                self.points.append((self.spent, self.finals[number]))
            self._best = (step, loss, number)

    def end(self, number: int) -> None:
        """Take note that a training was stopped, paused, or has come to its end."""
        self.running.discard(number)

    def play(self, begin: Callable[[], Task | None]) -> None:
        """Let virtual workers do tasks until the steps are spent."""
        for _ in play(begin, self.workers, Clock()):
            if self.spent >= self.steps:
                break


def problem_of(
    params: Sequence[dict[str, Any]], top: int | None = None, least: int = 1
) -> tuple[ts.Problem[Config], Callable[[Config], Config]]:
    """Return a task as our problem, and how our params are its own."""
    ours = {task["name"]: task["name"].replace(".", "-") for task in params}  # a dot is a path
    space = {
        ours[task["name"]]: parameter(
            task, {ours[name]: list(values) for name, values in task.get("when", {}).items()}
        )
        for task in params
    }
    theirs = {ours[name]: name for name in ours}
    resource = None if top is None else ts.Resource("step", top, least)
    study = ts.Study(space, minimize="loss", resource=resource)
    return study.problem, lambda given: {theirs[name]: value for name, value in given.items()}


def _part(text: str, registry: Any) -> Any:
    """What `asha:factor=4` means."""
    name, _, rest = text.partition(":")
    settings = (part.partition("=") for part in rest.split(",") if part)
    return registry.make(name, {key: value_of(value) for key, _, value in settings})


def ours(arena: Arena, sampler: str, scheduler: str, least: int, *, resumable: bool) -> None:
    """Run a study of ours, simulated."""
    training = arena.training
    problem, theirs = problem_of(training.params, training.top, least)
    study = simulate(
        problem,
        lambda record: Course({"loss": training.curve(theirs(record.params))}),
        sampler=_part(sampler, ts.samplers.registry),
        scheduler=None if scheduler == "none" else _part(scheduler, ts.schedulers.registry),
        workers=arena.workers,
        steps=arena.steps,
        resumable=resumable,
        seed=arena.seed,
    )
    heard = []
    for record in study.history:
        arena.begin(theirs(record.params))
        steps, losses = record.reported("loss")
        times = [] if record.curve is None else record.curve.times
        heard += [(t, record.number, s, v) for t, s, v in zip(times, steps, losses, strict=True)]
    for _, number, step, loss in sorted(heard):
        arena.hear(number, int(step), float(loss))
    arena.running = {record.number for record in study.history if record.state == "running"}


def one_epoch(arena: Arena, sampler: str, few: int = 3) -> None:
    """One epoch for all, the best few to the end, as if each budget had been the whole one.

    R. Egele, I. Guyon, V. Vishwanath, P. Balaprakash. Is one epoch all you need for multi-fidelity
    hyperparameter optimization? ESANN 2023. There are three in their 1-epoch strategy, too.
    """
    training = arena.training
    top, T = arena.training.top, arena.steps
    problem, theirs = problem_of(training.params)
    curves: list[list[float]] = []

    def course(record: ts.Record[Config]) -> Course:
        curves.append(training.curve(theirs(record.params)))
        return Course({"loss": curves[-1][:1]})

    simulate(
        problem, course, sampler=_part(sampler, ts.samplers.registry), scheduler=None,
        workers=arena.workers, steps=T - few * (top - 1), seed=arena.seed,
    )  # fmt: skip
    first = np.array([curve[0] for curve in curves])
    arena.finals = [curve[-1] for curve in curves]
    arena.last = [1] * len(curves)
    for budget in np.unique(np.geomspace(few * top, T, 60).astype(int)):
        n = budget - few * (top - 1)
        chosen = np.argsort(np.where(np.isnan(first[:n]), np.inf, first[:n]))[:few]
        arena.points.append((int(budget), min(arena.finals[i] for i in chosen)))
    for i in chosen:
        arena.last[i] = top


def optuna_(arena: Arena, pruner: str) -> None:
    """Run Optuna's TPE and one of its pruners, with their defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    training = arena.training
    kinds = {
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=training.top),
        "halving": optuna.pruners.SuccessiveHalvingPruner,
        "none": optuna.pruners.NopPruner,
    }
    sampler = optuna.samplers.TPESampler(seed=arena.seed)
    study = optuna.create_study(sampler=sampler, pruner=kinds[pruner]())

    def suggest(trial: Any, p: dict[str, Any]) -> Any:
        if p["type"] in ("cat", "ord"):
            return trial.suggest_categorical(p["name"], p["choices"])
        kind = trial.suggest_int if p["type"] == "int" else trial.suggest_float
        return kind(p["name"], p["low"], p["high"], log=p["log"])

    def task() -> Task:
        trial = study.ask()
        config: Config = {}
        for p in training.params:
            if training.active(p, config):
                config[p["name"]] = suggest(trial, p)
        number, curve = arena.begin(config), training.curve(config)
        state = optuna.trial.TrialState.COMPLETE
        for step, loss in enumerate(curve, 1):
            yield 1.0
            arena.hear(number, step, loss)
            if not math.isfinite(loss):
                state = optuna.trial.TrialState.FAIL
                break
            trial.report(loss, step)
            if step < training.top and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
        arena.end(number)
        study.tell(trial, curve[-1] if state == optuna.trial.TrialState.COMPLETE else None, state)

    arena.play(task)


def syne_asha(arena: Arena) -> None:
    """Run Syne Tune's ASHA, with its defaults (random search, stopping); conditions are left out."""
    import logging

    from syne_tune import config_space as cs
    from syne_tune.backend.trial_status import Trial
    from syne_tune.optimizer.baselines import ASHA

    logging.disable(logging.CRITICAL)
    training = arena.training
    np.random.seed(arena.seed)  # noqa: NPY002 - it draws from the global generator, too

    def domain(p: dict[str, Any]) -> Any:
        if p["type"] in ("cat", "ord"):
            return cs.choice(p["choices"])
        log, whole = p["log"], p["type"] == "int"
        kind = (
            (cs.lograndint if log else cs.randint)
            if whole
            else (cs.loguniform if log else cs.uniform)
        )
        return kind(p["low"], p["high"])

    scheduler = ASHA(
        {p["name"]: domain(p) for p in training.params}, metric="loss", time_attr="step",
        max_t=training.top, random_seed=arena.seed,
    )  # fmt: skip

    def task() -> Task:
        given = scheduler.suggest().config
        config: Config = {}
        for p in training.params:
            if training.active(p, config):
                config[p["name"]] = given[p["name"]]
        number = arena.begin(config)
        trial = Trial(number, given, None)  # when it was made is not used
        scheduler.on_trial_add(trial)
        result: dict[str, Any] = {}
        for step, loss in enumerate(training.curve(config), 1):
            yield 1.0
            arena.hear(number, step, loss)
            if not math.isfinite(loss):
                arena.end(number)
                scheduler.on_trial_error(trial)
                return
            result = {"loss": loss, "step": step}
            if scheduler.on_trial_result(trial, result) == "STOP":
                break
        arena.end(number)
        scheduler.on_trial_complete(trial, result)

    arena.play(task)


def smac_multifidelity(arena: Arena) -> None:
    """Run SMAC's multi-fidelity facade with its defaults; what it trains again goes on from there."""
    import logging
    import tempfile

    from ConfigSpace import (
        AndConjunction,
        Categorical,
        ConfigurationSpace,
        Float,
        InCondition,
        Integer,
    )
    from smac import MultiFidelityFacade, Scenario
    from smac.runhistory.dataclasses import TrialValue
    from smac.runhistory.enumerations import StatusType

    logging.disable(logging.CRITICAL)
    training = arena.training
    space, known = ConfigurationSpace(seed=arena.seed), {}
    for p in training.params:
        name = p["name"]
        if p["type"] in ("cat", "ord"):
            known[name] = Categorical(name, p["choices"], ordered=p["type"] == "ord")
        else:
            kind = Integer if p["type"] == "int" else Float
            known[name] = kind(name, (p["low"], p["high"]), log=p["log"])
    space.add(list(known.values()))
    for p in training.params:
        when = p.get("when", {})
        conditions = [InCondition(known[p["name"]], known[q], v) for q, v in when.items()]
        if conditions:
            space.add(AndConjunction(*conditions) if len(conditions) > 1 else conditions[0])
    scenario = Scenario(
        space, deterministic=True, n_trials=10**6, seed=arena.seed, min_budget=1,
        max_budget=training.top, output_directory=Path(tempfile.mkdtemp()),
    )  # fmt: skip

    def target(config: Any, seed: int = 0, budget: float = 0) -> float:
        raise NotImplementedError  # it is asked and told

    facade = MultiFidelityFacade(scenario, target, overwrite=True, logging_level=False)
    numbers: dict[Any, int] = {}

    def task() -> Task:
        info = facade.ask()
        config = {k: v.item() if hasattr(v, "item") else v for k, v in dict(info.config).items()}
        if info.config not in numbers:
            numbers[info.config] = arena.begin(config)
        number, curve = numbers[info.config], training.curve(config)
        loss = math.nan
        for step in range(arena.last[number] + 1, round(info.budget) + 1):
            yield 1.0
            loss = curve[step - 1]
            arena.hear(number, step, loss)
            if not math.isfinite(loss):
                break
        else:
            loss = curve[round(info.budget) - 1]
        arena.end(number)
        crashed = not math.isfinite(loss)
        state = StatusType.CRASHED if crashed else StatusType.SUCCESS
        facade.tell(info, TrialValue(cost=1e9 if crashed else loss, status=state))

    arena.play(task)


PEERS: dict[str, Method] = {
    "optuna-hyperband": lambda arena: optuna_(arena, "hyperband"),
    "optuna-halving": lambda arena: optuna_(arena, "halving"),
    "optuna-none": lambda arena: optuna_(arena, "none"),
    "syne-asha": syne_asha,
    "smac": smac_multifidelity,
}


def method(name: str) -> Method:
    """Return a method by name: a peer, `one-epoch+SAMPLER`, or `SAMPLER+SCHEDULER`.

    `auto+asha:factor=4/stop` is the default sampler under `ASHA(factor=4)` in trainings that cannot
    be resumed, `auto+asha/min=3` in such as are not judged before step 3; the scheduler `none` trains all to
    the end.
    """
    if name in PEERS:
        return PEERS[name]
    first, _, second = name.partition("+")
    if first == "one-epoch":
        return lambda arena: one_epoch(arena, second)
    scheduler, *words = second.split("/")
    least = next((int(word[4:]) for word in words if word.startswith("min=")), 1)
    return lambda arena: ours(arena, first, scheduler, least, resumable="stop" not in words)
