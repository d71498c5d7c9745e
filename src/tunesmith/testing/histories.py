"""Histories as studies leave them, made up at once: for suites and benchmarks of what reads them."""

import math
from array import array
from typing import Any

import msgspec
import numpy as np

from tunesmith.records import Failure, History, Problem, Record
from tunesmith.records.curve import Curve
from tunesmith.records.events import FailureKind
from tunesmith.records.record import State

BEGAN = 1_760_000_000.0  # seconds since 1970
STEP_S = 2.0
_KINDS: tuple[FailureKind, ...] = ("error", "diverged", "out of memory")


def history_of(
    problem: Problem[Any],
    n: int,
    seed: int = 0,
    *,
    evaluations: int = 1,
    copies: int = 0,
    failing: float = 0.06,
    spread: float = 1.0,
    workers: int = 4,
) -> History[Any]:
    """Return a history of `n` trials, of which the later ones lie closer to the optimum.

    Some fail, with a resource most are stopped at a third or a ninth of it, the last still run, and the
    first is the default.

    Args:
        problem: What is tuned; a metric of a limit is measured, too.
        n: How many trials.
        seed: Of everything random in it.
        evaluations: Of each configuration; several make a study with replicates.
        copies: How often a population was copied from: each later trial is a fork of one before it; needs a resource.
        failing: The share of failures.
        spread: Of the values; 0: all are equal; far above 1: the scale is a logarithm.
        workers: How many trials run at once.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    space, resource = problem.space, problem.resource
    units = space.draw(rng, n)
    shrink = 1 / (1 + np.arange(n) / max(20.0, 0.1 * n))
    units = space.snap(np.where(np.isnan(units), np.nan, 0.35 + (units - 0.35) * shrink[:, None]))
    params = space.decode(units)
    if n:
        params[0] = space.default()[0]
    units = space.encode(params)
    far = np.nanmean(np.hstack([(units - 0.35) ** 2, np.zeros((n, 1))]), axis=1)
    names = dict.fromkeys([o.name for o in problem.objectives])
    names |= dict.fromkeys(limit.name for limit in problem.limits)
    history = History(problem)
    free = np.full(workers, BEGAN)
    for i in range(n):
        luck = rng.normal(0, 0.02, len(names))
        values = {
            o.name: float(o.sign * (far[i] + luck[j] + 0.5 * j * (1 - far[i])) + (o.sign < 0))
            for j, o in enumerate(problem.objectives)
        }
        if spread != 1:
            values = {
                name: math.exp(value * math.log(spread)) if spread else 3.0
                for name, value in values.items()
            }
        values |= {
            limit.name: limit.bound * float(rng.uniform(0.5, 1.2)) for limit in problem.limits
        }
        state: State = "failed" if rng.random() < failing and (i or failing == 1) else "complete"
        full = resource.max if resource else 1
        steps = full
        if resource and state == "complete" and rng.random() < 0.6:
            state, steps = "stopped", max(1, full // int(rng.choice([3, 9])))
        if i >= n - 2 and i and failing < 1:
            state, steps = "running", max(1, full // 2)
        worker = int(free.argmin())
        started = float(free[worker])
        ended = started + STEP_S * steps * float(rng.uniform(0.7, 1.3))
        free[worker] = ended
        group, index = divmod(i, evaluations)
        parent = history[i - n // (copies + 1)] if copies and i >= n // (copies + 1) else None
        first = group * evaluations
        record: Record[Any] = Record(
            problem=problem,
            number=i,
            uid=f"0.{i}",
            logged=params[first],
            started=started,
            seed=i,
            basis=i,
            state="running",
            source="default" if not i else "replicate" if index else "sampler",
            note="default" if not i else "",
            replicate=(f"0.{first}", index) if evaluations > 1 else None,
            curve=_curve(problem, values, started, ended, steps) if resource else None,
            reports=steps if resource else 0,
        )
        if state == "failed":
            kind = _KINDS[int(rng.integers(len(_KINDS)))]
            record = msgspec.structs.replace(
                record, state=state, ended=ended, failure=Failure(kind, "it did"), why="raised"
            )
        elif state != "running":
            record = msgspec.structs.replace(
                record, state=state, ended=ended, values=values,
                why="returned" if state == "complete" else "scheduler",
            )  # fmt: skip
        if parent is not None and resource:
            at = min(parent.step, resource.max - 1)
            record = msgspec.structs.replace(
                record, source="fork", parent=parent.uid, fork_step=at, before=(*parent.before, (parent.fork_step + 1, parent.logged)),
                curve=None if record.curve is None else _after(record.curve, at), reports=max(0, record.reports - at),
            )  # fmt: skip
        history.put(record)
    return history


def _after(curve: Curve, step: int) -> Curve:
    """The reports after a step."""
    rest = Curve()
    rest.steps, rest.times = curve.steps[step:], curve.times[step:]
    rest.columns = {name: column[step:] for name, column in curve.columns.items()}
    return rest


def _curve(
    problem: Problem[Any], values: dict[str, float], started: float, ended: float, steps: int
) -> Curve:
    """A curve that comes down to the values."""
    curve = Curve()
    x = np.arange(1, steps + 1)
    curve.steps = array("q", x.tolist())
    curve.times = array("d", np.linspace(started, ended, steps + 1)[1:].tolist())
    for objective in problem.objectives:
        rest = (
            objective.sign * 0.5 * np.exp(-3 * x / max(1, problem.resource.max))
            if problem.resource
            else 0.0
        )
        curve.columns[objective.name] = array(
            "d", np.asarray(values[objective.name] + rest).tolist()
        )
    return curve
