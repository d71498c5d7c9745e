"""An LSTM in PyTorch that foretells noisy waves; afterwards: what was wrong with its trainings.

`python sequences_lstm.py 8 12` is a small run: 8 trials of at most 12 epochs.
"""

import sys
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

import tunesmith as ts
from tunesmith.torch import state


@dataclass(frozen=True)
class Adam:
    """Steps of adapted size."""

    lr: Annotated[float, ts.Float(1e-4, 0.1, log=True)] = 1e-3


@dataclass(frozen=True)
class SGD:
    """Plain steps with momentum."""

    lr: Annotated[float, ts.Float(1e-3, 1.0, log=True)] = 1e-2
    momentum: Annotated[float, ts.Float(0.0, 0.99)] = 0.9


@dataclass(frozen=True)
class Params:
    """The network's size, and how it is trained."""

    optimiser: Adam | SGD = Adam()
    units: Annotated[int, ts.Int(4, 64, log=True)] = 16
    clip: Annotated[float, ts.Float(0.1, 10.0, log=True)] = 1.0


def forecaster(units: int) -> nn.ModuleDict:
    """Return what says at each moment of a sequence what comes next."""
    return nn.ModuleDict({"lstm": nn.LSTM(1, units, batch_first=True), "out": nn.Linear(units, 1)})


def loss(model: nn.ModuleDict, waves: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error on `waves` (n, length, 1), but for the moments that a wave is told by."""
    hidden, _ = model["lstm"](waves[:, :-1])
    return ((model["out"](hidden) - waves[:, 1:]) ** 2)[:, 8:].mean()


def waves(n: int, seed: int) -> torch.Tensor:
    """Return sums of two sines of any phase and pace, with noise: (n, 40, 1)."""
    luck = torch.Generator().manual_seed(seed)
    pace = 0.2 + 0.6 * torch.rand(n, 1, 2, generator=luck)
    phase = 6.3 * torch.rand(n, 1, 2, generator=luck)
    moments = torch.arange(40.0).reshape(1, -1, 1)
    both = torch.sin(pace * moments + phase).sum(2, keepdim=True)
    return both + 0.05 * torch.randn(both.shape, generator=luck)


known, unknown = waves(256, seed=0), waves(256, seed=1)


def train(trial: ts.Trial[Params]) -> None:
    """Train, and report the loss on waves seen and not seen."""
    torch.manual_seed(trial.seed)
    model = forecaster(trial.params.units)
    optimiser: torch.optim.Optimizer
    match trial.params.optimiser:
        case Adam(lr):
            optimiser = torch.optim.Adam(model.parameters(), lr=lr)
        case SGD(lr, momentum):
            optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    everything = state(model, optimiser)
    trial.resumable(save=everything.save, load=everything.load)
    for epoch in trial.steps():
        for rows in torch.randperm(len(known)).split(32):
            optimiser.zero_grad()
            loss(model, known[rows]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), trial.params.clip)
            optimiser.step()
        with torch.no_grad():
            trial.report(epoch, train_loss=loss(model, known), val_loss=loss(model, unknown))


def main(trials: int = 40, epochs: int = 30) -> None:
    """Tune, then say what was found and what was wrong."""
    study = ts.Study(Params, minimize="val_loss", resource=ts.Resource("epoch", max=epochs), seed=1)
    study.run(train, trials=trials)

    print(f"loss {study.best.value:.4f} after {study.best.step} epochs: {study.best.params}")
    print(f"{study.history.spent} epochs instead of {len(study.history) * epochs}\n")
    print(study.diagnosis())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
