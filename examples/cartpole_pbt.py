"""An agent that learns to balance a pole, under population-based training: its hyperparameters change as it learns.

The environment (A. Barto, R. Sutton, C. Anderson. Neuronlike adaptive elements that can solve difficult learning
control problems. 1983) and the policy gradient (R. Williams. 1992) are some lines of NumPy.
`python cartpole_pbt.py 6 10` is a small run: 6 agents of 10 epochs.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts

EPISODES, LONGEST = 16, 200  # that are played at once, and their length
Array = np.ndarray[Any, Any]


def moved(states: Array, pushes: Array) -> Array:
    """Return where carts and poles (n, 4) are a fiftieth of a second after pushes (n,) of -1 or 1."""
    _, speed, angle, turn = states.T
    force = (10 * pushes + 0.05 * turn**2 * np.sin(angle)) / 1.1
    swing = (9.8 * np.sin(angle) - np.cos(angle) * force) / (
        0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1)
    )
    rates = np.stack([speed, force - 0.05 * swing * np.cos(angle) / 1.1, turn, swing], 1)
    return states + 0.02 * rates


class Agent:
    """Pushes to the right with the probability that a logistic model of the state says."""

    def __init__(self) -> None:
        self.w = np.zeros(4)

    def play(self, luck: np.random.Generator) -> tuple[Array, Array]:
        """Play some episodes; the moments that each lasted (n,), and its summed score gradients by moment."""
        states = luck.uniform(-0.05, 0.05, (EPISODES, 4))
        alive = np.ones(EPISODES, bool)
        lasted, scores = np.zeros(EPISODES), np.zeros((LONGEST, EPISODES, 4))
        for moment in range(LONGEST):
            right = 1 / (1 + np.exp(-states @ self.w))
            pushes = luck.random(EPISODES) < right
            scores[moment] = (alive * (pushes - right))[:, None] * states
            states = moved(states, 2 * pushes - 1)
            alive &= (abs(states[:, 0]) < 2.4) & (abs(states[:, 2]) < 0.2095)
            lasted += alive
        return lasted, scores

    def epoch(self, lr: float, horizon: float, luck: np.random.Generator) -> float:
        """Learn from some episodes; how long they lasted on average."""
        lasted, scores = self.play(luck)
        left = np.maximum(lasted - np.arange(LONGEST)[:, None], 0)  # (moments, n)
        returns = horizon * (1 - np.exp(-left / horizon))  # what comes later counts less
        gains = returns - returns.mean(1, keepdims=True)
        self.w += lr * (gains[..., None] * scores).sum((0, 1)) / lasted.sum()
        return float(lasted.mean())

    def save(self, folder: Path) -> None:
        """Write the weights."""
        np.save(folder / "agent.npy", self.w)

    def load(self, folder: Path) -> None:
        """Take them back."""
        self.w = np.load(folder / "agent.npy")


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    """Learn, and report how long the pole stands, smoothed over some epochs."""
    agent = Agent()
    trial.resumable(save=agent.save, load=agent.load)  # a fork loads the agent that it is a copy of
    for epoch in trial.steps():
        luck = np.random.default_rng([trial.seed, epoch])  # a fork's is its own
        trial.report(epoch, moments=agent.epoch(trial["lr"], trial["horizon"], luck))


def main(trials: int = 12, epochs: int = 40) -> None:
    """Train a population, then print how the best of it was trained."""
    space = {"lr": ts.Float(1e-3, 3.0, log=True), "horizon": ts.Float(2, 200, log=True)}
    study = ts.Study(
        space, maximize="moments", resource=ts.Resource("epoch", max=epochs),
        scheduler=ts.schedulers.PBT(), seed=1,
    )  # fmt: skip
    study.run(train, trials=trials)

    line = study.history.lineage(study.best)
    print(f"the pole stands for {study.best.value:.0f} of {LONGEST} moments")
    print(f"trials {' -> '.join(str(record.number) for record in line)}")
    for first, params in study.best.schedule:
        print(f"from epoch {first:3}: lr={params['lr']:.3g}, horizon={params['horizon']:.3g}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
