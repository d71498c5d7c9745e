"""The keyword arguments of studies and runs, named once for the typed overloads that share them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

from tunesmith.executors import Executor
from tunesmith.executors.devices import GPUs
from tunesmith.records import Resource
from tunesmith.records.events import Keep
from tunesmith.replication import Replication
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.stop import StopRule
from tunesmith.storage import Blobs, Storage
from tunesmith.study.voice import Shown

Names: TypeAlias = str | Sequence[str]


class Keeping(TypedDict, total=False):
    """What a study is made with beside its space and objectives; see `Study`."""

    subject_to: Sequence[str]
    resource: Resource | None
    value: Literal["last", "best", "mean"]
    sampler: Sampler[Any] | None
    scheduler: Scheduler[Any] | Literal["auto"] | None
    name: str | None
    storage: Storage | str | Path | None
    seed: int | None
    deterministic: int | None
    replicates: Replication | int | None
    files: Blobs | str | Path | None
    keep_checkpoints: Keep | None
    data: Any


class Making(Keeping, total=False):
    """What a study is made with beside its space; see `Study`."""

    minimize: Names | None
    maximize: Names | None


class Running(TypedDict, total=False):
    """What a run is bounded by; see `Study.run`."""

    trials: int | None
    workers: int | None
    gpus: GPUs | None
    executor: Executor | str | None
    resources: Mapping[str, float] | None
    more: int | None
    timeout: float | None
    timeout_kills: bool
    until: StopRule | None
    max_failures: int | None
    retries: int
    trial_timeout: float | None
    trial_memory: int | None
    lease_s: float
    progress: Shown
    wait: bool
    confirm: bool


class MakingAndRunning(Keeping, Running, total=False):
    """What `minimize` and `maximize` take beside objective and space."""

    metric: Names
