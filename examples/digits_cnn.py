"""A convolutional network in PyTorch on handwritten digits: epochs are spent where they pay, in two processes.

Stop it at any moment and type the same line again: it goes on. `python digits_cnn.py 12 9` is a small run: 12
trials of at most 9 epochs.
"""

import sys
from dataclasses import dataclass
from typing import Annotated

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import tunesmith as ts
from tunesmith.torch import state


@dataclass(frozen=True)
class Params:
    """The network's size, and how it is trained."""

    channels: Annotated[int, ts.Int(4, 32, log=True)] = 8
    dropout: Annotated[float, ts.Float(0.0, 0.6)] = 0.2
    lr: Annotated[float, ts.Float(1e-4, 0.1, log=True)] = 1e-3
    batch: Annotated[int, ts.Int(16, 128, log=True)] = 64


images, labels = load_digits(return_X_y=True)
images = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
labels = torch.tensor(labels)
train_rows, valid_rows = train_test_split(range(len(labels)), test_size=0.3, random_state=0)


def network(p: Params) -> nn.Sequential:
    """Return two convolutions and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, p.channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(p.channels, 2 * p.channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(p.dropout), nn.Linear(8 * p.channels, 10),
    )  # fmt: skip


def train(trial: ts.Trial[Params]) -> None:
    """Train, and report the accuracy on digits that were left out."""
    p = trial.params
    torch.manual_seed(trial.seed)
    model = network(p)
    optimiser = torch.optim.Adam(model.parameters(), lr=p.lr)
    everything = state(model, optimiser)
    trial.resumable(save=everything.save, load=everything.load)
    for epoch in trial.steps():
        model.train()
        for rows in torch.tensor(train_rows)[torch.randperm(len(train_rows))].split(p.batch):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            right = model(images[valid_rows]).argmax(1) == labels[valid_rows]
        trial.report(epoch, accuracy=right.float().mean())


def main(trials: int = 40, epochs: int = 27) -> None:
    """Tune, then load the best network from its checkpoint."""
    study = ts.Study(
        Params, maximize="accuracy", resource=ts.Resource("epoch", max=epochs),
        scheduler=ts.schedulers.ASHA(), name=f"digits-cnn-{epochs}", seed=1,
    )  # fmt: skip
    study.run(train, trials=trials, workers=2)

    best, history = study.best, study.history
    print(f"accuracy {best.value:.3f} after {best.step} epochs: {best.params}")
    print(f"{history.spent} epochs instead of {len(history) * epochs}")
    if best.checkpoint:
        model = network(best.params)
        state(model, torch.optim.Adam(model.parameters())).load(best.checkpoint)
        weights = sum(part.numel() for part in model.parameters())
        print(f"its {weights} weights are in {best.checkpoint}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
