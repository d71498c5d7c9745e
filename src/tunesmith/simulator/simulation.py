"""A study whose trainings are known beforehand."""

from collections.abc import Callable
from itertools import repeat
from typing import Any, Generic, Literal, final

from tunesmith._core import checks
from tunesmith._core.errors import StudyError
from tunesmith._core.types import P
from tunesmith.records import Problem, Record
from tunesmith.records.provenance import NOTHING
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.simulator.course import Course
from tunesmith.simulator.playing import Clock, Task, play
from tunesmith.storage import Memory
from tunesmith.study import Study, Trial
from tunesmith.study.opening import How, open_study


def simulate(
    problem: Problem[P],
    course: Callable[[Record[P]], Course],
    *,
    sampler: Sampler[Any] | None = None,
    scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
    workers: int = 1,
    steps: int | None = None,
    resumable: bool = True,
    seed: int = 0,
) -> Study[P]:
    """Return a study as it would have been, its times in virtual seconds from 0.

    A trial that is paused and goes on does so where it was. One that is forked continues at its step
    on the course of its own params, as if these had been there from the beginning: what its parent's
    params have left behind in it is not known.

    Args:
        problem: What is tuned; `ts.Study(...).problem` has it.
        course: What a trial would report; it finds params, seed, memo and parent in the record.
        sampler: As in `Study`.
        scheduler: Likewise.
        workers: How many trials run at once.
        steps: How many steps all trials together may do; what runs then stays so. None: until the
            sampler is exhausted.
        resumable: Whether trainings can go on later; else schedulers stop them.
        seed: Of everything random, suggestions included.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study(
        ...     {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", 9)
        ... )
        >>> def course(record):
        ...     return Course({"loss": [record.params["x"] + 1 / step for step in range(1, 10)]})
        >>> simulated = simulate(study.problem, course, workers=4, steps=90)
        >>> simulated.history.spent, max(record.started for record in simulated.history)
        (90, 22.0)
    """
    workers = checks.whole("simulate(workers=...)", workers, 1)
    if steps is not None:
        steps = checks.whole("simulate(steps=...)", steps, 1)
    clock = Clock()
    ledger, _ = open_study(
        problem, sampler, scheduler, Memory(), "simulation", How(seed), clock=clock
    )
    ledger.origin = NOTHING  # what is simulated comes from no process
    study = Study.opened(ledger, sampler, scheduler)
    simulation = _Simulation(study, course, resumable=resumable)
    for _ in play(simulation.begin, workers, clock):
        if steps is not None and simulation.spent >= steps:
            break
    return study


@final
class _Simulation(Generic[P]):
    """The trials of a study as tasks of virtual workers."""

    def __init__(
        self, study: Study[P], course: Callable[[Record[P]], Course], *, resumable: bool
    ) -> None:
        self._study = study
        self._course = course
        self._resumable = resumable
        self.spent = 0

    def begin(self) -> Task | None:
        """Return the next trial, if there is one now."""
        try:
            trial = self._study.ask()
        except StudyError:  # for now: what others report may let a trial go on
            return None
        return self._train(trial, self._course(self._study.history[trial.number]))

    def _train(self, trial: Trial[P], course: Course) -> Task:
        """What an objective would do, the time that it takes left to the worker."""
        if self._resumable:
            trial.resumable()
        done = trial.ticket.step
        known = min(map(len, course.values.values()), default=0)
        steps = range(1, known + 1) if course.steps is None else course.steps
        each = course.seconds
        seconds = repeat(each) if isinstance(each, int | float) else each
        for i, (step, duration) in enumerate(zip(steps, seconds, strict=False)):
            if step <= done:
                continue
            yield (step - done) * duration if isinstance(each, int | float) else duration
            self.spent += step - done
            done = step
            reported = {
                name: column[i]
                for name, column in course.values.items()
                if column[i] == column[i] or name in trial.ticket.objectives
            }
            if trial.decide(step, reported):
                self._study.tell(trial)
                return
        if course.cut:
            self._study.fail(trial, f"what it does after step {done} is not known")
        elif course.failure is not None:
            self._study.fail(trial, course.failure)
        else:
            self._study.tell(trial, course.result)
