"""The study: a log of events, and the verbs that append to it or read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, final, overload

from tunesmith._core import checks
from tunesmith._core.errors import Conflict, SettingError, StudyError, StudyFinished
from tunesmith._core.hints import hint_attribute, hint_keywords
from tunesmith._core.types import P
from tunesmith._core.words import plural
from tunesmith.analysis import Confirmation
from tunesmith.executors import HERE, Executor, Work
from tunesmith.executors.devices import GPUs
from tunesmith.records import Limit, Objective, Problem, Provenance, Record, Resource
from tunesmith.records.events import Keep
from tunesmith.replication import Fixed, Replication
from tunesmith.samplers import FiniteSampler, Queue, Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.space import Space
from tunesmith.stop import StopRule
from tunesmith.storage import Blobs, Memory, Storage
from tunesmith.storage.bundle import BASELINE, CONFIRMS
from tunesmith.study import opening
from tunesmith.study.attaching import put
from tunesmith.study.background import Job, start
from tunesmith.study.beside import seed_apart
from tunesmith.study.bounds import RETRIES, Bounds
from tunesmith.study.bundling import Which, bundle
from tunesmith.study.confirming import Plan, check_confirmable, refuse
from tunesmith.study.desk import Desk
from tunesmith.study.files import copy
from tunesmith.study.ledger import LEASE_S, Ledger
from tunesmith.study.objectives import caller, space_meant
from tunesmith.study.options import Making, Names, Running
from tunesmith.study.origin import origin
from tunesmith.study.parts import Parts, part_of
from tunesmith.study.progress import say, shown_place
from tunesmith.study.ranks import concluding, copied, spanning
from tunesmith.study.reading import Readable
from tunesmith.study.rerunning import TOLERANCE, Rerun, rerun
from tunesmith.study.running import Run
from tunesmith.study.trial import Trial
from tunesmith.study.voice import Shown, Voice
from tunesmith.study.workers import executor_of, work_of


@final
class Study(Readable[P]):
    """A search for the params that minimise or maximise something.

    Every verb appends events to the study's log or reads it, nothing else.

    Args:
        space: A dict of parameters, a `Space`, a dataclass, or an objective whose signature or
            `Trial[Params]` annotation gives the space.
        minimize: The metric to minimise, or several.
        maximize: The metric to maximise, or several.
        subject_to: Limits on metrics, such as "latency_ms <= 20".
        resource: What a trial spends step by step, such as epochs.
        value: Which report counts for a trial that returns nothing; "mean": all, as with folds.
        sampler: Who proposes params; by default `ts.samplers.Auto()`.
        scheduler: Who decides how long trials go on, such as `ts.schedulers.ASHA()`, which a study with a
            resource has by default; None: all go on to the end.
        name: Name under which it is kept; without one it lives in memory only.
        storage: Where it is kept, a path or URL; by default `$TUNESMITH_STORAGE`, or
            `./tunesmith.db`.
        seed: Of everything random; drawn and logged if not given.
        deterministic: How many trials may be open at once in a study whose trials are the same in
            every run, whichever worker is quick; None: whoever is first is served first.
        replicates: How often each configuration is evaluated, on seeds that all share; or who says which
            are, such as `ts.replication.Racing()`.
        files: Where checkpoints are kept, a path or any URL that fsspec knows; by default beside the
            storage, in `tunesmith.db.files`.
        data: What it is tuned on: arrays, frames, paths, bytes, or lists and dicts of them. A short hash of them is
            kept, and the study goes on with no others.
        keep_checkpoints: Which are kept: "needed" by a trial that may go on or a scheduler that may fork
            from it; also the best trial's, "best", the default; also the "last" of each trial; or "all".

    Raises:
        SpaceError: The space is not valid.
        SettingError: An argument is not valid.
        NotSupported: The sampler or the scheduler cannot do what the problem asks.
        StudyError: A study of this name exists and is another one.

    Example:
        >>> import tunesmith as ts
        >>> study = ts.Study({"x": ts.Float(-10, 10)}, minimize="loss", seed=7)
        >>> trial = study.ask()
        >>> study.tell(trial, loss=(trial["x"] - 2) ** 2).state
        'complete'
    """

    @overload
    def __init__(
        self: Study[dict[str, Any]], space: Mapping[str, Any], **options: Unpack[Making]
    ) -> None: ...
    @overload
    def __init__(self, space: type[P] | Space[P], **options: Unpack[Making]) -> None: ...
    @overload
    def __init__(self, space: Callable[[Trial[P]], Any], **options: Unpack[Making]) -> None: ...
    @overload
    def __init__(
        self: Study[dict[str, Any]], space: Callable[..., Any], **options: Unpack[Making]
    ) -> None: ...
    @hint_keywords()
    def __init__(
        self,
        space: Any,
        *,
        minimize: Names | None = None,
        maximize: Names | None = None,
        subject_to: Sequence[str] = (),
        resource: Resource | None = None,
        value: Literal["last", "best", "mean"] = "last",
        sampler: Sampler[Any] | None = None,
        scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
        name: str | None = None,
        storage: Storage | str | Path | None = None,
        seed: int | None = None,
        deterministic: int | None = None,
        replicates: Replication | int | None = None,
        files: Blobs | str | Path | None = None,
        keep_checkpoints: Keep | None = None,
        data: Any = None,
    ) -> None:
        least, most = (
            checks.texts(w, v, '"loss"')
            for w, v in (("minimize=", minimize), ("maximize=", maximize))
        )
        problem: Problem[P] = Problem(
            space=space_meant(space),
            objectives=(
                *(Objective(metric, "minimize") for metric in least),
                *(Objective(metric, "maximize") for metric in most),
            ),
            limits=tuple(map(Limit.parse, checks.texts("subject_to=", subject_to, '"ms <= 20"'))),
            resource=resource,
            value=value,
        )
        seed = None if seed is None else checks.whole("seed=", seed)
        width = None if deterministic is None else checks.whole("deterministic=", deterministic, 1)
        place, name = opening.place(storage, name)
        how = opening.How(
            seed=seed,
            deterministic=width,
            files=opening.kept_in(files),
            keep=opening.kept(keep_checkpoints),
            replicates=opening.repeated(replicates),
            data=opening.data_given(data),
        )
        ledger, parts = opening.open_study(problem, sampler, scheduler, place, name, how)
        self._start(ledger, parts)

    def _start(self, ledger: Ledger[P], parts: Parts) -> None:
        self._parts = parts
        self._desk = Desk(ledger, parts)
        self._announced = isinstance(ledger.storage, Memory)
        self._loaded_bare = False
        self._stops: int | None = None
        self._said_stale = ""
        self._proven = False  # whether the objective has succeeded in another study

    @classmethod
    def opened(
        cls,
        ledger: Ledger[P],
        sampler: Sampler[Any] | None = None,
        scheduler: Scheduler[Any] | Literal["auto"] | None = "auto",
        *,
        bare: bool = False,
        stops: int | None = None,
    ) -> Study[P]:
        """Return the study of a log; see `load`.

        Args:
            ledger: The log.
            sampler: Who goes on, if not the one that the log names.
            scheduler: Likewise.
            bare: Whether the form of its params is still to be taken from an objective.
            stops: How many commands to stop were known when its run was asked for; by default, when
                it begins.
        """
        study = cls.__new__(cls)
        parts = opening.configure(ledger, sampler, scheduler)
        study._start(ledger, parts)  # noqa: SLF001 - its own
        study._loaded_bare = bare  # noqa: SLF001 - likewise
        study._stops = stops  # noqa: SLF001 - likewise
        return study

    @overload
    def ask(self, n: None = None, *, lease: bool = True) -> Trial[P]: ...
    @overload
    def ask(self, n: int, *, lease: bool = True) -> list[Trial[P]]: ...
    def ask(self, n: int | None = None, *, lease: bool = True) -> Trial[P] | list[Trial[P]]:
        """Return the next trial to run; with `n`, a list of at most `n`.

        Trials that were interrupted come first, then queued ones, then the sampler's.

        Args:
            n: How many at most.
            lease: Whether the trial is this process's and goes on elsewhere if that dies. False
                for work that is finished by another process, or tomorrow.

        Raises:
            StudyFinished: The space is exhausted.
            StudyError: The study is paused; or it is deterministic, or its scheduler takes no new one,
                and another trial must finish first.
        """
        n = None if n is None else checks.whole("n in ask(n)", n)
        self._check_population(None)
        trials = self._desk.ask([HERE] * (1 if n is None else n), lambda _: 1 << 60, lease=lease)
        if not trials and n != 0 and self._desk.fold.paused:
            raise StudyError(f"{self.name!r} is paused; study.resume() lets it go on")
        awaited = self._desk.awaited
        if not trials and n != 0 and awaited is not None:
            raise StudyError(
                f"this deterministic study hands out trial {len(self._ledger.fold.history)} when "
                f"trial {awaited.number} has finished; tell its result first"
            )
        steering = self._ledger.steering
        if not trials and n != 0 and steering is not None and steering.room() == 0:
            raise StudyError(
                f"{type(steering.scheduler).__name__} takes no new trial now; tell the results of those "
                "that run first, if there are any"
            )
        if not trials and n != 0:
            raise StudyFinished(
                f"all configurations of {self.name!r} are tried, in "
                f"{plural(len(self._ledger.fold.history), 'trial')}"
            )
        return trials[0] if n is None else trials

    def _check_population(self, trials: int | None) -> None:
        """Refuse to begin members of a population of which nobody knows how many there will be.

        Raises:
            SettingError: Neither the budget `trials` nor the scheduler says it, and the space has no end.
        """
        steering = self._ledger.steering
        endless = trials is None and self._ledger.fold.history.problem.space.cardinality is None
        if not endless or isinstance(self.sampler, FiniteSampler) or steering is None:
            return
        if steering.scheduler.forks and steering.room() is None:
            name = type(steering.scheduler).__name__
            raise SettingError(
                f"{name} selects when all members have begun, and nothing says how many there are; give "
                f"{name}(population=16), or run(..., trials=16)"
            )

    def tell(self, trial: Trial[P] | int, result: Any = None, /, **values: Any) -> Record[P]:
        """End a trial with its result and return its record.

        Args:
            trial: The trial, or its number.
            result: A number, if there is one objective; or a mapping of metrics.
            values: Metrics by name.

        Raises:
            ResultError: The result cannot be used; the trial stays open.
            StudyError: The trial has finished, or another living process runs it.
            Superseded: Another attempt of the trial has taken over.
        """
        return self._desk.tell(trial, result, values)

    def fail(self, trial: Trial[P] | int, error: BaseException | str = "") -> Record[P]:
        """End a trial as failed and return its record; raises as `tell` does."""
        return self._desk.fail(trial, error)

    def attach(self, number: int, path: str | PathLike[str], name: str | None = None) -> None:
        """Keep a copy of a file or folder with a trial that does not run; one that runs has `Trial.attach`.

        Raises:
            StudyError: There is no such trial, or it runs.
            SettingError: There is nothing at the path, or the study's storage has no place for files.
            StorageError: It cannot be kept.
        """
        record = self._desk.attachable(number)
        self._desk.attached(record.uid, 0, *put(self._ledger.files, record.uid, 0, path, name))

    def enqueue(
        self,
        params: Mapping[str, Any] | P,
        *,
        note: str | None = None,
        parent: int | None = None,
    ) -> None:
        """Have a configuration tried next; what it leaves open, the sampler completes.

        Args:
            params: All or some of the parameters, in the form in which objectives get them.
            note: Kept with it.
            parent: Number of the trial that it comes from.

        Raises:
            SpaceError: The params are not in the space.
            StudyError: The study is deterministic, and running.
        """
        if isinstance(params, Record):
            raise SettingError(f"enqueue takes params, such as record.params, got {params!r}")
        given = self.space.store(params, partial=True)
        uid = ""
        if parent is not None:
            number, history = checks.whole("parent=", parent), self.history
            if number >= len(history):
                raise SettingError(f"parent={number} is no trial; the study has {len(history)}")
            uid = history[number].uid
        self._desk.enqueue(given, checks.text("note=", note or ""), uid)

    def note(self, text: str = "", /, tags: Sequence[str] = (), **values: float) -> None:
        """Keep a remark, tags or numbers with the study; no decision uses them."""
        self._desk.note("", text, tags, values)

    def stop(self, trial: Trial[P] | int | None = None) -> None:
        """Have every process that runs the study end its run, or one trial end.

        What reports is handed back at its next report, the rest at once; a later run goes on. A
        single trial is stopped at its next report.

        Args:
            trial: The trial, or its number.

        Raises:
            StudyError: There is no such trial, or it has finished.
        """
        if trial is None:
            self._desk.command("stop")
            return
        number = trial.number if isinstance(trial, Trial) else checks.whole("trial", trial)
        history = self.history
        if number >= len(history):
            raise StudyError(f"there is no trial {number}; the study has {len(history)}")
        if history[number].finished:
            raise StudyError(f"trial {number} has finished already ({history[number].state})")
        self._desk.command("stop", history[number].uid)

    def pause(self) -> None:
        """Let no trial begin, in any process; what reports is handed back at its next report."""
        self._desk.command("pause")

    def resume(self) -> None:
        """Let a paused study go on, in whatever process runs it."""
        self._desk.command("go on")

    @hint_keywords()
    def run(
        self,
        objective: Callable[..., Any],
        trials: int | None = None,
        *,
        workers: int | None = None,
        gpus: GPUs | None = None,
        executor: Executor | str | None = None,
        resources: Mapping[str, float] | None = None,
        more: int | None = None,
        timeout: float | None = None,
        timeout_kills: bool = False,
        until: StopRule | None = None,
        max_failures: int | None = None,
        retries: int = RETRIES,
        trial_timeout: float | None = None,
        trial_memory: int | None = None,
        lease_s: float = 60.0,
        progress: Shown = True,
        wait: bool = True,
        confirm: bool = False,
    ) -> Study[P]:
        """Call an objective for trial after trial, until the budget is taken.

        Args:
            objective: A function of a `Trial`; if the space is a signature, that function.
            trials: Number of trials the study shall have, over all processes and runs. Failed
                ones do not count.
            workers: How many processes run trials, each one at a time; an `async` objective gets
                so many coroutines instead. Left out, it is called in this process.
            gpus: "all", or a list of numbers as `nvidia-smi` shows them and of ids: each trial sees only
                its own, as `trial.device`. They are shared out evenly among `workers`, by default one for each;
                with more workers, trials share a GPU, and one that runs out of memory is tried again alone.
            executor: What runs trials, instead: a registered name, of which "ray" takes as many places of a Ray cluster as
                there are, or `workers`; the address of one, "ray://head:10001"; or an executor, which this run closes.
            resources: What a trial takes of a cluster, such as `{"cpu": 2, "gpu": 0.5}`.
            more: Number of trials to add to those it has.
            timeout: Seconds after which no further trial begins, and those that run end at their
                next report: as stopped, or, if they can go on where they were, handed back.
            timeout_kills: Whether the timeout kills those that run, instead; they are handed back.
            until: A rule that is asked before each trial.
            max_failures: Trials that may fail in this run; by default 10, or a quarter of the
                trials to run if that is more.
            retries: How often a trial is begun again whose worker was lost.
            trial_timeout: Seconds after which a trial's worker is killed.
            trial_memory: Bytes above which a trial's worker is killed.
            lease_s: Seconds without a sign of life after which a worker, or this process, is lost.
            progress: Whether to show how far it is, on standard error; "lines": with a line for each
                trial, where that is no terminal.
            wait: Whether to return at the end; else a process of its own runs the study, in at least
                one worker, and goes on when this one ends. `stop` ends it.
            confirm: Whether the best are evaluated again at the end, see `confirm`; `confirmation` is the outcome.

        Returns:
            The study.

        Raises:
            SettingError: The arguments contradict one another, or set no end.
            StudyError: More trials failed than may.
            Interrupted: Ctrl-C; everything is kept and the next run goes on.
            Preempted: SIGTERM, SIGUSR1 or SIGHUP, in the main thread; likewise, with exit code 0.
            Exception: The objective's own, until one trial has succeeded; later it is recorded as
                that trial's failure.
        """
        self._ledger.sync()
        self._take_form(objective)
        history = self._ledger.fold.history
        ends = isinstance(self.sampler, FiniteSampler)
        bounds = Bounds.of(
            history, trials, more, timeout, until, max_failures,
            retries=retries, kills=timeout_kills, ends=ends,
        )  # fmt: skip
        self._check_population(bounds.trials)
        call = caller(objective, self.space)
        if confirm:
            check_confirmable(self.problem)
        given = executor
        if executor is None:
            executor = spanning(
                {
                    "workers=": workers, "gpus=": gpus, "resources=": resources, "trial_timeout=": trial_timeout,
                    "trial_memory=": trial_memory, "wait=False": not wait,
                }
            )  # fmt: skip
        if confirm and isinstance(given, Executor):
            raise SettingError(
                "a run closes its executor= at its end, so confirm afterwards: study.confirm(objective)"
            )
        if not wait:
            if isinstance(executor, Executor):
                raise SettingError(
                    "executor= is of this process; wait=False takes workers=, or the name of one"
                )
            workers = 1 if workers is None and gpus is None and executor is None else workers
        done = history.count("complete", "stopped")
        places = executor_of(
            objective, workers, executor, gpus=gpus, resources=resources, lease_s=lease_s, trial_timeout=trial_timeout,
            trial_memory=trial_memory, most=None if bounds.trials is None else max(1, bounds.trials - done),
        )  # fmt: skip
        if not wait:
            self._run_elsewhere(
                objective, trials=bounds.trials, timeout=timeout, until=until, workers=workers, gpus=gpus,
                executor=executor, resources=resources, timeout_kills=timeout_kills, max_failures=max_failures, retries=retries,
                trial_timeout=trial_timeout, trial_memory=trial_memory, lease_s=lease_s,
                progress="lines" if progress else False, confirm=confirm,
            )  # fmt: skip
            return self
        work = work_of(objective, call)
        lines = places.follow(work)
        if lines is not None:  # another process leads, and has the log
            progress = False
            self._desk.move(copied(self._ledger, lines))
        else:
            with concluding(places, self._ledger):
                self._lead(
                    work, places, bounds, origin(objective, self._ledger.data), lease_s, progress
                )
        if confirm:
            outcome = self.confirm(
                objective, workers=workers, gpus=gpus, executor=given, resources=resources, retries=retries,
                trial_timeout=trial_timeout, trial_memory=trial_memory, lease_s=lease_s, progress=progress,
            )  # fmt: skip
            if progress:
                say(str(outcome))
        return self

    def _lead(
        self,
        work: Work,
        places: Executor,
        bounds: Bounds,
        said: Provenance,
        lease_s: float,
        progress: Shown,
    ) -> None:
        """Run to the end, in the process that writes the log."""
        history = self._ledger.fold.history
        if progress and not self._announced:
            say(f"{self.name}: kept in {shown_place(self._ledger.storage.url)}")
        sampler = self.sampler
        if progress and isinstance(sampler, FiniteSampler) and not len(history):
            size = sampler.size(self.problem)
            say(
                f"{type(sampler).__name__}: {size:,} configurations"
                if size
                else "only what is queued"
            )
        self._announced = True
        self._ledger.origin = said
        if progress:
            self._say_stale()
        self._ledger.lease_s = checks.seconds("lease_s=", lease_s)
        voice = Voice(self._ledger, progress)
        Run(self._desk, work, places, bounds, voice, self._stops, proven=self._proven)()

    def _say_stale(self) -> None:
        """Name the trials that ran with something else than there is now, once."""
        found = self.stale()
        if found and str(found) != self._said_stale:
            self._said_stale = str(found)
            say(
                f"{self.name}: {found}; `tunesmith rerun` says whether one still holds, study.stale() lists "
                "them, a study of another name begins anew"
            )

    def _run_elsewhere(self, objective: Callable[..., Any], **options: Unpack[Running]) -> None:
        """Run in a process of its own."""
        storage = self._ledger.storage
        stops = self._ledger.fold.stops
        job = Job(
            storage, self.name, self.space, self.sampler, self.scheduler, objective, stops, options,
            self._ledger.data,
        )  # fmt: skip
        pid, output = start(job)
        if options["progress"]:
            say(
                f"{self.name}: runs in the background (process {pid}), its output goes to "
                f"./{output}; study.stop() ends it"
            )

    def _take_form(self, objective: Callable[..., Any]) -> None:
        """Let a study that was loaded without its class or function take it from the objective."""
        if self._loaded_bare and (self.space.blank or self.space.called):
            self._desk.move(opening.with_space(self._ledger, space_meant(objective)))
            self._loaded_bare = False
        if self.space.bare:
            raise StudyError(
                f"the log has labels in the place of the objects of {', '.join(self.space.bare)}; "
                "open the study with them: ts.load(..., space=...)"
            )

    def confirm(
        self,
        objective: Callable[..., Any],
        top: int | None = None,
        *,
        replicates: int | None = None,
        baseline: Callable[..., Any] | None = None,
        **running: Unpack[Running],
    ) -> Confirmation[P]:
        """Evaluate the best configurations again, on seeds that the search has not used, and choose.

        They race in a study of its own beside this one, `<name>-confirm`: a finalist that is clearly
        worse drops out. Calling it again goes on with what is known.

        Args:
            objective: As for `run`; what is random in it follows `trial.seed`.
            top: How many of the best, beside the default configuration or the baseline; by default five, or
                fewer, so that three evaluations of each fit into a fifth of the search.
            replicates: Evaluations of a finalist, at most; by default a fifth of the search for all together.
            baseline: What stands now, if it is in no space: an objective that gives the same metrics, of a trial without
                params. It is evaluated on the seeds of the finalists, as often as the one that is longest in the race,
                in the study `<name>-confirm-baseline`, and takes the place of the default configuration.
            running: What `run` takes, such as `workers=4`.

        Raises:
            NotSupported: The study has several objectives.
            NoTrials: None has completed.
            SettingError: The baseline is no function, or an argument is one of a search.
        """
        refuse(running, baseline)
        self._ledger.sync()
        self._take_form(objective)
        plan = Plan.of(self.history, top, replicates, baseline=baseline is not None)
        finalists = {f"trial {record.number}": record.logged for record in plan.finalists}
        again = self._opened_beside(CONFIRMS, self.space, plan.replication, finalists)
        again._proven = True  # noqa: SLF001 - its own
        if baseline is not None:  # it is to be expected from now on
            self._opened_beside(BASELINE, Space({}), Fixed(plan.aside), {})
        begun = time.monotonic()
        running["until"] = plan.until
        again.run(objective, **running)
        n = plan.left(again.history)
        if baseline is not None and n > 1:
            stands = self._opened_beside(BASELINE, Space({}), Fixed(n), {"baseline": {}})
            del running["until"]
            if (timeout := running.get("timeout")) is not None:
                running["timeout"] = max(1e-9, timeout - (time.monotonic() - begun))
            stands.run(baseline, **running)
        return self._confirmed()

    def _opened_beside(
        self,
        ending: str,
        space: Space[Any],
        replication: Replication,
        queue: Mapping[str, dict[str, Any]],
    ) -> Study[Any]:
        """A study that confirms this one, with configurations in its queue, as they are logged, by their notes."""
        ledger = self._ledger
        how = opening.How(seed=seed_apart(self.seed), replicates=part_of(replication))
        made, _ = opening.open_study(
            replace(self.problem, space=space), Queue(), None, ledger.storage, self.name + ending, how,
            ledger.clock,
        )  # fmt: skip
        again: Study[Any] = Study.opened(made)
        desk, key = again._desk, space.key
        fold = desk.read()
        known = {key(i.params) for i in fold.queue.values()}
        known |= {key(r.logged) for r in fold.history if r.state != "failed"}  # or it may be mended
        for note, params in queue.items():
            if key(params) not in known:
                desk.enqueue(params, note, "")
        return again

    def save(self, path: str | Path | Storage, name: str | None = None) -> None:
        """Keep the study from now on in a storage.

        Args:
            path: A path or URL.
            name: Name to keep it under.

        Raises:
            StudyError: The storage has a study of this name.
        """
        target, name = opening.kept_at(path), name or self.name
        ledger = self._ledger
        ledger.sync()
        try:
            target.append(name, ledger.storage.read(ledger.name), expect=0)
        except Conflict:
            raise StudyError(
                f"{target.url} has a study {name!r} already; give this one another name: "
                f'save({str(path)!r}, name="...")'
            ) from None
        for ending in self._beside:
            with suppress(Conflict):  # another one's is not touched
                target.append(name + ending, ledger.storage.read(ledger.name + ending), expect=0)
        moved = ledger.elsewhere(target, name, self.space)
        copy(ledger.files, moved.files)
        self._desk.move(moved)

    def bundle(
        self, path: str | Path, *, checkpoints: Which = "none", attachments: Which = "none"
    ) -> int:
        """Pack the study into one file that others can read: `ts.load("digits.tunesmith")`.

        In it are the log, that of the confirmation, a table of the trials, their provenance, a paragraph
        for a paper, and, if the extra `report` is installed, the report.

        Args:
            path: The file, whose name ends in `.tunesmith`; one that is there is replaced.
            checkpoints: Whose come along: of "none", of the "best" trial, or "all" that are kept.
            attachments: Likewise; their names are in it in any case.

        Returns:
            How many checkpoints were packed.

        Raises:
            SettingError: The name has another ending.
            OSError: It cannot be written.
        """
        answers = self._answers()
        return bundle(self._ledger, Path(path), checkpoints, attachments, answers)

    def rerun(
        self,
        number: int,
        objective: Callable[..., Any],
        *,
        executor: str | None = None,
        resources: Mapping[str, float] | None = None,
        tolerance: float = TOLERANCE,
        note: bool = False,
    ) -> Rerun[P]:
        """Run a trial once more, with its params and seed, and compare what it reports and returns.

        It is run in this process, unless an executor is named, from its beginning to the step where it ended; a fork, under the
        schedule that led to it. The study stays as it is.

        Args:
            number: The trial.
            objective: What it was run with.
            executor: See `run`.
            resources: Likewise.
            tolerance: Relative difference of values that counts as the same.
            note: Whether to keep the finding as a note of the trial.

        Raises:
            StudyError: There is no such trial, it has no value yet, or it cannot be run as it was.
        """
        self._ledger.sync()
        self._take_form(objective)
        number = checks.whole("number", number)
        history = self._ledger.fold.history
        if number >= len(history):
            raise StudyError(f"there is no trial {number}; the study has {len(history)}")
        found = rerun(
            self._ledger,
            number,
            objective,
            work_of(objective, caller(objective, self.space)),
            lambda: executor_of(
                objective, None, executor, resources=resources, lease_s=LEASE_S, most=1
            ),
            checks.number("tolerance=", tolerance),
        )
        if note:
            self._desk.note(history[number].uid, f"run once more: {found.verdict}", ["rerun"], {})
        return found

    if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names
        __getattr__ = hint_attribute("Study")
