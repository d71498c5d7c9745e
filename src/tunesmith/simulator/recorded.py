"""A study that was run, under other settings: its trials anew, from the curves that it recorded."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np

from tunesmith._core.errors import NoTrials, NotSupported
from tunesmith.numerics.arrays import Floats
from tunesmith.records import Heard, History, Problem, Record, Resource
from tunesmith.samplers import FiniteSampler, Suggestion
from tunesmith.schedulers import Scheduler
from tunesmith.simulator.course import Course
from tunesmith.simulator.simulation import simulate
from tunesmith.space import Params


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a study.

    Attributes:
        best: Its best trial at the full resource, as it was recorded; None: none got there.
        complete: How many trials got there.
        spent: Steps of all trials together.
        reached: Steps that were spent when a trial was complete that is as good as the best recorded
            one; None: there is none.
        reached_s: Seconds until then.
        open: Numbers of the trials that would have gone on where their recorded curve ends, because
            they were stopped there: any of them may have been better.
    """

    best: Record[Any] | None
    complete: int
    spent: int
    reached: int | None
    reached_s: float | None
    open: tuple[int, ...] = ()


@final
@dataclass(frozen=True)
class _Again(FiniteSampler[int]):
    """Suggests what it is given, in order."""

    hears: ClassVar[frozenset[Heard]] = frozenset({"started"})
    baseline: ClassVar[bool] = False

    trials: Sequence[Params]

    def size(self, problem: Problem[Any]) -> int:
        return len(self.trials)

    def init(self, problem: Problem[Any], rng: np.random.Generator) -> int:
        return 0

    def tell(self, state: int, records: Sequence[Record[Any]]) -> int:
        return state + len(records)

    def ask(self, state: int, rng: np.random.Generator, n: int) -> list[Suggestion]:
        return [Suggestion(dict(params)) for params in self.trials[state : state + n]]


@final
class Recorded:
    """The trials of a study, to be run again.

    Those that were stopped early are known up to there, and end there (see `Outcome.open`); those that
    were forked from others are left out. A study without a resource gets the longest curve as one.

    Args:
        history: Of the study.

    Attributes:
        problem: What is tuned.
        resumable: Whether the trainings could go on later.

    Raises:
        NotSupported: It has several objectives.
        NoTrials: None has completed, or none has reported its objective step by step.
    """

    def __init__(self, history: History[Any]) -> None:
        problem = history.problem
        if len(problem.objectives) > 1:
            names = ", ".join(objective.name for objective in problem.objectives)
            raise NotSupported(
                f"a replay asks when a study was as good as its best trial; this one has several "
                f"objectives ({names})"
            )
        if not history.count("complete"):
            raise NoTrials("no trial has completed yet, so there is no result to compare with")
        self._history = history
        self._best = history.best
        self._records = [record for record in history if not record.fork_step]
        self._courses = [_course(record) for record in self._records]
        top = max(course.steps[-1] if course.steps else 0 for course in self._courses)
        if top == 0:
            raise NoTrials(
                f"no trial has reported {problem.objectives[0].name} step by step, so there are no "
                "curves to replay; report(step, ...) makes them"
            )
        self.problem = replace(problem, resource=problem.resource or Resource("step", top))
        self.resumable = any(record.resumable for record in self._records)

    @property
    def outcome(self) -> Outcome:
        """What became of it as it was run."""
        return self._judged(self._history, list(self._history), ())

    def under(
        self,
        scheduler: Scheduler[Any] | None,
        workers: int = 1,
        *,
        resumable: bool | None = None,
    ) -> Outcome:
        """Return what would have become of it.

        Its trials are begun in the order in which they were; each step takes the median of what the
        trial's steps have taken.

        Args:
            scheduler: Who decides how long trials go on; None: all go on to the end.
            workers: How many run at once.
            resumable: Whether trainings can go on later; None: as they could.

        Raises:
            NotSupported: The scheduler cannot do what the problem asks; or it forks trials, whose curves
                nobody has seen.
        """

        def course(record: Record[Any]) -> Course:
            if record.source == "fork":
                raise NotSupported(
                    f"{type(scheduler).__name__} goes on with a trial under other params, and what that "
                    "would have reported is not recorded"
                )
            return self._courses[record.number]

        study = simulate(
            self.problem,
            course,
            sampler=_Again([record.logged for record in self._records]),
            scheduler=scheduler,
            workers=workers,
            resumable=self.resumable if resumable is None else resumable,
        )
        history = study.history
        ended = (r.number for r in history if r.state == "failed" and self._courses[r.number].cut)
        return self._judged(
            history, self._records, tuple(self._records[number].number for number in ended)
        )

    def _judged(
        self, history: History[Any], records: Sequence[Record[Any]], cut: tuple[int, ...]
    ) -> Outcome:
        """What became of a study whose trials are those of `records`."""
        problem = self.problem
        sign = problem.objectives[0].sign
        complete = [record for record in history if record.state == "complete"]
        good = [record for record in complete if problem.meets_limits(record.values)]
        ends = [r.ended for r in good if r.ended and sign * r.value <= sign * self._best.value]
        end = min(ends, default=None)
        return Outcome(
            best=records[history.best.number] if good else None,
            complete=len(complete),
            spent=history.spent,
            reached=None if end is None else sum(_steps_until(end, r) for r in history),
            reached_s=None if end is None else end - history[0].started,
            open=cut,
        )


def _steps_until(time: float, record: Record[Any]) -> int:
    """How many steps a trial had done at a time."""
    curve = record.curve
    n = 0 if curve is None else bisect_right(curve.times, time, hi=record.reports)
    return curve.steps[n - 1] - record.fork_step if curve is not None and n else 0


def _course(record: Record[Any]) -> Course:
    """What a trial has reported, as far as that is known."""
    objective = record.problem.objectives[0].name
    steps, values = record.reported(objective)
    diverged = record.failure is not None and record.failure.kind == "diverged"
    kept = np.arange(len(steps)) if diverged else np.flatnonzero(~np.isnan(values))
    columns = () if record.curve is None else tuple(record.curve.columns)
    lost = record.failure is not None and record.failure.kind == "lost"
    return Course(
        values={name: record.reported(name)[1][kept].tolist() for name in columns},
        steps=steps[kept].tolist(),
        seconds=_step_s(record, steps),
        result=record.values if record.state == "complete" else None,
        failure=None if record.failure is None else record.failure.text,
        cut=lost or record.state not in ("complete", "failed"),
    )


def _step_s(record: Record[Any], steps: Floats) -> float:
    """The seconds that a step took: the median, so that no pause counts."""
    if record.curve is None or not len(steps):
        return 0.0
    times = np.array([record.started, *record.curve.times[: len(steps)]])  # (n + 1,)
    return max(0.0, float(np.median(np.diff(times) / np.diff(steps, prepend=0))))
