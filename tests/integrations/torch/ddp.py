"""A training on all ranks that `torchrun` has started: what it does is said on the command line."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import tunesmith as ts

RANK = int(os.environ["RANK"])
T = ts.Trial[dict[str, Any]]
_, what, where = sys.argv
folder = Path(where)


def said(**data: Any) -> None:
    """Note something, each rank in a file of its own."""
    with (folder / f"{what}-{RANK}.jsonl").open("a") as file:
        file.write(json.dumps(data) + "\n")


def train(trial: T) -> None:
    torch.manual_seed(trial.seed)
    model: Any = DistributedDataParallel(nn.Linear(4, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=trial["lr"])

    def save(place: Path) -> None:
        said(saved=trial.number)
        torch.save(model.module.state_dict(), place / "model.pt")

    def load(place: Path) -> None:
        said(loaded=trial.number)
        model.module.load_state_dict(torch.load(place / "model.pt"))

    trial.resumable(save=save, load=load, save_every_s=0.2 if what == "slow" else 600)
    luck = torch.Generator().manual_seed(trial.seed + RANK)  # each rank has data of its own
    step = 0
    try:
        for step in trial.steps():
            x = torch.randn(16, 4, generator=luck)
            loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
            optimiser.zero_grad()
            if what == "hang" and trial.number == 2 and RANK == 1:
                raise ValueError("no luck on rank 1")
            loss.backward()
            optimiser.step()
            if what == "raise" and (trial.number, RANK) == (2, 1):
                raise ValueError("no luck on rank 1")
            if what == "first" and (trial.number, RANK) == (2, 0):
                raise ValueError("no luck on rank 0")
            if what == "slow":
                time.sleep(0.1)
                said(step=step)
            if trial.attempt == 1 and what == "die" and (trial.number, RANK, step) == (1, 0, 5):
                os._exit(9)
            if step == 1:
                (folder / f"{RANK}.log").write_text(str(RANK))
                trial.attach(folder / f"{RANK}.log", "log")
                trial.note("begun")
            trial.report(step, loss=loss.item() + 10 * RANK)
    finally:
        said(trial=trial.number, lr=trial["lr"], seed=trial.seed, attempt=trial.attempt, step=step,
             weight=model.module.weight.sum().item())  # fmt: skip


said(pid=os.getpid())
dist.init_process_group("gloo")
kept: dict[str, Any] = {} if what == "memory" else {"storage": folder / "s.db", "name": "s"}
study = ts.Study(
    {"lr": ts.Float(1e-4, 0.1, log=True)}, minimize="loss", seed=3 if kept else None,
    resource=ts.Resource("epoch", max=2000 if what == "slow" else 9), sampler=ts.samplers.Random(), scheduler="auto" if what == "memory" else None, **kept,
)  # fmt: skip
study.run(train, trials=1 if what == "slow" else 6, progress=False)
said(best=study.best.number, params=study.best.params, trials=len(study.history),
     there=study.best.checkpoint is not None, notes=len(study.notes),
     log=study.best.attachments["log"].read_text())  # fmt: skip
dist.barrier()  # files of a study in memory go with rank 0
dist.destroy_process_group()
