"""A training in PyTorch that is paused, resumed and moved equals one that was not."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts

torch = pytest.importorskip("torch", reason="`make test-torch` installs it")
from tunesmith.torch import state  # noqa: E402 - first look whether PyTorch is there

pytestmark = pytest.mark.torch
T = ts.Trial[dict[str, Any]]


class Training:
    """A small network with dropout, momentum, a falling rate, shuffled batches and noise of three kinds."""

    def __init__(self, rate: float, seed: int) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - as users do
        self.own = np.random.default_rng(seed)
        self.shuffling = torch.Generator().manual_seed(seed)
        self.x = torch.linspace(-1, 1, 64).reshape(-1, 1)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 1)
        )
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=0.9)
        self.falling = torch.optim.lr_scheduler.MultiStepLR(self.optimiser, [2, 4], 0.5)
        self.state = state(
            self.model, self.optimiser, self.falling, own=self.own, shuffling=self.shuffling
        )

    def epoch(self) -> float:
        noise = random.gauss(0, 0.01) + np.random.normal(0, 0.01) + self.own.normal(0, 0.01)  # noqa: NPY002
        total = 0.0
        for rows in torch.randperm(64, generator=self.shuffling).reshape(4, 16):
            loss = ((self.model(self.x[rows]) - self.x[rows] ** 2 - noise) ** 2).mean()
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            total += loss.item()
        self.falling.step()
        return total


def train(trial: T) -> None:
    training = Training(trial["rate"], trial.seed)
    trial.resumable(save=training.state.save, load=training.state.load)
    for step in trial.steps():
        trial.report(step, loss=training.epoch())


@pytest.mark.parametrize("workers", [None, 2])
def test_a_training_that_is_paused_equals_one_that_is_not(workers: int | None) -> None:
    """Weights, momentum, rate, order of batches, dropout and noise go on exactly."""
    study = ts.Study(
        {"rate": ts.Float(0.001, 0.3, log=True)}, minimize="loss", seed=0,
        resource=ts.Resource("epoch", max=9), scheduler=ts.schedulers.SuccessiveHalving(),
    )  # fmt: skip
    study.run(train, trials=9, workers=workers, progress=False)

    assert study.best.attempt == 3
    for record in study.history:
        training = Training(record.params["rate"], record.seed)
        uninterrupted = [training.epoch() for _ in range(record.step)]
        assert record.reported("loss")[1].tolist() == uninterrupted


def test_another_training_is_refused(tmp_path: Path) -> None:
    """A checkpoint of other parts is named as such."""
    model = torch.nn.Linear(1, 1)
    state(model).save(tmp_path)

    with pytest.raises(ts.StorageError, match="made of Linear 0; this one is made of network"):
        state(network=model).load(tmp_path)


def test_nothing_that_could_run_is_read(tmp_path: Path) -> None:
    """A file with an object of some class in it is not unpickled."""
    torch.save({"a": Path("x")}, tmp_path / "state.pt")

    with pytest.raises(ts.StorageError, match="holds more than tensors and plain values"):
        state(torch.nn.Linear(1, 1)).load(tmp_path)


@pytest.mark.parametrize(
    "parts, sentence",
    [({"a": 3}, "a is 3"), ({"generators": torch.Generator()}, "keeps 'generators' itself")],
)
def test_what_has_no_state_is_refused(parts: dict[str, Any], sentence: str) -> None:
    """At once, not when it is to be saved."""
    with pytest.raises(ts.SettingError, match=sentence):
        state(**parts)


def test_a_fork_goes_on_under_the_rate_that_it_is_built_with(tmp_path: Path) -> None:
    """Weights and momentum are the parent's, the rate is the fork's, and its schedule goes on in proportion."""
    parent = Training(0.1, 0)
    for _ in range(3):
        parent.epoch()
    parent.state.save(tmp_path)
    fork, same = Training(0.02, 0), Training(0.1, 0)
    fork.state.load(tmp_path)
    same.state.load(tmp_path)

    assert parent.optimiser.param_groups[0]["lr"] == pytest.approx(0.05)
    assert same.optimiser.param_groups[0]["lr"] == parent.optimiser.param_groups[0]["lr"]
    assert fork.optimiser.param_groups[0]["lr"] == pytest.approx(0.01)
    assert fork.falling.base_lrs == [pytest.approx(0.02)]
    fork.epoch()
    assert fork.optimiser.param_groups[0]["lr"] == pytest.approx(0.005)
    momenta = (one.optimiser.state_dict()["state"] for one in (same, parent))
    assert all(
        torch.equal(a["momentum_buffer"], b["momentum_buffer"])
        for a, b in zip(*(m.values() for m in momenta), strict=True)
    )
