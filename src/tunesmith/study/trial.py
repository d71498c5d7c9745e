"""The live trial: what an objective receives, and what `Study.ask` returns."""

import os
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    Sequence,
    ValuesView,
)
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, final

from tunesmith._core.checks import is_whole, seconds
from tunesmith._core.errors import ResultError, SettingError, Stopped
from tunesmith._core.hints import hint_attribute
from tunesmith._core.types import P
from tunesmith.executors.devices import device
from tunesmith.records import Record, Resource
from tunesmith.storage import Blobs
from tunesmith.study.attaching import put
from tunesmith.study.folds import splits_of
from tunesmith.study.results import metrics_of
from tunesmith.study.saving import SAVE_EVERY_S, Link, Saving

LAST_STEP = 2**63  # a step is kept in 64 bits


@final
@dataclass(frozen=True, slots=True)
class Ticket(Generic[P]):
    """What makes a trial, in any process.

    Attributes:
        params: In the form in which the objective gets them.
        step: The last reported step.
        objectives: Names of the metrics that count.
        key: Of the checkpoint that it goes on from; empty: it has none, or needs none.
        files: Where checkpoints are kept; None: nowhere.
        replicate: Which evaluation of its configuration it is, from 0.
    """

    params: P
    number: int
    seed: int
    attempt: int
    uid: str
    step: int
    resource: Resource | None
    objectives: tuple[str, ...]
    key: str
    files: Blobs | None
    replicate: int

    @classmethod
    def of(cls, record: Record[P], files: Blobs | None) -> "Ticket[P]":
        """Return the ticket of a running trial."""
        return cls(
            params=record.params,
            number=record.number,
            seed=record.seed,
            attempt=record.attempt,
            uid=record.uid,
            step=record.step,
            resource=record.problem.resource,
            objectives=tuple(objective.name for objective in record.problem.objectives),
            key=record.key if record.step else "",  # what was saved at the end is no beginning
            files=files,
            replicate=0 if record.replicate is None else record.replicate[1],
        )


@final
class Trial(Generic[P]):
    """One configuration being tried.

    For a dict space it is also a mapping of the active parameters: `trial["lr"]`.

    Attributes:
        params: The configuration, in the space's own form.
        number: Place among the study's trials, from 0.
        seed: 32 random bits of its own; a later attempt has the same. Where configurations are evaluated
            repeatedly, those of its place among the evaluations, which all configurations share.
        replicate: Which evaluation of its configuration it is, from 0.
        attempt: 1, or more if an earlier attempt was interrupted.
        uid: Its name in the log.
        resource: What it may spend, if the study declares that.
        ticket: All of this, as it travels to a worker.
        saving: How it is saved; `resumable`, `save` and `checkpoint` are what an objective uses.
    """

    __tunesmith_trial__: ClassVar[bool] = True  # how the space layer knows the annotation

    __slots__ = ("_link", "_over", "_step", "attempt", "number", "params", "replicate", "resource", "saving",
                 "seed", "ticket", "uid")  # fmt: skip

    def __init__(self, ticket: Ticket[P], link: Link) -> None:
        self.params: P = ticket.params
        self.number = ticket.number
        self.seed = ticket.seed
        self.replicate = ticket.replicate
        self.attempt = ticket.attempt
        self.uid = ticket.uid
        self.resource: Resource | None = ticket.resource
        self.ticket = ticket
        self._step = ticket.step
        self._link = link
        self._over = False
        self.saving = Saving(ticket.uid, ticket.attempt, ticket.key, ticket.files, link)

    def __repr__(self) -> str:
        return f"<Trial {self.number}: {self.params!r}>"

    def steps(self) -> Iterator[int]:
        """Return the steps that are left, 1-based: from where it stands to the resource's end.

        Raises:
            SettingError: The study declares no resource.
        """
        if self.resource is None:
            raise SettingError(
                "steps() needs the study's resource, such as "
                'Study(..., resource=ts.Resource("epoch", max=30))'
            )
        return iter(range(self._step + 1, self.resource.max + 1))

    def folds(
        self, cv: Any, X: Any, y: Any = None, *, groups: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Return the folds of a cross-validation that are left, each to be reported as one step.

        Make the study with `value="mean"`, so that a trial counts as the mean of its folds. Their
        number alone, or a splitter with a fixed `random_state`, gives every trial the same folds. A
        single split, such as `0.2` or `ShuffleSplit(1)`, is of the trial's own seed: each trial has another,
        so that none wins by a split that suits it (fix it by `random_state`, or give places).

        Args:
            cv: Number of folds; the share of samples to hold out once; a splitter of scikit-learn; or pairs
                of places.
            X: The samples (n, ...).
            y: What belongs to them (n, ...).
            groups: The group of each sample (n,), for a splitter that keeps groups together.

        Returns:
            Pairs: places of training samples, and of validation samples.

        Raises:
            SettingError: There is no such way to split.
            ResultError: The fold before was not reported.

        Example:
            >>> import numpy as np
            >>> import tunesmith as ts
            >>> X, y = np.arange(12.0), np.arange(12) % 2
            >>> def error(trial):
            ...     for fold, (train, valid) in enumerate(trial.folds(3, X, y), 1):
            ...         mean = X[train].mean() * trial["shrink"]
            ...         trial.report(fold, loss=((X[valid] - mean) ** 2).mean())
            >>> study = ts.Study({"shrink": ts.Float(0, 1)}, minimize="loss", value="mean")
            >>> sorted(study.run(error, trials=1, progress=False).best.values)
            ['loss', 'loss_se']
        """
        splits = splits_of(cv, X, y, groups, self.seed)
        return self._reporting(splits[self._step :])

    def _reporting(self, splits: Sequence[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        for number, split in enumerate(splits, self._step + 1):
            yield split
            if self._step != number:
                raise ResultError(
                    f"fold {number} was not reported; within the loop, write "
                    f"trial.report({number}, loss=...), as of enumerate(trial.folds(...), 1)"
                )

    def report(self, step: int, values: Any = None, /, **more: Any) -> None:
        """Report metrics after `step` steps.

        Args:
            step: Amount of the resource done, 1-based, higher than in the last report.
            values: The objective's value if there is one objective, or a mapping of metrics.
            more: Metrics by name.

        Raises:
            Stopped: The trial must end now; let it pass.
            Superseded: Another attempt of this trial has taken over.
            ResultError: A value is no number, or the step is not higher than the last.
        """
        if self.decide(step, values, **more):
            raise Stopped

    def decide(self, step: int, values: Any = None, /, **more: Any) -> bool:
        """Report, as `report` does, and return whether the trial must end, for callbacks."""
        if self._over:
            return True
        if not is_whole(step) or step >= LAST_STEP:
            raise ResultError(f"report(step, ...) needs a whole number of steps, got {step!r}")
        step = int(step)
        if step <= self._step:
            raise ResultError(
                f"steps count up: the last report was for step {self._step}, this one is for "
                f"{step}" + ("; the first step is 1" if step < 1 else "")
            )
        metrics = metrics_of(values, more, self.ticket.objectives)
        if not metrics:
            raise ResultError(f"report({step}) says nothing; add metrics, such as loss=0.3")
        answer = self._link.report(
            self.uid,
            self.attempt,
            step,
            metrics,
            resumable=self.saving.resumable,
            key=self.saving.take(),
        )
        self._step = step
        self._over = answer in ("end", "save and end")
        self.saving.after(step, answer)
        return self._over

    def resumable(
        self,
        *,
        save: Callable[[Path], object] | None = None,
        load: Callable[[Path], object] | None = None,
        save_every_s: float = SAVE_EVERY_S,
    ) -> None:
        """Say how this trial is saved to a folder and loaded from it; loads now, if it goes on.

        It is saved at reports, when that is needed: before a scheduler pauses it, where others may be
        forked from it, when the run leaves, after `save_every_s`, and at its end if it is the best.
        Saving what fails is noted with the trial, which goes on; if it was to be paused, its next attempt
        begins from the checkpoint before, or anew.

        Without arguments: a later attempt needs nothing of this one but its params and step, as where
        each step is a piece of work by itself, such as a fold, or a fit on more samples.

        Args:
            save: Writes everything that a later attempt needs into the folder.
            load: Reads it.
            save_every_s: Seconds after which a report saves in any case.

        Raises:
            SettingError: One of the two functions is missing.
            StorageError: The checkpoint is gone.
        """
        for name, function in (("save", save), ("load", load)):
            if not callable(function) and (save is not None or load is not None):
                raise SettingError(
                    f"resumable({name}=...) takes a function of a folder, got {function!r}"
                )
        every_s = seconds("resumable(save_every_s=...)", save_every_s)
        self.saving.use(save, load, every_s, self.ticket.step)

    def save(self) -> AbstractContextManager[Path]:
        """Give an empty folder: what the block writes there is the checkpoint of the next report.

        The low-level form of `resumable`, for trials that decide by themselves when they save. It
        counts from the next report on, or from the trial's end; `checkpoint` is where a later attempt
        finds it.

        Example:
            >>> import tunesmith as ts
            >>> study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss")
            >>> trial = study.ask()
            >>> with trial.save() as folder:
            ...     written = (folder / "weights.txt").write_text("0.5")
            >>> trial.report(1, loss=0.3)
            >>> (study.history[0].checkpoint / "weights.txt").read_text()
            '0.5'
        """
        return self.saving.folder()

    @property
    def device(self) -> str:
        """What to train on, as PyTorch names it: "cuda:0" where this process sees a GPU, else "cpu".

        Of several it is the first; under `torchrun` that of the process's own rank.
        """
        return device()

    @property
    def checkpoint(self) -> Path | None:
        """The folder that it goes on from, not to be changed; None: it begins at step 1.

        Raises:
            StorageError: It is gone.
        """
        return self.saving.checkpoint

    def attach(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Keep a copy of a file or folder with the trial: a model, a picture, a log.

        It is in `record.attachments` by its name, in whichever process; of several of one name the latest. What is
        attached stays until the study is deleted.

        Args:
            path: The file or folder.
            name: What it is found by, at most 255 characters; None: its own name.

        Raises:
            SettingError: There is nothing at the path, or the study's storage has no place for files.
            StorageError: It cannot be kept, as where the disk is full.
            Superseded: Another attempt of this trial has taken over, or it has ended.

        Example:
            >>> import tempfile, pathlib
            >>> import tunesmith as ts
            >>> log = pathlib.Path(tempfile.mkdtemp(), "train.log")
            >>> written = log.write_text("all went well")
            >>> study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss")
            >>> study.ask().attach(log)
            >>> study.history[0].attachments["train.log"].read_text()
            'all went well'
        """
        name, key = put(self.ticket.files, self.uid, self.attempt, path, name)
        self._link.attached(self.uid, self.attempt, name, key)

    def ended(self, metrics: dict[str, float]) -> dict[str, float]:
        """Save what has returned, if that is wanted, and return its metrics; a run calls this."""
        if not self._over:
            self.saving.end(self._step, metrics)
        return metrics

    def note(self, text: str = "", /, tags: Sequence[str] = (), **values: float) -> None:
        """Keep a remark, tags or further numbers with the trial; no decision uses them."""
        self._link.note(self.uid, text, tags, values)

    def keys(self: "Trial[dict[str, Any]]") -> KeysView[str]:
        """Return the names of the active parameters."""
        return self.params.keys()

    def values(self: "Trial[dict[str, Any]]") -> ValuesView[Any]:
        """Return the values of the active parameters."""
        return self.params.values()

    def items(self: "Trial[dict[str, Any]]") -> ItemsView[str, Any]:
        """Return names and values of the active parameters."""
        return self.params.items()

    def get(self: "Trial[dict[str, Any]]", name: str, default: Any = None) -> Any:
        """Return the value of a parameter, or `default` if it is not active."""
        return self.params.get(name, default)

    def __getitem__(self: "Trial[dict[str, Any]]", name: str) -> Any:
        try:
            return self.params[name]
        except KeyError:
            inside = [path for path in self.params if path.startswith(f"{name}.")]
            there = ", ".join(map(repr, inside or self.params)) or "none"
            raise KeyError(f"{name!r} is no active parameter; there are {there}") from None

    def __bool__(self) -> bool:
        return True  # also if no parameter is active

    def __iter__(self: "Trial[dict[str, Any]]") -> Iterator[str]:
        return iter(self.params)

    def __len__(self: "Trial[dict[str, Any]]") -> int:
        return len(self.params)

    if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names
        __getattr__ = hint_attribute("Trial")
